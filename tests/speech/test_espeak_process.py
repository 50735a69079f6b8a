import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors import ProviderError
from app.speech.espeak_process import EspeakProcess

LONG = "A sentence that goes on for quite a while, so that there is something to stop. " * 60


def order(text: str, voice: str = "en-us") -> bytes:
    return json.dumps({"text": text, "voice": voice, "rate": 160, "pitch": 45}).encode()


@asynccontextmanager
async def running() -> AsyncIterator[EspeakProcess]:
    process = await EspeakProcess.start("local")
    serving = asyncio.create_task(process.serve())
    try:
        yield process
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        await process.stop()


async def said(process: EspeakProcess, text: str) -> bytes:
    async with process.speak(order(text)) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_slow_listener_does_not_hold_up_another() -> None:
    async with running() as process, process.speak(order(LONG)) as slow:
        await anext(aiter(slow))

        assert await said(process, "Quick.")


async def test_its_load_is_the_sentences_in_work() -> None:
    async with running() as process:
        async with process.speak(order(LONG)):
            during = process.load

        assert (during, process.load) == (1, 0)


async def test_a_death_in_mid_sentence_reaches_every_listener() -> None:
    async with running() as process, process.speak(order(LONG)) as one, process.speak(order(LONG)) as other:
        await anext(aiter(one))
        os.kill(process.pid, signal.SIGKILL)

        for chunks in (one, other):
            with pytest.raises(ProviderError, match="died") as failure:
                async for _ in chunks:
                    pass
            assert failure.value.kind == "closed"
        assert not process.alive


async def test_a_silent_process_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.speech.espeak_process.STALL_TIMEOUT_S", 0.05)
    async with running() as process:
        os.kill(process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(ProviderError) as failure:
                await said(process, "Hello.")
        finally:
            os.kill(process.pid, signal.SIGCONT)

    assert failure.value.kind == "timeout"


async def test_a_process_that_does_not_obey_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.speech.espeak_process.STOP_TIMEOUT_S", 0.05)
    async with running() as process:
        os.kill(process.pid, signal.SIGSTOP)

    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


async def test_a_process_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.speech.espeak_worker.__file__", "/nowhere/at/all.py")

    with pytest.raises(ProviderError, match="does not start"):
        await EspeakProcess.start("local")


async def test_an_unknown_voice_is_a_bad_request() -> None:
    async with running() as process, process.speak(order("Hello.", "nobody's")) as chunks:
        with pytest.raises(ProviderError, match="no voice") as failure:
            await anext(aiter(chunks))

    assert failure.value.kind == "bad_request"


async def test_a_machine_that_is_full_is_an_error_of_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/at/all")

    with pytest.raises(ProviderError, match="no espeak-ng process"):
        await EspeakProcess.start("local")
