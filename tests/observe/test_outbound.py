"""Requests that leave the house, over real sockets where one is reached and with names of our own making."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest

from app.observe.outbound import Outbound, OutboundFailed, OutboundRefused, resolved

HERE = ["127.0.0.0/8"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Names:
    """A resolver that answers as it is told, the last answer again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@asynccontextmanager
async def answering(talk: Talk) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port at which every request's head is noted and answered by `talk`."""
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


def saying(answer: bytes) -> Talk:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return talk


async def refusal(url: str, names: Names | None = None, allow: Sequence[str] = ()) -> str:
    """Why `url` is refused, with the wire cut: whatever got that far would fail otherwise."""
    transport = httpx.MockTransport(lambda _request: pytest.fail("it left the house"))
    async with Outbound(allow, resolve=names or resolved, transport=transport) as outbound:
        with pytest.raises(OutboundRefused) as caught:
            await outbound.post(url, {})
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "http://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://localhost/",
        "https://localhost./",
        "https://hooks.example.com@127.0.0.1/",
        "https://0/",
    ],
)
async def test_threat_11_no_way_of_writing_an_inner_address_reaches_it(url: str) -> None:
    assert "OUTBOUND_ALLOW" in await refusal(url)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]
)
async def test_threat_11_a_name_that_leads_to_an_inner_address_is_refused(address: str) -> None:
    fault = await refusal("https://hooks.example.com/secret-path", Names([address]))

    assert fault.startswith("hooks.example.com leads to ") and "secret-path" not in fault


async def test_threat_11_http_is_refused_and_the_cure_named() -> None:
    assert "must be https" in await refusal("http://hooks.example.com/", Names(["52.1.2.3"]))


@pytest.mark.parametrize(
    "url",
    ["", "hooks.example.com", "file:///etc/passwd", "gopher://127.0.0.1/", "https://", "https://0177.0.0.1/"],
)
async def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert "it must be https" in await refusal(url)


async def test_threat_11_a_name_that_changes_its_mind_does_not_change_who_is_dialled() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    names = Names(["52.1.2.3"], ["127.0.0.1"])
    async with Outbound(resolve=names, transport=httpx.MockTransport(answer)) as outbound:
        assert await outbound.post("https://hooks.example.com:8443/T0?x=1", {"text": "it burns"}) == 200
        with pytest.raises(OutboundRefused):
            await outbound.post("https://hooks.example.com:8443/T0?x=1", {"text": "it burns"})

    (request,) = seen
    assert str(request.url) == "https://52.1.2.3:8443/T0?x=1"
    assert request.headers["host"] == "hooks.example.com:8443"
    assert request.extensions["sni_hostname"] == "hooks.example.com"
    assert request.content == b'{"text":"it burns"}'
    assert names.asked == 2


async def test_the_next_address_is_tried_when_nobody_is_at_the_first() -> None:
    async with answering(saying(OK)) as (port, heads):
        names = Names(["127.0.0.2", "127.0.0.1"])  # nobody listens at the first
        async with Outbound(HERE, resolve=names) as outbound:
            assert await outbound.post(f"http://hooks.test:{port}/T0", {}) == 200

    assert b"POST /T0 HTTP/1.1\r\nHost: hooks.test:" in heads[0]


async def test_an_ipv6_address_is_dialled_as_one() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(204)

    names = Names(["2606:4700::1111"])
    async with Outbound(resolve=names, transport=httpx.MockTransport(answer)) as outbound:
        assert await outbound.post("https://hooks.example.com/", {}) == 204

    assert seen == ["https://[2606:4700::1111]/"]


async def test_threat_11_a_redirect_is_told_and_never_followed() -> None:
    async with answering(saying(OK)) as (inner, inner_heads):
        chain = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{inner}/\r\nContent-Length: 0\r\n\r\n"
        async with answering(saying(chain.encode())) as (port, heads), Outbound(HERE) as outbound:
            assert await outbound.post(f"http://127.0.0.1:{port}/", {}) == 307

    assert len(heads) == 1 and inner_heads == []


async def test_threat_11_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(saying(OK)) as (proxy, asked), answering(saying(OK)) as (port, heads):
        for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        async with Outbound(HERE) as outbound:
            assert await outbound.post(f"http://127.0.0.1:{port}/", {}) == 200

    assert asked == [] and len(heads) == 1


async def endlessly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not reader.at_eof():
        writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        await writer.drain()


async def test_threat_11_an_answer_that_never_ends_is_left_at_its_status() -> None:
    async with answering(endlessly) as (port, _), asyncio.timeout(20), Outbound(HERE) as outbound:
        assert await outbound.post(f"http://127.0.0.1:{port}/", {}) == 200


async def test_threat_11_a_huge_answer_is_not_read() -> None:
    taken = 0

    async def huge(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            writer.write(bytes(1_000_000))
            await writer.drain()
            taken += 1_000_000

    async with answering(huge) as (port, _), asyncio.timeout(20), Outbound(HERE) as outbound:
        assert await outbound.post(f"http://127.0.0.1:{port}/", {}) == 200

    assert taken < 100_000_000  # the sockets' own buffers


async def slowly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silently(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("talk", [slowly, silently])
async def test_threat_11_an_answer_that_does_not_come_is_given_up(talk: Talk) -> None:
    async with (
        asyncio.timeout(20),
        answering(talk) as (port, _),
        Outbound(HERE, within_s=0.3) as outbound,
    ):
        with pytest.raises(OutboundFailed):
            await outbound.post(f"http://127.0.0.1:{port}/", {})


async def test_threat_11_a_name_that_is_never_found_is_given_up() -> None:
    async def stuck(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(3600)
        return []

    async with Outbound(resolve=stuck, within_s=0.05) as outbound:
        with pytest.raises(OutboundFailed, match="no answer within"):
            await outbound.post("https://hooks.example.com/", {})


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000])
async def test_what_is_no_answer_is_a_failure_that_names_no_address(answer: bytes) -> None:
    async with answering(saying(answer)) as (port, _), Outbound(HERE) as outbound:
        with pytest.raises(OutboundFailed) as caught:
            await outbound.post(f"http://127.0.0.1:{port}/secret-path", {})

    assert "secret-path" not in str(caught.value)


async def test_a_name_without_an_address_is_a_failure() -> None:
    async with Outbound(resolve=Names([])) as outbound:
        with pytest.raises(OutboundFailed, match="ConnectError"):
            await outbound.post("https://hooks.example.com/", {})
