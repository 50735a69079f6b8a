"""What callers left behind is gone when its time is over, or when they ask."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import clock
from app.calls import retention as module
from app.calls.message_file import MessageFile
from app.calls.notes import CallBack, Notes, Recording
from app.calls.record_files import RecordFiles
from app.calls.resume import KEPT_S, Record
from app.calls.retention import LEAST_IN_MEMORY, SWEEP_S, Retention, keep_no_longer
from app.log import Event, attach
from tests.standins.voice import tone
from tests.virtual_time import in_virtual_time

NUMBER = "+15005550123"
DAY = timedelta(days=1)


async def leave(data_dir: Path, call_sid: str = "CA1", number: str = NUMBER) -> None:
    """All that a caller can leave, by what the hotline itself writes with."""
    moment = clock.wall()
    notes = Notes(data_dir)
    notes.call_back(CallBack(moment.isoformat(), call_sid, number, "+9"))
    notes.recording(
        Recording(moment.isoformat(), call_sid, "RE1", "https://api.example/RE1", 7, number, "+9")
    )
    message = MessageFile(data_dir / "messages", call_sid)
    message.append(tone(440, 0.1))
    message.finish()
    async with RecordFiles(data_dir / "resume") as records:
        state = {"heard": f"call me at {number}"}
        records.save(
            Record(call_sid=call_sid, conversation="script", state=state, written_at=moment.timestamp())
        )


def left(data_dir: Path) -> list[str]:
    return sorted(path.name for path in data_dir.rglob("*") if path.is_file() and path.stat().st_size)


@contextmanager
def heard() -> Iterator[list[Event]]:
    events: list[Event] = []
    detach = attach(events.append)
    try:
        yield events
    finally:
        detach()


async def test_threat_19_nothing_is_left_when_its_time_is_over(tmp_path: Path) -> None:
    await leave(tmp_path)
    retention = Retention(tmp_path, days=30)

    early = retention.sweep(clock.wall() + 30 * DAY - timedelta(minutes=1))
    assert (early.messages, early.callbacks) == (0, 0)
    assert left(tmp_path) == ["CA1-1.wav", "CA1-RE1.json", "callbacks.jsonl"]

    swept = retention.sweep(clock.wall() + 30 * DAY + timedelta(minutes=1))

    assert (swept.messages, swept.callbacks, swept.faults) == (2, 1, [])
    assert left(tmp_path) == []


async def test_threat_19_where_a_conversation_stood_is_kept_for_two_minutes_only(tmp_path: Path) -> None:
    await leave(tmp_path)
    retention = Retention(tmp_path, days=30)

    assert retention.sweep(clock.wall() + timedelta(seconds=KEPT_S - 10)).records == 0
    assert retention.sweep(clock.wall() + timedelta(seconds=KEPT_S + 10)).records == 1
    assert not any((tmp_path / "resume").iterdir())


async def test_threat_19_without_days_what_is_there_goes_at_once(tmp_path: Path) -> None:
    await leave(tmp_path)

    swept = Retention(tmp_path, days=0).sweep(clock.wall() + timedelta(seconds=KEPT_S + 1))

    assert swept.removed == 4 and left(tmp_path) == []


async def test_whatever_lies_among_the_messages_goes_too(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not ours")
    inner = tmp_path / "data" / "messages" / "by hand"
    inner.mkdir(parents=True)
    (inner / "half.part").write_text("x")
    (inner / "link").symlink_to(elsewhere)
    phrase = tmp_path / "data" / "speech" / "phrase.ulaw8k"
    phrase.parent.mkdir()
    phrase.write_text("what everybody hears")

    assert Retention(tmp_path / "data", days=1).sweep(clock.wall() + 2 * DAY).messages == 2
    assert elsewhere.exists() and phrase.exists() and not list(inner.iterdir())


def test_only_wishes_that_are_old_enough_go_and_none_that_comes_meanwhile_is_lost(tmp_path: Path) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    notes = Notes(tmp_path)
    for number, age in (("+1", 31), ("+2", 29)):
        notes.call_back(CallBack((now - age * DAY).isoformat(), "CA1", number, "+9"))
    with (tmp_path / "callbacks.jsonl").open("ab") as file:
        file.write(b'{"asked_at": "whenever", "call_sid": "CA1", "number": "+3", "called": "+9"}\n')
        file.write(
            b'{"asked_at": "2026-05-31T00:00:00", "call_sid": "CA1", "number": "+4", "called": "+9"}\n'
        )
        file.write(b'{"number": "+15005550')

    swept = Retention(tmp_path, days=30).sweep(now)

    assert swept.callbacks == 4
    notes.call_back(CallBack(now.isoformat(), "CA2", "+5", "+9"))
    assert [json.loads(line)["number"] for line in notes.call_backs()] == ["+2", "+5"]


def test_sweeping_makes_no_folder(tmp_path: Path) -> None:
    swept = Retention(tmp_path / "data", days=30).sweep(clock.wall())

    assert (swept.removed, swept.faults) == (0, [])
    assert not (tmp_path / "data").exists()


def test_what_cannot_be_deleted_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / "messages").mkdir(exist_ok=True)
        (tmp_path / "messages" / name).touch()
    unlink = Path.unlink

    def stubborn(path: Path, missing_ok: bool = False) -> None:
        if path.name == "a.wav":
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", stubborn)
    swept = Retention(tmp_path, days=1).sweep(clock.wall() + 2 * DAY)

    assert swept.messages == 1
    assert len(swept.faults) == 1 and "a.wav" in swept.faults[0]


def test_a_folder_that_cannot_be_read_is_named_and_the_rest_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("messages", "resume"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "CA1-1.json").touch()
    exact = Path.is_dir

    def closed(path: Path) -> bool:
        if path.parent.name == "messages":
            raise PermissionError(13, "Permission denied", str(path))
        return exact(path)

    monkeypatch.setattr(Path, "is_dir", closed)
    swept = Retention(tmp_path, days=1).sweep(clock.wall() + 2 * DAY)

    assert (swept.messages, swept.records) == (0, 1)
    assert "messages" in swept.faults[0]


async def test_threat_19_a_caller_is_forgotten_by_number(tmp_path: Path) -> None:
    await leave(tmp_path)
    await leave(tmp_path, "CA2", "+15005550124")
    await leave(tmp_path, "CA11", NUMBER + "4")

    swept = Retention(tmp_path, days=30).forget(number=NUMBER)

    assert (swept.messages, swept.callbacks, swept.records) == (2, 1, 1)
    assert not [name for name in left(tmp_path) if "CA1-" in name or "CA1." in name]
    assert len(left(tmp_path)) == 7  # of the two others, and one file of both their wishes
    assert f'"{NUMBER}"' not in (tmp_path / "callbacks.jsonl").read_text()


async def test_threat_19_a_caller_is_forgotten_by_call(tmp_path: Path) -> None:
    await leave(tmp_path)
    await leave(tmp_path, "CA2", NUMBER)

    Retention(tmp_path, days=30).forget(call_sid="CA1")

    assert left(tmp_path) == ["CA2-1.wav", "CA2-RE1.json", "CA2.json", "callbacks.jsonl"]


async def test_nobody_is_not_everybody(tmp_path: Path) -> None:
    await leave(tmp_path)
    (tmp_path / "messages" / "nameless.wav").write_bytes(b"RIFF")

    assert Retention(tmp_path, days=30).forget().removed == 0
    assert Retention(tmp_path, days=30).forget(number="+1500").removed == 0


@in_virtual_time
async def test_threat_19_it_is_swept_at_the_start_and_every_hour_off_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []
    moments: list[datetime] = []
    exact = Retention.sweep

    def noting(self: Retention, now: datetime, **given: Any) -> module.Swept:
        threads.append(threading.current_thread() is threading.main_thread())
        return exact(self, now, **given)

    monkeypatch.setattr(Retention, "sweep", noting)
    old = tmp_path / "messages" / "CA1-1.wav"
    old.parent.mkdir()
    old.touch()
    os.utime(old, (0, 0))
    with heard() as events:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(keep_no_longer(Retention(tmp_path, days=30), moments.append))
            await asyncio.sleep(SWEEP_S * 2 + 1)
            task.cancel()

    assert threads == [False] * 3
    told = [event for event in events if event["event"] == "retention.swept"]
    assert [(event["messages"], event["callbacks"], event["records"]) for event in told] == [(1, 0, 0)]
    assert clock.wall() - moments[0] >= 30 * DAY


@in_virtual_time
async def test_without_days_it_is_swept_as_often_as_records_lapse(tmp_path: Path) -> None:
    moments: list[datetime] = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(keep_no_longer(Retention(tmp_path, days=0), moments.append))
        await asyncio.sleep(KEPT_S * 3 + 1)
        task.cancel()

    assert len(moments) == 4
    assert LEAST_IN_MEMORY <= clock.wall() - moments[0] < LEAST_IN_MEMORY + timedelta(minutes=5)


@in_virtual_time
async def test_what_cannot_be_deleted_is_an_error_for_the_operator(tmp_path: Path) -> None:
    (tmp_path / "callbacks.jsonl").mkdir()  # which no file can take the place of
    with heard() as events:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(keep_no_longer(Retention(tmp_path, days=30), lambda _moment: None))
            await asyncio.sleep(1)
            task.cancel()

    assert [(event["event"], event["level"]) for event in events] == [("retention.failed", "error")]


@in_virtual_time
async def test_threat_19_what_twilio_keeps_is_deleted_there_first_and_tried_again(tmp_path: Path) -> None:
    await leave(tmp_path)
    for path in (tmp_path / "messages").iterdir():
        os.utime(path, (0, 0))
    answers, asked = [False, True], []

    async def delete(recording_sid: str) -> bool:
        asked.append(recording_sid)
        return answers.pop(0)

    with heard() as events:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(
                keep_no_longer(Retention(tmp_path, days=30), lambda _moment: None, delete)
            )
            await asyncio.sleep(1)
            (kept,) = (path.read_text() for path in (tmp_path / "messages").glob("*.json"))
            await asyncio.sleep(SWEEP_S)
            task.cancel()

    assert NUMBER not in kept and asked[0] in kept
    assert len(asked) == 2 and len(set(asked)) == 1
    assert not list((tmp_path / "messages").iterdir())
    left_there = [event for event in events if event["event"] == "retention.left_at_twilio"]
    assert [event["recordings"] for event in left_there] == [asked[:1]]


async def test_threat_19_one_callers_recordings_are_known_by_number_and_by_call(tmp_path: Path) -> None:
    await leave(tmp_path)
    await leave(tmp_path, call_sid="CA2", number="+15005550199")
    retention = Retention(tmp_path, days=30)

    theirs = retention.at_twilio(number=NUMBER)

    assert len(theirs) == 1 and theirs == retention.at_twilio(call_sid="CA1")
    assert retention.at_twilio(number="+1") == []
