"""A voice whose audio is its text: each character is 40 ms of mu-law from which it can be read again.

Whoever has the mu-law that a caller heard reads what was said from it, to the character, and which generation
said it. A character that is not whole is not read.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Self

from tests.standins.voice_bank import VoiceBank

CHARACTER_MS = 40
CHARACTER_BYTES = CHARACTER_MS * 8
_SYNC = bytes([0x81, 0x01, 0x91, 0x11]) * 2
_NIBBLE = 0xA0  # what a nibble stands in: no character of a text, no header of a file, no silence


@dataclass(frozen=True)
class Passage:
    """What one generation was heard to say, without a break."""

    generation: int
    text: str


def spell(generation: int, character: str) -> bytes:
    """The mu-law of one character."""
    digits = f"{generation & 0xFFFF:04x}{ord(character):06x}"
    body = bytes(_NIBBLE | int(digit, 16) for digit in digits)
    return (_SYNC + body * 32)[:CHARACTER_BYTES]


def spelled(generation: int, text: str) -> bytes:
    """The mu-law of a text."""
    return b"".join(spell(generation, character) for character in text)


def read(heard: bytes) -> list[Passage]:
    """What was said, by the generation that said it; fragments and silence are passed over."""
    found: list[tuple[int, str]] = []
    at = heard.find(_SYNC)
    while at >= 0:
        symbol = heard[at : at + CHARACTER_BYTES]
        if (one := _read_one(symbol)) is not None:
            found.append(one)
            at = heard.find(_SYNC, at + CHARACTER_BYTES)
        else:
            at = heard.find(_SYNC, at + 1)
    return [
        Passage(generation, "".join(character for _, character in run))
        for generation, run in groupby(found, key=lambda one: one[0])
    ]


def _read_one(symbol: bytes) -> tuple[int, str] | None:
    digits = symbol[len(_SYNC) : len(_SYNC) + 10]
    if len(symbol) < CHARACTER_BYTES or any(byte & 0xF0 != _NIBBLE for byte in digits):
        return None
    number = "".join(f"{byte & 0x0F:x}" for byte in digits)
    generation, code = int(number[:4], 16), int(number[4:], 16)
    if code > 0x10FFFF or spell(generation, chr(code)) != symbol:
        return None
    return generation, chr(code)


class SpelledBank(VoiceBank):
    """In place of a stand-in's real speech; every text asked for is a generation of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.generations = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    async def audio(self, text: str, audio_format: str) -> bytes:
        assert audio_format == "ulaw_8000", "text can be read from untouched mu-law only"
        self.generations += 1
        return spelled(self.generations, text)
