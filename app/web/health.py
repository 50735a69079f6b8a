"""Whether hotline lives, whether it can take calls, and what it is doing."""

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app import clock
from app.observe.alarms import BUDGET
from app.web.access import require_operator
from app.web.parts import Parts
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
        reason = self._reason()
        return PlainTextResponse(f"{reason or 'ok'}\n", status_code=503 if reason else 200)

    async def streaming(self, _request: Request) -> Response:
        """The audio path at a glance: public, so it tells no keys, numbers or words."""
        parts, reason = self._parts, self._reason()
        wrong = [f"{name} is failing" for name in parts.voice.failing]
        # A budget that is half spent is the operator's concern, and no fault of the audio path.
        alarms = [alarm for alarm in parts.observers.alarms.active if alarm["alarm"] != BUDGET]
        wrong += [f"{alarm['subject']}: {alarm['reason']}" for alarm in alarms]
        status = "unavailable" if reason else "degraded" if wrong else "ready"
        if parts.drain.draining:
            status = "draining"
        body = {
            "status": status,
            "reason": reason or "; ".join(wrong) or None,
            "streaming_enabled": bool(parts.voice.names),
            "elevenlabs_configured": parts.elevenlabs_configured,
            "websocket_url": "ws" + parts.locks.public_url.removeprefix("http") + MEDIA_PATH,
            "speech_providers": parts.voice.names,
            "hearing_providers": parts.recognisers.names,
            "calls": {"live": parts.admission.live, "max": parts.admission.max_calls},
            "waiting": len(parts.reception.line or ()),
        }
        return JSONResponse(body, status_code=503 if reason else 200)

    async def status(self, request: Request) -> Response:
        """For the operator: the calls that are live, and every scarce thing with its use."""
        parts = self._parts
        require_operator(request, parts.locks)
        parts.admission.expire(clock.now())
        body = {
            "calls": {
                "live": parts.admission.live,
                "reserved": parts.admission.taken - parts.admission.live,
                "max": parts.admission.max_calls,
                "list": [
                    {"call_sid": call.call_sid, "stream_sid": call.stream_sid, "started_at": call.started_at}
                    for call in parts.registry.live
                ],
            },
            "speech": {
                "providers": parts.voice.names,
                "failing": parts.voice.failing,
                "voices": [asdict(voice) for voice in parts.voice.status()],
            },
            "hearing": parts.recognisers.status(),
            "speech_api": parts.observers.requests.status(),
            "alarms": parts.observers.alarms.status(),
            "line": parts.reception.status(clock.now()),
            "spending": parts.money.status(),
            "strain": {"reason": parts.strain.reason or None, **parts.strain.figures()},
        }
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    async def pool(self, request: Request) -> Response:
        """For the operator: the recognisers, how many are taken, who waits, and their health."""
        require_operator(request, self._parts.locks)
        return JSONResponse(self._parts.recognisers.status(), headers={"Cache-Control": "no-store"})

    def _reason(self) -> str | None:
        """Why no new call can be taken; None when one can."""
        parts = self._parts
        parts.admission.expire(clock.now())
        if parts.drain.draining:
            return "draining: this process takes no new calls"
        if not parts.voice.names:
            return "no voice is available"
        return parts.reception.full or None
