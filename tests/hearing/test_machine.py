"""What a container leaves us."""

import os
from pathlib import Path

import pytest

from app.hearing.machine import free_memory_kb, usable_cores

V2 = "0::/calls/hotline\n"
V1 = "4:memory:/calls\n1:cpu,cpuacct:/calls\n9:name=systemd:/calls\n"


def machine(tmp_path: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    root = tmp_path / "cgroup"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    own = tmp_path / "membership"
    own.write_text(membership)
    return root, own


def test_without_limits_it_is_the_whole_machine(tmp_path: Path) -> None:
    unlimited = machine(tmp_path, V2, {"calls/cpu.max": "max 100000\n", "calls/memory.max": "max\n"})

    assert usable_cores(*unlimited) == len(os.sched_getaffinity(0))
    assert free_memory_kb(*unlimited) > 0


def test_where_there_are_no_groups_it_is_the_whole_machine(tmp_path: Path) -> None:
    assert usable_cores(tmp_path, tmp_path / "nothing") == len(os.sched_getaffinity(0))
    assert free_memory_kb(tmp_path, tmp_path / "nothing") > 0


@pytest.mark.parametrize(("share", "cores"), [("50000", 1), ("100000", 1)])
def test_a_quota_is_rounded_up_to_whole_cores(tmp_path: Path, share: str, cores: int) -> None:
    assert usable_cores(*machine(tmp_path, V2, {"calls/hotline/cpu.max": f"{share} 100000\n"})) == cores


def test_a_quota_gives_no_cores_that_are_not_there(tmp_path: Path) -> None:
    generous = machine(tmp_path, V2, {"calls/cpu.max": "100000000 100000\n"})

    assert usable_cores(*generous) == len(os.sched_getaffinity(0))


def test_a_quota_of_the_first_version_counts(tmp_path: Path) -> None:
    old = {"cpu,cpuacct/calls/cpu.cfs_quota_us": "70000\n", "cpu,cpuacct/calls/cpu.cfs_period_us": "100000\n"}
    root, own = machine(tmp_path, V1, old)
    (root / "cpu").symlink_to(root / "cpu,cpuacct")

    assert usable_cores(root, own) == 1


def test_the_tightest_limit_on_the_way_up_counts_with_what_files_would_give_back(tmp_path: Path) -> None:
    nested = {
        "memory.max": "104857600\n",
        "memory.current": "52428800\n",
        "calls/memory.max": "10485760\n",
        "calls/memory.current": "8388608\n",
        "calls/memory.stat": "anon 1\ninactive_file 1048576\n",
        "calls/hotline/memory.max": "max\n",
    }

    assert free_memory_kb(*machine(tmp_path, V2, nested)) == 3 * 1024


def test_a_container_sees_its_own_group_at_the_top(tmp_path: Path) -> None:
    container = {"memory.max": "2097152\n", "memory.current": "1048576\n"}

    assert free_memory_kb(*machine(tmp_path, "0::/not/mounted/here\n", container)) == 1024


def test_memory_limits_of_the_first_version_count_and_no_limit_is_none(tmp_path: Path) -> None:
    old = {
        "memory/calls/memory.limit_in_bytes": "2097152\n",
        "memory/calls/memory.usage_in_bytes": "3145728\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/memory.usage_in_bytes": "1\n",
    }

    assert free_memory_kb(*machine(tmp_path, V1, old)) == 0
