"""The balancer that ships for production: its configuration holds, and does what hotline needs of it."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response

from app.simulator.caller import simulate_call
from deploy.fleet.fleet import free_port
from tests.simulator.bridge import Bridge, greet, serving, twiml

DEPLOY = Path(__file__).parents[2] / "deploy"
CONFIG = DEPLOY / "haproxy.cfg"
COMPOSE = (DEPLOY / "compose.yaml").read_text()
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
ONCE_READY_S = 10.0


def environ(*bridges: Bridge, port: int = 9000) -> dict[str, str]:
    places = [bridge.url.removeprefix("http://") for bridge in bridges] or ["127.0.0.1:9001"] * 2
    return {**os.environ, "BALANCER_PORT": str(port), "REPLICA_1": places[0], "REPLICA_2": places[-1]}


@asynccontextmanager
async def balanced(*bridges: Bridge) -> AsyncIterator[str]:
    """haproxy in front of two bridges; yields its address."""
    port = free_port()
    assert HAPROXY is not None
    process = await asyncio.create_subprocess_exec(
        HAPROXY, "-q", "-db", "-f", str(CONFIG), env=environ(*bridges, port=port)
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def first_answer(url: str, wanted: int = 200) -> None:
    """Wait until the balancer answers with this status."""
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(ONCE_READY_S):
        while True:
            try:
                if (await http.post(f"{url}/voice")).status_code == wanted:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


def ready(answer: str = "ok", status: int = 200) -> Mapping[str, Response]:
    return {"/readyz": Response(answer, status_code=status)}


@needs_haproxy
def test_haproxy_takes_the_configuration() -> None:
    assert HAPROXY is not None
    checked = subprocess.run(
        [HAPROXY, "-c", "-f", str(CONFIG)], env=environ(), capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr.upper()


@needs_haproxy
async def test_a_call_goes_to_a_replica_that_is_ready_and_its_stream_outlives_the_readiness() -> None:
    async with serving(greet) as first, serving(greet) as second:
        first.answers |= ready("leaving", 503)
        second.answers |= ready()
        async with balanced(first, second) as url:
            stream = (
                f"<Response><Connect><Stream url='ws{url.removeprefix('http')}/media'/></Connect></Response>"
            )
            first.answers["/voice"] = second.answers["/voice"] = twiml(stream)
            await first_answer(url)
            before = len(first.asked("/voice"))  # it may have had some before it was first looked at
            report = await simulate_call(second.plan(url=f"{url}/voice"))

            second.answers |= ready("leaving", 503)
            await first_answer(url, 503)

    assert report.has_heard and report.all_faults == []
    assert (len(second.peers), len(first.asked("/voice"))) == (1, before)


@needs_haproxy
@pytest.mark.parametrize("path", ["/readyz", "/livez", "/metrics"])
async def test_probes_stay_inside(path: str) -> None:
    async with serving(greet, answers=dict(ready())) as only, balanced(only, only) as url:
        await first_answer(url)
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(url + path)

    assert answer.status_code == 404


def test_the_services_have_the_names_and_ports_that_the_balancer_is_told() -> None:
    services = set(re.findall(r"^  ([a-z0-9-]+):$", COMPOSE, re.MULTILINE))
    told = re.findall(r"REPLICA_\d: ([a-z0-9-]+):(\d+)", COMPOSE)

    assert {name for name, _ in told} | {"store", "balancer"} <= services
    assert {port for _, port in told} == {re.search(r'PORT: "(\d+)"', COMPOSE)[1]}  # type: ignore[index]
    assert set(re.findall(r"\$\{(REPLICA_\d)\}", CONFIG.read_text())) == set(
        re.findall(r"REPLICA_\d", COMPOSE)
    )


def test_a_replica_is_given_longer_to_leave_than_it_takes() -> None:
    drain_s, grace_s = (
        int(re.search(rf"{name}:-(\d+)", COMPOSE)[1])  # type: ignore[index]
        for name in ("DRAIN_SECONDS", "STOP_GRACE")
    )

    assert grace_s >= drain_s + 10
