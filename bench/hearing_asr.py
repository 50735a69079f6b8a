"""How well and how fast the embedded ears understand generated callers: a part of `python -m bench hearing`.

    python -m bench.hearing_asr [--tuning] [--quick]

Word and intent error rates of the embedded recogniser alone, without voice activity.
"""

import os
import sys
import time
from collections.abc import Iterable
from functools import cache
from multiprocessing import get_context
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the product runs; must precede numpy

import numpy as np
from pocketsphinx import Decoder

from app.audio import mulaw as g711
from app.hearing.front_end import Network
from app.hearing.language import plain, understand
from app.hearing.phrases import find
from app.hearing.recogniser import Lexicon, Recogniser
from app.hearing.recogniser_worker import resident_kb
from bench.hearing_callers import (
    ASKED,
    ELSEWHERE,
    HELD_OUT,
    INTENTS,
    LINES,
    NUMBERS,
    OF_OTHER_LINES,
    OF_QUICK,
    SAID_BY_A_CALLER,
    SHORT,
    TUNING,
    Line,
    available,
    on_line,
    speak,
    texts,
)


class Result(NamedTuple):
    """Counts of one voice on one line."""

    words: int
    wrong_words: int
    right: int
    misled: int
    asked: int
    accepted: int
    elsewhere: int
    spelled: int  # single words and digits, wholly right
    spellings: int
    cpu_s: float
    audio_s: float


def intent_of(text: str) -> str | None:
    """As a script would take it: a yes or no only where nothing more is asked."""
    telling = {name: phrases for name, phrases in INTENTS.items() if name not in ("yes", "no")}
    for among in (telling, INTENTS):
        named = {plain(phrase): name for name, phrases in among.items() for phrase in phrases}
        if met := find(text.split(), named):
            return named[met.phrase]
    return None


def word_errors(meant: str, heard: str) -> int:
    row = list(range(len(heard.split()) + 1))
    for i, word in enumerate(meant.split(), 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard.split(), 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


@cache
def ears() -> tuple[Lexicon, Network]:
    """Of this process."""
    return Lexicon(understand([phrase for group in INTENTS.values() for phrase in group])), Network()


def measure(voice: str, line: Line) -> Result:
    """Everything said by one voice over one line; run in a process of its own."""
    calls = {text: on_line(sound, *line) for text, sound in speak(voice, texts()).items()}
    lexicon, network = ears()
    began = time.process_time()
    heard = {}
    for index, (text, mulaw) in enumerate(calls.items()):
        if index % SAID_BY_A_CALLER == 0:
            recogniser = Recogniser(lexicon, network)
        heard[text] = _recognised(recogniser, mulaw)
    cpu_s = time.process_time() - began
    wanted = {text: name for name, group in ASKED.items() for text in group}
    found = {text: intent_of(heard[text]) for text in wanted}
    return Result(
        words=sum(len(text.split()) for text in wanted),
        wrong_words=sum(word_errors(text, heard[text]) for text in wanted),
        right=sum(found[text] == name for text, name in wanted.items()),
        misled=sum(found[text] not in (name, None) for text, name in wanted.items()),
        asked=len(wanted),
        accepted=sum(bool(heard[text]) for text in ELSEWHERE),
        elsewhere=len(ELSEWHERE),
        spelled=sum(heard[text] == text for text in (*NUMBERS, *SHORT)),
        spellings=len(NUMBERS) + len(SHORT),
        cpu_s=cpu_s,
        audio_s=sum(map(len, calls.values())) / 8000,
    )


def _recognised(recogniser: Recogniser, mulaw: bytes) -> str:
    recogniser.begin()
    for at in range(0, len(mulaw), 640):
        recogniser.hear(mulaw[at : at + 640])
    return recogniser.end().text


def summed(results: Iterable[Result]) -> Result:
    return Result(*(sum(column) for column in zip(*results, strict=True)))


def show(name: str, results: Iterable[Result]) -> None:
    total = summed(results)
    print(
        f"{name:26} {total.wrong_words / total.words:6.1%} {total.right / total.asked:8.1%}"
        f" {total.misled / total.asked:8.1%} {total.accepted / total.elsewhere:10.1%}"
        f" {total.spelled / total.spellings:8.1%} {total.cpu_s / total.audio_s:8.3f}",
        flush=True,
    )


def plain_way(voice: str) -> tuple[int, int, float]:
    """The library as it comes: its whole language, and the line's audio at the rate that it wants.

    Returns the intents right, those asked, and processor seconds per second of audio.
    """
    decoder = Decoder(loglevel="FATAL")
    wanted = {text: name for name, group in ASKED.items() for text in group}
    calls = {text: on_line(sound, -20, None) for text, sound in speak(voice, tuple(wanted)).items()}
    right, began = 0, time.process_time()
    for text, mulaw in calls.items():
        narrow = g711.decode(mulaw).astype(np.float64)
        between = np.interp(np.arange(2 * len(narrow)) / 2, np.arange(len(narrow)), narrow)
        decoder.start_utt()
        decoder.process_raw(between.astype(np.int16).tobytes())
        decoder.end_utt()
        best = decoder.hyp()
        right += intent_of(best.hypstr if best else "") == wanted[text]
    audio_s = sum(map(len, calls.values())) / 8000
    return right, len(wanted), (time.process_time() - began) / audio_s


def session_cost() -> tuple[float, float]:
    """Of a caller's recogniser: milliseconds of processor time to open it, and megabytes that it holds."""
    lexicon, network = ears()
    before, began = resident_kb(), time.process_time()
    kept = [Recogniser(lexicon, network) for _ in range(10)]
    each_ms = 1000 * (time.process_time() - began) / len(kept)
    return each_ms, (resident_kb() - before) / 1024 / len(kept)


def report(*, quick: bool = False, tuning: bool = False) -> float:
    """Print the tables; returns the processor seconds that a second of a caller's speech costs."""
    names = available(TUNING if tuning else HELD_OUT)
    chosen = {
        line: names[: OF_QUICK if quick else len(names) if line == next(iter(LINES)) else OF_OTHER_LINES]
        for line in LINES
    }
    jobs = [(voice, LINES[line]) for line, voices in chosen.items() for voice in voices]
    print(f"{'':26}  words  intents   misled  elsewhere   single    cpu s")
    print(f"{'':26}  wrong    right             accepted    words    per s")
    with get_context("spawn").Pool() as processes:
        results = dict(zip(jobs, processes.starmap(measure, jobs, chunksize=1), strict=True))
        baseline = processes.apply(plain_way, (names[0],))
    for line, voices in chosen.items():
        show(line, [results[voice, LINES[line]] for voice in voices])
        if len(voices) == len(names):
            for voice in voices:
                show(f"  {voice}", [results[voice, LINES[line]]])
    show("all of these", results.values())
    _compare(results[names[0], LINES[next(iter(LINES))]], baseline, names[0])
    each_ms, each_mb = session_cost()
    print(f"a session: {each_ms:.0f} ms of processor time to open, {each_mb:.1f} MB")
    total = summed(results.values())
    return total.cpu_s / total.audio_s


def _compare(ours: Result, baseline: tuple[int, int, float], voice: str) -> None:
    right, asked, cost = baseline
    print(
        f"baseline: pocketsphinx as it comes (whole language, interpolated audio), {voice}, quiet line:"
        f" {right / asked:.1%} of intents, {cost:.3f} s per s; ours {ours.right / ours.asked:.1%},"
        f" {ours.cpu_s / ours.audio_s:.3f} s per s: ratio {cost * ours.audio_s / ours.cpu_s:.1f}"
    )


if __name__ == "__main__":
    report(quick="--quick" in sys.argv, tuning="--tuning" in sys.argv)
