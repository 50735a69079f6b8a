"""The command `hotline load`."""

import argparse
import json

import pytest

from app.cli import load
from tests.cli.test_call import bridge_beside


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    load.register(parser.add_subparsers())
    args = parser.parse_args(["load", *arguments])
    code: int = args.run(args)
    return code


def test_a_load_is_reported_as_json_with_progress_beside(capsys: pytest.CaptureFixture[str]) -> None:
    with bridge_beside() as bridge:
        code = run(
            "--url", f"{bridge.url}/voice", "--calls", "5", "--ramp", "50", "--seconds", "1.2", "--json"
        )

    met = capsys.readouterr()
    report = json.loads(met.out)
    assert code == 0
    assert (report["calls"], report["heard"], report["with_underruns"]) == (5, 5, 0)
    assert report["first_audio_ms"].keys() == {"p50", "p95", "p99"}
    assert len(report["each"]) == 5
    assert "5 of 5 calls begun" in met.err


def test_without_json_a_person_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with bridge_beside() as bridge:
        code = run("--url", f"{bridge.url}/voice", "--calls", "2", "--seconds", "0.3")

    said = capsys.readouterr().out
    assert code == 0
    assert "2 calls, 2 heard a voice, 0 rejected" in said
    assert "audio_ms" in said and "cpu_share" in said


def test_callers_who_hear_nothing_are_exit_code_1() -> None:
    with bridge_beside(handshake=403) as bridge:
        assert run("--url", f"{bridge.url}/voice", "--calls", "2", "--seconds", "0.3") == 1


def test_nobody_there_is_exit_code_2(unused_tcp_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--url", f"http://127.0.0.1:{unused_tcp_port}/voice", "--calls", "2", "--seconds", "0.3") == 2
    assert "hotline serve" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["--calls", "0"], ["--calls", "x"], ["--calls", "1", "--ramp", "0"]]
)
def test_unusable_arguments_are_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as met:
        run(*arguments)

    assert met.value.code == 2
