"""What voice activity costs and how well it hears: a part of `python -m bench hearing`.

    python -m bench.hearing_vad [--quick]

All voices are generated (the embedded voice, several speakers); cost is processor time of the process.
"""

import asyncio
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the product runs; must precede numpy

import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np

from app.hearing.dtmf import KEYS
from app.hearing.ear import Ears, Event, KeyHeard
from app.hearing.endpointing import BargedIn, UtteranceBegan, UtteranceEnded, UtterancePaused
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.speech.espeak import Espeak, Voice
from app.speech.espeak_worker import SAMPLE_RATE
from tests.hearing.lines import run_sounds
from tests.hearing.sounds import (
    RATE,
    Sound,
    at_level,
    mulaw_frames,
    noise,
    not_speech,
    of_pcm16,
    silence,
    tones,
    voiced_frames,
)

VOICES = ("en-us", "en-us+f3", "en-us+m7", "en-gb-scotland")
PHRASES = (
    "what are the tour dates",
    "I'd like to leave a message please",
    "can I talk to a person",
    "yes",
    "no",
    "two",
    "help",
    "play me some of the new music",
    "my number is five five five, one two three four",
    "tell me about the news",
    "six thick thistle sticks",
    "hello, are you there",
)
REPLIES = (
    "Welcome to the hotline. You can ask me for the latest news, for tour dates, or for music. ",
    "The next concert is in Berlin on the third of May, and tickets go on sale on Friday at ten. ",
    "If you would like to leave a message, please say so, and I will take it down word for word. ",
)
TICKS = 400  # 8 s
LEAD_S, TAIL_S = 1.0, 2.0
OURS_DBFS = -18.0
ECHO_DELAY = 1_440  # samples, 180 ms


async def _speak(texts: Sequence[str]) -> list[Sound]:
    """Every text in every voice, at -20 dBFS."""
    sounds = []
    async with Espeak(processes=1) as espeak:
        for voice in VOICES:
            for text in texts:
                async with espeak.speak(text, Voice(voice)) as chunks:
                    pcm16 = b"".join([chunk async for chunk in chunks])
                sounds.append(at_level(of_pcm16(pcm16, SAMPLE_RATE), -20))
    return sounds


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    ordered = sorted(values)
    return f"{statistics.median(ordered):.0f}/{ordered[int(len(ordered) * 0.9)]:.0f}"


def conditions(voices: list[Sound]) -> None:
    """Missed, onset and end, for each kind of line."""
    print(
        "\nline                missed  begun after p50/p90 ms  pause after true end p50/p90 ms  cut  dropped"
    )
    quiet = [np.concatenate([silence(LEAD_S), voice, silence(TAIL_S)]) for voice in voices]
    for name, level, colour, snr in (
        ("quiet -20 dBFS", -20, 0, None),
        ("quiet -40 dBFS", -40, 0, None),
        ("quiet -46 dBFS", -46, 0, None),
        ("10 dB over pink", -20, 10, 10),
        ("5 dB over pink", -20, 10, 5),
        ("5 dB over brown", -20, 20, 5),
    ):
        lines = {}
        for index, sound in enumerate(quiet):
            line = sound * 10 ** ((level + 20) / 20)
            lines[str(index)] = (
                line if snr is None else line + noise(colour, len(line) / RATE, level - snr, index)
            )
        _print_condition(name, list(run_sounds(lines).values()), quiet)


def _print_condition(name: str, events: list[list[Event]], clean: list[Sound]) -> None:
    begun, paused, missed, cut, dropped = [], [], 0, 0, 0
    for found, sound in zip(events, clean, strict=True):
        voiced = np.flatnonzero(voiced_frames(sound)) * 20
        starts = [event for event in found if isinstance(event, UtteranceBegan)]
        pauses = [event for event in found if isinstance(event, UtterancePaused)]
        ends = [event for event in found if isinstance(event, UtteranceEnded)]
        missed += not starts
        dropped += bool(starts) and not ends
        cut += any(pause.at_ms < voiced[-1] for pause in pauses)
        begun += [starts[0].at_ms - voiced[0]] if starts else []
        paused += [pauses[-1].at_ms - voiced[-1] - 20] if pauses else []
    print(
        f"{name:20}{missed:3}/{len(clean):<4}{_spread(begun):>16}{_spread(paused):>31}{cut:>14}{dropped:>6}"
    )


def false_starts(seconds: float) -> None:
    print("\nno speech           utterances/min  keys/min")
    for name, found in run_sounds(not_speech(seconds)).items():
        begun = sum(isinstance(event, UtteranceBegan) for event in found)
        keys = sum(isinstance(event, KeyHeard) for event in found)
        print(f"{name:20}{begun * 60 / seconds:10.1f}{keys * 60 / seconds:14.1f}")


def _echo(ours: Sound, loss_db: float) -> Sound:
    """Our voice as the far handset sends it back: later, softer, duller."""
    late = np.concatenate([np.zeros(ECHO_DELAY), ours])[: len(ours)]
    dull = late + 0.5 * np.concatenate([np.zeros(3), late[:-3]])
    return at_level(dull, OURS_DBFS - loss_db) + noise(10, len(ours) / RATE, -65)


def echoes(replies: list[Sound], voices: list[Sound]) -> None:
    print("\nreturn loss dB   false barge-ins/min   caller vs us: missed, barge-in after p50/p90 ms")
    ours = [np.concatenate([at_level(reply, OURS_DBFS), silence(0.3)]) for reply in replies]
    minutes = sum(map(len, ours)) / RATE / 60
    callers = [voice for voice in voices if len(voice) > 1.2 * RATE]
    for loss_db in (12, 15, 18, 20, 26, 40):
        played = {str(index): reply for index, reply in enumerate(ours)}
        lines = {name: _echo(reply, loss_db) for name, reply in played.items()}
        found = run_sounds(lines, played)
        alone = sum(isinstance(event, BargedIn) for events in found.values() for event in events)
        row = f"{loss_db:8}{alone / minutes:20.1f}           "
        for below_db in (0, 8, 14):
            row += _interrupted(lines, played, callers, below_db)
        print(row)


def _interrupted(
    lines: dict[str, Sound], played: dict[str, Sound], callers: list[Sound], below_db: int
) -> str:
    """Each reply interrupted after 2 s."""
    mixed, onsets = {}, {}
    for index, (name, line) in enumerate(lines.items()):
        near = np.concatenate([silence(2), at_level(callers[index % len(callers)], OURS_DBFS - below_db)])
        near = np.resize(np.pad(near, (0, max(0, len(line) - len(near)))), len(line))
        mixed[name] = line + near
        onsets[name] = int(np.flatnonzero(voiced_frames(near))[0]) * 20
    delays = []
    for name, events in run_sounds(mixed, played).items():
        barged = [
            event.at_ms for event in events if isinstance(event, BargedIn) and event.at_ms > onsets[name]
        ]
        delays += [barged[0] - onsets[name]] if barged and barged[0] < onsets[name] + 1_500 else []
    return f"  -{below_db} dB: {len(mixed) - len(delays)}/{len(mixed)}, {_spread(delays)}"


def keys() -> None:
    """Every key in band, short and soft."""
    print("\nkeys: length ms, level dBFS, noise dB below: found of 16, wrong")
    lows, highs = (697, 770, 852, 941), (1_209, 1_336, 1_477, 1_633)
    for length_ms, level, below in (
        (40, -12, 60),
        (40, -35, 60),
        (60, -25, 30),
        (40, -20, 18),
        (100, -20, 12),
    ):
        pieces = [silence(0.05)]
        for low in lows:
            for high in highs:
                pieces += [tones((low, high), length_ms / 1_000, level), silence(0.0731)]
        line = np.concatenate([*pieces, silence(0.1)])
        line = line + noise(0, len(line) / RATE, level - below)
        found = "".join(event.key for event in run_sounds({"": line})[""] if isinstance(event, KeyHeard))
        print(f"  {length_ms:4} {level:4} {below:3}: {len(found)} {'all right' if found == KEYS else found}")


def cost(voices: list[Sound], numbers: Sequence[int]) -> float:
    """Callers who speak two thirds of the time, while we speak half of it; returns a call's share."""
    print("\ncalls   VadBank ms/tick  % of a core   whole ear ms/tick  % of a core   us per call and tick")
    ours = mulaw_frames(np.concatenate(voices[:6]))
    frames = mulaw_frames(np.concatenate([part for voice in voices for part in (voice, silence(0.8))]))
    each = {}
    for calls in numbers:
        alone_ms, whole_ms = _bank_ms(calls, frames), _ears_ms(calls, frames, ours)
        print(
            f"{calls:5}{alone_ms:15.3f}{alone_ms / 0.2:13.1f}{whole_ms:18.3f}{whole_ms / 0.2:15.1f}"
            f"{whole_ms * 1_000 / calls:15.1f}"
        )
        each[calls] = whole_ms / calls / 20
    return each[100]


def _bank_ms(calls: int, frames: list[bytes]) -> float:
    """Processor time of one tick: every call's frame pushed, one step."""
    bank = VadBank(Silero.load())
    slots = [bank.add() for _ in range(calls)]
    begun = time.process_time()
    for tick in range(TICKS):
        for slot in slots:
            bank.push(slot, tick * 20, frames[(tick + slot * 37) % len(frames)])
        bank.step()
    return (time.process_time() - begun) * 1_000 / TICKS


def _ears_ms(calls: int, frames: list[bytes], ours: list[bytes]) -> float:
    """The same with everything that an ear does."""
    ears = Ears(VadBank(Silero.load()))
    opened = [ears.open() for _ in range(calls)]
    begun = time.process_time()
    for tick in range(TICKS):
        for index, ear in enumerate(opened):
            if (tick + index * 37) % 400 < 200:
                ear.played(tick * 20, ours[(tick + index) % len(ours)])
            ear.hear(tick * 20, frames[(tick + index * 37) % len(frames)])
        ears.step()
    return (time.process_time() - begun) * 1_000 / TICKS


def report(*, quick: bool = False) -> float:
    """Print the tables; returns the share of a core that each of a hundred calls takes."""
    voices = asyncio.run(_speak(PHRASES[::3] if quick else PHRASES))
    seconds = sum(map(len, voices)) / RATE
    print(f"{len(voices)} utterances of {len(VOICES)} voices, {seconds:.0f} s; numpy {np.__version__}")
    each = cost(voices, (1, 100) if quick else (1, 30, 100, 200))
    conditions(voices)
    false_starts(20 if quick else 60)
    if not quick:
        echoes(asyncio.run(_speak(REPLIES)), voices)
        keys()
    return each


if __name__ == "__main__":
    report(quick="--quick" in sys.argv)
