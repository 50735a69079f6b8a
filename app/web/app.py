"""All routes of the door in one Starlette application."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.web.access import Refused, require_operator
from app.web.audience import is_operators
from app.web.calls import Calls
from app.web.headers import SecurityHeaders
from app.web.health import Health
from app.web.logs import Logs
from app.web.media import Media
from app.web.metrics import MetricsPage
from app.web.parts import Parts
from app.web.queue import Queue
from app.web.speech_api import SpeechApi
from app.web.voice import Voice

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[Mapping[str, Any]]]

WELCOME = """\
hotline: a voice bridge between the telephone network and streaming speech.

Point a Twilio number's voice webhook at   POST {public_url}/voice
Health                                     GET  {public_url}/health/streaming
What happened (operators)                  GET  {public_url}/logs/streaming
Text to speech (operators)                 POST {public_url}/v1/audio/speech
Test TwiML                                 GET  {public_url}/debug-websocket-voice

Without a phone: hotline call --url {public_url}/voice --out heard.wav
"""


def create_app(parts: Parts, lifespan: Lifespan) -> Starlette:
    """The application that uvicorn serves; `lifespan` opens and closes the rooms behind it."""

    async def welcome(_request: Request) -> Response:
        return PlainTextResponse(WELCOME.format(public_url=parts.locks.public_url))

    voice = Voice(parts)
    routes = [
        Route("/", welcome),
        *voice.routes(),
        *Queue(parts, voice.answer).routes(),
        *Health(parts).routes(),
        *Logs(parts).routes(),
        *Calls(parts).routes(),
        *MetricsPage(parts).routes(),
        *SpeechApi(parts).routes(),
        *Media(parts).routes(),
    ]

    async def nothing_here(request: Request, error: Exception) -> Response:
        # A stranger is not told which of the operator's paths there are.
        # Not `request.url`: that would decode the query, and a stranger's need not be UTF-8.
        if is_operators(request.scope["path"]):
            try:
                require_operator(request, parts.locks)
            except Refused as refused:
                return await _refuse(request, refused)
        return await _say_no(request, error)

    handlers = {Refused: _refuse, HTTPException: nothing_here, ClientDisconnect: _gone}
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    app.router.redirect_slashes = False  # the redirect would be built from the request's own Host
    # Outside of everything, so that the page of an unexpected error has the headers too.
    app.middleware_stack = SecurityHeaders(
        app.build_middleware_stack(),
        https=parts.locks.public_url.startswith("https:"),
        proxies=parts.locks.proxies,
    )
    return app


async def _refuse(_request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Refused) else 500
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"error": str(error)}, status_code=status, headers=headers)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # to nobody: who hung up in mid-form is no error of ours


async def _say_no(_request: Request, error: Exception) -> Response:
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    said = {404: "not found", 405: "method not allowed"}.get(status, "refused")
    return JSONResponse({"error": said}, status_code=status, headers=headers)
