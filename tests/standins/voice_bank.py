"""Real speech in every format that ElevenLabs sells, made once for each text."""

import asyncio
from typing import Self

import av
import lameenc
import numpy as np

from app.speech.espeak import Espeak
from app.speech.espeak_worker import SAMPLE_RATE

ID3_BYTES = 45  # what a streamed MP3 of ElevenLabs begins with


class VoiceBank:
    """Synthesises with the embedded voice; the same text gives the same bytes as long as the bank lives."""

    def __init__(self) -> None:
        self._espeak = Espeak(processes=1)
        self._made: dict[tuple[str, str], asyncio.Task[bytes]] = {}

    async def __aenter__(self) -> Self:
        await self._espeak.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._made.values():
            task.cancel()
        await self._espeak.__aexit__(*exc)

    async def audio(self, text: str, audio_format: str) -> bytes:
        key = (text.strip(), audio_format)
        if key not in self._made:
            self._made[key] = asyncio.create_task(self._make(*key))
        return await asyncio.shield(self._made[key])

    async def pcm16(self, text: str) -> bytes:
        """Mono at 22.05 kHz, what all the formats of a text are made from."""
        return await self.audio(text, f"pcm_{SAMPLE_RATE}")

    async def _make(self, text: str, audio_format: str) -> bytes:
        if audio_format != f"pcm_{SAMPLE_RATE}":
            return await asyncio.to_thread(encode, await self.pcm16(text), audio_format)
        async with self._espeak.speak(text) as chunks:
            return b"".join([chunk async for chunk in chunks])


def encode(pcm16: bytes, audio_format: str) -> bytes:
    """PCM (mono, 22.05 kHz) in another format: `mp3_*`, `pcm_*`, `ulaw_8000`, `wav_8000` (of mu-law)."""
    kind, *numbers = audio_format.split("_")
    if kind == "mp3":
        return id3_tag() + encode_mp3(pcm16, int(numbers[0]), int(numbers[1]))
    resampled = resample(pcm16, int(numbers[0]))
    if kind == "pcm":
        return resampled
    mulaw = encode_mulaw(resampled)
    return wav_header(len(mulaw)) + mulaw if kind == "wav" else mulaw


def encode_mp3(pcm16: bytes, sample_rate: int, kbit: int) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(SAMPLE_RATE)
    encoder.set_out_sample_rate(sample_rate)
    encoder.set_bit_rate(kbit)
    encoder.set_quality(7)
    return bytes(encoder.encode(pcm16)) + bytes(encoder.flush())


def id3_tag() -> bytes:
    body = b"TSSE" + bytes([0, 0, 0, 25, 0, 0]) + b"\x03Lavf60.16.100".ljust(25, b"\0")
    return b"ID3\x04\0\0" + bytes([0, 0, 0, len(body)]) + body


def resample(pcm16: bytes, sample_rate: int) -> bytes:
    if sample_rate == SAMPLE_RATE or not pcm16:
        return pcm16
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm16, dtype="<i2").reshape(1, -1), "s16", "mono")
    frame.sample_rate = SAMPLE_RATE
    resampler = av.AudioResampler(format="s16", layout="mono", rate=sample_rate)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return b"".join(piece.to_ndarray().astype("<i2").tobytes() for piece in frames)


def encode_mulaw(pcm16: bytes) -> bytes:
    """G.711, by its formula: a second opinion beside the tables of `app.audio`."""
    samples = np.frombuffer(pcm16, dtype="<i2").astype(np.int32)
    sign = np.where(samples < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(samples), 32635) + 132
    exponent = np.maximum(np.floor(np.log2(magnitude)).astype(np.int32) - 7, 0)
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return np.asarray(~(sign | (exponent << 4) | mantissa) & 0xFF, dtype=np.uint8).tobytes()


def wav_header(size: int) -> bytes:
    def number(value: int, width: int = 4) -> bytes:
        return value.to_bytes(width, "little")

    fmt = number(7, 2) + number(1, 2) + number(8000) + number(8000) + number(1, 2) + number(8, 2)
    return b"RIFF" + number(36 + size) + b"WAVEfmt " + number(16) + fmt + b"data" + number(size)
