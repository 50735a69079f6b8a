"""The command `hotline call`, against a bridge in miniature and, in full, against a hotline of its own."""

import argparse
import asyncio
import json
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.cli import call
from app.simulator.messages import SILENT_PAYLOAD
from tests.simulator.bridge import Bridge, Peer, greet, serving, twiml

FIXTURES = Path(__file__).parents[2] / "fixtures" / "audio"


@contextmanager
def bridge_beside(script: Any = greet, **options: Any) -> Iterator[Bridge]:
    """A bridge in a thread of its own: the command brings its own event loop."""
    box: list[Bridge] = []
    up, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serving(script, **options) as bridge:
            box.append(bridge)
            up.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert up.wait(10)
        yield box[0]
    finally:
        done.set()
        thread.join()


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    call.register(parser.add_subparsers())
    args = parser.parse_args(["call", *arguments])
    code: int = args.run(args)
    return code


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID", "PUBLIC_URL", "PORT"):
        monkeypatch.delenv(name, raising=False)


def test_a_call_is_placed_reported_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with bridge_beside() as bridge:
        code = run(
            "--url", f"{bridge.url}/voice", "--json", "--out", str(tmp_path / "heard.wav"), "--seconds", "0.5"
        )

    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (report["audio_ms"], report["marks"], report["underruns"]) == (100, 1, 0)
    with wave.open(str(tmp_path / "heard.wav")) as wav:
        assert wav.getframerate() == 8000
        assert wav.getnframes() >= 800


def test_without_json_a_person_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with bridge_beside() as bridge:
        code = run("--url", f"{bridge.url}/voice", "--seconds", "0.3")

    assert code == 0
    assert "audio heard         0.10 s" in capsys.readouterr().out


def test_hearing_nothing_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with bridge_beside(answers={"/voice": twiml('<Response><Reject reason="busy"/></Response>')}) as bridge:
        code = run("--url", f"{bridge.url}/voice")

    assert code == 1
    assert "rejected (busy)" in capsys.readouterr().out


def test_nobody_there_is_exit_code_2_with_fault_and_cure(
    unused_tcp_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("--url", f"http://127.0.0.1:{unused_tcp_port}/voice")

    said = capsys.readouterr().err
    assert code == 2
    assert "hotline serve" in said and f"127.0.0.1:{unused_tcp_port}" in said


def test_the_callers_turns_keep_the_order_of_the_command_line() -> None:
    async def listen(peer: Peer) -> None:
        await greet(peer)
        await peer.until("dtmf", 2)
        await greet(peer)
        await peer.until_voice()
        await greet(peer)
        await peer.websocket.close()

    with bridge_beside(listen) as bridge:
        play = str(FIXTURES / "speech.wav")
        code = run(
            "--url",
            f"{bridge.url}/voice",
            "--digits",
            "1#",
            "--play",
            play,
            "--seconds",
            "9",
        )

    assert code == 0
    silence = SILENT_PAYLOAD.decode()
    events = [
        message["event"]
        for message in bridge.peers[0].received
        if message.get("media", {}).get("payload") != silence
    ]
    assert events[:5] == ["connected", "start", "mark", "dtmf", "dtmf"]
    assert "media" in events[5:]


def test_the_environment_signs_and_names_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "new,old")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC7")
    monkeypatch.setenv("PUBLIC_URL", "https://voice.example.com")

    plan = call.base_plan("http://localhost:1/voice")

    assert (plan.account.auth_token, plan.account.account_sid) == ("new", "AC7")
    assert plan.public_url == "https://voice.example.com"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--url", "localhost:8000"], "http://localhost:8000/voice"),
        (["--digits", "12x"], "0-9"),
        (["--digits", ""], "0-9"),
        (["--say", " "], "nothing to say"),
        (["--play", "/no/such.wav"], "/no/such.wav"),
        (["--seconds", "0"], "above 0"),
        (["--seconds", "soon"], "above 0"),
        (["--seconds", "inf"], "above 0"),
    ],
)
def test_unusable_arguments_are_exit_code_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as met:
        run(*arguments)

    assert met.value.code == 2
    assert told in capsys.readouterr().err


def test_a_microphone_is_honestly_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--mic") == 2
    assert "--play" in capsys.readouterr().err


async def answer_a_key(peer: Peer) -> None:
    await greet(peer)
    await peer.until("dtmf")
    await greet(peer)


def test_what_was_heard_is_told_in_words_of_a_caller_who_takes_turns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("pocketsphinx")
    with bridge_beside(answer_a_key) as bridge:
        common = ("--url", f"{bridge.url}/voice", "--seconds", "1.5", "--json")
        codes = [
            run(*common, "--digits", "1"),
            run(*common),
            run(*common, "--digits", "1", "--no-transcribe"),
        ]

    told = capsys.readouterr().out.replace("}\n{", "}\0{").split("\0")
    written, silent, unwritten = (json.loads(report) for report in told)
    assert codes == [0, 0, 0]
    assert isinstance(written["turns"][0]["heard"], str)
    assert (silent["turns"], silent["greeting"]) == ([], None)
    assert unwritten["turns"][0]["heard"] is None


def test_words_that_cannot_be_written_down_are_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.simulator.transcript.NAME", "no_such_ears")
    with bridge_beside() as bridge:
        code = run("--url", f"{bridge.url}/voice", "--seconds", "0.3", "--transcribe")

    assert code == 2
    assert "local-hearing" in capsys.readouterr().err


async def interrupted_by_keys(peer: Peer) -> None:
    await peer.play(150)
    await peer.until("dtmf")
    await peer.clear()
    await greet(peer)


def test_an_interruption_is_timed_and_what_falls_silent_is_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with bridge_beside(interrupted_by_keys) as bridge:
        arguments = ("--interrupt", "0.5", "--digits", "1", "--no-transcribe", "--json")
        run("--url", f"{bridge.url}/voice", "--seconds", "2", *arguments)

    (turn,) = json.loads(capsys.readouterr().out)["turns"]
    assert 400 <= turn["at_ms"] < 1500
    assert 0 < turn["clear_ms"] < 1000


def test_the_callers_phone_can_echo() -> None:
    async def say_and_wait(peer: Peer) -> None:
        await peer.play(20)
        await peer.until_voice()

    with bridge_beside(say_and_wait) as bridge:
        run("--url", f"{bridge.url}/voice", "--seconds", "1", "--echo", "20")

    payloads = {message["media"]["payload"] for message in bridge.peers[0].of("media")}
    assert len(payloads) == 2 and SILENT_PAYLOAD.decode() in payloads


def test_a_file_that_is_no_audio_or_cannot_be_written_is_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.wav").write_text("no audio")
    with bridge_beside() as bridge:
        unread = run("--url", f"{bridge.url}/voice", "--play", str(tmp_path / "in.wav"))
        unwritten = run(
            "--url", f"{bridge.url}/voice", "--seconds", "0.2", "--out", str(tmp_path / "no" / "x.wav")
        )

    assert (unread, unwritten) == (2, 2)
    assert "in.wav" in capsys.readouterr().err


def test_a_hotline_of_its_own_is_started_called_and_heard(
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PORT", str(unused_tcp_port))
    monkeypatch.setenv("GREETING", "Hello, this is the hotline.")

    code = run("--json", "--out", str(tmp_path / "heard.wav"))

    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert report["voiced_ms"] > 800
    assert (report["underruns"], report["faults"]) == (0, [])


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://localhost:8000", "http://localhost:8000/voice"),
        ("https://h.example/", "https://h.example/voice"),
        ("https://h.example/debug-websocket-voice?x=1", "https://h.example/debug-websocket-voice?x=1"),
    ],
)
def test_of_a_host_alone_the_usual_webhook_is_meant(given: str, meant: str) -> None:
    assert call.webhook(given) == meant
