"""The proof: the text that a caller heard is the text that was to be said, under every fault and every cut.

The voices' audio spells their text, so that it can be read again from the mu-law that a caller got.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Failure
from app.speech.chain import Chain
from app.speech.words import is_said
from tests.faults.conftest import IN_MID_SENTENCE, scene
from tests.faults.coverage import assert_every_word_said, assert_said_once
from tests.standins.elevenlabs_script import Script
from tests.standins.spelled import CHARACTER_BYTES
from tests.standins.spelled_voice import Fault, SpelledVoice
from tests.virtual_time import run

WORD = st.text("abcdefgh'ABéß9%", min_size=1, max_size=9) | st.sampled_from(
    ["a", "a", "-", "...", "24.5%", "hello,", "(or", "so)", "東京に", "end."]
)
GAP = st.sampled_from([" ", " ", " ", "  ", "\n"])
TEXT = (
    st.lists(st.tuples(WORD, GAP), min_size=1, max_size=14)
    .map(lambda parts: "".join(word + gap for word, gap in parts).strip())
    .filter(is_said)
)
KINDS = [None, Failure.NETWORK, Failure.CLOSED, Failure.BUSY, Failure.GARBAGE, Failure.QUOTA, Failure.TIMEOUT]
FAULT = st.builds(Fault, st.integers(0, 60 * CHARACTER_BYTES), st.sampled_from(KINDS))
FAULTS = st.lists(FAULT, min_size=1, max_size=3)
CHUNK = st.integers(100, 9_000)


def voices(faults: Sequence[Sequence[Fault]], chunk: int, *, aligned: bool) -> list[SpelledVoice]:
    """Voices that fail so, and behind them one that does not."""
    failing = [
        SpelledVoice(f"voice-{number}", aligned=aligned, faults=found, chunk=chunk)
        for number, found in enumerate(faults)
    ]
    return [*failing, SpelledVoice("last", aligned=aligned, chunk=chunk)]


async def heard(chain: Chain, text: str) -> bytes:
    async with aclosing(chain.render(text)) as frames:
        return b"".join([frame async for frame in frames])


def told(chain_of: Sequence[SpelledVoice], text: str, before: Callable[[Chain], Awaitable[None]]) -> bytes:
    async def whole() -> bytes:
        async with Chain(chain_of) as chain:
            await before(chain)
            return await heard(chain, text)

    return run(whole())


async def nothing(_chain: Chain) -> None:
    return None


@settings(deadline=None)  # a busy machine
@given(TEXT, st.lists(FAULTS, min_size=1, max_size=2), CHUNK)
def test_of_voices_that_tell_their_place_every_character_is_heard_once(
    text: str, faults: list[list[Fault]], chunk: int
) -> None:
    mulaw = told(voices(faults, chunk, aligned=True), text, nothing)

    assert_said_once(text, mulaw)
    assert len(mulaw) % 160 == 0


LESSON = "a sentence from which a pace is learned"


@settings(deadline=None)  # a busy machine
@given(TEXT, st.lists(FAULTS, min_size=1, max_size=2), CHUNK)
def test_of_other_voices_every_word_is_heard_whole_and_once(
    text: str, faults: list[list[Fault]], chunk: int
) -> None:
    speakers = voices(faults, chunk, aligned=False)

    async def learn(chain: Chain) -> None:
        """Every voice says one sentence to its end, while those before it refuse."""
        for number, voice in enumerate(speakers):
            for earlier in speakers[:number]:
                earlier.faults.insert(0, Fault(0, Failure.BAD_REQUEST))
            after, voice.faults = voice.faults, []
            await heard(chain, LESSON)
            voice.faults = after

    mulaw = told(speakers, text, learn)

    assert_every_word_said(text, mulaw)


def scripts(kind: str, after: int) -> Script:
    return {
        "stall": Script(stall_after=after),
        "cut": Script(cut_after=after),
        "close": Script(after=after, close=(1000, "")),
        "error frame": Script(after=after, error="system_busy"),
        "garbage": Script(after=after, frame="{not json"),
        "no end": Script(no_final=True),
    }[kind]


SCRIPT = st.builds(
    scripts,
    st.sampled_from(["stall", "cut", "close", "error frame", "garbage", "no end"]),
    st.integers(0, 40 * CHARACTER_BYTES),
)


@settings(deadline=None, max_examples=15)
@given(TEXT, st.lists(SCRIPT, min_size=1, max_size=2), st.sampled_from(["first", "each"]))
def test_over_real_sockets_every_character_is_heard_once(
    text: str, faults: list[Script], timed: Literal["first", "each"]
) -> None:
    async def whole() -> bytes:
        speakers = [*(replace(fault, timed=timed) for fault in faults), Script()]
        async with scene(*speakers, limits=IN_MID_SENTENCE) as found:
            return await found.hear(text)

    assert_said_once(text, asyncio.run(whole()))


@pytest.mark.parametrize("aligned", [True, False])
def test_the_reading_would_notice_a_lost_word_and_a_doubled_one(aligned: bool) -> None:
    check = assert_said_once if aligned else assert_every_word_said
    mulaw = told(voices([], 700, aligned=aligned), "one two three", nothing)
    check("one two three", mulaw)

    for other in ("one two three four", "one two", "one three", "one two two three"):
        with pytest.raises(AssertionError):
            check(other, mulaw)
