"""What the process measures of itself."""

import asyncio
import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from app.calls.load_gauge import LOOK_S, files_share, gauge, memory_limit, memory_share, resources
from app.calls.strain import Bounds, Strain
from tests.virtual_time import in_virtual_time


@pytest.fixture
def refusing() -> Callable[..., list[str]]:
    def listdir(_folder: Path) -> list[str]:
        raise OSError(errno.EMFILE, "too many open files")

    return listdir


async def watched(strain: Strain, read: Callable[[], tuple[float, float]], seconds: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await gauge(strain, read)


@in_virtual_time
async def test_resources_are_read_every_second_and_judged() -> None:
    reads: list[float] = []
    strain = Strain(Bounds(memory=0.9, files=0.9))

    def read() -> tuple[float, float]:
        reads.append(1.0)
        return 0.5, 0.95

    await watched(strain, read, 3.1)

    assert len(reads) == 4
    assert strain.reason == "files at 95%, at most 90%"


@in_virtual_time
async def test_a_loop_that_comes_late_is_late_in_the_figures() -> None:
    strain = Strain(Bounds(lag_s=0.1))
    loop = asyncio.get_running_loop()

    async def stall() -> None:
        await asyncio.sleep(LOOK_S / 2)
        loop.advance(2.0)  # type: ignore[attr-defined]

    async with asyncio.TaskGroup() as group:
        group.create_task(stall())
        await watched(strain, lambda: (0.0, 0.0), 2.5)

    assert strain.reason == "event loop stood still for 1 s or more"
    assert strain.figures()["lag_ms"] > 100


async def test_this_process_uses_some_of_its_memory_and_files() -> None:
    memory, files = resources()

    assert 0 < memory < 1
    assert 0 < files < 1


def test_without_the_systems_files_nothing_is_known_and_nothing_refused(tmp_path: Path) -> None:
    assert memory_share(tmp_path / "none") == 0.0
    assert files_share(tmp_path / "none") == 0.0


def test_the_containers_bound_counts_before_the_machines_memory(tmp_path: Path) -> None:
    bound, endless = tmp_path / "bound", tmp_path / "endless"
    bound.write_text("1000000\n")
    endless.write_text("max\n")
    machine = memory_limit((str(tmp_path / "none"),))

    assert memory_limit((str(bound),)) == 1_000_000
    assert memory_limit((str(endless), str(bound))) == 1_000_000
    assert machine == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_when_not_one_more_file_can_be_opened_all_are_in_use(
    monkeypatch: pytest.MonkeyPatch, refusing: Callable[..., list[str]]
) -> None:
    monkeypatch.setattr(os, "listdir", refusing)

    assert files_share() == 1.0


def test_endless_files_cannot_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    assert files_share() == 0.0
