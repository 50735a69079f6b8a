import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audio.wav import WavFormat, WavHead

SAMPLES = bytes(range(200))


def chunk(name: bytes, body: bytes, length: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if length is None else length) + body + bytes(len(body) % 2)


def fmt(tag: int, channels: int, rate: int, bits: int, more: bytes = b"") -> bytes:
    block = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits) + more)


def wav(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


PLAIN = wav(fmt(1, 1, 16_000, 16), chunk(b"data", SAMPLES))


def test_samples_are_stripped_of_the_header() -> None:
    head = WavHead()

    assert head.feed(PLAIN) == SAMPLES
    assert head.format == WavFormat("pcm", 16_000, 1)
    assert head.header_bytes == 44


@given(st.lists(st.integers(1, 60), max_size=30))
def test_any_split_gives_the_same(sizes: list[int]) -> None:
    content = wav(
        chunk(b"LIST", b"odd"), fmt(7, 2, 8_000, 8), chunk(b"data", SAMPLES), chunk(b"LIST", b"after")
    )
    head, samples, at = WavHead(), b"", 0

    for size in [*sizes, len(content)]:
        samples += head.feed(content[at : at + size])
        at += size

    assert samples == SAMPLES
    assert head.format == WavFormat("ulaw", 8_000, 2)
    assert head.header_bytes == len(content) - len(SAMPLES)


@pytest.mark.parametrize("length", [0, 0xFFFF_FFFF])
def test_a_streamed_file_of_unknown_length_goes_on_to_the_end(length: int) -> None:
    head = WavHead()

    assert head.feed(wav(fmt(1, 1, 8_000, 16), chunk(b"data", SAMPLES, length)) + SAMPLES) == SAMPLES * 2


def test_the_extensible_form_names_its_format_further_back() -> None:
    head = WavHead()
    extension = struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)

    assert head.feed(wav(fmt(0xFFFE, 1, 8_000, 16, extension), chunk(b"data", SAMPLES))) == SAMPLES


@pytest.mark.parametrize(
    "header",
    [
        fmt(1, 1, 8_000, 24),
        fmt(3, 1, 8_000, 32),
        fmt(6, 1, 8_000, 8),
        fmt(1, 6, 8_000, 16),
        fmt(1, 1, 0, 16),
        chunk(b"fmt ", b"short!"),
        b"",
    ],
)
def test_what_we_cannot_read_gives_no_samples(header: bytes) -> None:
    head = WavHead()

    assert head.feed(wav(header, chunk(b"data", SAMPLES))) == b""
    assert head.format is None


def test_a_million_empty_chunks_cost_no_more_than_their_bytes() -> None:
    empty = chunk(b"LIST", b"") * 400_000
    head = WavHead()
    began = time.process_time()
    head.feed(b"RIFF\0\0\0\0WAVE" + empty)

    # Some 0.2 s; copied for each chunk it would be a minute.
    assert time.process_time() - began < 5
    assert head.header_bytes == 12 + len(empty)
