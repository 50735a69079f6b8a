"""Both directions of Media Streams, without a socket."""

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import LocalProtocolError, MediaStreamError, RemoteProtocolError
from app.telephony import messages as wire
from app.telephony.messages import Ignored, KeyPressed, MarkReturned, MediaReceived, Started, Stopped
from app.telephony.stream import TRANSITIONS, MediaStream, State
from fixtures.make_twilio import CALL_SID, STREAM_SID, connected, inside, media, sessions, start, tone

ROOT = Path(__file__).parents[2]
SESSIONS = ROOT / "fixtures" / "twilio"


def starting() -> MediaStream:
    stream = MediaStream()
    stream.receive(json.dumps(connected()))
    return stream


def streaming() -> MediaStream:
    stream = starting()
    stream.receive(json.dumps(start()))
    return stream


def stopped() -> MediaStream:
    stream = streaming()
    stream.receive(json.dumps(inside(2, "stop", {})))
    return stream


MESSAGES: dict[str, dict[str, Any]] = {
    "connected": connected(),
    "start": start(),
    "media": media(2, 1, b"\xff"),
    "dtmf": inside(2, "dtmf", {"track": "inbound_track", "digit": "1"}),
    "mark": inside(2, "mark", {"name": "s1"}),
    "stop": inside(2, "stop", {}),
}
STATES = {
    State.CONNECTING: MediaStream,
    State.STARTING: starting,
    State.STREAMING: streaming,
    State.STOPPED: stopped,
}


def mark_returns(stream: MediaStream, name: str) -> wire.Event:
    return stream.receive(json.dumps(inside(9, "mark", {"name": name})))


# Whole sessions --------------------------------------------------------------------------------------


def replay(name: str) -> tuple[MediaStream, list[wire.Event]]:
    stream = MediaStream()
    events = []
    for line in (SESSIONS / name).read_text().splitlines():
        events.append(stream.receive(line))
        if isinstance(events[-1], Started):
            stream.mark("s1")
    return stream, events


def test_the_sessions_are_what_their_script_writes() -> None:
    assert {path.name: path.read_text().splitlines() for path in SESSIONS.glob("*.jsonl")} == sessions()


def test_a_normal_call() -> None:
    stream, events = replay("normal.jsonl")

    assert isinstance(events[0], wire.Connected)
    assert isinstance(events[1], Started)
    assert (events[1].stream_sid, events[1].call_sid) == (STREAM_SID, CALL_SID)
    assert events[1].parameters == {"token": "a-one-time-token"}
    assert [event for event in events if isinstance(event, KeyPressed | MarkReturned)] == [
        KeyPressed("5"),
        MarkReturned("s1", played=True),
    ]
    assert b"".join(event.mulaw for event in events if isinstance(event, MediaReceived)) == tone() * 75
    assert events[-1] == Stopped()
    assert (stream.state, stream.ignored) == (State.STOPPED, 0)


def test_a_call_with_all_that_twilio_may_vary() -> None:
    stream, events = replay("tolerance.jsonl")

    assert [event.event for event in events if isinstance(event, Ignored)] == [
        "heartbeat",
        "transcription",
        "mark",
    ]
    assert stream.ignored == 3
    assert [event.timestamp_ms for event in events if isinstance(event, MediaReceived)] == [
        20,
        40,
        60,
        80,
        100,
    ]
    assert KeyPressed("7") in events
    assert stream.state is State.STOPPED


def test_a_call_with_gaps_and_frames_of_any_length() -> None:
    _, events = replay("gaps.jsonl")
    received = [event for event in events if isinstance(event, MediaReceived)]

    assert [event.chunk for event in received] == list(range(1, 16))
    assert {len(event.mulaw) for event in received} == {80, 160, 320}
    assert received[5].timestamp_ms - received[4].timestamp_ms > 2000


# What is legal ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", MESSAGES)
def test_only_what_the_table_holds_is_received(state: State, name: str) -> None:
    stream = STATES[state]()
    after = {wire.NAMES[message]: end for message, end in TRANSITIONS[state].items()}.get(name)

    if after is None:
        with pytest.raises(RemoteProtocolError, match=f"'{name}' while {state}, expected "):
            stream.receive(json.dumps(MESSAGES[name]))
    else:
        stream.receive(json.dumps(MESSAGES[name]))
    assert stream.state is (after or state)


@pytest.mark.parametrize("state", State)
def test_an_unknown_event_is_ignored_in_every_state(state: State) -> None:
    stream = STATES[state]()

    assert stream.receive('{"event":"heartbeat"}') == Ignored("heartbeat")
    assert (stream.state, stream.ignored) == (state, 1)


@pytest.mark.parametrize("state", [State.CONNECTING, State.STARTING, State.STOPPED])
def test_nothing_is_sent_before_start_or_after_stop(state: State) -> None:
    stream = STATES[state]()
    orders: list[Callable[[], str]] = [lambda: stream.play(b"\xff"), lambda: stream.mark("s1"), stream.clear]

    for order in orders:
        with pytest.raises(LocalProtocolError, match=f"while {state}, expected to be streaming"):
            order()


def test_the_refusal_says_what_was_expected() -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        streaming().receive(json.dumps(connected()))

    expected = "'connected' while streaming, expected 'media' or 'dtmf' or 'mark' or 'stop'"
    assert str(refused.value) == expected


@pytest.mark.parametrize("name", ["media", "dtmf", "mark", "stop"])
def test_a_message_of_another_stream_is_refused(name: str) -> None:
    stream = streaming()

    with pytest.raises(RemoteProtocolError, match=f"'{name}' of another stream"):
        stream.receive(json.dumps(MESSAGES[name] | {"streamSid": "MZ-other"}))
    assert stream.state is State.STREAMING


@pytest.mark.parametrize(("outer", "inner"), [("", ""), ("MZ1", "MZ2")])
def test_a_start_needs_one_stream_sid(outer: str, inner: str) -> None:
    message = start()
    message["streamSid"], message["start"]["streamSid"] = outer, inner
    stream = starting()

    with pytest.raises(RemoteProtocolError, match="stream sids"):
        stream.receive(json.dumps(message))
    assert stream.state is State.STARTING


@pytest.mark.parametrize(
    "change",
    [{"encoding": "audio/L16"}, {"sampleRate": 16000}, {"channels": 2}],
    ids=lambda change: next(iter(change)),
)
def test_other_audio_than_mulaw_is_refused(change: dict[str, Any]) -> None:
    message = start()
    message["start"]["mediaFormat"] |= change

    with pytest.raises(RemoteProtocolError, match="media format"):
        starting().receive(json.dumps(message))


def test_our_own_voice_is_not_taken_for_the_callers() -> None:
    message = media(2, 1, b"\xff")
    message["media"]["track"] = "outbound"

    assert streaming().receive(json.dumps(message)) == Ignored("media")


# What we send ----------------------------------------------------------------------------------------


def test_messages_have_exactly_the_documented_fields() -> None:
    stream = streaming()

    assert json.loads(stream.play(b"\xff\x00")) == {
        "event": "media",
        "streamSid": STREAM_SID,
        "media": {"payload": "/wA="},
    }
    assert json.loads(stream.mark('a "quoted" näme')) == {
        "event": "mark",
        "streamSid": STREAM_SID,
        "mark": {"name": 'a "quoted" näme'},
    }
    assert json.loads(stream.clear()) == {"event": "clear", "streamSid": STREAM_SID}


def test_a_strange_stream_sid_cannot_break_our_messages() -> None:
    message = start()
    message["streamSid"] = message["start"]["streamSid"] = 'MZ"},{\\'
    stream = starting()
    stream.receive(json.dumps(message))

    assert stream.stream_sid == 'MZ"},{\\'
    assert json.loads(stream.clear())["streamSid"] == 'MZ"},{\\'


def test_silence_is_audio_but_nothing_is_not() -> None:
    with pytest.raises(LocalProtocolError, match="without audio"):
        streaming().play(b"")


def test_a_marks_name_is_used_once_in_a_stream() -> None:
    stream = streaming()
    stream.mark("s1")
    mark_returns(stream, "s1")

    for name in ("", "s1"):
        with pytest.raises(LocalProtocolError, match="empty or used name"):
            stream.mark(name)


@given(st.binary(min_size=1, max_size=2000))
def test_audio_arrives_as_it_was_sent(mulaw: bytes) -> None:
    stream = streaming()
    sent = json.loads(stream.play(mulaw))

    assert b64decode(sent["media"]["payload"], validate=True) == mulaw
    sent["media"] |= {"chunk": "1", "timestamp": "20"}  # what the way back adds
    assert stream.receive(json.dumps(sent)) == MediaReceived(mulaw, 20, 1)


# Marks -----------------------------------------------------------------------------------------------


def test_marks_that_clear_sends_back_were_not_played() -> None:
    stream = streaming()
    for name in ("s1", "s2", "s3"):
        stream.mark(name)

    assert mark_returns(stream, "s1") == MarkReturned("s1", played=True)
    stream.clear()
    stream.mark("s4")
    assert mark_returns(stream, "s2") == MarkReturned("s2", played=False)
    assert mark_returns(stream, "s3") == MarkReturned("s3", played=False)
    assert mark_returns(stream, "s4") == MarkReturned("s4", played=True)


def test_a_mark_comes_back_once_and_a_strange_one_never() -> None:
    stream = streaming()
    stream.mark("s1")

    mark_returns(stream, "s1")
    assert mark_returns(stream, "s1") == Ignored("mark")
    assert mark_returns(stream, "not ours") == Ignored("mark")
    assert stream.ignored == 2


# Anything at all -------------------------------------------------------------------------------------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
damaged = st.builds(
    lambda name, key, value: json.dumps(MESSAGES[name] | {key: value}),
    st.sampled_from([*MESSAGES]),
    st.sampled_from(["event", "streamSid", "start", "media", "dtmf", "mark", "stop", "other"]),
    anything,
)
whole = st.sampled_from([json.dumps(message) for message in MESSAGES.values()])


@given(st.lists(whole | damaged | st.text(max_size=30) | st.binary(max_size=30), max_size=12))
def test_any_text_either_advances_or_raises_ours(texts: list[str | bytes]) -> None:
    stream = MediaStream()

    for text in texts:
        before = stream.state
        try:
            stream.receive(text)
        except MediaStreamError:
            assert stream.state is before
        else:
            assert stream.state is before or stream.state in TRANSITIONS[before].values()


# The picture -----------------------------------------------------------------------------------------


def diagram() -> str:
    """The table as a drawing, in Mermaid."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.CONNECTING}"]
    for state, following in TRANSITIONS.items():
        for end in dict.fromkeys(following.values()):
            names = ", ".join(wire.NAMES[message] for message, to in following.items() if to is end)
            lines.append(f"    {state} --> {end}: {names}")
        if not following:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines)


def test_the_picture_in_the_docs_is_the_table() -> None:
    page = (ROOT / "docs" / "media-stream.md").read_text()

    assert f"```mermaid\n{diagram()}\n```" in page, f"put this into docs/media-stream.md:\n{diagram()}"
