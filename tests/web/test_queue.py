"""The line's routes: asking again, keys, messages, and what is heard."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from app.calls.notes import Notes
from app.calls.reception import Policy
from app.web.parts import Parts, Waiting
from tests.web.conftest import Knock, desk_with_a_line, locked, make_parts

A, B, C = "CA" + "a" * 32, "CA" + "b" * 32, "CA" + "c" * 32
FROM = {"From": "+15005550001", "To": "+15005550006"}


def parts_with_line(tmp_path: Path, **changes: Any) -> Parts:
    """One slot, and a line."""
    waiting = Waiting((b"RIFF one",), (b"RIFF brief",), ("message", "callback"), Notes(tmp_path))
    return replace(make_parts(waiting=waiting), desk=desk_with_a_line(**changes))


async def ask(http: httpx.AsyncClient, call_sid: str, path: str = "/voice", **fields: str) -> str:
    answer = await http.post(path, data={"CallSid": call_sid, **FROM, **fields})
    assert answer.status_code == 200
    return answer.text


def verbs(document: str) -> list[str]:
    return [verb.tag for verb in ElementTree.fromstring(document)]


async def waiting(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("/status")).json()["line"]["list"]
    return found


async def test_a_caller_over_the_cap_waits_and_is_connected_when_there_is_a_slot(
    knock: Knock, tmp_path: Path
) -> None:
    async with knock(parts_with_line(tmp_path)) as http:
        first = await ask(http, A)
        held = await ask(http, B)
        again = await ask(http, B, "/voice/queue", heard="1")
        await http.post("/voice/status", data={"CallSid": A, "CallStatus": "completed"})
        let_in = await ask(http, B, "/voice/queue", heard="1")

    assert verbs(first) == verbs(let_in) == ["Connect", "Redirect"]
    assert verbs(held) == verbs(again) == ["Gather", "Redirect"]
    assert "You are next in line." in held
    assert "<Say>" not in again


async def test_hanging_up_leaves_the_line_at_once(knock: Knock, tmp_path: Path) -> None:
    async with knock(parts_with_line(tmp_path)) as http:
        for call_sid in (A, B, C):
            await ask(http, call_sid)
        told = {"CallSid": B, "CallStatus": "completed"}
        answers = [await http.post("/voice/status", data=told) for _ in range(2)]
        left = await waiting(http)
        gone = await ask(http, C, "/voice/queue", CallStatus="completed")
        nobody = await waiting(http)

    assert [answer.status_code for answer in answers] == [204, 204]
    assert [(each["call_sid"], each["position"]) for each in left] == [(C, 1)]
    assert verbs(gone) == ["Hangup"]
    assert nobody == []


async def test_a_caller_who_waited_too_long_hears_a_kind_goodbye(knock: Knock, tmp_path: Path) -> None:
    async with knock(parts_with_line(tmp_path, policy=Policy(max_wait_s=0.0))) as http:
        await ask(http, A)
        await ask(http, B)
        goodbye = await ask(http, B, "/voice/queue")

    assert verbs(goodbye) == ["Say", "Hangup"]
    assert "Thank you for waiting" in goodbye


async def test_key_1_leaves_a_message_that_is_noted_once(knock: Knock, tmp_path: Path) -> None:
    recording = {"RecordingSid": "RE1", "RecordingUrl": "https://api.example/RE1", "RecordingDuration": "7"}
    async with knock(parts_with_line(tmp_path)) as http:
        await ask(http, A)
        await ask(http, B)
        record = await ask(http, B, "/voice/queue/key", Digits="1")
        again = await ask(http, B, "/voice/queue/key", Digits="1")
        line = await waiting(http)
        form = {"CallSid": B, **FROM, **recording, "RecordingStatus": "completed"}
        told = [await http.post("/recording/status", data=form) for _ in range(2)]
        goodbye = await ask(http, B, "/voice/queue/recorded", **recording)

    assert verbs(record) == ["Say", "Record", "Say", "Hangup"]
    assert record == again
    assert line == []
    assert [answer.status_code for answer in told] == [204, 204]
    assert "Thank you for your message" in goodbye
    (note,) = (tmp_path / "messages").iterdir()
    assert json.loads(note.read_text())["url"] == "https://api.example/RE1"


async def test_key_2_notes_the_number_once_and_says_goodbye(
    knock: Knock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with knock(parts_with_line(tmp_path)) as http:
        await ask(http, A)
        await ask(http, B)
        answers = [await ask(http, B, "/voice/queue/key", Digits="2") for _ in range(2)]
        line = await waiting(http)

    assert [verbs(answer) for answer in answers] == [["Say", "Hangup"]] * 2
    (wish,) = (tmp_path / "callbacks.jsonl").read_text().splitlines()
    assert json.loads(wish)["number"] == FROM["From"]
    assert line == []
    assert FROM["From"] not in capsys.readouterr().err


async def test_a_caller_who_shows_no_number_stays_in_line(knock: Knock, tmp_path: Path) -> None:
    async with knock(parts_with_line(tmp_path)) as http:
        await ask(http, A)
        await ask(http, B, From="anonymous")
        answer = await http.post("/voice/queue/key", data={"CallSid": B, "From": "anonymous", "Digits": "2"})
        line = await waiting(http)

    assert "cannot see your number" in answer.text
    assert verbs(answer.text)[-1] == "Redirect"
    assert [each["call_sid"] for each in line] == [B]
    assert not (tmp_path / "callbacks.jsonl").exists()


@pytest.mark.parametrize("digits", ["9", "", "11", "*"])
async def test_any_other_key_keeps_the_caller_in_line(knock: Knock, tmp_path: Path, digits: str) -> None:
    async with knock(parts_with_line(tmp_path)) as http:
        await ask(http, A)
        await ask(http, B)
        answer = await ask(http, B, "/voice/queue/key", Digits=digits)

    assert verbs(answer) == ["Gather", "Redirect"]


async def test_a_full_disk_is_told_and_costs_no_exception(knock: Knock, tmp_path: Path) -> None:
    (tmp_path / "callbacks.jsonl").mkdir()
    (tmp_path / "messages").write_text("in the way")
    async with knock(parts_with_line(tmp_path)) as http:
        await ask(http, A)
        await ask(http, B)
        wish = await ask(http, B, "/voice/queue/key", Digits="2")
        form = {"CallSid": B, "RecordingSid": "RE1"}
        message = await http.post("/recording/status", data=form)

    assert "could not note your number" in wish
    assert message.status_code == 500


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"CallSid": A, "RecordingSid": "../../etc", "RecordingStatus": "completed"}, 400),
        ({"RecordingSid": "RE1"}, 400),
        ({"CallSid": A, "RecordingSid": "RE1", "RecordingStatus": "failed"}, 204),
    ],
)
async def test_what_is_no_finished_recording_is_not_noted(
    knock: Knock, tmp_path: Path, form: dict[str, str], status: int
) -> None:
    async with knock(parts_with_line(tmp_path)) as http:
        answer = await http.post("/recording/status", data=form)

    assert answer.status_code == status
    assert not (tmp_path / "messages").exists()


async def test_what_is_heard_is_public_and_may_be_kept(knock: Knock, tmp_path: Path) -> None:
    parts = replace(parts_with_line(tmp_path), locks=locked())
    async with knock(parts, peer="203.0.113.9") as http:
        piece = await http.get("/audio/hold/0.wav")
        brief = await http.get("/audio/hold/brief-0.wav")
        missing = await http.get("/audio/hold/1.wav")

    assert (piece.status_code, piece.content) == (200, b"RIFF one")
    assert piece.headers["content-type"] == "audio/wav"
    assert piece.headers["cache-control"] == "public, max-age=86400"
    assert (brief.status_code, brief.content) == (200, b"RIFF brief")
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "path", ["/voice/queue", "/voice/queue/key", "/voice/queue/recorded", "/recording/status"]
)
async def test_strangers_cannot_ask_for_anybody(knock: Knock, tmp_path: Path, path: str) -> None:
    parts = replace(parts_with_line(tmp_path), locks=locked())
    async with knock(parts, peer="203.0.113.9") as http:
        answer = await http.post(path, data={"CallSid": A})

    assert answer.status_code == 403


async def test_a_process_that_drains_sends_its_line_elsewhere(knock: Knock, tmp_path: Path) -> None:
    parts = parts_with_line(tmp_path)
    async with knock(parts) as http:
        await ask(http, A)
        await ask(http, B)
        parts.drain.begin(0.0)
        answer = await ask(http, B, "/voice/queue", heard="1")
        line = await waiting(http)

    assert verbs(answer) == ["Pause", "Redirect"]
    assert "/voice/queue?since=" in answer
    assert line == []


@pytest.mark.parametrize("piece", ["9" * 5_000, "1", "00", "-1", "x"])
async def test_a_piece_that_there_is_not_is_not_found(tmp_path: Path, knock: Knock, piece: str) -> None:
    async with knock(parts_with_line(tmp_path)) as http:
        assert (await http.get("/audio/hold/0.wav")).status_code == 200
        assert (await http.get(f"/audio/hold/{piece}.wav")).status_code == 404


async def test_a_duration_of_too_many_digits_is_none(tmp_path: Path, knock: Knock) -> None:
    async with knock(parts_with_line(tmp_path)) as http:
        fields = {"CallSid": A, "RecordingSid": "RE1", "RecordingDuration": "9" * 5_000}
        assert (await http.post("/recording/status", data=fields)).status_code == 204

    (note,) = await asyncio.to_thread(lambda: list(tmp_path.rglob("*RE1*")))
    assert json.loads(note.read_text())["duration_s"] == 0
