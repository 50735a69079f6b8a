"""`hotline serve`: answer calls."""

import argparse
import os
import signal
import sys
from types import FrameType

import uvicorn

from app import clock
from app.calls.drain import Drain, Phase
from app.log import log
from app.settings import Settings
from app.web.http_wire import HttpWire
from app.web.parts import Parts
from app.web.socket_wire import SocketWire

LARGEST_MESSAGE = 64 * 1024  # bytes of one WebSocket message; Twilio's are under 500
PING_S = 20.0  # seconds between pings, and until an unanswered one ends a dead socket
EXAMPLES = """\
examples:
  hotline serve                                    this machine only, the embedded voice
  PORT=9000 GREETING="Hello there." hotline serve
  ELEVENLABS_API_KEY=... TWILIO_AUTH_TOKEN=... PUBLIC_URL=https://voice.example.com hotline serve

Every setting is an environment variable: `hotline config` lists them.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "serve",
        help="answer calls",
        description="Serve the webhooks and media sockets.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    settings = Settings.load(os.environ)
    print(_welcome(settings), flush=True)  # on standard output: the log has standard error for itself
    server = Server(server_config(settings))
    server.run()
    return 0 if server.started else 1


class Server(uvicorn.Server):
    """uvicorn that leaves when the calls have: its own way out closes every socket first.

    SIGTERM begins the drain, a second one hurries it, a third ends the process. SIGINT, which a developer
    presses, hurries at once.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._signals: list[int] = []

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Only noted, for it may come in the midst of anything; uvicorn would raise it again at the end.
        self._signals.append(sig)

    async def on_tick(self, counter: int) -> bool:
        parts: Parts = self.lifespan.state["parts"]
        # A caller who has our TwiML and is about to come is not left before a closed door.
        now, live = clock.now(), max(len(parts.registry.live), parts.admission.taken)
        while self._signals:
            self._take(self._signals.pop(0), parts.drain, now, live)
        return parts.drain.is_over(now, live) or await super().on_tick(counter)

    def _take(self, sig: int, drain: Drain, now: float, live: int) -> None:
        log.info("server.told_to_leave", signal=signal.Signals(sig).name, calls=live)
        if drain.phase(now) is Phase.CLOSING:
            self.should_exit = True
        elif sig == signal.SIGINT:
            drain.hurry(now)
        else:
            drain.begin(now)


def server_config(settings: Settings) -> uvicorn.Config:
    """uvicorn as a media server needs it.

    The sans-I/O WebSocket implementation on uvloop carries the most streams per core of those that run
    an ASGI application; compression would cost as much again per message and Twilio never offers it.
    """
    return uvicorn.Config(
        "app.main:build",
        factory=True,
        host=settings.server.address,
        port=settings.server.port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=HttpWire,
        ws=SocketWire,
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )


def _welcome(settings: Settings) -> str:
    here = f"http://localhost:{settings.server.port}"
    return (
        f"hotline answers on {here} with the voice {' then '.join(settings.voices)}.\n"
        f"Place a call from another terminal:  make call   (or: hotline call --url {here}/voice)\n"
        f"See what happened:                   hotline logs --latest\n"
    )
