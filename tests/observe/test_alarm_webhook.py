"""Alarms on their way to people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.log import Event, attach
from app.observe.alarm_webhook import KEPT, AlarmWebhook
from tests.standins.server import serving

HERE = ("127.0.0.0/8",)  # where these people are


@asynccontextmanager
async def people(*statuses: int) -> AsyncIterator[tuple[str, asyncio.Queue[object]]]:
    """An address that answers with these, then 200; the queue has what was posted."""
    posted: asyncio.Queue[object] = asyncio.Queue()
    left = list(statuses)

    async def take(request: Request) -> Response:
        posted.put_nowait(await request.json())
        return Response(status_code=left.pop(0) if left else 200)

    async with serving(Starlette(routes=[Route("/hook", take, methods=["POST"])])) as url:
        yield f"{url}/hook", posted


@asynccontextmanager
async def posting(webhook: AlarmWebhook) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(webhook.run())
        yield
        running.cancel()


async def test_a_sentence_is_posted_again_until_it_is_taken() -> None:
    async with people(503, 429) as (url, posted):
        webhook = AlarmWebhook(url, allow=HERE, first_pause_s=0.01)
        async with posting(webhook), asyncio.timeout(20):
            webhook.tell("it burns")
            got = [await posted.get() for _ in range(3)]

    assert got == [{"text": "it burns"}] * 3


async def test_a_refusal_is_not_repeated_and_the_next_sentence_goes_out() -> None:
    async with people(404) as (url, posted):
        webhook = AlarmWebhook(url, allow=HERE, first_pause_s=0.01)
        async with posting(webhook), asyncio.timeout(20):
            webhook.tell("first")
            webhook.tell("second")
            got = [await posted.get() for _ in range(2)]

    assert got == [{"text": "first"}, {"text": "second"}]


async def test_an_address_that_is_dead_is_given_up_without_showing_it() -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    detach = attach(events.put_nowait)
    webhook = AlarmWebhook("http://127.0.0.1:9/secret-path", allow=HERE, first_pause_s=0.001)
    try:
        async with posting(webhook), asyncio.timeout(20):
            webhook.tell("it burns")
            event = await events.get()
    finally:
        detach()

    assert event["event"] == "alarm.webhook_failed"
    assert "secret-path" not in str(event)


async def test_threat_11_an_address_that_nobody_allowed_is_told_once_with_the_cure() -> None:
    events: asyncio.Queue[Event] = asyncio.Queue()
    async with people() as (url, posted):
        detach = attach(events.put_nowait)
        webhook = AlarmWebhook(url, first_pause_s=0.001)
        try:
            async with posting(webhook), asyncio.timeout(20):
                webhook.tell("it burns")
                event = await events.get()
        finally:
            detach()

    assert event["event"] == "alarm.webhook_refused"
    assert "OUTBOUND_ALLOW=127.0.0.1" in event["fault"] and "/hook" not in str(event)
    assert posted.empty()


async def test_threat_11_an_address_that_leads_elsewhere_is_not_followed() -> None:
    async def elsewhere(_request: Request) -> Response:
        return Response(status_code=307, headers={"Location": f"{inner}"})

    events: asyncio.Queue[Event] = asyncio.Queue()
    moved = Starlette(routes=[Route("/moved", elsewhere, methods=["POST"])])
    async with people() as (inner, posted), serving(moved) as url:
        detach = attach(events.put_nowait)
        webhook = AlarmWebhook(f"{url}/moved", allow=HERE)
        try:
            async with posting(webhook), asyncio.timeout(20):
                webhook.tell("it burns")
                event = await events.get()
        finally:
            detach()

    assert (event["event"], event["level"], event["status"]) == ("alarm.webhook_answered", "warning", 307)
    assert posted.empty()


async def test_telling_never_waits() -> None:
    full = AlarmWebhook("http://127.0.0.1:9")
    for _ in range(KEPT + 5):
        full.tell("again")
    AlarmWebhook("").tell("nobody listens")

    assert full._waiting.qsize() == KEPT
