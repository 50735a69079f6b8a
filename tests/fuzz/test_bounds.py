"""Ten thousand garbage messages in one stream, sentence or session: no growth, and few lines about it."""

import gc
import json
import tracemalloc
from collections.abc import Callable
from random import Random

import pytest

from app.audio.converter import Converter
from app.errors import RemoteProtocolError
from app.hearing.ear import Ears
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.log import log
from app.playout.marks import Line, Marks
from app.telephony.stream import MediaStream
from tests.fuzz import corpus
from tests.fuzz.mutate import mutated
from tests.fuzz.rules import Broken, few_lines
from tests.fuzz.targets import TARGETS
from tests.standins.phone import STREAM_SID, Phone

MANY = 10_000
SETTLED = 1_000  # messages after which whatever is kept once has been kept
MOST_GROWTH = 96 * 1024  # bytes, for all of MANY: ten for each
FLOODS: dict[str, list[dict[str, object]]] = {
    "elevenlabs_voice": [{"audio": "////", "contextId": "a"}, {"contextId": "b"}, {"audio": ""}],
    "elevenlabs_contexts_voice": [{"contextId": "x", "audio": "AAAA"}, {"isFinal": True}, {}],
    "deepgram_voice": [{"type": "Warning", "code": "SLOW"}, {"type": "Metadata"}, {"type": "x" * 99}],
    "cartesia_voice": [{"type": "chunk", "context_id": "x"}, {"type": "flush_done"}, {"type": "done"}],
    "inworld_voice": [{"result": None}, {"result": {"audioContent": None}}, {"x": 1}],
    "deepgram_ears": [{"type": "Metadata"}, {"type": "SpeechStarted"}, {"type": "Results"}],
    "elevenlabs_ears": [{"message_type": "session_started"}, {"message_type": "partial_transcript"}, {}],
}


def growth(work: Callable[[int], None], many: int = MANY) -> int:
    """Bytes that so many calls of `work` leave behind, after some to settle."""
    for number in range(min(SETTLED, many)):
        work(number)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(many):
            work(number)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_a_stream_keeps_nothing_of_what_it_is_sent() -> None:
    stream, _ = Phone().stream()
    chance = Random(1)
    seeds = [given.replace(b"$STREAM", STREAM_SID.encode()) for given in corpus.kept("twilio_call").values()]
    lines = [line for _ in range(60) for line in mutated(chance, seeds)[:2_000].split(b"\n")]

    def receive(number: int) -> None:
        line = lines[number % len(lines)]
        if b'"stop"' in line:
            return
        try:
            stream.receive(line)
            stream.receive(json.dumps({"event": f"unheard-of-{number}"}))
            stream.receive(f'{{"event":"mark","streamSid":"{STREAM_SID}","mark":{{"name":"n{number}"}}}}')
        except RemoteProtocolError:
            pass

    assert growth(receive) < MOST_GROWTH


def test_a_socket_that_never_starts_is_told_of_nothing_and_keeps_nothing() -> None:
    stream = MediaStream()

    assert growth(lambda number: _ignored(stream, number)) < MOST_GROWTH
    assert stream.ignored == MANY + SETTLED


def _ignored(stream: MediaStream, number: int) -> None:
    stream.receive(json.dumps({"event": f"x{number}"}))


def test_an_ear_keeps_no_more_than_a_moment_whatever_the_timestamps() -> None:
    ears = Ears(VadBank(Silero.load()))
    ear = ears.open()
    chance = Random(2)

    def hear(number: int) -> None:
        at_ms = chance.choice((number * 20, number * 20, 0, 2**62, -(2**62), chance.randrange(10**9)))
        ear.hear(at_ms, b"\x7f" * chance.choice((0, 1, 160, 160, 1_600)))
        if number % 400 == 0:
            ears.step()

    assert growth(hear, many=SETTLED) < MOST_GROWTH


def test_marks_that_never_come_back_are_forgotten() -> None:
    marks = Marks()

    def speak(_number: int) -> None:
        line = Line("x")
        marks.begins(marks.begin(line), 0.0)
        marks.end(line)

    assert growth(speak) < MOST_GROWTH


@pytest.mark.parametrize(
    ("audio_format", "head"),
    [
        ("mp3_44100_128", b""),
        ("mp3_44100_128", b"ID3\x04\0\0\x7f\x7f\x7f\x7f"),
        ("pcm_16000", b""),
        ("pcm_16000", b"RIFF\0\0\0\0WAVELIST\xff\xff\xff\xff"),
        ("ulaw_8000", b""),
    ],
)
def test_a_decoder_holds_no_more_of_megabytes_of_noise(audio_format: str, head: bytes) -> None:
    converter = Converter(audio_format)
    converter.feed(head)
    noise = Random(3).randbytes(700)

    assert growth(lambda _number: _dropped(converter, noise)) < MOST_GROWTH


def _dropped(converter: Converter, noise: bytes) -> None:
    converter.feed(noise)


@pytest.mark.parametrize("target", FLOODS)
def test_a_vendors_flood_of_nothing_is_a_few_lines(target: str) -> None:
    """The target itself holds the number of lines, and that it ends."""
    messages = [json.dumps(message).encode() for message in FLOODS[target]] * (MANY // len(FLOODS[target]))

    TARGETS[target](b"\x00" + b"\n".join(messages))


@pytest.mark.parametrize("message", [b'{"event":"x"}', b"{", b"\xff", b'{"event":"media"}'])
def test_a_callers_flood_of_garbage_is_a_few_lines(message: bytes) -> None:
    TARGETS["twilio_call"](b"\n".join([message] * MANY))


def test_too_many_lines_are_noticed() -> None:
    with pytest.raises(Broken, match="3 lines in the log, at most 2"), few_lines(2):
        for _ in range(3):
            log.info("stream.something")
