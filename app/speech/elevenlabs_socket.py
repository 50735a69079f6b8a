"""One `stream-input` socket of ElevenLabs: good for one sentence, and for being kept warm until there is one.

Source: https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-stream-input
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Self
from urllib.parse import quote, urlencode

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from app import clock
from app.errors import Failure, ProviderError
from app.log import log
from app.speech.connection import Patience, dial
from app.speech.elevenlabs_errors import (
    NAME,
    Fault,
    as_error,
    of_close,
    of_frame,
    of_http,
    retry_after_s,
)

INITIAL = json.dumps({"text": " "})
KEEP_ALIVE = json.dumps({"text": " "})  # makes no sound, and sets the vendor's idle clock back
END = json.dumps({"text": ""})


UNKNOWN = object()  # the context, until there was audio


class Message(msgspec.Struct, rename="camel"):
    """Everything the vendor sends; what is not named here is ignored."""

    audio: bytes | None = None
    is_final: bool | None = None
    error: object = None
    message: object = None
    context_id: object = None
    alignment: msgspec.Raw = msgspec.Raw()
    normalized_alignment: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(Message).decode


def socket_url(base_url: str, voice_id: str, model_id: str, audio_format: str) -> str:
    """Where the socket of one voice is; `auto_mode` begins at once, not at 120 characters.

    `sync_alignment` has each message tell which characters its audio says.
    """
    query = urlencode(
        {"model_id": model_id, "output_format": audio_format, "auto_mode": "true", "sync_alignment": "true"}
    )
    host = base_url.rstrip("/").replace("http", "ws", 1)
    return f"{host}/v1/text-to-speech/{quote(voice_id, safe='')}/stream-input?{query}"


async def connected(url: str, api_key: str, patience: Patience) -> ClientConnection:
    """A connection of either kind of the vendor's sockets, on which nothing was said yet.

    Raises:
        ProviderError: refused, unreachable or too slow.
    """
    try:
        return await dial(url, {"xi-api-key": api_key}, patience)
    except InvalidStatus as error:
        fault = of_http(error.response.status_code, bytes(error.response.body or b""))
        raise as_error(fault, api_key, retry_after_s(error.response.headers)) from error
    except TimeoutError as error:
        fault = Fault(Failure.TIMEOUT, f"no connection within {patience.connect_s:g} s")
        raise as_error(fault, api_key) from error
    except (OSError, WebSocketException) as error:
        raise as_error(Fault(Failure.NETWORK, f"no connection: {error}"), api_key) from error


class SpeechSocket:
    """A connection that has had its initial message."""

    def __init__(self, connection: ClientConnection, api_key: str, patience: Patience) -> None:
        self._connection = connection
        self._api_key = api_key
        self._patience = patience

    @classmethod
    async def open(cls, url: str, api_key: str, patience: Patience) -> Self:
        """Connect and send the initial message, which nothing answers.

        Raises:
            ProviderError: refused, unreachable or too slow. A key or voice may also be refused later.
        """
        connection = await connected(url, api_key, patience)
        socket = cls(connection, api_key, patience)
        try:
            await socket._send(INITIAL)
        except BaseException:
            await socket.close()
            raise
        return socket

    @property
    def usable(self) -> bool:
        return self._connection.state is State.OPEN

    async def keep_alive(self) -> None:
        await self._send(KEEP_ALIVE)

    async def wait_closed(self) -> None:
        await self._connection.wait_closed()

    async def close(self) -> None:
        """Waits for the other side, but not for long, and not at all when cancelled."""
        try:
            await self._connection.close()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close without a word."""
        self._connection.transport.abort()

    async def say(self, text: str) -> None:
        """Give the sentence and the end of input; a close before the final message would drop the audio."""
        await self._send(json.dumps({"text": text.strip() + " ", "flush": True}))
        await self.end()

    async def end(self) -> None:
        await self._send(END)

    async def messages(self) -> AsyncGenerator[Message, None]:
        """What bears audio of what was said, until the final message; does not wait for the close after it.

        All of it is of one context, as a rule of none: a message of another is not ours, and dropped.

        Raises:
            ProviderError: by an error frame, a close, a message that is none, or silence.
        """
        deadline = clock.now() + self._patience.first_audio_s
        ours: object = UNKNOWN
        strangers = 0
        while True:
            message = await self._receive(deadline)
            if message.error is not None:
                raise as_error(of_frame(message.error, message.message), self._api_key)
            if ours not in (UNKNOWN, message.context_id):
                strangers += 1
                if strangers == 1:  # a line for each would let a vendor fill the log
                    log.warning("speech.message_of_another", provider=NAME)
                continue
            if message.audio:
                ours = message.context_id
                yield message
                deadline = clock.now() + self._patience.gap_s
            if message.is_final:
                return

    async def _receive(self, deadline: float) -> Message:
        try:
            async with asyncio.timeout_at(deadline):
                await asyncio.sleep(0)  # others' turn: a message that waits is had without waiting
                text = await self._connection.recv()
            return _decode(text)
        except TimeoutError as error:
            raise self._error(Failure.TIMEOUT, "no audio in time") from error
        except ConnectionClosed as error:
            raise self._closed(error) from error
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise self._error(Failure.GARBAGE, "a message that cannot be read") from error

    async def _send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    def _closed(self, error: ConnectionClosed) -> ProviderError:
        close = error.rcvd or error.sent
        fault = (
            of_close(close.code, close.reason) if close else Fault(Failure.NETWORK, "the connection broke")
        )
        return as_error(fault, self._api_key)

    def _error(self, kind: Failure, message: str) -> ProviderError:
        return as_error(Fault(kind, message), self._api_key)
