"""Files of phrases: whole or not at all, whoever writes and whatever the disk does."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.speech.cache_folder import ABANDONED_S, MAGIC, SUFFIX, UNFINISHED, CacheFolder, name_of

PHRASE = b"\x55" * 1600
PLENTY = 1 << 20
NAME = name_of("Hello.", "voice a")


def test_a_phrase_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert CacheFolder(tmp_path / "new" / "speech", PLENTY).write(NAME, PHRASE) == ""

    assert CacheFolder(tmp_path / "new" / "speech", PLENTY).read(NAME) == PHRASE
    assert CacheFolder(tmp_path, PLENTY).read(NAME) is None


@given(st.binary(max_size=400), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_foreign_file_is_removed_and_never_played(tmp_path: Path, content: bytes, looks_ours: bool) -> None:
    folder = CacheFolder(tmp_path, PLENTY)
    path = tmp_path / (NAME + SUFFIX)
    path.write_bytes(MAGIC * looks_ours + content)

    assert folder.read(NAME) is None
    assert not path.exists()
    assert folder.damaged == 1


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_writer_that_dies_half_way_leaves_the_old_phrase(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = CacheFolder(tmp_path, PLENTY)
    folder.write(NAME, PHRASE)

    def dies(path: Path, *_: object) -> None:
        if step == "write_bytes":
            path.touch()
        raise KeyboardInterrupt  # like a kill: nothing of ours runs that tidies up after errors

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(*((Path, step, dies) if step == "write_bytes" else (os, step, dies)))
        folder.write(NAME, PHRASE * 2)

    assert folder.read(NAME) == PHRASE
    assert len(list(tmp_path.glob("*" + UNFINISHED))) == 1


def test_a_full_disk_is_told_and_keeps_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        fault = CacheFolder(tmp_path, PLENTY).write(NAME, PHRASE)

    assert "No space left" in fault
    assert list(tmp_path.iterdir()) == []


def test_what_dead_writers_left_goes_and_what_others_are_writing_stays(tmp_path: Path) -> None:
    folder = CacheFolder(tmp_path, PLENTY)
    folder.write(NAME, PHRASE)
    now = (tmp_path / (NAME + SUFFIX)).stat().st_mtime
    for which, age in (("dead", 2 * ABANDONED_S), ("live", 1.0)):
        (tmp_path / (which + UNFINISHED)).touch()
        os.utime(tmp_path / (which + UNFINISHED), (now - age, now - age))
    folder.write(NAME, PHRASE)

    assert [path.name for path in tmp_path.glob("*" + UNFINISHED)] == ["live" + UNFINISHED]


def test_used_ones_outlive_older_writes(tmp_path: Path) -> None:
    folder = CacheFolder(tmp_path, 3 * len(PHRASE))
    for name in ("a", "b"):
        folder.write(name, PHRASE)
        os.utime(tmp_path / (name + SUFFIX), (0, 0))
    folder.write("c", PHRASE, used=["a", "never written"])

    assert [folder.read(name) is not None for name in "abc"] == [True, False, True]


@given(st.text(), st.text())
def test_only_blanks_make_no_difference_to_a_name(text: str, fingerprint: str) -> None:
    assert name_of(f"  {text}\n", fingerprint) == name_of(text, fingerprint)
    assert name_of(text + "!", fingerprint) != name_of(text, fingerprint)
    assert name_of(text, fingerprint + "x") != name_of(text, fingerprint)
