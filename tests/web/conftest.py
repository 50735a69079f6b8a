"""An assembled door around a scripted voice, and a way to knock on it without a network."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app.calls.admission import Admission
from app.calls.desk import LocalDesk
from app.calls.ear_tick import EarTick
from app.calls.means import Means
from app.calls.reception import Reception
from app.calls.registry import Registry
from app.calls.script import Script
from app.calls.tokens import LocalTokens
from app.calls.waiting import LocalLine
from app.capacity.store import Store
from app.conversation.announcement import Announcement
from app.conversation.immediate import Immediate
from app.hearing.ear import Ears
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.observe.fleet import Fleet
from app.observe.ring import Ring
from app.observe.shared_events import SharedEvents
from app.speech.chain import Chain
from app.web.app import create_app
from app.web.parts import Locks, Parts, Words
from app.web.status import status_of
from tests.canaries import TWILIO_TOKEN
from tests.standins.voice import ToneVoice

TOKEN = TWILIO_TOKEN
PUBLIC = "https://voice.example.com"


def make_parts(**changes: Any) -> Parts:
    """Parts as on a developer's machine; `locks` and the like replace single ones."""
    given: dict[str, Any] = {
        "locks": Locks(
            public_url="http://localhost:8000",
            twilio_tokens=(),
            account_sid="",
            admin_tokens=(),
            trusts_this_machine=True,
        ),
        "words": Words(busy="All lines are busy.", reject_when_full=False),
        "means": Means(voice=Chain([ToneVoice()]), ears=EarTick(Ears(VadBank(Silero.load())))),
        "tokens": LocalTokens(),
        "registry": Registry(),
        "ring": Ring(),
        "script_for": lambda _path: Script(Immediate(Announcement("Hello.")), listens=False),
        "elevenlabs_configured": False,
    }
    admission = changes.pop("admission", None) or Admission(2)
    given["desk"] = LocalDesk(Reception(admission), admission)
    return Parts(**{**given, **changes})


@asynccontextmanager
async def replica(url: str, name: str, **changes: Any) -> AsyncIterator[Parts]:
    """Parts of one of several replicas that meet in the store at `url`."""
    async with (
        Store(url, within_s=changes.pop("within_s", 30.0)) as store,
        SharedEvents(store, name) as events,
    ):
        fleet = Fleet(store, name)
        parts = make_parts(fleet=fleet, events=events, **changes)
        fleet.describe = lambda: status_of(parts)
        async with fleet, parts.voice:
            yield parts


def desk_with_a_line(slots: int = 1, **given: Any) -> LocalDesk:
    """Of one process, with room for ten in line."""
    admission = Admission(slots)
    return LocalDesk(Reception(admission, line=LocalLine(10), **given), admission)


def locked(**changes: Any) -> Locks:
    """Locks as in production."""
    given: dict[str, Any] = {
        "public_url": PUBLIC,
        "twilio_tokens": (TOKEN,),
        "account_sid": "",
        "admin_tokens": (),
        "trusts_this_machine": True,
    }
    return Locks(**{**given, **changes})


@asynccontextmanager
async def _nothing(_app: Starlette) -> AsyncIterator[dict[str, object]]:
    yield {}


Knock = Callable[..., httpx.AsyncClient]


@pytest.fixture
def knock() -> Knock:
    """A client of the application; `peer` is the address it seems to come from."""

    def client(parts: Parts, *, peer: str = "127.0.0.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(create_app(parts, _nothing), client=(peer, 50000))
        return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")

    return client
