"""Requests to addresses that somebody names, such as ALARM_WEBHOOK_URL: they leave the house guarded.

A name is resolved once, every address it leads to is judged by `reach`, and the connection goes to an
address that was judged: a name that answers otherwise the second time changes nothing. Host and the check of
the certificate keep the name. Redirects are not followed, proxies of the environment are not asked.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

import httpx

from app.errors import BridgeError
from app.observe.reach import Reach

ANSWER_WITHIN_S = 10.0  # seconds for all of it: the name, the connection, the answer's head
ONE_SHOT = httpx.Limits(max_keepalive_connections=0)  # a connection that is kept was judged for another time
NO_ADDRESS = "no address that can be asked: it must be https://host/path"

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class OutboundRefused(BridgeError):
    """We will not ask there: the operator must change the address or allow it."""


class OutboundFailed(BridgeError):
    """Nobody answered as they should; it may pass by itself."""


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as this machine knows it.

    Raises:
        OSError: it has none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Outbound:
    """Guarded requests; entered once for as long as there are any.

    Args:
        allow: hosts, addresses and networks that may be asked although they are not public.
        resolve: the addresses of a host.
    """

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        resolve: Resolve = resolved,
        within_s: float = ANSWER_WITHIN_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._reach = Reach(allow)
        self._resolve = resolve
        self._within_s = within_s
        self._transport = transport

    async def __aenter__(self) -> Self:
        # The certificates are read from a file.
        context = await asyncio.to_thread(httpx.create_ssl_context)
        wire = self._transport or httpx.AsyncHTTPTransport(verify=context, limits=ONE_SHOT)
        self._http = httpx.AsyncClient(
            transport=_Guarded(wire, self._reach, self._resolve), follow_redirects=False, timeout=None
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def post(self, url: str, content: Mapping[str, object]) -> int:
        """Post JSON; the answer's status. Of its body nothing is read, however long it is.

        Raises:
            OutboundRefused: the address may not be asked.
            OutboundFailed: nobody answered, or not in time.
        """
        try:
            async with (
                asyncio.timeout(self._within_s),
                self._http.stream("POST", url, json=content) as answer,
            ):
                return answer.status_code
        except TimeoutError:
            raise OutboundFailed(f"no answer within {self._within_s:g} s") from None
        except httpx.InvalidURL:
            raise OutboundRefused(NO_ADDRESS) from None
        except (httpx.TransportError, OSError) as error:
            # Only what kind of error: its words may hold the address, which is as good as a key.
            raise OutboundFailed(type(error).__name__) from None


class _Guarded(httpx.AsyncBaseTransport):
    """Puts an address that was judged in the place of the name."""

    def __init__(self, wire: httpx.AsyncBaseTransport, reach: Reach, resolve: Resolve) -> None:
        self._wire = wire
        self._reach = reach
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        host = url.raw_host.decode("ascii").strip("[]").rstrip(".")
        if not host or url.scheme not in ("http", "https"):
            raise OutboundRefused(NO_ADDRESS)
        addresses = await self._resolve(host, url.port or (443 if url.scheme == "https" else 80))
        if fault := self._reach.fault(url.scheme, host, addresses):
            raise OutboundRefused(fault)
        failure: httpx.TransportError = httpx.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._wire.handle_async_request(_aimed(request, host, address))
            except httpx.ConnectError as error:
                failure = error
        raise failure

    async def aclose(self) -> None:
        await self._wire.aclose()


def _aimed(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """The same request to this address; Host keeps the name, and so does the certificate's check."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )
