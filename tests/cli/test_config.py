"""`hotline config`."""

import json

import pytest

from app.cli.parser import run


def test_every_variable_is_listed_with_what_it_means(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREETING", "Hello.")

    assert run(["config"]) == 0
    out = capsys.readouterr().out
    assert "GREETING (set)" in out
    assert "MAX_CALLS, MAX_CONNECTIONS, MAX_BOTS\n    calls at once in this process; default: 100" in out


def test_json_says_which_are_set_but_never_their_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "canary-key")

    assert run(["config", "--json"]) == 0
    out = capsys.readouterr().out
    assert "canary-key" not in out
    assert {row["name"]: row["set"] for row in json.loads(out)}["ELEVENLABS_API_KEY"] is True


def test_a_faulty_environment_is_told_whole_and_exits_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_CALLS", "none")
    monkeypatch.setenv("PUBLIC_URL", "voice")

    assert run(["config"]) == 2
    err = capsys.readouterr().err
    assert "MAX_CALLS" in err and "PUBLIC_URL" in err
