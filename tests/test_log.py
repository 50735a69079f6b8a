"""The event stream: masking, and readers."""

import json
import logging
from contextlib import suppress

import pytest
import structlog

from app.log import (
    MASK,
    MOST_A_MINUTE,
    OF_STRANGERS,
    UNLOGGED,
    Event,
    Masking,
    Sparing,
    attach,
    configure,
    log,
)


def masked(fields: Event, *secrets: str, show_pii: bool = False) -> Event:
    return Masking(secrets, show_pii=show_pii)(None, "info", fields)


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    event = masked({"a": "key=s3cret!", "b": ["s3cret", {"c": "xs3cretx"}], "n": 3}, "s3cret")

    assert event == {"a": f"key={MASK}!", "b": [MASK, {"c": f"x{MASK}x"}], "n": 3}


@pytest.mark.parametrize(
    "shape", ["sk_" + "0123456789abcdef" * 2, "Bearer abcdefghijklmnop", "SK" + "0a" * 16]
)
def test_what_looks_like_a_vendors_key_is_hidden_unknown(shape: str) -> None:
    assert shape not in str(masked({"message": f"bad key {shape} given"}))


def test_callers_words_and_numbers_show_only_when_asked_for() -> None:
    fields: Event = {"event": "x", "pii.from": "+15550100", "nested": {"pii.words": "hello"}}

    assert masked(fields) == {"event": "x", "pii.from": MASK, "nested": {"pii.words": MASK}}
    assert masked(fields, show_pii=True)["pii.from"] == "+15550100"


def test_threat_9_of_an_unlogged_call_they_never_show() -> None:
    fields: Event = {"event": "x", UNLOGGED: True, "pii.from": "+15550100", "nested": {"pii.words": "hello"}}

    shown = masked(fields, show_pii=True)

    assert (shown["pii.from"], shown["nested"]) == (MASK, {"pii.words": MASK})


def test_a_strangers_text_cannot_start_a_line_of_its_own() -> None:
    told = str(masked({"fault": "a\r\nfake line\x1b[31m\u2028"})["fault"])

    assert told == r"a\r\nfake line\x1b[31m\u2028"


def test_bytes_are_told_by_their_number_and_long_text_is_cut() -> None:
    event = masked({"audio": b"\x00" * 160, "page": "x" * 9000})

    assert event["audio"] == "<160 bytes>"
    assert len(str(event["page"])) == 2000


def test_readers_get_each_event_once_masked_and_with_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure(level="info", style="json", secrets=["s3cret"])
    seen: list[Event] = []
    detach = attach(seen.append)

    log.info("room.fact_said", value="s3cret")
    detach()
    log.info("room.said_later")

    assert [(event["event"], event["level"], event["value"]) for event in seen] == [
        ("room.fact_said", "info", MASK)
    ]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["room.fact_said", "room.said_later"]


def test_libraries_join_the_stream(capsys: pytest.CaptureFixture[str]) -> None:
    configure(level="info", style="json", secrets=["s3cret"])

    logging.getLogger("a.library").warning("cannot use %s", "s3cret")

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["logger"], line["level"]) == ("library.logged", "a.library", "warning")
    assert line["message"] == f"cannot use {MASK}"


def test_readers_are_told_what_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    configure(level="error", style="json")
    detach = attach(lambda event: told.append(event["event"]))
    log.info("call.ended")
    log.error("call.failed")
    detach()

    assert told == ["call.ended", "call.failed"]
    assert "call.ended" not in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(OF_STRANGERS))
def test_a_stranger_fills_neither_the_log_nor_the_ring(name: str) -> None:
    sparing = Sparing()
    minutes = [f"2026-11-21T09:{minute:02}:00Z" for minute in (10, 11, 12)]

    def said(minute: str, times: int, event: str = name) -> list[Event]:
        kept = []
        for _ in range(times):
            with suppress(structlog.DropEvent):
                kept.append(sparing(None, "", {"event": event, "timestamp": minute}))
        return kept

    assert len(said(minutes[0], 1000)) == MOST_A_MINUTE
    assert len(said(minutes[0], 1000, "call.ended")) == 1000
    assert [event.get("unsaid") for event in said(minutes[1], 2)] == [1000 - MOST_A_MINUTE, None]
    assert "unsaid" not in said(minutes[2], 1)[0]


def test_what_is_not_said_reaches_no_reader() -> None:
    told: list[Event] = []
    configure(level="info", style="json")
    detach = attach(told.append)
    for _ in range(5 * MOST_A_MINUTE):
        log.warning("stream.refused", reason="handshake_not_signed")
    detach()

    assert len(told) <= 2 * MOST_A_MINUTE  # two, should a minute end meanwhile
