"""Frames are voiced one by one, and mean something together."""

import pytest

from app.hearing.activity import Activity, Sensitivity


def heard(pattern: str, activity: Activity | None = None) -> Activity:
    """`x` is a voiced frame, `.` one that is not."""
    activity = activity or Activity()
    for frame in pattern:
        activity.hear(0.9 if frame == "x" else 0.0)
    return activity


def test_a_voiced_frame_stays_voiced_down_to_the_lower_threshold() -> None:
    activity = Activity()

    assert [activity.hear(p) for p in (0.49, 0.5, 0.36, 0.35, 0.34, 0.49)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("pattern", "started"),
    [("xxxx", False), ("xxxxx", True), ("xx.x.xx", True), ("xx....xxx", True), ("xx......xxx", False)],
)
def test_90_ms_of_sure_speech_in_200_are_a_start(pattern: str, started: bool) -> None:
    assert heard(pattern).started is started


@pytest.mark.parametrize(
    ("pattern", "resumed"), [("..xx", False), ("xx.x", True), ("xxx", True), ("xx..x", False)]
)
def test_three_of_four_go_on_after_a_pause(pattern: str, resumed: bool) -> None:
    assert heard(pattern).resumed is resumed


@pytest.mark.parametrize(
    ("pattern", "insistent"), [("xxxxxxx", False), ("xxxx......xxxx", True), ("xxxx.......xxxx", False)]
)
def test_160_ms_in_280_insist(pattern: str, insistent: bool) -> None:
    assert heard(pattern).insistent is insistent


def test_what_is_doubtful_is_evidence_when_it_lasts() -> None:
    activity, begun = Activity(), []

    for _ in range(12):
        activity.hear(0.4)  # half way from doubt to sure
        begun.append(activity.started)

    assert begun == [False] * 8 + [True] * 4


def test_what_the_network_doubts_is_no_evidence_however_long() -> None:
    activity = Activity()

    for _ in range(200):
        activity.hear(0.1)

    assert not activity.started and not activity.resumed


def test_a_few_frames_are_no_start_however_sure() -> None:
    activity = Activity()

    for _ in range(4):
        activity.hear(1.0)

    assert not activity.started


def test_an_echo_never_counts() -> None:
    activity = Activity()

    for _ in range(20):
        assert not activity.hear(0.99, near=False)

    assert not activity.started


def test_what_is_soft_but_near_goes_on_where_the_echo_was_likely_speech() -> None:
    activity = Activity()
    activity.hear(0.9, near=False)

    assert activity.hear(0.4)


def test_the_beginning_is_that_of_the_first_voiced_frame() -> None:
    assert heard("......xx.xxx").since_ms == 120
    assert heard("......xx.xxx").voiced_ms == 100


def test_what_is_forgotten_is_no_part_of_a_start() -> None:
    activity = heard("xxxx")

    activity.forget()

    assert not activity.voiced
    assert not heard("x", activity).started


def test_the_numbers_are_the_sensitivitys() -> None:
    activity = Activity(Sensitivity(on=0.95, start_evidence_ms=40))

    assert [activity.hear(p) for p in (0.9, 0.96, 0.96)] == [False, True, True]
    assert activity.started


@pytest.mark.parametrize(
    "wrong",
    [{"off": 0.6}, {"doubt": -0.1}, {"sure": 0.5}, {"start_evidence_ms": 90, "start_window_ms": 80}],
)
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Sensitivity(**wrong)  # type: ignore[arg-type]
