"""Nobody spends the operator's money without end: lived through over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.journeys.conftest import GREETING, call, event_stream, events, hotline, vendor, vendor_environ
from tests.observe.test_alarm_webhook import people
from tests.standins.elevenlabs import ElevenLabsStandin

__all__ = ["event_stream", "vendor"]

ANNA, BERT = "+15550100", "+15550101"
NO_MORE, CLOSED = "No more calls from you today.", "We are closed."


@asynccontextmanager
async def guarded(folder: Path, **environ: str) -> AsyncIterator[str]:
    given = {"DATA_DIR": str(folder), "LIMIT_MESSAGE": NO_MORE, "CLOSED_MESSAGE": CLOSED, **environ}
    async with hotline(**given) as url:
        yield url


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110 - asked over HTTP, there is no event to wait for
            await asyncio.sleep(0.05)


async def readiness(url: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url) as http:
        return await http.get("/readyz")


async def test_threat_13_a_burst_of_one_number_ends_at_its_limit_and_others_are_served(
    tmp_path: Path,
) -> None:
    async with guarded(tmp_path, LIMITS_PER_NUMBER="calls/hour=2") as url:
        async with asyncio.TaskGroup() as group:
            burst = [group.create_task(call(url, caller_number=ANNA)) for _ in range(6)]
            other = group.create_task(call(url, caller_number=BERT))
        refused = await events(url, event="call.refused")
    reports = [task.result() for task in burst]
    async with guarded(tmp_path, LIMITS_PER_NUMBER="calls/hour=2") as url:
        after_a_restart = await call(url, caller_number=ANNA)
        another = await call(url, caller_number=BERT)

    assert [report.said for report in reports if not report.has_heard] == [[NO_MORE]] * 4
    assert other.result().has_heard and another.has_heard
    assert {(event["reason"], event["fault"]) for event in refused} == {
        ("limit", "one number: 2 calls within an hour")
    }
    assert after_a_restart.said == [NO_MORE] and not after_a_restart.has_heard


async def test_threat_13_a_budget_warns_once_a_level_and_then_stops_new_calls(tmp_path: Path) -> None:
    async with people() as (hook, posted):
        money = {"PRICE_PER_MINUTE": "1", "BUDGET_PER_DAY": "2", "CURRENCY": "EUR"}
        money |= {"ALARM_WEBHOOK_URL": hook, "OUTBOUND_ALLOW": "127.0.0.1"}
        async with guarded(tmp_path, **money) as url, asyncio.timeout(60):
            first = await call(url)
            told = [await posted.get()]
            second = await call(url)
            told += [await posted.get(), await posted.get()]
            third = await call(url)
            ready = await readiness(url)
            reached = await events(url, event="budget.reached")
        async with guarded(tmp_path, **money) as url:
            after_a_restart = await call(url)

    assert first.has_heard and second.has_heard
    assert [str(text).count("%") for text in told] == [2, 2, 2]
    assert [event["percent"] for event in reached] == [50, 80, 100]
    assert third.said == after_a_restart.said == [CLOSED]
    assert third.streams == after_a_restart.streams == []
    assert (ready.status_code, ready.text) == (503, "the budget of the day is spent\n")
    assert posted.empty()


async def test_threat_13_characters_that_a_vendor_was_given_count_to_the_letter(
    tmp_path: Path, vendor: ElevenLabsStandin
) -> None:
    async with guarded(tmp_path, **vendor_environ(vendor, LIMITS_OVERALL="characters/day=60")) as url:
        reports = [await call(url) for _ in range(4)]
        async with httpx.AsyncClient(base_url=url) as http:
            used = (await http.get("/status")).json()["spending"]["used"]

    heard = [report.has_heard for report in reports]
    assert heard == [True, True, True, False]
    assert used["day"] == used["hour"]
    assert (used["day"]["calls"], used["day"]["characters"]) == (3, 3 * len(GREETING))


async def test_threat_13_the_switch_turns_new_calls_away_and_leaves_live_ones_alone(tmp_path: Path) -> None:
    async with guarded(tmp_path, GREETING="This greeting takes its time. " * 4) as url:

        async def is_live() -> bool:
            return bool(await events(url, event="stream.started"))

        async def is_ready() -> bool:
            return (await readiness(url)).status_code == 200

        async def is_closed() -> bool:
            return not await is_ready()

        async with asyncio.TaskGroup() as group:
            live = group.create_task(call(url, longest_s=60.0))
            await until(is_live)
            (tmp_path / "closed").touch()
            await until(is_closed)
            refused = await call(url)
            reason = (await readiness(url)).text
        (tmp_path / "closed").unlink()
        await until(is_ready)
        after = await call(url, hang_up_after_ms=500)

    assert refused.said == [CLOSED] and refused.streams == []
    assert reason == "closed by the operator\n"
    assert live.result().has_heard and not live.result().said
    assert after.has_heard


async def test_threat_12_a_denied_caller_hears_a_busy_phone_and_is_told_nothing(tmp_path: Path) -> None:
    async with guarded(tmp_path, DENY_NUMBERS=f"{ANNA}, +1900*", ALLOW_NUMBERS="+1*") as url:
        denied, foreign, withheld = [
            await call(url, caller_number=number) for number in (ANNA, "+442071838750", "anonymous")
        ]
        welcome = await call(url, caller_number=BERT)

    for refused in (denied, foreign, withheld):
        assert (refused.rejected, refused.said, refused.streams) == ("busy", [], [])
    assert welcome.has_heard
