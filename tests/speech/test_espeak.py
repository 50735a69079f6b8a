import asyncio
import os
import signal

import pytest
from structlog.testing import capture_logs

from app.errors import ConfigError, ProviderError
from app.speech.espeak import LONGEST_TEXT, PHONE_VOICE, Espeak, Voice, synthesize


async def said(espeak: Espeak, text: str, voice: Voice = PHONE_VOICE) -> bytes:
    async with espeak.speak(text, voice) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def processes_are(espeak: Espeak, count: int) -> None:
    async with asyncio.timeout(10):
        while len(espeak.pids) != count:  # noqa: ASYNC110 - a process's end is not ours to signal
            await asyncio.sleep(0.01)


async def test_ten_listeners_share_two_processes() -> None:
    async with Espeak(processes=2) as espeak:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(said(espeak, "word " * (number + 1))) for number in range(10)]

        assert len(espeak.pids) == 2

    lengths = [len(task.result()) for task in tasks]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) == 10


async def test_a_listener_may_choose_voice_and_rate() -> None:
    async with Espeak(processes=1) as espeak:
        slow = await said(espeak, "The same words.", Voice(rate=100))
        fast = await said(espeak, "The same words.", Voice("de", rate=250, pitch=80))
        again = await said(espeak, "The same words.", Voice(rate=100))

    assert len(slow) > 1.5 * len(fast)
    assert len(again) == pytest.approx(len(slow), rel=0.02)


async def test_a_process_that_dies_is_replaced() -> None:
    with capture_logs() as events:
        async with Espeak(processes=2) as espeak:
            victim, survivor = espeak.pids
            os.kill(victim, signal.SIGKILL)
            await processes_are(espeak, 1)

            assert await said(espeak, "By the other one.")
            await processes_are(espeak, 2)
            assert survivor in espeak.pids
            assert victim not in espeak.pids

    assert [(event["event"], event["pid"]) for event in events] == [("speech.process_died", victim)]


async def test_without_any_process_the_voice_is_busy() -> None:
    async with Espeak(processes=1) as espeak:
        os.kill(espeak.pids[0], signal.SIGKILL)
        await processes_are(espeak, 0)

        with pytest.raises(ProviderError, match="being restarted") as failure:
            await said(espeak, "Hello.")
        assert failure.value.retryable


async def test_leaving_ends_every_process() -> None:
    async with Espeak(processes=2) as espeak:
        pids = espeak.pids

    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ConfigError, match="local-voice"):
        await Espeak().__aenter__()


async def test_processes_that_cannot_start_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.speech.espeak_worker.__file__", "/nowhere/at/all.py")

    with capture_logs() as events, pytest.raises(ProviderError, match="does not start"):
        await Espeak(processes=2).__aenter__()

    assert {event["event"] for event in events} == {"speech.process_not_started"}


async def test_a_text_without_end_is_refused() -> None:
    async with Espeak(processes=1) as espeak:
        with pytest.raises(ProviderError, match="5001 characters") as failure:
            await said(espeak, "x" * (LONGEST_TEXT + 1))

    assert failure.value.kind == "bad_request"


async def test_a_text_can_be_spoken_without_a_provider() -> None:
    assert 0.5 < len(await synthesize("Hello.")) / 2 / 22_050 < 2
