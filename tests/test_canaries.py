"""The watch over the whole suite sees what it is there to see."""

import json
from collections.abc import Iterator

import pytest

from app.log import KEY_SHAPES, attach, configure, log
from tests.canaries import SECRETS, TWILIO_TOKEN, Watch, leaks_in

WORDS = "my name is Marmalade Submarine"
NUMBER = "+15005550123"


@pytest.fixture
def nothing_leaks(event_stream: None) -> Iterator[Watch]:
    """In place of the suite's own: what this one finds is for the test to judge."""
    watch = Watch()
    watch.put_before_masking()
    detach = attach(watch.after_masking)
    yield watch
    detach()


@pytest.mark.parametrize("secret", [secret for secret in SECRETS if not KEY_SHAPES.search(secret)])
def test_threat_8_a_secret_is_seen_wherever_it_stands(nothing_leaks: Watch, secret: str) -> None:
    log.info("room.fact", fault=f"bad key: {secret}!")
    log.debug("room.fact", headers={"authorization": ["Bearer", f"<{secret}>"]})

    assert len(nothing_leaks.leaks()) == 2


def test_threat_8_a_secret_is_none_once_it_is_masked_but_never_the_callers_either(
    nothing_leaks: Watch,
) -> None:
    configure(level="info", style="json", secrets=[TWILIO_TOKEN])
    log.info("room.fact", fault=f"bad key: {TWILIO_TOKEN}")
    assert nothing_leaks.leaks() == []

    configure(level="info", style="json", show_pii=True)
    log.info("room.fact", **{"pii.text": TWILIO_TOKEN})
    assert len(nothing_leaks.leaks()) == 1


def test_threat_9_a_callers_words_are_seen_outside_of_their_field_whichever_comes_first(
    nothing_leaks: Watch,
) -> None:
    log.info("turn.replied", said=f"You said: {WORDS}. Is that right?")
    assert nothing_leaks.leaks() == []

    log.info("hearing.transcribed", **{"pii.text": WORDS})
    assert len(nothing_leaks.leaks()) == 1


def test_threat_9_a_callers_number_is_seen_outside_of_its_field(nothing_leaks: Watch) -> None:
    log.info("call.admitted", **{"pii.from": NUMBER}, caller={"pii.number": NUMBER})
    assert nothing_leaks.leaks() == []

    log.info("call.admitted", path=f"/calls/{NUMBER[1:]}")
    assert len(nothing_leaks.leaks()) == 1


def test_what_is_everybodys_is_nobodys(nothing_leaks: Watch) -> None:
    log.info("hearing.transcribed", **{"pii.text": "yes"})
    log.info("turn.replied", reply="yes")

    assert nothing_leaks.leaks() == []


def test_threats_8_and_9_what_another_process_wrote_is_read_line_by_line() -> None:
    lines = [
        json.dumps({"event": "call.admitted", "pii.from": "[masked]"}),
        json.dumps({"event": "call.admitted", "from": NUMBER}),
        f"Traceback: {TWILIO_TOKEN}",
        f'{{"event": "cut off", "fault": "{TWILIO_TOKEN}',
        "hotline answers",
    ]

    assert len(leaks_in("\n".join(lines))) == 3
