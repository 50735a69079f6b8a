"""Phrases rendered ahead are found again, whole, or not at all."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.log import Event, attach
from app.speech.cache import SpeechCache
from app.speech.cache_folder import SUFFIX

PHRASE = b"\x55" * 1600
OTHER = b"\x2a" * 800


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*" + SUFFIX))


async def kept(folder: Path | None, text: str = "Hello.", mulaw: bytes = PHRASE) -> SpeechCache:
    cache = SpeechCache(folder)
    cache.keep(text, "voice a", mulaw)
    await cache.flush()
    return cache


async def test_a_phrase_is_found_by_its_text_and_voice(tmp_path: Path) -> None:
    cache = await kept(tmp_path)

    assert cache.find("Hello.", ["voice a"]) == PHRASE
    assert cache.find(" Hello.\n", ["voice b", "voice a"]) == PHRASE
    assert cache.find("Hello!", ["voice a"]) is None
    assert cache.find("Hello.", ["voice b"]) is None
    assert (cache.status()["hits"], cache.status()["misses"]) == (2, 2)


async def test_it_outlives_the_process(tmp_path: Path) -> None:
    await kept(tmp_path)

    assert SpeechCache(tmp_path).find("Hello.", ["voice a"]) == PHRASE


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_damaged_file_is_never_played(tmp_path: Path, data: st.DataObject) -> None:
    asyncio.run(_damage(tmp_path, data))


async def _damage(tmp_path: Path, data: st.DataObject) -> None:
    await kept(tmp_path)
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    if data.draw(st.booleans()):
        damaged = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        at = data.draw(st.integers(0, len(whole) - 1))
        damaged = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    path.write_bytes(damaged)

    cache = SpeechCache(tmp_path)
    assert cache.find("Hello.", ["voice a"]) is None
    assert files(tmp_path) == []
    assert cache.status()["damaged"] == 1


async def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    cache = SpeechCache(None, memory_bytes=2 * len(PHRASE))
    for text in ("a", "b"):
        cache.keep(text, "v", PHRASE)
    cache.find("a", ["v"])
    cache.keep("c", "v", PHRASE)

    assert [cache.find(text, ["v"]) is not None for text in "abc"] == [True, False, True]
    assert cache.status()["memory_bytes"] == 2 * len(PHRASE)


async def test_the_disk_is_bounded_too(tmp_path: Path) -> None:
    cache = SpeechCache(tmp_path, disk_bytes=3 * len(PHRASE))
    for age, text in enumerate("abcd"):
        cache.keep(text, "v", PHRASE)
        await cache.flush()
        for path in files(tmp_path):
            os.utime(path, (path.stat().st_mtime - 1, path.stat().st_mtime - 1 - age))

    assert sum(path.stat().st_size for path in files(tmp_path)) <= 3 * len(PHRASE)
    assert SpeechCache(tmp_path).find("d", ["v"]) == PHRASE


@pytest.mark.parametrize("mulaw", [b"", b"\x55" * 161])
async def test_what_is_no_whole_frames_is_not_kept(tmp_path: Path, mulaw: bytes) -> None:
    cache = await kept(tmp_path, mulaw=mulaw)

    assert cache.find("Hello.", ["voice a"]) is None
    assert files(tmp_path) == []


async def test_a_folder_that_cannot_be_written_leaves_the_memory_and_one_warning(tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []

    def read(event: Event) -> None:
        told.append((str(event["event"]), threading.current_thread() is threading.main_thread()))

    (tmp_path / "file").touch()
    detach = attach(read)
    cache = await kept(tmp_path / "file" / "speech")
    cache.keep("Goodbye.", "voice a", PHRASE)
    await cache.flush()
    detach()

    assert cache.find("Hello.", ["voice a"]) == PHRASE
    assert told == [("speech.cache_not_written", True)]  # readers of events live on the loop


async def test_a_phrase_without_room_in_memory_drives_nothing_out(tmp_path: Path) -> None:
    cache = SpeechCache(tmp_path, memory_bytes=len(PHRASE))
    cache.keep("short", "v", PHRASE)
    cache.keep("long", "v", PHRASE * 2)
    await cache.flush()

    assert cache.status()["memory_bytes"] == len(PHRASE)
    assert cache.find("long", ["v"]) == PHRASE * 2


async def test_what_is_needed_from_memory_stays_on_disk_too(tmp_path: Path) -> None:
    cache = SpeechCache(tmp_path, disk_bytes=3 * len(PHRASE))
    cache.keep("often", "v", PHRASE)
    cache.keep("once", "v", PHRASE)
    await cache.flush()
    for path in files(tmp_path):
        os.utime(path, (0, 0))
    cache.find("often", ["v"])
    cache.keep("new", "v", PHRASE)
    await cache.flush()

    restarted = SpeechCache(tmp_path)
    assert [restarted.find(text, ["v"]) is not None for text in ("often", "once", "new")] == [
        True,
        False,
        True,
    ]


async def test_the_same_phrase_kept_often_at_once_is_written_without_a_fault(tmp_path: Path) -> None:
    told: list[Event] = []
    cache = SpeechCache(tmp_path)
    detach = attach(told.append)
    for _ in range(200):
        cache.keep("Hello.", "v", OTHER * 20)
    await cache.flush()
    detach()

    assert [event for event in told if str(event["event"]).startswith("speech.")] == []
    assert SpeechCache(tmp_path).find("Hello.", ["v"]) == OTHER * 20
    assert os.listdir(tmp_path) == [path.name for path in files(tmp_path)]  # and nothing unfinished


async def test_a_write_that_was_cut_off_leaves_nothing_that_is_found(tmp_path: Path) -> None:
    await kept(tmp_path)
    (path,) = files(tmp_path)
    path.rename(path.with_suffix(".1.part"))

    assert SpeechCache(tmp_path).find("Hello.", ["voice a"]) is None


WRITER = """
import asyncio, sys
from pathlib import Path
from app.speech.cache import SpeechCache
async def main():
    cache = SpeechCache(Path(sys.argv[1]))
    for _ in range(50):
        cache.keep("Hello.", "voice a", bytes([int(sys.argv[2])]) * 16000)
    await cache.flush()
asyncio.run(main())
"""


def test_processes_that_write_the_same_phrase_never_mix_it(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), n]) for n in ("1", "2")]
    assert [writer.wait() for writer in writers] == [0, 0]

    found = SpeechCache(tmp_path).find("Hello.", ["voice a"])
    assert found in (b"\x01" * 16000, b"\x02" * 16000)
