"""What this process may use of the machine: cores and memory, a container's limits included."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
UNLIMITED_KB = 1 << 50  # what version 1 says for no limit is above this


def usable_cores(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Cores that we may run on, and no more than a container's quota pays for; at least 1."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not told by this system
        cores = os.cpu_count() or 1
    quotas = [quota for folder in _folders(root, membership, "cpu") if (quota := _quota(folder)) is not None]
    return max(1, min(cores, *(math.ceil(quota) for quota in quotas)) if quotas else cores)


def free_memory_kb(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Memory that can be had without swapping, and without a container's limit killing us."""
    left = [room for folder in _folders(root, membership, "memory") if (room := _room_kb(folder)) is not None]
    return max(0, min([_free_kb(), *left]))


def _folders(root: Path, membership: Path, controller: str) -> Iterator[Path]:
    """Every group that binds us, from our own up: a limit may stand on any of them."""
    with suppress(OSError):
        for line in membership.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            top = root / controller if controllers else root
            own = top / path.lstrip("/")
            # In a container the path is often the host's, and our own group is mounted at the top.
            yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(top))


def _quota(folder: Path) -> float | None:
    with suppress(OSError, ValueError):
        share, period = (folder / "cpu.max").read_text().split()
        return int(share) / int(period)
    with suppress(OSError, ValueError):
        share, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return int(share) / int(period) if int(share) > 0 else None
    return None


def _room_kb(folder: Path) -> int | None:
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        with suppress(OSError, ValueError):
            limit_kb = int((folder / limit).read_text()) // 1024
            if limit_kb < UNLIMITED_KB:
                return limit_kb - int((folder / used).read_text()) // 1024 + _reclaimable_kb(folder)
    return None


def _reclaimable_kb(folder: Path) -> int:
    """Pages of files, which count as used and are given up at need."""
    with suppress(OSError, ValueError):
        stated = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return int(stated.get("inactive_file", 0)) // 1024
    return 0


def _free_kb() -> int:
    with suppress(OSError, ValueError, IndexError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1])
    with suppress(ValueError, OSError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2048
