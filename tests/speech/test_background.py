import asyncio
import gc
import warnings

import pytest
from structlog.testing import capture_logs

from app.speech.background import Background


async def test_leaving_ends_what_still_runs() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async with Background() as background:
        background.start(work())

    assert ended.is_set()


async def test_the_owners_own_exception_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError):
        async with Background() as background:
            background.start(asyncio.sleep(3600))
            raise KeyError


async def test_an_error_is_logged_and_harms_nobody_else() -> None:
    async def fail() -> None:
        raise ValueError("a bug")

    with capture_logs() as events:
        async with Background() as background:
            await background.start(fail())
            await background.start(asyncio.sleep(0))

    assert [(event["event"], event["log_level"]) for event in events] == [
        ("speech.background_failed", "error")
    ]


async def test_what_has_ended_is_forgotten() -> None:
    async with Background() as background:
        await background.start(asyncio.sleep(0))
        await asyncio.sleep(0)

        assert not background._tasks


async def test_what_is_cancelled_before_its_first_step_never_begins_and_nothing_is_warned_of() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()

    with warnings.catch_warnings(record=True) as warned:
        async with Background() as background:
            background.start(work()).cancel()
        gc.collect()

    assert (begun.is_set(), warned) == (False, [])


class Socket:
    """Notes how it was closed."""

    def __init__(self) -> None:
        self.ended = ""

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"


async def test_a_retired_socket_is_closed_in_the_background_and_at_once_when_that_is_over() -> None:
    in_time, late = Socket(), Socket()
    async with Background() as background:
        background.retire(in_time)
        assert in_time.ended == ""
        await asyncio.sleep(0.01)
    background.retire(late)

    assert (in_time.ended, late.ended) == ("closed", "aborted")
