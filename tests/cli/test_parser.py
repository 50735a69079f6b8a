"""The command line as a whole."""

import subprocess
import sys

import pytest

from app.cli.parser import COMMANDS, build_parser, run

NAMES = [command.__name__.rpartition(".")[2] for command in COMMANDS]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run([name, "--help"])

    assert left.value.code == 0
    assert f"  hotline {name}" in capsys.readouterr().out


def test_help_names_every_command() -> None:
    text = build_parser().format_help()

    assert all(name in text for name in NAMES)


def test_an_unknown_command_exits_2() -> None:
    with pytest.raises(SystemExit) as left:
        run(["sing"])

    assert left.value.code == 2


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    piped = f"{sys.executable} -m app config | head -1; exit ${{PIPESTATUS[0]}}"
    shown = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=False)

    assert (shown.returncode, shown.stderr) == (0, "")


def test_the_package_is_the_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "app", "--help"], capture_output=True, text=True, check=True
    )

    assert "hotline serve" in shown.stdout
