"""Twilio's requests to the hotline: signed forms, answered with TwiML.

Source: https://www.twilio.com/docs/usage/webhooks
"""

import asyncio
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urldefrag, urlencode, urlsplit

import httpx

from app.simulator import twiml
from app.simulator.address import Address, resolve
from app.simulator.orders import Fault
from app.simulator.plan import CallPlan
from app.telephony.signature import sign

USER_AGENT = "TwilioProxy/1.1"
TIMEOUT = httpx.Timeout(15.0, connect=5.0)  # seconds; Twilio's defaults
WITHIN_S = 15.0  # seconds for all tries together, Twilio's hard limit
MOST_HOPS = 10
SAME_METHOD = frozenset({307, 308})


class Unreachable(Fault):
    """Nobody answers at the webhook's address."""


class Webhooks:
    """One call's requests; cookies are kept for the call."""

    def __init__(self, plan: CallPlan, transport: httpx.AsyncBaseTransport) -> None:
        self._address = Address(plan.url, plan.public_url)
        self._token = plan.account.auth_token
        self._tries = plan.quirks.webhook_tries
        self._http = httpx.AsyncClient(
            transport=_Lent(transport), headers={"User-Agent": USER_AGENT}, timeout=TIMEOUT, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.aclose()

    @property
    def address(self) -> Address:
        return self._address

    def signature(self, url: str, params: Mapping[str, str] | None = None) -> dict[str, str]:
        """The header that proves who asks for `url` (as Twilio knows it); none without a token."""
        if not self._token:
            return {}
        return {"X-Twilio-Signature": sign(self._token, url, (params or {}).items())}

    async def fetch(self, url: str, params: Mapping[str, str], method: str = "POST") -> twiml.Document:
        """Ask what the call should do next.

        Raises:
            Unreachable: nobody answered.
            Fault: the answer is no TwiML.
        """
        response, url = await self._request(method, url, params)
        if response.status_code >= 400:
            raise Fault(
                11200,
                f"answer {response.status_code} from {urlsplit(url).path}, expected 200{_cure(response)}",
            )
        return twiml.read(response.content, response.headers.get("content-type", ""), url)

    async def notify(self, url: str, params: Mapping[str, str], base: str = "") -> Fault | None:
        """Tell of something that happened; gives the fault, if the hotline did not take the news."""
        try:
            url = resolve(base, url)
            response, _ = await self._request("POST", url, params)
        except Fault as fault:
            return fault
        if response.is_success:
            return None
        return Fault(15003, f"answer {response.status_code} from {urlsplit(url).path}, expected 200 or 204")

    async def download(self, url: str) -> bytes:
        """Fetch the file of a Play verb.

        Raises:
            Fault: it is not there.
        """
        response, url = await self._request("GET", url, {})
        if not response.is_success:
            raise Fault(11200, f"answer {response.status_code} from {urlsplit(url).path}, expected audio")
        return response.content

    async def _request(self, method: str, url: str, params: Mapping[str, str]) -> tuple[httpx.Response, str]:
        """The final answer and the URL it came from."""
        try:
            async with asyncio.timeout(WITHIN_S):
                for _ in range(MOST_HOPS + 1):
                    response = await self._try_all(method, url, params)
                    if not response.has_redirect_location:
                        return response, url
                    url = resolve(url, response.headers["location"])
                    method = method if response.status_code in SAME_METHOD else "GET"
        except (TimeoutError, httpx.TimeoutException):
            raise Fault(11200, f"no answer from {url} within {WITHIN_S:g} s") from None
        except (httpx.InvalidURL, ValueError) as error:  # the latter from the standard library's own reader
            raise Unreachable(11200, f"{url} is not an address: {error}") from None
        except httpx.TransportError as error:
            raise Unreachable(11200, f"{self._address.dialled(url)} cannot be reached: {error}") from None
        raise Fault(11215, f"more than {MOST_HOPS} redirects")

    async def _try_all(self, method: str, url: str, params: Mapping[str, str]) -> httpx.Response:
        headers: dict[str, str] = {}
        for _ in range(self._tries - 1):
            try:
                return await self._try(method, url, params, dict(headers))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                headers.setdefault("I-Twilio-Idempotency-Token", secrets.token_hex(16))
        return await self._try(method, url, params, headers)

    async def _try(
        self, method: str, url: str, params: Mapping[str, str], headers: dict[str, str]
    ) -> httpx.Response:
        url = urldefrag(url).url
        if method == "GET":
            if params:
                url += ("&" if urlsplit(url).query else "?") + urlencode(params)
            headers |= self.signature(url)
            return await self._http.get(self._address.dialled(url), headers=headers)
        headers |= self.signature(url, params)
        return await self._http.post(self._address.dialled(url), data=dict(params), headers=headers)


def _cure(response: httpx.Response) -> str:
    if response.status_code != httpx.codes.FORBIDDEN:
        return ""
    return "; the signature was refused: set TWILIO_AUTH_TOKEN and PUBLIC_URL here as the hotline has them"


class _Lent(httpx.AsyncBaseTransport):
    """Connections shared by all callers: closing one caller's client leaves them open."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        return None
