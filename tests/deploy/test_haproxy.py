"""deploy/haproxy.cfg, read by haproxy itself; calls through it are in `tests/journeys/test_haproxy.py`."""

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from contextlib import suppress

import httpx
from starlette.responses import Response

from deploy.fleet.ports import free_port
from tests.deploy.shipped import CONFIG, HAPROXY, haproxy_environ, needs_haproxy
from tests.simulator.bridge import greet, serving


@needs_haproxy
async def test_haproxy_takes_the_config_without_a_word() -> None:
    assert HAPROXY is not None
    environ = haproxy_environ(8000, 8001, 8002)
    process = await asyncio.create_subprocess_exec(
        HAPROXY, "-c", "-q", "-f", str(CONFIG), env=environ, stdout=PIPE, stderr=PIPE
    )
    said = await process.communicate()

    assert (process.returncode, said) == (0, (b"", b""))


def test_streams_are_not_cut_when_a_replica_leaves_nor_while_a_call_lasts() -> None:
    lines = [line.partition("#")[0].strip() for line in CONFIG.read_text().splitlines()]
    config = "\n".join(lines)

    assert "on-marked-down" not in config
    assert re.search(
        r"^hard-stop-after 1h$", config, re.MULTILINE
    )  # SESSION_TIMEOUT is an hour at most by default
    assert int(re.findall(r"^timeout tunnel (\d+)s$", config, re.MULTILINE)[0]) >= 60


def test_what_twilio_may_be_asked_for_twice_is_and_a_stream_is_not() -> None:
    config = CONFIG.read_text()
    (retried,) = re.findall(r"^    retry-on (.*)$", config, re.MULTILINE)

    assert retried.split() == ["conn-failure", "empty-response", "response-timeout"]
    assert re.search(r"^    option redispatch 1\b", config, re.MULTILINE)


class Dying:
    """A replica that is ready until it is asked for anything: then it is gone, as after SIGKILL."""

    async def __aenter__(self) -> "Dying":
        self._looks = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._die()

    def _die(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(OSError, EOFError):
            if (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET "):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            else:
                self._die()
        self._open.discard(writer)
        writer.close()


@needs_haproxy
async def test_no_webhook_is_lost_when_the_last_that_was_ready_dies_and_the_other_is_full() -> None:
    assert HAPROXY is not None
    full = {"/readyz": Response("at capacity", status_code=503), "/livez": Response("alive")}
    port, statuses = free_port(), Counter[int]()
    async with Dying() as dying, serving(greet, answers=full) as other:
        environ = haproxy_environ(port, dying.port, int(other.url.rsplit(":")[-1]))
        haproxy = await asyncio.create_subprocess_exec(
            HAPROXY, "-db", "-f", str(CONFIG), env=environ, stdout=PIPE, stderr=DEVNULL
        )
        try:
            assert haproxy.stdout is not None
            async with asyncio.timeout(10):  # it believes in each of them until it has looked
                await haproxy.stdout.readuntil(b"/r2 is DOWN")
            async with httpx.AsyncClient(trust_env=False, timeout=15) as http:
                for _ in range(2):
                    hooks = [
                        http.post(f"http://127.0.0.1:{port}/voice", data={"CallSid": f"CA{n}"})
                        for n in range(20)
                    ]
                    statuses.update([answer.status_code for answer in await asyncio.gather(*hooks)])
        finally:
            haproxy.kill()
            await haproxy.wait()

    assert statuses == {200: 40}
