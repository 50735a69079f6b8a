"""The developer's balancer, between real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from starlette.responses import Response

from app.simulator.caller import simulate_call
from deploy.fleet.balancer import Backend, Balancer
from tests.simulator.bridge import Bridge, eventually, greet, serving, twiml

GONE = Response("leaving", status_code=503)


@asynccontextmanager
async def balanced(*names: str) -> AsyncIterator[tuple[str, dict[str, Bridge], list[Backend]]]:
    """Bridges behind a balancer, and its address; all of them ready."""
    async with AsyncExitStack() as stack:
        bridges = {
            name: await stack.enter_async_context(serving(greet, answers={"/readyz": Response("ok")}))
            for name in names
        }
        backends = [Backend(name, int(bridge.url.rsplit(":")[-1])) for name, bridge in bridges.items()]
        balancer = await stack.enter_async_context(Balancer(backends, every_s=0.05))
        await eventually(lambda: all(backend.is_ready for backend in backends))
        yield f"http://127.0.0.1:{balancer.port}", bridges, backends


async def ask(url: str, path: str = "/voice", form: dict[str, str] | None = None) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(url + path, data=form or {"CallSid": "CA1"})


def asked(bridges: dict[str, Bridge]) -> dict[str, int]:
    return {name: len(bridge.asked("/voice")) for name, bridge in bridges.items()}


async def test_requests_go_round_with_body_and_answer_unchanged() -> None:
    async with balanced("r1", "r2") as (url, bridges, _):
        answers = [await ask(url, form={"CallSid": "CA1", "Said": "a&b"}) for _ in range(4)]

    assert asked(bridges) == {"r1": 2, "r2": 2}
    assert {form["Said"] for bridge in bridges.values() for form in bridge.asked("/voice")} == {"a&b"}
    assert all("<Stream" in answer.text for answer in answers)


async def test_who_has_calls_gets_fewer_new_ones() -> None:
    async with balanced("r1", "r2") as (url, bridges, backends):
        backends[0].open = 5
        for _ in range(3):
            await ask(url)

    assert asked(bridges) == {"r1": 0, "r2": 3}


async def test_one_connection_of_a_caller_is_no_bond_to_a_replica() -> None:
    async with balanced("r1", "r2") as (url, bridges, _), httpx.AsyncClient(trust_env=False) as http:
        for _ in range(4):
            await http.post(f"{url}/voice")

        assert asked(bridges) == {"r1": 2, "r2": 2}


async def test_a_replica_that_is_not_ready_gets_nothing_new_and_keeps_its_stream() -> None:
    async with balanced("r1", "r2") as (url, bridges, backends):
        bridges["r2"].answers["/readyz"] = GONE
        await eventually(lambda: not backends[1].is_ready)
        for _ in range(3):
            await ask(url)
        counted = asked(bridges)
        bridges["r2"].answers["/readyz"] = Response("ok")
        await eventually(lambda: backends[1].is_ready)

    assert counted == {"r1": 3, "r2": 0}


async def test_where_none_is_ready_those_that_answer_are_asked_for_callers_in_line_must_be_told() -> None:
    async with balanced("r1", "r2") as (url, bridges, backends):
        for bridge in bridges.values():
            bridge.answers["/readyz"] = Response("at capacity", status_code=503)
        await eventually(lambda: not any(backend.is_ready for backend in backends))
        answers = [(await ask(url)).status_code for _ in range(4)]

    assert answers == [200] * 4
    assert asked(bridges) == {"r1": 2, "r2": 2}


async def test_when_the_last_that_was_ready_dies_a_full_one_is_asked(unused_tcp_port: int) -> None:
    async with balanced("r1", "r2") as (url, bridges, backends):
        bridges["r2"].answers["/readyz"] = Response("at capacity", status_code=503)
        await eventually(lambda: not backends[1].is_ready)
        backends[0].port = unused_tcp_port
        answers = [(await ask(url)).status_code for _ in range(4)]

    assert answers == [200] * 4
    assert asked(bridges) == {"r1": 0, "r2": 4}


async def test_a_dead_replica_is_passed_over_before_anybody_looks(unused_tcp_port: int) -> None:
    async with balanced("r1", "r2") as (url, bridges, backends):
        backends[0].port = unused_tcp_port
        answers = [(await ask(url)).status_code for _ in range(4)]

    assert answers == [200] * 4
    assert asked(bridges)["r2"] >= 2


async def test_without_any_replica_the_answer_is_503() -> None:
    async with Balancer([]) as balancer:
        assert (await ask(f"http://127.0.0.1:{balancer.port}")).status_code == 503


async def test_a_whole_call_goes_through_and_its_stream_to_the_replica_in_its_path() -> None:
    async with balanced("r1", "r2") as (url, bridges, _):
        stream = f"<Connect><Stream url='ws{url.removeprefix('http')}/r2/media'/></Connect>"
        for bridge in bridges.values():
            bridge.answers["/voice"] = twiml(f"<Response>{stream}</Response>")
        plan = bridges["r1"].plan(url=f"{url}/voice")
        reports = [await simulate_call(plan) for _ in range(2)]

    assert all(report.has_heard and not report.all_faults for report in reports)
    assert (len(bridges["r1"].peers), len(bridges["r2"].peers)) == (0, 2)
    assert all(peer.close_code == 1000 for peer in bridges["r2"].peers)


async def test_a_webhook_that_a_dying_replica_leaves_unanswered_is_asked_of_the_next() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with balanced("r1") as (url, bridges, backends):
        dying = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        backends.insert(0, Backend("r0", dying.sockets[0].getsockname()[1], is_ready=True, answers=True))
        answers = [(await ask(url)).status_code for _ in range(2)]
        dying.close()

    assert answers == [200, 200]
    assert asked(bridges) == {"r1": 2}
