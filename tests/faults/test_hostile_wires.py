"""Whoever sends garbage, caller or vendor, costs the others nothing: numbers 29 to 40 of the catalogue.

The hostile side is a process of its own that sends as fast as it can; what counts for the others is what they
heard, and whether it had gaps.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.conversation.announcement import Announcement
from tests.fuzz.stranger import CHATTER, RUBBISH, said
from tests.journeys.conftest import call, events, hotline

SENTENCE = "This call is served as if nobody else were there."


@asynccontextmanager
async def stranger(role: str, where: str) -> AsyncIterator[None]:
    """The hostile process, from when it is ready until it is ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fuzz.stranger", role, where, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        await process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def speaking_by(port: int) -> dict[str, str]:
    return {
        "ELEVENLABS_API_KEY": "sk_test",
        "ELEVENLABS_BASE_URL": f"http://127.0.0.1:{port}",
        "ELEVENLABS_OUTPUT_FORMAT": "ulaw_8000",
    }


async def test_sockets_that_rave_take_no_frame_from_a_call_that_is_served() -> None:
    port = free_port()
    async with (
        stranger("vendor", str(port)),
        hotline(lambda _path: Announcement(SENTENCE), **speaking_by(port), MAX_CALLS="50") as url,
        stranger("caller", url),
    ):
        report = await call(url)
        refused = await events(url, event="stream.refused")
        ended = await events(url, event="call.ended")

    assert said() in report.heard
    figures = report.as_json()
    assert (figures["underruns"], figures["faults"]) == (0, [])
    # It was no empty threat: calls were broken off, and sockets turned away, all the while.
    assert "protocol_broken" in {event["reason"] for event in [*refused, *ended]}


async def test_a_vendor_that_raves_on_one_call_takes_no_frame_from_another() -> None:
    port = free_port()
    texts = iter([SENTENCE, f"This is {RUBBISH}.", f"This is {CHATTER}."])
    async with (
        stranger("vendor", str(port)),
        hotline(lambda _path: Announcement(next(texts)), **speaking_by(port)) as url,
        asyncio.TaskGroup() as group,
    ):
        good = group.create_task(call(url))
        await asyncio.sleep(0.5)
        bad = [group.create_task(call(url)) for _ in range(2)]
        await asyncio.wait([good, *bad])
        strangers = await events(url, event="speech.message_of_another")

    assert said() in good.result().heard
    figures = good.result().as_json()
    assert (figures["underruns"], figures["faults"]) == (0, [])
    assert 0 < len(strangers) <= 2  # one a sentence, and not one for each of thousands
