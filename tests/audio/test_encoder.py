"""Mu-law as files of other programs."""

import io
import wave

import av
import numpy as np
import pytest

from app.audio import mulaw
from app.audio.encoder import MEDIA_TYPES, PIECE, Encoder, pieces_of
from tests.audio.material import tone

MULAW = mulaw.encode(tone(440, 8000, seconds=2.0))
COMPRESSED = ("mp3", "opus", "aac", "flac")


def encoded(form: str, speed: float = 1.0, content: bytes = MULAW) -> bytes:
    encoder = Encoder(form, speed)
    return b"".join(encoder.feed(piece) for piece in pieces_of(content)) + encoder.finish()


def decoded(content: bytes) -> tuple[np.ndarray, int]:
    with av.open(io.BytesIO(content), "r") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        return np.concatenate(frames).astype(np.float64), container.streams.audio[0].rate


@pytest.mark.parametrize("form", COMPRESSED)
@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_what_is_compressed_is_the_same_tone_and_length(form: str, speed: float) -> None:
    samples, rate = decoded(encoded(form, speed))

    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert len(samples) / rate == pytest.approx(2.0 / speed, abs=0.12)
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_bytes_come_before_the_end_is_known(form: str) -> None:
    encoder = Encoder(form)
    early = b"".join(encoder.feed(piece) for piece in pieces_of(MULAW[:8000]))

    assert early
    assert encoder.audio_ms == 1000


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_no_sound_makes_a_file_that_ends(form: str) -> None:
    Encoder(form).finish()


def test_a_wav_head_is_understood_though_its_length_is_open() -> None:
    with wave.open(io.BytesIO(encoded("wav"))) as file:
        pcm16 = file.readframes(10**9)
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)

    assert pcm16 == encoded("pcm")
    assert len(pcm16) == 2 * 48_000


def test_ulaw_is_what_came_in() -> None:
    assert encoded("ulaw") == MULAW


def test_pieces_are_all_of_it_in_order() -> None:
    pieces = list(pieces_of(MULAW[:2001]))

    assert [len(piece) for piece in pieces] == [PIECE, PIECE, 2001 - 2 * PIECE]
    assert b"".join(pieces) == MULAW[:2001]
