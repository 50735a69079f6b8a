"""What a caller does, from the command line: options that count in the order in which they are given."""

import argparse
import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.errors import ConfigError
from app.simulator import voice
from app.simulator.plan import Turn

KEYS = frozenset("0123456789*#")
Given = tuple[str, str]  # the option, and what it was given


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a caller's turns; what they are given comes to `turns_of` as `args.turns`."""
    options: dict[str, tuple[Callable[[str], Given], str, str]] = {
        "--say": (_said, "TEXT", "speak, when it is the caller's turn"),
        "--play": (_played, "in.wav", "play an audio file, when it is"),
        "--digits": (_pressed, "KEYS", "press keys, e.g. 12#, when it is"),
        "--pause": (_timed("pause"), "S", "wait for so many seconds of quiet before the next of these"),
        "--interrupt": (_timed("interrupt"), "S", "do the next of these after so many seconds of a reply"),
    }
    group = parser.add_argument_group("turns, in the order given, each as often as you like")
    for option, (read, metavar, meaning) in options.items():
        group.add_argument(
            option, dest="turns", action="append", type=read, default=[], metavar=metavar, help=meaning
        )


async def turns_of(given: Sequence[Given]) -> tuple[Turn, ...]:
    """The turns of one caller; synthesis takes a moment.

    Raises:
        ConfigError: a file is no audio, the embedded voice is missing, or nothing follows a pause.
    """
    turns, when = [], Turn()
    for option, value in given:
        match option:
            case "pause":
                when = Turn(quiet_ms=round(float(value) * 1000))
                continue
            case "interrupt":
                when = Turn(interrupt_after_ms=round(float(value) * 1000))
                continue
            case "say":
                turn = replace(when, mulaw=await voice.spoken(value))
            case "play":
                turn = replace(when, mulaw=await asyncio.to_thread(voice.from_file, Path(value)))
            case _:
                turn = replace(when, digits=value)
        turns.append(turn)
        when = Turn()
    if when != Turn():
        raise ConfigError(
            "nothing to do after the last --pause or --interrupt: put --say, --play or --digits"
        )
    return tuple(turns)


def positive(text: str) -> float:
    """An argument that is a number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _said(text: str) -> Given:
    if not text.strip():
        raise argparse.ArgumentTypeError("there is nothing to say")
    return "say", text


def _played(text: str) -> Given:
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not a file")
    return "play", text


def _pressed(text: str) -> Given:
    if not text or set(text) - KEYS:
        raise argparse.ArgumentTypeError(f"{text!r} has other keys than 0-9, * and #")
    return "digits", text


def _timed(option: str) -> Callable[[str], Given]:
    return lambda text: (option, str(positive(text)))
