"""Whether hotline lives, whether it can take calls, and what it is doing."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.web.access import require_operator
from app.web.parts import Parts
from app.web.status import fleet_calls, fleet_status, reach_of, readiness
from app.web.voice import MEDIA_PATH


class Health:
    """The probes and the status page of one assembled hotline."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [
            Route("/livez", self.livez),
            Route("/readyz", self.readyz),
            Route("/health/streaming", self.streaming),
            Route("/status", self.status),
            Route("/pool", self.pool),
        ]

    async def livez(self, _request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(self, _request: Request) -> Response:
        ready = readiness(self._parts)
        word = "ok" if ready.takes_calls else ready.reason
        return PlainTextResponse(f"{word}\n", status_code=200 if ready.takes_calls else 503)

    async def streaming(self, _request: Request) -> Response:
        """The audio path at a glance: public, so it tells no keys, numbers or words, and waits for nobody."""
        parts, ready = self._parts, readiness(self._parts)
        body = {
            "status": ready.status,
            "reason": ready.reason,
            "streaming_enabled": bool(parts.voice.names),
            "elevenlabs_configured": parts.elevenlabs_configured,
            "websocket_url": "ws" + parts.locks.public_url.removeprefix("http") + MEDIA_PATH,
            "speech_providers": parts.voice.names,
            "hearing_providers": parts.recognisers.names,
            "calls": {"live": parts.admission.live, "max": parts.admission.max_calls},
            "waiting": len(parts.reception.line or ()),
            "store": reach_of(parts).value,
            "fleet": fleet_calls(parts),
        }
        return JSONResponse(body, status_code=200 if ready.takes_calls else 503)

    async def status(self, request: Request) -> Response:
        """For the operator: the calls that are live, and every scarce thing with its use."""
        parts = self._parts
        require_operator(request, parts.locks)
        return JSONResponse(await fleet_status(parts), headers={"Cache-Control": "no-store"})

    async def pool(self, request: Request) -> Response:
        """For the operator: the recognisers, how many are taken, who waits, and their health."""
        require_operator(request, self._parts.locks)
        return JSONResponse(self._parts.recognisers.status(), headers={"Cache-Control": "no-store"})
