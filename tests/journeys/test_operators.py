"""Two replicas with a store between them: an operator asks either, and is told of both."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import httpx

from app.observe.fleet import DEAD_MS
from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from app.simulator.plan import Account, CallPlan, Patience, Turn
from deploy.fleet.replica import Replica
from tests.journeys.conftest import HURRIED
from tests.journeys.fleets import running
from tests.standins.redis import RedisServer, needs_redis

CALL_SID = "CA" + "5" * 32
SECONDS = 30.0  # for what takes one or five


async def asked(replica: Replica, path: str) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{replica.backend.port}") as http:
        answer = await http.get(path)
    body: dict[str, Any] = answer.raise_for_status().json()
    return body


async def serves(replica: Replica, name: str) -> bool:
    """Whether `replica` tells of one live call, and that `name` serves it."""
    return [call["replica"] for call in (await asked(replica, "/calls"))["live"]] == [name]


async def begun(replica: Replica) -> dict[str, Any]:
    """The one call, as soon as `replica` tells of it."""
    async with asyncio.timeout(SECONDS):
        while not (live := (await asked(replica, "/calls"))["live"]):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    first: dict[str, Any] = live[0]
    return first


def one_call(url: str) -> CallPlan:
    """Somebody who reaches whichever replica, listens, presses a key, and stays."""
    return CallPlan(
        url=f"{url}/voice",
        account=Account(call_sid=CALL_SID),
        turns=(Turn(digits="1"),),
        patience=Patience(longest_s=60, quiet_before_end_ms=60_000, quiet_before_turn_ms=500),
        quirks=HURRIED,
    )


@needs_redis
async def test_a_tells_of_bs_call_and_events_of_its_death_and_who_goes_on(tmp_path: Path) -> None:
    async with (
        RedisServer() as server,
        running(tmp_path, replicas=2, REDIS_URL=server.url) as there,
        Exchange() as exchange,
        asyncio.TaskGroup() as group,
    ):
        anybody = there.fleet.replicas[0]
        calling = group.create_task(simulate_call(one_call(there.fleet.url), exchange))
        first = await begun(anybody)
        name = first["replica"]
        serving, asking = sorted(there.fleet.replicas, key=lambda each: each.backend.name != name)
        heir = asking.backend.name

        states = {first["state"]}
        async with asyncio.timeout(SECONDS):
            while not {"greeting", "listening"} <= states:
                live = (await asked(asking, "/calls"))["live"]
                assert all(call["replica"] == name and call["call_sid"] == CALL_SID for call in live)
                states |= {call["state"] for call in live}
                await asyncio.sleep(0.1)
            while not (story := await asked(asking, f"/calls/{CALL_SID}"))["turns"]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        logged = await asked(asking, f"/logs?call_sid={CALL_SID}")
        told_by = {event["event"]: event["replica"] for event in logged["events"]}
        assert (told_by["stream.started"], told_by["turn.replied"]) == (name, name)
        assert (story["replica"], story["ending"]) == (name, None)
        assert story["turns"][0]["reply_ms"] > 0
        before = await asked(asking, "/status")
        assert before["totals"]["replicas"] == 2 and before["totals"]["calls"]["live"] == 1

        serving.send(signal.SIGKILL)
        await serving.wait()
        there.fleet.forget(serving)
        ages = []
        async with asyncio.timeout(SECONDS):
            while len(fleet := (await asked(asking, "/status"))["fleet"]) == 2:
                ages += [each["age_ms"] for each in fleet if each["name"] == name]
                await asyncio.sleep(0.1)
        # By the store's clock: no page tells of a replica that has said nothing for longer.
        assert max(ages) <= DEAD_MS
        async with asyncio.timeout(SECONDS):
            while not await serves(asking, heir):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
        story = await asked(asking, f"/calls/{CALL_SID}")
        streams = [(stream["replica"], stream["ending"]) for stream in story["streams"]]
        assert streams == [(name, None), (heir, None)]
        assert story["replica"] == heir
        calling.cancel()
