"""The outermost wall of the door: headers on every HTTP answer, and an end to guessing tokens.

A WebSocket passes it by: after the one look at its scope nothing of this stands in its frames' way.
"""

import math

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import clock
from app.log import log
from app.web.audience import Audience, audience_of
from app.web.guesses import Guesses, place_of
from app.web.proxies import NOBODY, Proxies

YEAR_S = 365 * 86_400
HEADERS = {
    # No page of ours runs, loads or embeds anything. One that does says so itself, and keeps its own.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # TwiML holds a call's token, operator paths hold callers: neither is to be found in a cache.
    "Cache-Control": "no-store",
}
TRANSPORT = {"Strict-Transport-Security": f"max-age={YEAR_S}"}


class SecurityHeaders:
    """ASGI around the whole application, its error pages included.

    Args:
        https: the public address is https, and browsers are to remember it.
        proxies: who is believed when they say whose request it is.
    """

    def __init__(self, app: ASGIApp, *, https: bool, proxies: Proxies = NOBODY) -> None:
        self._app = app
        self._proxies = proxies
        self._headers = {**HEADERS, **(TRANSPORT if https else {})}
        self._guesses = Guesses()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        place = self._place_of_guess(scope)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 401 and place:
                    self._wrong_token(place)
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        wait_s = self._guesses.wait_s(place, clock.now()) if place else 0.0
        app = _come_back_in(wait_s) if wait_s else self._app
        await app(scope, receive, answer)

    def _place_of_guess(self, scope: Scope) -> str:
        """Where a request with a token comes from; nothing without one, or where none is asked for."""
        headers = Headers(scope=scope)
        if not headers.get("authorization", "").lower().startswith("bearer"):
            return ""
        if audience_of(scope["path"]) is Audience.PUBLIC:  # a probe must never be told to wait
            return ""
        client = scope.get("client")
        return place_of(self._proxies.client_of(client[0], headers)) if client else "unknown"

    def _wrong_token(self, place: str) -> None:
        if self._guesses.count(place, clock.now()):
            log.warning("operator.guessing_stopped", **{"pii.address": place})


def _come_back_in(wait_s: float) -> ASGIApp:
    return JSONResponse(
        {"error": "too many wrong tokens from this address"},
        status_code=429,
        headers={"Retry-After": str(math.ceil(wait_s))},
    )
