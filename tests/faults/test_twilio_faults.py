"""The catalogue of what Twilio's side of the wire does, by number.

28 to 34 the socket and its messages · 41 other audio · 42, 43 silence · 44 to 47 marks, clears, slow readers,
keys. Frames beneath the library, and 27, are in `test_raw_websocket`; webhooks in `test_admission_faults`;
floods in `test_overload`.
"""

import asyncio
import itertools
import json
import random
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.audio.frame import FRAME_BYTES
from app.calls.call import Call
from app.calls.means import Limits
from app.calls.player import LONGEST_QUEUE_MS
from app.calls.record_files import RecordFiles
from app.calls.registry import Ending
from app.calls.vigil import Patience
from app.conversation.announcement import Announcement
from app.conversation.port import Fact, KeysEntered, Order, Say, SilenceLasted
from app.conversation.stateless import Stateless
from app.log import Event, attach, configure
from app.speech.chain import Chain
from app.telephony import signature
from app.telephony.messages import Ignored
from app.telephony.stream import MOST_MARKS
from app.web import media
from tests.calls.test_call import USUAL, means_of, play, script_of
from tests.standins.house import CONNECTED, STOP, House, house, start
from tests.standins.phone import Phone
from tests.standins.raw_socket import text
from tests.standins.voice import ToneVoice, tone
from tests.virtual_time import in_virtual_time
from tests.web.conftest import PUBLIC, TOKEN

POLICY, NORMAL = 1008, 1000
SILENCE = b64encode(b"\xff" * FRAME_BYTES).decode()


def say(message: dict[str, Any]) -> bytes:
    return text(json.dumps({"streamSid": "MZ1", **message}))


def heard(number: int, at_ms: int, *, sequence: int | None = None) -> dict[str, Any]:
    """20 ms of a silent caller."""
    body = {"track": "inbound", "chunk": str(number), "timestamp": str(at_ms), "payload": SILENCE}
    return {
        "event": "media",
        "sequenceNumber": str(number if sequence is None else sequence),
        "media": body,
    }


async def test_28_a_half_open_socket_is_given_up_and_its_slot_comes_back() -> None:
    """Nothing comes and nothing is taken, yet TCP stands: what a dead machine looks like from here."""
    async with house(silence=Patience(0.5, 0.5)) as there, there.live() as socket:
        socket.pause()
        await there.empty()


async def what_follows(there: House) -> str:
    """Twilio's question behind a stream, and our answer."""
    form = {"CallSid": "CA1", "CallStatus": "in-progress", "From": "+15550100", "To": "+15550199"}
    sign = signature.sign(TOKEN, f"{PUBLIC}/voice/after", form.items())
    async with httpx.AsyncClient(base_url=there.url) as http:
        answer = await http.post("/voice/after", data=form, headers={"X-Twilio-Signature": sign})
    return answer.text


async def test_28_a_stream_that_only_looks_alive_is_followed_by_another(tmp_path: Path) -> None:
    """It broke beyond a proxy, whose side of it stands; Twilio knows, and asks what follows."""
    async with (
        RecordFiles(tmp_path) as records,
        house(seconds=5.0, records=records) as there,
        there.live(),
    ):
        assert "<Stream" in await what_follows(there)
        assert there.parts.registry.ending_of("CA1") is Ending.STREAM_BROKE


async def test_28_a_stream_that_sends_is_not_over_because_somebody_says_so(tmp_path: Path) -> None:
    """Twilio asks of what has ended: this is a question that was asked before, and overheard."""
    async with (
        RecordFiles(tmp_path) as records,
        house(seconds=5.0, records=records) as there,
        there.live() as socket,
        asyncio.TaskGroup() as group,
    ):

        async def go_on_calling() -> None:
            for number in itertools.count(1):
                await socket.send(say(heard(number, 20 * number)))
                await asyncio.sleep(0.02)

        calling = group.create_task(go_on_calling())
        assert "<Stream" not in await what_follows(there)
        assert len(there.parts.registry.live) == 1
        calling.cancel()


async def test_29_a_socket_that_only_connects_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "START_WITHIN_S", 0.3)
    async with house() as there, there.shaken() as socket:
        await socket.send(say(CONNECTED))
        assert await socket.close_code() == POLICY
        await there.empty()


@pytest.mark.parametrize(
    "messages",
    [[CONNECTED, heard(1, 20)], [CONNECTED, CONNECTED], [{"event": "news"}] * media.MOST_BEFORE_START],
    ids=["audio", "a second connected", "nothing but unknown events"],
)
async def test_30_what_comes_in_place_of_a_start_closes_the_socket_at_once(
    messages: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "START_WITHIN_S", 60.0)
    async with house() as there, there.shaken() as socket:
        await socket.send(b"".join(map(say, messages)))
        assert await socket.close_code() == POLICY
        await there.empty()


async def test_31_a_second_start_is_no_second_voice() -> None:
    async with house() as there, there.live() as socket:
        await socket.send(say(start("any")) * 3)
        assert await socket.heard(until_bytes=8000) == tone(440, 1.0)
        await socket.send(say(STOP))
        assert await socket.close_code() == NORMAL
        await there.empty()


async def test_32_the_same_token_lets_in_nobody_else() -> None:
    async with house() as there, there.live() as first:
        token = await there.parts.tokens.issue("CA1")  # the same again, for the same call
        async with there.shaken() as second:
            await second.send(say(CONNECTED) + say(start(token)))
            assert await second.close_code() == POLICY
        assert await first.heard(until_bytes=8000) == tone(440, 1.0)


async def test_32_a_newer_token_takes_the_call_over_and_one_voice_speaks() -> None:
    async with house(seconds=3.0) as there, there.live() as older:
        token = await there.parts.tokens.issue("")  # anybody's, as for a stream that comes anew
        async with there.shaken() as newer:
            await newer.send(say(CONNECTED) + say(start(token)))
            assert await older.close_code() == NORMAL
            assert await newer.heard(until_bytes=3 * 8000) == tone(440, 3.0)
            assert len(there.parts.registry.live) == there.parts.admission.taken == 1
            await newer.send(say(STOP))
            assert await newer.close_code() == NORMAL
        await there.empty()


@pytest.mark.parametrize("change", [{"encoding": "audio/x-l16"}, {"sampleRate": 16000}, {"channels": 2}])
async def test_41_other_audio_than_twilios_is_refused_at_the_start(change: dict[str, Any]) -> None:
    async with house() as there, there.shaken() as socket:
        given = start(await there.parts.tokens.issue("CA1"))
        given["start"]["mediaFormat"] |= change
        await socket.send(say(CONNECTED) + say(given))
        assert await socket.close_code() == POLICY
        assert there.parts.admission.live == 0


class Patient(Stateless):
    """Notes every silence and every key; answers keys."""

    def __init__(self) -> None:
        self.silences = 0
        self.keys = ""

    def handle(self, fact: Fact) -> list[Order]:
        if isinstance(fact, SilenceLasted):
            self.silences += 1
        if isinstance(fact, KeysEntered):
            self.keys += fact.digits
            return [Say(f"Answer {len(self.keys)}.")]
        return []


class Told:
    """The events of a block."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __enter__(self) -> "Told":
        configure(level="info", style="json")
        self._detach = attach(self.events.append)
        return self

    def __exit__(self, *exc: object) -> None:
        self._detach()

    def one(self, name: str) -> Event:
        (found,) = [event for event in self.events if event["event"] == name]
        return found


async def listens(phone: Phone, messages: list[dict[str, Any]]) -> None:
    """The caller's side, 20 ms a message, then a hang-up."""
    for message in messages:
        phone.say(**message)
        await asyncio.sleep(0.02)
    phone.hang_up()


def test_33_messages_out_of_order_twice_or_missing_cost_nothing_but_themselves() -> None:
    chance = random.Random(33)
    messages = [heard(number, number * 20) for number in range(1, 301)]
    del messages[100:120]
    messages[200:200] = messages[190:200]  # the same ten again
    for at in range(0, len(messages), 5):
        messages[at : at + 5] = chance.sample(messages[at : at + 5], len(messages[at : at + 5]))
    for number, message in enumerate(messages):
        message["sequenceNumber"] = str(chance.randrange(1000))
        if number % 3 == 0:
            del message["sequenceNumber"]

    with Told() as told:
        ending, _, _ = play(Patient(), ToneVoice(), deed=lambda phone: listens(phone, messages))

    assert ending is Ending.CALLER_HUNG_UP
    assert 10 <= told.one("call.ended")["frames_late"] <= 250


@pytest.mark.parametrize(
    "at_ms", [0, 2**31, 2**53, 10**15], ids=["back to zero", "2**31", "2**53", "31,000 years"]
)
def test_34_a_timestamp_that_jumps_costs_neither_time_nor_memory(at_ms: int) -> None:
    before = [heard(number, 10_000 + number * 20) for number in range(50)]
    after = [heard(number, at_ms + number * 20) for number in range(50)]

    ending, _, lasted = play(Patient(), ToneVoice(), deed=lambda phone: listens(phone, [*before, *after]))

    assert ending is Ending.CALLER_HUNG_UP
    assert lasted == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("at_ms", ["-1", "1e3", "99999999999999999999999", "now"])
def test_34_a_timestamp_that_is_none_is_one_broken_message(at_ms: str) -> None:
    broken = heard(1, 20)
    broken["media"]["timestamp"] = at_ms
    with Told() as told:
        ending, _, _ = play(Patient(), ToneVoice(), deed=lambda phone: listens(phone, [broken, heard(2, 40)]))

    assert ending is Ending.CALLER_HUNG_UP
    assert sum(event["event"] == "stream.message_refused" for event in told.events) <= 1


def test_42_a_stream_without_any_audio_is_given_up_after_thirty_seconds() -> None:
    with Told() as told:
        ending, phone, lasted = play(Announcement(""), ToneVoice(), limits=Limits())

    assert ending is Ending.STREAM_BROKE
    assert 30 <= lasted <= 33
    assert phone.heard == b"" and told.one("stream.fell_silent")["silent_s"] >= 30


def test_42_a_stream_that_falls_silent_is_given_up_after_fifteen() -> None:
    async def fall_silent(phone: Phone) -> None:
        for number in range(1, 51):
            phone.say(**heard(number, number * 20))
            await asyncio.sleep(0.02)

    ending, _, lasted = play(Patient(), ToneVoice(), deed=fall_silent, limits=Limits())

    assert ending is Ending.STREAM_BROKE
    assert 16 <= lasted <= 19


def test_43_a_caller_who_says_nothing_is_asked_and_is_no_fault() -> None:
    conversation = Patient()
    messages = [heard(number, number * 20) for number in range(1, 50 * 40)]
    with Told() as told:
        ending, _, lasted = play(
            conversation, ToneVoice(), deed=lambda phone: listens(phone, messages), limits=Limits()
        )

    assert ending is Ending.CALLER_HUNG_UP and lasted == pytest.approx(40, abs=0.1)
    assert conversation.silences >= 2
    assert not [event for event in told.events if event["event"].startswith("stream.")]


async def test_44_a_flood_of_strange_marks_ends_nothing_and_is_not_kept() -> None:
    """Marks that are none of ours, as fast as they may come."""
    mark = say({"event": "mark", "mark": {"name": "x" * 40}})
    async with house(seconds=2.0) as there, there.live() as flooded, there.live("CA2") as other:
        flooded.push(mark * 100_000)
        assert await other.heard(until_bytes=2 * 8000) == tone(440, 2.0)
        assert len(there.parts.registry.live) == 2


def test_44_marks_that_never_come_back_make_room_for_later_ones() -> None:
    stream, _ = Phone().stream()
    for number in range(100_000):
        stream.mark(f"m{number}")

    assert stream.marks_forgotten == 100_000 - MOST_MARKS
    last = {"event": "mark", "streamSid": stream.stream_sid, "mark": {"name": "m99999"}}
    assert "played=True" in str(stream.receive(json.dumps(last)))
    assert stream.receive(json.dumps({**last, "mark": {"name": "m0"}})) == Ignored("mark")


def test_45_a_storm_of_interruptions_leaves_the_last_answer_whole() -> None:
    """A key every 50 ms, each of which cuts an answer that has hardly begun."""
    voice = ToneVoice(seconds=2.0, delay_s=0.01)

    async def storm(phone: Phone) -> None:
        for _ in range(100):
            phone.say(event="dtmf", dtmf={"digit": "5", "track": "inbound_track"})
            await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) < 25
        await asyncio.sleep(5)
        phone.hang_up()

    conversation = Patient()
    ending, phone, _ = play(conversation, voice, deed=storm)

    assert ending is Ending.CALLER_HUNG_UP
    assert conversation.keys == "5" * 100
    assert phone.heard.endswith(tone(440, 2.0))
    assert voice.said[-1].strip() == "Answer 100." and voice.speaking == 0
    clears = [message for message in phone.sent if message["event"] == "clear"]
    assert len(clears) <= 100


@in_virtual_time
async def test_46_who_reads_slowly_is_waited_for_and_holds_up_nobody_else() -> None:
    slow, other, voice = Phone(), Phone(), ToneVoice(seconds=150.0)
    said = "Hello " * 40  # one sentence, long enough to be believed to last so long
    slow.reads.clear()
    async with Chain([voice]) as chain, asyncio.TaskGroup() as group:
        calls = []
        for phone in (slow, other):
            stream, started = phone.stream()
            calls.append(Call(started, stream, phone, script_of(Announcement(said)), means_of(chain, USUAL)))
        tasks = [group.create_task(call.run()) for call in calls]
        await asyncio.sleep(100)
        queued_ms = calls[0]._player.pacer.queued_ms
        for phone in (slow, other):
            phone.reads.set()
            phone.hang_up()

    assert [task.result() for task in tasks] == [Ending.CALLER_HUNG_UP] * 2
    assert queued_ms <= LONGEST_QUEUE_MS + 2000
    assert len(other.heard) == pytest.approx(100.4 * 8000, abs=8000)


def test_47_keys_pressed_while_we_speak_arrive_in_order() -> None:
    async def press(phone: Phone) -> None:
        await asyncio.sleep(0.5)
        for digit in "4821":
            phone.say(event="dtmf", dtmf={"digit": digit, "track": "inbound_track"})
            await asyncio.sleep(0.1)
        await asyncio.sleep(3)
        phone.hang_up()

    conversation = Patient()
    _, phone, _ = play(conversation, ToneVoice(seconds=2.0), deed=press)

    assert conversation.keys == "4821"
    assert phone.heard.endswith(tone(440, 2.0))
