"""Measures this process: how late its event loop is, and how much it uses of what it has."""

import asyncio
import os
import resource
from collections.abc import Callable
from pathlib import Path

from app import clock
from app.calls.strain import Sample, Strain
from app.log import log

LOOK_S = 0.25  # seconds between two looks at the loop
RESOURCES_EVERY = 4  # looks; memory and files do not jump, and reading them takes a file each
MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


async def gauge(strain: Strain, read: Callable[[], tuple[float, float]] | None = None) -> None:
    """Feed `strain` until cancelled; `read` gives the shares of memory and of open files in use."""
    read = read or resources
    memory = files = 0.0
    looks = 0
    while True:
        if looks % RESOURCES_EVERY == 0:
            memory, files = await asyncio.to_thread(read)
        looks += 1
        began, used = clock.now(), clock.cpu()
        await asyncio.sleep(LOOK_S)
        now = clock.now()
        sample = Sample(max(0.0, now - began - LOOK_S), (clock.cpu() - used) / (now - began), memory, files)
        if strain.note(sample, now):
            say = log.warning if strain.reason else log.info
            say("admission.strained" if strain.reason else "admission.relieved", fault=strain.reason or None)


def resources() -> tuple[float, float]:
    """Shares of memory and of open files in use; 0 where the system does not tell."""
    return memory_share(), files_share()


def memory_share(status: Path = Path("/proc/self/statm")) -> float:
    """Of the container's or the machine's memory, or of the address space we were given: the scarcer one."""
    try:
        pages = [int(field) for field in status.read_text().split()[:2]]
    except (OSError, ValueError):
        return 0.0
    page = os.sysconf("SC_PAGE_SIZE")
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    of_space = 0.0 if space == resource.RLIM_INFINITY else pages[0] * page / space
    return max(of_space, pages[1] * page / memory_limit())


def memory_limit(files: tuple[str, ...] = MEMORY_LIMITS) -> int:
    """Bytes that this process may have: the container's bound, else the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in files:
        try:
            return min(machine, int(Path(name).read_text()))
        except (OSError, ValueError):  # not there, or the word `max`
            continue
    return machine


def files_share(folder: Path = Path("/proc/self/fd")) -> float:
    """Of the files and sockets that this process may have open."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return 0.0
    try:
        return len(os.listdir(folder)) / most
    except FileNotFoundError:
        return 0.0
    except OSError:  # not one more can be opened, not even to count them
        return 1.0
