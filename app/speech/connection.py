"""How a vendor of speech is connected to, whichever it is: for how long, over what, and with which bounds."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from websockets.asyncio.client import ClientConnection, connect

LARGEST_MESSAGE = 16 * 1024 * 1024  # bytes; the library's own limit of 1 MiB is met in practice
MOST_MESSAGES = 256  # read ahead of a slow listener: a sentence, in messages of 0.1 s and more
CLOSE_TIMEOUT_S = 2.0  # ElevenLabs closes 0.8 s late


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a vendor may take, in seconds."""

    connect_s: float = 1.0  # a handshake across an ocean takes 0.4
    first_audio_s: float = 3.0  # from the text to the first audio; 0.3 s is usual
    gap_s: float = 4.0  # between two pieces of audio


USUAL = Patience()


def tls_for(url: str) -> ssl.SSLContext | None:
    """What a `wss` URL is dialled with: one for the process, for reading the certificates takes 60 ms."""
    return _trust() if url.startswith("wss:") else None


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


async def dial(url: str, headers: Mapping[str, str], patience: Patience) -> ClientConnection:
    """Open a WebSocket.

    Raises:
        InvalidStatus: the vendor's answer is another.
        TimeoutError: none came in time.
        OSError, WebSocketException: the connection broke, or was none.
    """
    return await connect(
        url,
        ssl=tls_for(url),
        additional_headers=headers,
        open_timeout=patience.connect_s,
        close_timeout=CLOSE_TIMEOUT_S,
        compression=None,
        max_size=LARGEST_MESSAGE,
        max_queue=MOST_MESSAGES,
    )
