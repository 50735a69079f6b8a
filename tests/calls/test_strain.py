"""When this process bears no other call."""

import pytest

from app.calls.strain import SPAN_S, Bounds, Sample, Strain, no_ears, no_generations
from app.capacity.port import PermitStatus

BOUNDS = Bounds(lag_s=0.1, processor=0.8, memory=0.9, files=0.9)


def test_a_quiet_process_takes_calls() -> None:
    strain = Strain(BOUNDS)

    assert not strain.note(Sample(0.01, 0.3, 0.2, 0.1), 0.0)
    assert strain.reason == ""
    assert strain.figures() == {"lag_ms": 10.0, "processor": 0.3, "memory": 0.2, "files": 0.1}


def test_a_busy_processor_refuses_until_it_is_well_below() -> None:
    strain = Strain(BOUNDS)

    changes = [
        strain.note(Sample(processor=share), SPAN_S * at) for at, share in enumerate((0.85, 0.75, 0.67, 0.75))
    ]

    assert changes == [True, False, True, False]
    assert strain.reason == ""


def test_one_hiccup_refuses_nobody_and_lasting_lateness_does() -> None:
    strain = Strain(BOUNDS)
    for at in range(8):
        strain.note(Sample(lag_s=0.0), at * 0.25)
    strain.note(Sample(lag_s=0.7), 2.0)
    assert strain.reason == ""

    for at in range(9, 13):
        strain.note(Sample(lag_s=0.2), at * 0.25)

    assert strain.reason.startswith("event loop 125 ms late, at most 100")


def test_a_loop_that_stood_still_refuses_at_once_and_for_seconds() -> None:
    strain = Strain(BOUNDS)
    for at in range(12):
        strain.note(Sample(), at * 0.25)

    assert strain.note(Sample(lag_s=1.0), 3.0)
    assert strain.reason == "event loop stood still for 1 s or more"
    strain.note(Sample(), 3.0 + SPAN_S - 0.1)
    assert strain.reason
    assert strain.note(Sample(), 3.0 + SPAN_S)
    assert strain.reason == ""


@pytest.mark.parametrize("what", ["memory", "files"])
def test_what_runs_out_is_named(what: str) -> None:
    strain = Strain(BOUNDS)

    strain.note(Sample(**{what: 0.95}), 0.0)

    assert strain.reason == f"{what} at 95%, at most 90%"


def test_without_bounds_nothing_refuses() -> None:
    strain = Strain()

    strain.note(Sample(10.0, 1.0, 1.0, 1.0), 0.0)

    assert strain.reason == ""


def test_nothing_was_measured_before_the_first_look() -> None:
    assert set(Strain(BOUNDS).figures().values()) == {0.0}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, ""),
        ({"local": {"free": 0}}, "every recogniser is taken"),
        ({"local": {"free": 1}}, ""),
        ({"local": {"free": 0}, "cloud": {"health": "unknown"}}, ""),
        ({"local": {"free": 0}, "other": {"free": 0}}, "every recogniser is taken"),
    ],
)
def test_recognisers_are_scarce_when_every_provider_says_so(told: dict[str, object], reason: str) -> None:
    assert no_ears(told) == reason


def permits(limit: int, waiting: int) -> PermitStatus:
    return PermitStatus(limit, limit, limit, waiting, 0, 0, 0)


@pytest.mark.parametrize(
    ("voices", "is_scarce"),
    [
        ([], False),
        ([None], False),
        ([permits(3, 29)], False),
        ([permits(3, 30)], True),
        ([permits(3, 90), permits(10, 99)], False),
        ([permits(3, 90), permits(10, 100)], True),
        ([permits(3, 90), None], False),  # the embedded voice serves everybody
        ([permits(0, 0)], False),
    ],
)
def test_generations_are_scarce_when_rounds_of_callers_wait_for_every_voice(
    voices: list[PermitStatus | None], is_scarce: bool
) -> None:
    assert bool(no_generations(voices)) is is_scarce
