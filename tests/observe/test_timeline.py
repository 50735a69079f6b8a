"""One call's story, from its events."""

from typing import Any

from app.observe.timeline import ended_calls, latencies_of, streams_of, turns_of


def said(name: str, second: int = 0, **fields: Any) -> dict[str, Any]:
    return {"event": name, "timestamp": f"2026-01-01T00:00:{second:02}Z", "replica": "a", **fields}


def test_a_call_is_listed_once_with_its_last_ending_and_not_while_it_goes_on_elsewhere() -> None:
    events = [
        said("call.ended", 1, call_sid="CA1", reason="handed_over"),
        said("call.ended", 2, call_sid="CA2", reason="finished", turns=3),
        said("call.ended", 3, call_sid="CA3", reason="handed_over"),
        said("call.ended", 4, call_sid="CA1", reason="caller_hung_up", replica="b", duration_s=7.5),
    ]

    ended = ended_calls(events, besides=["CA3"])

    assert [(call["call_sid"], call["ending"], call["replica"]) for call in ended] == [
        ("CA1", "caller_hung_up", "b"),
        ("CA2", "finished", "a"),
    ]
    assert (ended[0]["duration_s"], ended[0]["turns"], ended[1]["turns"]) == (7.5, None, 3)


def test_every_stream_has_its_replica_and_the_ending_that_this_replica_told() -> None:
    events = [
        said("stream.started", 1, stream_sid="MZ1"),
        said("call.ended", 5, reason="handed_over"),
        said("stream.started", 6, stream_sid="MZ2", replica="b"),
        said("stream.started", 9, stream_sid="MZ3"),  # b has died
        said("call.ended", 12, reason="finished"),
    ]

    streams = [(each["stream_sid"], each["replica"], each["ending"]) for each in streams_of(events)]

    assert streams == [("MZ1", "a", "handed_over"), ("MZ2", "b", None), ("MZ3", "a", "finished")]
    assert streams_of(events)[0]["ended_at"] == "2026-01-01T00:00:05Z"


def test_a_turn_is_what_was_said_or_keys_and_how_long_the_reply_took() -> None:
    events = [
        said("hearing.transcribed", 1, confidence=0.9, **{"pii.text": "[masked]"}),
        said("turn.replied", 2, ttfa_ms=400),
        said("turn.replied", 4, ttfa_ms=90),  # to keys
        said("hearing.transcribed", 5, confidence=0.5, **{"pii.text": "[masked]"}),
        said("hearing.transcribed", 6, confidence=0.8, **{"pii.text": "[masked]"}),  # before a reply came
        said("turn.replied", 7, ttfa_ms=700),
    ]

    turns = [(turn["words"], turn["confidence"], turn["reply_ms"]) for turn in turns_of(events)]

    assert turns == [
        ("[masked]", 0.9, 400),
        (None, None, 90),
        ("[masked]", 0.5, None),
        ("[masked]", 0.8, 700),
    ]


def test_what_was_waited_for_is_summed_up_and_nothing_is_made_up() -> None:
    events = [said("turn.replied", ttfa_ms=ms) for ms in (300, 100, 900)]
    events += [said("speech.rendered", ttfb_ms=None), said("call.ended", first_audio_ms=240)]

    assert latencies_of(events) == {
        "first_audio_ms": {"count": 1, "p50": 240, "max": 240},
        "reply_ms": {"count": 3, "p50": 300, "max": 900},
        "speech_ttfb_ms": None,
    }
