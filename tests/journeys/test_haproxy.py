"""Calls through the balancer that we ship a config for, with the store that compose.yaml runs."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from app.simulator.plan import Account, CallPlan, Patience, Turn
from deploy.fleet.balancer import Backend
from deploy.fleet.ports import free_port
from deploy.fleet.replica import Replica
from tests.deploy.shipped import CONFIG, HAPROXY, haproxy_environ, needs_haproxy, store_command
from tests.journeys.conftest import HURRIED
from tests.journeys.fleets import logged, replicas_environ, was_not_cut
from tests.standins.elevenlabs import ElevenLabsStandin
from tests.standins.redis import RedisServer, needs_redis, until

pytestmark = [needs_redis, needs_haproxy]
TOKEN, PASSWORD = "12345", "a-password"
WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Balanced:
    """Replicas behind haproxy, at one address."""

    url: str
    replicas: tuple[Replica, Replica]

    def plan(self, *turns: Turn) -> CallPlan:
        return CallPlan(
            url=f"{self.url}/voice",
            account=Account(auth_token=TOKEN),
            turns=turns,
            patience=Patience(longest_s=60, quiet_before_end_ms=1000, reply_within_ms=15_000),
            quirks=HURRIED,
        )


@asynccontextmanager
async def balanced(folder: Path, **environ: str) -> AsyncIterator[Balanced]:
    port, ports = free_port(), (free_port(), free_port())
    url = f"http://127.0.0.1:{port}"
    async with (
        RedisServer(*store_command(PASSWORD)[1:]) as store,
        ElevenLabsStandin(delay_ms=(20, 40)) as vendor,
    ):
        settings = replicas_environ(folder, vendor) | {
            "PUBLIC_URL": url,
            "HOST": "127.0.0.1",
            "TWILIO_AUTH_TOKEN": TOKEN,
            "REDIS_URL": f"redis://hotline:{PASSWORD}@127.0.0.1:{store.port}/0",
            **environ,
        }
        replicas = []
        for number, each in enumerate(ports, 1):
            own = settings | {"DATA_DIR": str(folder / f"r{number}")}
            replicas.append(Replica(Backend(f"r{number}", each), own, folder / f"r{number}.log"))
        running = [await started(replica) for replica in replicas]
        assert HAPROXY is not None
        haproxy = await asyncio.create_subprocess_exec(
            HAPROXY, "-db", "-q", "-f", str(CONFIG), env=haproxy_environ(port, *ports)
        )
        try:
            await answers(f"{url}/voice", 403)  # nothing is signed
            yield Balanced(url, (running[0], running[1]))
        finally:
            haproxy.terminate()
            await haproxy.wait()
            for replica in replicas:
                replica.send(signal.SIGKILL)
                await replica.wait()


async def started(replica: Replica) -> Replica:
    await replica.start()
    await answers(f"http://127.0.0.1:{replica.backend.port}/voice", 403)
    return replica


async def answers(url: str, status: int) -> None:
    """Until it does."""
    async with asyncio.timeout(WITHIN_S), httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                if (await http.post(url, data={"CallSid": "CA1"})).status_code == status:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)


def streams(replica: Replica) -> int:
    return len(logged(replica, "stream.started"))


async def test_calls_go_through_a_leaving_replica_keeps_its_streams_and_gets_no_new_ones(
    tmp_path: Path,
) -> None:
    async with balanced(tmp_path, HAND_OVER_SECONDS="60") as there, Exchange() as exchange:
        leaving, staying = there.replicas
        async with asyncio.TaskGroup() as group:
            first = [group.create_task(simulate_call(there.plan(), exchange)) for _ in range(4)]
            await until(lambda: streams(leaving) + streams(staying) >= 4)
            before = streams(leaving)
            leaving.send(signal.SIGTERM)
            await asyncio.sleep(1.0)  # haproxy looks twice a second
            late = [
                group.create_task(simulate_call(there.plan(Turn(digits="1")), exchange)) for _ in range(3)
            ]
        async with asyncio.timeout(WITHIN_S):
            code = await leaving.wait()
        reports = [call.result() for call in (*first, *late)]

        assert before >= 1 and code == 0
        assert streams(leaving) == before
        assert all(was_not_cut(report) and len(report.streams) == 1 for report in reports)


async def test_when_a_replica_dies_its_calls_go_on_at_the_other_and_a_full_house_is_still_answered(
    tmp_path: Path,
) -> None:
    async with balanced(tmp_path, MAX_CALLS="2", MAX_WAITING="9") as there, Exchange() as exchange:
        dying, staying = there.replicas
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(simulate_call(there.plan(), exchange)) for _ in range(6)]
            await until(lambda: streams(dying) + streams(staying) >= 4)
            lost = streams(dying)
            dying.send(signal.SIGKILL)
        reports = [call.result() for call in calls]

        assert lost >= 1
        assert [report.all_faults for report in reports] == [[]] * 6
        assert all(report.streams for report in reports)
        assert sum(len(report.streams) == 2 for report in reports) >= 1
        assert sum("line" in " ".join(report.said) for report in reports) == 2


async def test_probes_and_figures_are_not_for_strangers(tmp_path: Path) -> None:
    async with balanced(tmp_path) as there, httpx.AsyncClient(base_url=there.url, trust_env=False) as http:
        told = [(await http.get(path)).status_code for path in ("/readyz", "/livez", "/metrics", "/status")]

    assert told[:3] == [404] * 3 and told[3] != 404
