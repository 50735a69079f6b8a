"""Caps and locks, lived through by a caller."""

import asyncio

from tests.journeys.conftest import GREETING, call, events, hotline

PUBLIC = "https://voice.example.com"


async def test_the_caller_over_the_cap_hears_a_busy_sentence_and_the_others_are_untouched() -> None:
    async with hotline(MAX_CALLS="1", WHEN_FULL="say", BUSY_MESSAGE="We are busy.") as url:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(call(url))
            await asyncio.sleep(0.3)
            refused = group.create_task(call(url))
        after = await call(url)

    assert refused.result().said == ["We are busy."]
    assert refused.result().streams == []
    assert first.result().has_heard and after.has_heard


async def test_a_full_house_can_reject_unanswered() -> None:
    async with hotline(MAX_CALLS="1", WHEN_FULL="reject") as url, asyncio.TaskGroup() as group:
        group.create_task(call(url))
        await asyncio.sleep(0.3)
        refused = group.create_task(call(url))

    assert refused.result().rejected == "busy"


async def test_a_call_that_reaches_its_longest_time_is_told_so() -> None:
    async with hotline(SESSION_TIMEOUT="1000", GREETING=GREETING * 3) as url:
        report = await call(url)
        log = await events(url, event="call.ended")

    assert report.streams[0].closed is not None
    assert (report.streams[0].closed.code, report.streams[0].closed.reason) == (1000, "session timeout")
    assert "longest time" in report.said[0]
    assert log[0]["reason"] == "session_timeout"


async def test_a_signed_call_goes_through_and_a_wrongly_signed_one_is_refused() -> None:
    async with hotline(TWILIO_AUTH_TOKEN="next,current", PUBLIC_URL=PUBLIC) as url:
        signed = await call(url, public_url=PUBLIC, auth_token="current")
        forged = await call(url, public_url=PUBLIC, auth_token="wrong")
        unsigned = await call(url, public_url=PUBLIC)

    assert signed.has_heard
    assert signed.as_json()["faults"] == []
    for refused in (forged, unsigned):
        assert "403" in refused.all_faults[0]
        assert refused.streams == [] and not refused.has_heard
