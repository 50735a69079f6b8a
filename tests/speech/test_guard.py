from collections.abc import AsyncIterator

import pytest

from app.errors import ProviderError
from app.speech.guard import foreign, only_audio
from tests.standins.voice import ToneVoice


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def passed(*chunks: bytes) -> bytes:
    async with only_audio(ToneVoice(), chunks_of(*chunks)) as audio:
        return b"".join([chunk async for chunk in audio if isinstance(chunk, bytes)])


@pytest.mark.parametrize(
    "audio",
    [
        b"{",
        b"{~\xff\xfe",
        b"<\x3d\x3c\x3b",
        b"[\x5b\x5a",
        b"\xff" * 100,
        b"RIFF",
        b"ID3\x04\0\0\0\0\0\x23",
        b"\xff\xfb\x90\xc4",
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_audio_passes_whole_whatever_it_begins_with(audio: bytes, size: int) -> None:
    audio = audio + b"\x7e" * 30

    assert await passed(*[audio[at : at + size] for at in range(0, len(audio), size)]) == audio


async def test_audio_shorter_than_a_head_passes() -> None:
    assert await passed(b"\xff\xfe", b"\xff") == b"\xff\xfe\xff"


@pytest.mark.parametrize(
    "body",
    [
        b'{"detail":{"status":"quota_exceeded"}}',
        b'\n {\n  "detail": "Not Found"}',
        b"{}",
        b'[{"loc": 1}]',
        b"<!DOCTYPE html><html>",
        b"<html><body>502 Bad Gateway",
        b"<?xml version='1.0'?>",
        b"OggS\0\2",
        b"fLaC\0\0\0\x22",
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
async def test_what_is_no_audio_is_refused_before_a_byte_of_it(body: bytes, size: int) -> None:
    with pytest.raises(ProviderError, match="instead of ulaw_8000") as failure:
        await passed(*[body[at : at + size] for at in range(0, len(body), size)])

    assert failure.value.kind == "garbage"
    assert foreign(body) is not None


@pytest.mark.parametrize("chunks", [(), (b"",), (b"", b"")])
async def test_no_bytes_are_a_failure(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(ProviderError, match="no audio"):
        await passed(*chunks)
