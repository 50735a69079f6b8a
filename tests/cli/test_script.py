"""`hotline script`."""

import argparse
import json
from pathlib import Path

import pytest

from app.cli import script
from app.conversation.script_file import schema

SOUND = '[greeting]\nsay = "Hello."\nthen = "bye"\n[goodbye.bye]\nsay = "Bye."\n'
FAULTY = SOUND.replace('"bye"', '"by"')


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    script.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["script", *argv])
    code: int = args.run(args)
    return code


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def test_a_sound_script_is_counted(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(SOUND)

    assert run("check", str(path)) == 0
    assert capsys.readouterr().out == f"{path}: no faults; steps: 1, phrases to listen for: 0\n"


def test_without_a_file_the_script_that_ships_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check") == 0
    assert "default.toml" in capsys.readouterr().out


def test_faults_are_printed_as_editors_read_them(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(FAULTY)

    assert run("check", str(path)) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{path}:3: greeting.then: there is no step 'by'",
        f"{path}:4: goodbye.bye: no way leads to 'bye'",
    ]


def test_json_tells_the_same(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(FAULTY)

    assert run("check", str(path), "--json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "file": str(path),
        "ok": False,
        "faults": [
            {"line": 3, "reason": "greeting.then: there is no step 'by'"},
            {"line": 4, "reason": "goodbye.bye: no way leads to 'bye'"},
        ],
        "steps": 0,
        "phrases": 0,
    }


@pytest.mark.parametrize(("content", "reason"), [(None, "no such file"), (b"\xff", "expected UTF-8")])
def test_a_file_that_cannot_be_read_exits_2(
    content: bytes | None, reason: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        path.write_bytes(content)

    assert run("check", str(path)) == 2
    assert reason in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert json.loads(capsys.readouterr().out) == schema()


def test_help_shows_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")

    assert "  hotline script check my-hotline.toml" in capsys.readouterr().out
