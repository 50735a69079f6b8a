"""`hotline house`: the kill switch from a terminal."""

import asyncio
from pathlib import Path

import pytest

from app.calls.closing import Closing
from app.calls.shared_closing import SharedSwitch
from app.capacity.store import Store
from app.cli.parser import run
from tests.standins.redis import RedisServer, needs_redis


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("DATA_DIR", str(folder))
    for name in ("HOTLINE_CLOSED", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    return folder


async def test_what_closes_and_opens_is_what_a_server_looks_for(data_dir: Path) -> None:
    closing = Closing(data_dir)
    reasons = []
    for task in ("close", "close", "open", "open"):
        assert run(["house", task]) == 0
        await closing.look()
        reasons.append(bool(closing.reason))

    assert reasons == [True, True, False, False]


def test_the_setting_keeps_the_house_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTLINE_CLOSED", "1")

    assert run(["house", "open"]) == 1
    assert "HOTLINE_CLOSED is set" in capsys.readouterr().err


@pytest.mark.parametrize("task", ["close", "open"])
def test_a_switch_that_cannot_be_moved_is_told(
    task: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data_dir.write_text("a file where the folder should be")

    assert run(["house", task]) == 1
    assert f"not {'closed' if task == 'close' else 'opened'}" in capsys.readouterr().err


@needs_redis
async def test_with_a_store_every_replica_is_told_and_here_means_here(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    async with RedisServer() as server, Store(server.url, within_s=30) as store:
        monkeypatch.setenv("REDIS_URL", server.url)
        closing = Closing(data_dir, fleet=SharedSwitch(store))
        reasons = []
        for task in (["close"], ["open"], ["close", "--here"], ["open"]):
            assert await asyncio.to_thread(run, ["house", *task]) == 0
            await closing.look()
            reasons.append(closing.reason)

    assert reasons == ["closed by the operator, on every replica", "", "closed by the operator", ""]


@pytest.mark.parametrize("task", ["close", "open"])
def test_a_store_that_does_not_answer_is_told_with_the_cure(
    task: str,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{unused_tcp_port}")

    assert run(["house", task]) == 1
    assert f"hotline house {task} --here" in capsys.readouterr().err
