import asyncio
import json

from app.hearing.port import Transcript
from app.hearing.recogniser_wire import COUNT, Kind, Packet
from app.hearing.session import FINAL_WITHIN_S, MOST_REPLAYS, Session
from app.hearing.utterance import CHUNK, MOST_IN_FLIGHT
from tests.virtual_time import in_virtual_time


class Wire:
    """The near end of a recogniser process: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Packet] = []
        self.suspected = 0

    def send(self, packet: Packet) -> None:
        self.sent.append(packet)

    def suspect(self) -> None:
        self.suspected += 1

    @property
    def kinds(self) -> list[int]:
        return [packet.kind for packet in self.sent]

    def mulaw(self, utterance: int) -> bytes:
        audio = [packet for packet in self.sent if packet.kind == Kind.AUDIO]
        return b"".join(packet.payload for packet in audio if packet.utterance == utterance)


def session_on(wire: Wire | None, phrases: tuple[str, ...] = ()) -> Session:
    session = Session(4, phrases)
    if wire is not None:
        session.attach(wire)
        wire.sent.clear()
    return session


def final(utterance: int, text: str) -> Packet:
    return Packet(Kind.FINAL, 4, utterance, json.dumps({"text": text, "confidence": 0.9}).encode())


async def read(session: Session, count: int) -> list[Transcript]:
    met: list[Transcript] = []
    async with asyncio.timeout(5):
        async for transcript in session.transcripts():
            met.append(transcript)
            if len(met) == count:
                break
    return met


def speak(session: Session, mulaw: bytes = b"\x55" * CHUNK) -> int:
    number = session.begin_utterance()
    session.hear(mulaw)
    session.end_utterance()
    return number


async def test_an_utterance_goes_down_in_order_and_its_words_come_up() -> None:
    wire = Wire()
    session = session_on(wire)

    number = speak(session, b"\x55" * (CHUNK + 9))
    session.take(Packet(Kind.INTERIM, 4, number, b"tour"))
    interim = await read(session, 1)
    session.take(final(number, "tour dates"))

    assert wire.kinds == [Kind.BEGIN, Kind.AUDIO, Kind.AUDIO, Kind.END]
    assert wire.mulaw(number) == b"\x55" * (CHUNK + 9)
    assert interim == [Transcript("tour", False, 1)]
    assert await read(session, 1) == [Transcript("tour dates", True, 1, 0.9)]


async def test_the_process_is_told_the_phrases_first() -> None:
    wire = Wire()

    Session(4, ("tour", "news")).attach(wire)

    assert wire.sent == [Packet(Kind.OPEN, 4, 0, b'["tour", "news"]')]


async def test_a_recogniser_behind_is_not_sent_more_than_it_can_take() -> None:
    wire = Wire()
    session = session_on(wire)

    number = speak(session, b"\x55" * (MOST_IN_FLIGHT + CHUNK))
    before = len(wire.mulaw(number))
    session.take(Packet(Kind.WORKED, 4, number, COUNT.pack(CHUNK)))

    assert before == MOST_IN_FLIGHT
    assert wire.kinds[-2:] == [Kind.AUDIO, Kind.END]


async def test_the_next_utterance_waits_until_all_of_the_last_was_sent() -> None:
    wire = Wire()
    session = session_on(wire)

    first = speak(session, b"\x11" * (MOST_IN_FLIGHT + CHUNK))
    second = speak(session, b"\x22" * CHUNK)
    session.take(Packet(Kind.WORKED, 4, first, COUNT.pack(2 * CHUNK)))

    order = [(packet.kind, packet.utterance) for packet in wire.sent if packet.kind != Kind.AUDIO]
    assert order == [(Kind.BEGIN, first), (Kind.END, first), (Kind.BEGIN, second), (Kind.END, second)]


async def test_a_cancelled_utterance_is_neither_finished_nor_answered() -> None:
    wire = Wire()
    session = session_on(wire)

    noise = session.begin_utterance()
    session.hear(b"\x55" * CHUNK)
    session.cancel_utterance()
    session.take(final(noise, "yes"))
    number = speak(session)
    session.take(final(number, "no"))

    assert wire.kinds[:3] == [Kind.BEGIN, Kind.AUDIO, Kind.CANCEL]
    assert await read(session, 1) == [Transcript("no", True, 2, 0.9)]


async def test_a_new_utterance_cancels_one_that_was_not_ended() -> None:
    wire = Wire()
    session = session_on(wire)

    session.begin_utterance()
    session.begin_utterance()

    assert wire.kinds == [Kind.BEGIN, Kind.CANCEL, Kind.BEGIN]


async def test_audio_between_utterances_is_not_sent() -> None:
    wire = Wire()
    session = session_on(wire)

    session.hear(b"\x55" * CHUNK)
    session.end_utterance()
    session.cancel_utterance()

    assert wire.sent == []


@in_virtual_time
async def test_an_overdue_answer_is_empty_and_the_process_suspected() -> None:
    wire = Wire()
    session = session_on(wire)

    number = speak(session)
    await asyncio.sleep(FINAL_WITHIN_S - 0.01)
    before = wire.suspected
    await asyncio.sleep(0.02)
    session.take(final(number, "too late"))

    assert (before, wire.suspected) == (0, 1)
    assert await read(session, 1) == [Transcript("", True, number, 0.0)]
    assert Kind.CANCEL not in wire.kinds  # it has the whole utterance, and may be at the next one


@in_virtual_time
async def test_an_answer_in_time_leaves_nobody_suspected() -> None:
    wire = Wire()
    session = session_on(wire)

    session.take(final(speak(session), "tour"))
    await asyncio.sleep(2 * FINAL_WITHIN_S)

    assert wire.suspected == 0
    assert [transcript.text for transcript in await read(session, 1)] == ["tour"]


async def test_another_process_hears_everything_that_has_no_answer() -> None:
    dying, next_one = Wire(), Wire()
    session = session_on(dying)
    session.take(final(speak(session), "done"))
    asked = speak(session, b"\x11" * CHUNK)
    speaking = session.begin_utterance()
    session.hear(b"\x22" * CHUNK)

    session.attach(next_one)

    assert next_one.kinds == [Kind.OPEN, Kind.BEGIN, Kind.AUDIO, Kind.END, Kind.BEGIN, Kind.AUDIO]
    assert (next_one.mulaw(asked), next_one.mulaw(speaking)) == (b"\x11" * CHUNK, b"\x22" * CHUNK)


async def test_what_is_said_while_no_process_runs_is_heard_by_the_next() -> None:
    session, wire = session_on(None), Wire()

    number = speak(session)
    session.attach(wire)

    assert wire.kinds == [Kind.OPEN, Kind.BEGIN, Kind.AUDIO, Kind.END]
    assert wire.mulaw(number) == b"\x55" * CHUNK


async def test_an_utterance_that_outlives_no_process_is_given_up() -> None:
    session = session_on(Wire())
    poison = speak(session)

    wires = [Wire() for _ in range(MOST_REPLAYS + 1)]
    for wire in wires:
        session.attach(wire)

    assert [Kind.BEGIN in wire.kinds for wire in wires] == [True] * MOST_REPLAYS + [False]
    assert await read(session, 1) == [Transcript("", True, poison, 0.0)]


async def test_a_closed_session_ends_its_transcripts_and_tells_the_process() -> None:
    wire = Wire()
    session = session_on(wire)
    session.begin_utterance()

    session.close()
    session.hear(b"\x55" * CHUNK)

    assert [transcript async for transcript in session.transcripts()] == []
    assert wire.kinds == [Kind.BEGIN, Kind.CLOSE]
