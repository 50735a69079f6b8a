"""A door behind its locks on a real socket, and raw callers who have Twilio's signature."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from app import clock
from app.calls.admission import Admission
from app.calls.means import Limits
from app.calls.resume import Records
from app.calls.vigil import Patience
from app.speech.chain import Chain
from app.web.app import create_app
from app.web.doorstep import Doorstep
from app.web.parts import Parts
from tests.standins.raw_socket import RawSocket, connected, text
from tests.standins.server import served
from tests.standins.voice import ToneVoice
from tests.web.conftest import locked, make_parts

CONNECTED = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
STOP = {"event": "stop", "streamSid": "MZ1", "stop": {}}
GONE_WITHIN_S = 20.0


def start(token: str, call_sid: str = "CA1") -> dict[str, Any]:
    """Twilio's `start` of the stream MZ1."""
    body = {
        "streamSid": "MZ1",
        "callSid": call_sid,
        "accountSid": "AC1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": token},
    }
    return {"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": body}


@dataclass
class House:
    """A served door."""

    parts: Parts
    url: str
    server: uvicorn.Server

    @asynccontextmanager
    async def shaken(self) -> AsyncIterator[RawSocket]:
        """A socket with Twilio's signature and nothing more."""
        async with connected(self.url) as socket:
            assert await socket.shake() == 101
            yield socket

    @asynccontextmanager
    async def live(self, call_sid: str = "CA1") -> AsyncIterator[RawSocket]:
        """A call that has heard its first audio."""
        self.parts.admission.reserve(call_sid, clock.now())
        token = await self.parts.tokens.issue(call_sid)
        async with self.shaken() as socket:
            await socket.send(text(json.dumps(CONNECTED)) + text(json.dumps(start(token, call_sid))))
            assert await socket.heard(until_bytes=1)
            yield socket

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    def connections(self) -> int:
        """What the server has open."""
        return len(self.server.server_state.connections)

    async def empty(self) -> None:
        """Until nobody and nothing is left; fails when something stays."""
        async with asyncio.timeout(GONE_WITHIN_S):
            while any(self.left()):  # noqa: ASYNC110 - nobody signals it
                await asyncio.sleep(0.01)

    def left(self) -> tuple[int, ...]:
        """Slots, calls, sockets without a start, and connections without a request."""
        parts = self.parts
        parts.admission.expire(clock.now())
        return parts.admission.taken, len(parts.registry.live), len(parts.pending), len(parts.doorstep)


@asynccontextmanager
async def house(
    *,
    slots: int = 2,
    seconds: float = 1.0,
    at_the_door: int | None = None,
    extra: Sequence[BaseRoute] = (),
    ping_s: float | None = None,
    silence: Patience | None = None,
    records: Records | None = None,
) -> AsyncIterator[House]:
    """Serves `slots` calls, each of which is greeted by a tone of so many seconds."""
    parts = make_parts(locks=locked(), admission=Admission(slots))
    limits = Limits(silence=silence or Patience())
    means = replace(parts.means, voice=Chain([ToneVoice(seconds=seconds)]), limits=limits)
    means = replace(means, records=records or means.records)
    parts = replace(parts, means=means, doorstep=Doorstep(at_the_door))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Parts]]:
        yield {"parts": parts}

    app = create_app(parts, lifespan)
    app.router.routes.extend(extra)
    async with asyncio.timeout(60), parts.voice, served(app) as (server, url):
        if ping_s is not None:
            server.config.ws_ping_interval = server.config.ws_ping_timeout = ping_s
        yield House(parts, url, server)
