import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.speech import espeak_worker
from app.speech.espeak_worker import HEADER, Kind, Packet, pack, plain

LONG = "A sentence that goes on for quite a while, so that there is something to stop. " * 60


class Child:
    """The worker as its parent sees it, without any of our asyncio."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", str(Path(espeak_worker.__file__))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, kind: Kind, sentence: int = 0, payload: bytes = b"") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(pack(kind, sentence, payload))
        self.process.stdin.flush()

    def speak(self, sentence: int, text: str, voice: str = "en-us") -> None:
        order = {"text": text, "voice": voice, "rate": 160, "pitch": 45}
        self.send(Kind.SPEAK, sentence, json.dumps(order).encode())

    def receive(self) -> Packet:
        assert self.process.stdout is not None
        kind, sentence, size = HEADER.unpack(self.process.stdout.read(HEADER.size))
        return Packet(Kind(kind), sentence, self.process.stdout.read(size))

    def until_done(self, sentence: int) -> tuple[bytes, Kind]:
        pcm16 = b""
        while (packet := self.receive()).kind == Kind.AUDIO:
            assert packet.sentence == sentence
            pcm16 += packet.payload
        return pcm16, Kind(packet.kind)


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    assert child.receive() == Packet(Kind.READY, 0, b"")
    with child.process:
        yield child
        child.process.kill()


def test_a_sentence_comes_out_as_pcm(child: Child) -> None:
    child.speak(7, "Hello world.")

    pcm16, end = child.until_done(7)

    assert end == Kind.DONE
    assert 0.9 < len(pcm16) / 2 / 22_050 < 1.6


def test_sentences_come_out_one_after_the_other(child: Child) -> None:
    child.speak(1, "One.")
    child.speak(2, "Twenty two thousand.")

    first, _ = child.until_done(1)
    second, _ = child.until_done(2)

    assert 0 < len(first) < len(second)


def test_the_first_audio_is_a_small_piece(child: Child) -> None:
    child.speak(1, LONG)

    assert len(child.receive().payload) < 22_050  # bytes: a quarter of a second


def test_a_dropped_sentence_is_not_finished(child: Child) -> None:
    child.speak(1, LONG)
    child.send(Kind.DROP, 1)
    child.speak(2, "Next.")

    spoken = 0
    while (packet := child.receive()).sentence == 1:
        assert packet.kind == Kind.AUDIO
        spoken += len(packet.payload)

    assert packet.kind == Kind.AUDIO
    assert spoken < 22_050 * 2 * 60  # of some 300 s


def test_a_drop_that_comes_late_harms_nobody(child: Child) -> None:
    child.speak(1, "One.")
    child.until_done(1)
    child.send(Kind.DROP, 1)
    child.speak(2, "Two.")

    assert child.until_done(2)[1] == Kind.DONE


def test_an_unknown_voice_fails_and_the_next_sentence_does_not(child: Child) -> None:
    child.speak(1, "One.", voice="klingon-of-the-north")
    assert child.receive() == Packet(Kind.FAILED, 1, b"no voice 'klingon-of-the-north'")

    child.speak(2, "Two.")
    assert child.until_done(2)[1] == Kind.DONE


@pytest.mark.parametrize("text", ["...", "", " ", "\n", "\x00"])
def test_text_without_a_sound_gives_no_audio(child: Child, text: str) -> None:
    child.speak(1, text)

    assert child.until_done(1) == (b"", Kind.DONE)


@pytest.mark.parametrize("marked", ['<break time="9s"/>', "[[h@]]", "\x01+90S\x05"])
def test_markup_is_spoken_and_not_obeyed(child: Child, marked: str) -> None:
    child.speak(1, "word " + marked.replace("\x01", "").replace("\x05", "") + " word")
    literal, _ = child.until_done(1)
    child.speak(2, "word " + marked + " word")
    spoken, end = child.until_done(2)

    assert end == Kind.DONE
    assert len(spoken) == pytest.approx(len(literal), rel=0.2)
    assert len(spoken) > 2 * 22_050 * 1.0


def test_control_characters_and_half_characters_become_blanks() -> None:
    assert plain("a\x00b\x01c\nd\ud800e é😀") == "a b c d e é😀"


def test_the_end_of_its_input_ends_the_process(child: Child) -> None:
    assert child.process.stdin is not None
    child.process.stdin.close()

    assert child.process.wait(timeout=5) == 0


def test_the_end_of_its_input_ends_the_process_in_mid_sentence(child: Child) -> None:
    child.speak(1, LONG)
    child.receive()
    assert child.process.stdin is not None
    child.process.stdin.close()

    assert child.process.wait(timeout=5) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_left_to_the_parent(child: Child, number: signal.Signals) -> None:
    child.process.send_signal(number)
    child.speak(1, "Still here.")

    assert child.until_done(1)[1] == Kind.DONE
