"""The command behind `make fuzz`."""

from pathlib import Path

import pytest

from tests.fuzz import corpus
from tests.fuzz.run import main
from tests.fuzz.targets import TARGETS


def test_the_targets_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.split() == sorted(TARGETS)


def test_a_target_that_is_none_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mp4"]) == 2
    assert "no such target: mp4; known: audio, " in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "python -m tests.fuzz.run mp3 script --seconds 60" in capsys.readouterr().out


def test_one_input_can_be_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    file = next((corpus.FOLDER / "settings").iterdir())

    assert main(["settings", "--replay", str(file)]) == 0
    assert "no rule is broken" in capsys.readouterr().err


def test_a_target_is_driven_in_a_process_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--target", "speech_order", "--seconds", "0.2", "--unguided"]) == 0
    told = capfd.readouterr().err
    assert "== speech_order" in told and "0 crashes" in told and "crashes in: none" in told


def test_without_atheris_that_is_said(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fuzz.drive.is_guided", lambda: False)

    main(["speech_order", "--seconds", "0.1"])
    assert "atheris is not installed" in capfd.readouterr().err


def test_crashes_and_finds_are_not_checked_in() -> None:
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text().split()
    assert {"/tests/fuzz/crashes/", "/tests/fuzz/found/"} <= set(ignored)
