"""Drives one target for a time: by atheris, which sees which lines were reached, or else by chance alone."""

import contextlib
import importlib
import importlib.util
import io
import logging
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from app.log import configure
from tests.fuzz import corpus
from tests.fuzz.mutate import LARGEST, mutated

SLOWEST_S = 20  # of one input; beyond it is a hang
MOST_MEMORY_MB = 2_048
TOLD_EVERY_S = 10.0
KNOWN = 5  # different crashes after which a target is left alone


def is_guided() -> bool:
    """Whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def guided(name: str, seconds: float) -> None:
    """Hand this process to libFuzzer, which ends it: 0 when nothing was found."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["app"]):
        run = target(name)
    _be_quiet()
    seeds = _seeds(name)
    found = corpus.FOUND / name
    found.mkdir(parents=True, exist_ok=True)
    crashes = corpus.CRASHES / name
    crashes.mkdir(parents=True, exist_ok=True)

    def vary(given: bytes, largest: int, seed: int) -> bytes:
        chance = Random(seed)
        if chance.random() < 0.5:
            varied: bytes = atheris.Mutate(given, largest)
            return varied
        return mutated(chance, [given, *seeds])[:largest]

    options = {
        "max_total_time": round(seconds),
        "max_len": LARGEST,
        "timeout": SLOWEST_S,
        "rss_limit_mb": MOST_MEMORY_MB,
        "artifact_prefix": f"{crashes}/",
        "print_final_stats": 1,
    }
    arguments = [sys.argv[0], *(f"-{name}={value}" for name, value in options.items())]
    atheris.Setup([*arguments, str(found), str(corpus.FOLDER / name)], run, custom_mutator=vary)
    atheris.Fuzz()


def by_chance(name: str, seconds: float, seed: int) -> int:
    """The same target without sight; returns how many different crashes were found."""
    run = target(name)
    told = sys.stderr
    _be_quiet()
    seeds, chance = _seeds(name), Random(seed)
    crashes: dict[str, Path] = {}
    began = reported = time.monotonic()
    tried, slowest_s = 0, 0.0
    while (now := time.monotonic()) < began + seconds and len(crashes) < KNOWN:
        given = mutated(chance, seeds)
        cpu = time.process_time()
        place, words = _fault(run, given)
        if place and place not in crashes:
            crashes[place] = corpus.write(corpus.CRASHES / name, given)
            print(f"{name}: crash in {crashes[place]}\n  {place}: {words}", file=told, flush=True)
        tried, slowest_s = tried + 1, max(slowest_s, time.process_time() - cpu)
        if now >= reported + TOLD_EVERY_S:
            reported = now
            print(
                f"{name}: {now - began:.0f} s, {tried} inputs, {len(crashes)} crashes", file=told, flush=True
            )
    print(
        f"{name}: {tried} inputs in {seconds:g} s, slowest {slowest_s:.2f} s, {len(crashes)} crashes",
        file=told,
        flush=True,
    )
    return len(crashes)


def _fault(run: Callable[[bytes], None], given: bytes) -> tuple[str, str]:
    """Where it went wrong, the same text for the same fault, and in which words; empty when nothing did."""
    try:
        run(given)
    except Exception as error:  # noqa: BLE001 - whatever comes out of a target is what we look for
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        places = " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames)
        return f"{type(error).__name__} at {places}", str(error)[:300]
    return "", ""


def target(name: str) -> Callable[[bytes], None]:
    """Imported here: atheris must be looking when our code is."""
    found: Callable[[bytes], None] = importlib.import_module("tests.fuzz.targets").TARGETS[name]
    return found


def _seeds(name: str) -> Sequence[bytes]:
    return list(corpus.kept(name).values())


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def _be_quiet() -> None:
    """The event stream with its readers, and without a line on the terminal."""
    with contextlib.redirect_stderr(_Nowhere()):
        configure(level="error", style="json")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
