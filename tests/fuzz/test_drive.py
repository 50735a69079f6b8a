"""The driver that works everywhere: it finds what is planted, once, and keeps the input."""

from pathlib import Path

import pytest

from tests.fuzz import corpus, drive
from tests.fuzz.targets import TARGETS


def planted(given: bytes) -> None:
    if b"[[[" in given:
        raise RecursionError("too deep")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(corpus, "CRASHES", tmp_path)


def test_a_fault_is_found_told_once_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(TARGETS, "speech_order", planted)

    assert drive.by_chance("speech_order", 1.0, seed=1) == 1
    (kept,) = (tmp_path / "speech_order").iterdir()
    assert b"[[[" in kept.read_bytes()
    assert "RecursionError at" in capsys.readouterr().err


def test_nothing_is_found_where_nothing_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(TARGETS, "speech_order", lambda _given: None)

    assert drive.by_chance("speech_order", 0.2, seed=1) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_tries_the_same_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[list[bytes]] = []
    for _ in range(2):
        inputs: list[bytes] = []
        monkeypatch.setitem(TARGETS, "settings", inputs.append)
        drive.by_chance("settings", 0.1, seed=7)
        tried.append(inputs[:50])

    assert tried[0] == tried[1] and len(set(tried[0])) > 20
