"""The media sockets: the only place where a call's WebSocket is read and written.

A socket passes three gates before anything is opened for it: Twilio's signature on the handshake, room in
the house, and within a few seconds a `start` that carries its call's own one-time token.
"""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import structlog
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app import clock
from app.calls.call import Call
from app.calls.registry import Departed, Ending, LiveCall
from app.calls.script import Script
from app.calls.tokens import TokenRefused
from app.conversation.port import CallResumed, SentenceHeard, TransferFailed
from app.errors import AtCapacity, MediaStreamError, RemoteProtocolError
from app.log import UNLOGGED, log
from app.telephony import messages
from app.telephony.stream import MediaStream
from app.web.access import handshake_is_twilios, is_our_account
from app.web.parts import Locks, Parts
from app.web.pending import counted_as
from app.web.voice import DEBUG_PATH, MEDIA_PATH, RESUME

START_WITHIN_S = 5.0  # seconds; Twilio sends `start` within milliseconds of the handshake
MOST_BEFORE_START = 10  # messages; Twilio sends `connected` and `start`
NORMAL, PROTOCOL_ERROR, POLICY, INTERNAL = 1000, 1002, 1008, 1011
CLOSES = {
    Ending.SESSION_TIMEOUT: (NORMAL, "session timeout"),
    Ending.SPEECH_FAILED: (INTERNAL, "no voice available"),
    Ending.PROTOCOL_BROKEN: (PROTOCOL_ERROR, "protocol broken"),
    Ending.INTERNAL_ERROR: (INTERNAL, "internal error"),
}


class MediaSocket:
    """A Starlette WebSocket as the call sees it: lines of text, and None when the other side is gone."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes | None:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | None = message.get("text")
        received: str | bytes = text if text is not None else message["bytes"]
        return received

    async def send(self, text: str) -> bool:
        try:
            await self._websocket.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            # Starlette says RuntimeError when the close went out or came in between two sends.
            return False
        return True

    async def close(self, code: int, reason: str) -> None:
        states = (self._websocket.client_state, self._websocket.application_state)
        if WebSocketState.DISCONNECTED in states:
            return
        try:
            await self._websocket.close(code, reason)
        except (WebSocketDisconnect, RuntimeError):
            return


class Media:
    """The media routes of one assembled hotline."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute(path, self.serve) for path in (MEDIA_PATH, DEBUG_PATH)]

    async def serve(self, websocket: WebSocket) -> None:
        """One media socket from handshake to close."""
        path = websocket.scope["path"].rstrip("/")
        if not handshake_is_twilios(websocket, path, self._parts.locks):
            log.warning("stream.refused", reason="handshake_not_signed", path=path)
            await websocket.close(POLICY)  # before accept: the handshake is answered 403
            return
        await websocket.accept()
        socket = MediaSocket(websocket)
        stream = MediaStream()
        peer = websocket.client.host if websocket.client else ""
        address = self._parts.locks.proxies.client_of(peer, websocket.headers)
        started = await self._admit(stream, socket, counted_as(address))
        if started is None:
            return
        private = {UNLOGGED: True} if UNLOGGED in started.parameters else {}
        with structlog.contextvars.bound_contextvars(call_sid=started.call_sid, **private):
            await self._serve_call(stream, socket, started, path)

    async def _admit(self, stream: MediaStream, socket: MediaSocket, address: str) -> messages.Started | None:
        """Wait for `start` and take its token; None when the socket was turned away."""
        if self._parts.desk.is_full_of_live_calls():
            await _turn_away(socket, "at_capacity", "server at capacity")
            return None
        try:
            async with asyncio.timeout(START_WITHIN_S):
                with self._parts.pending.one_of(address):
                    started = await _start_of(stream, socket, self._parts.locks)
            if started is not None:
                await self._let_in(started.parameters.get("token", ""), started.call_sid)
        except TimeoutError:
            await _turn_away(socket, "no_start", "no start in time")
        except AtCapacity:
            await _turn_away(socket, "at_capacity", "server at capacity")
        except TokenRefused as error:
            await _turn_away(socket, f"token_{error.refusal.value}", "invalid stream token")
        except MediaStreamError as error:
            await _turn_away(socket, "protocol_broken", "protocol broken", fault=str(error))
        else:
            return started
        return None

    async def _let_in(self, token: str, call_sid: str) -> None:
        """Use the token up, once there is room for the call: a full house is no reason to lose it."""
        desk = self._parts.desk
        if not desk.has_room_for(call_sid):
            raise AtCapacity(f"{desk.admission.taken} of {desk.admission.max_calls} calls")
        await self._parts.tokens.consume(token, call_sid)
        await desk.adopt(call_sid)

    async def _serve_call(
        self, stream: MediaStream, socket: MediaSocket, started: messages.Started, path: str
    ) -> None:
        parts, call_sid = self._parts, started.call_sid
        departed = Departed(Ending.INTERNAL_ERROR)
        log.info("stream.started", stream_sid=started.stream_sid, path=path)
        try:
            call = Call(started, stream, socket, await self._script(started, path), parts.means)
            moment = clock.wall().isoformat()
            parts.registry.began(LiveCall(call_sid, started.stream_sid, moment, leaver=call.leaver))
            departed = Departed(await call.run(), call.transfer_to)
        except Exception:  # noqa: BLE001 - the call's outer wall: a bug costs this call, never another
            log.exception("call.failed")
        finally:
            # Before the close: Twilio may ask what follows as soon as it sees it.
            parts.registry.ended(call_sid, departed)
            if departed.ending is not Ending.TAKEN_OVER:
                parts.desk.release(call_sid, goes_on=departed.ending.goes_on)
            if departed.ending is Ending.FINISHED and parts.account is not None:
                await parts.account.hang_up(call_sid)
            await socket.close(*CLOSES.get(departed.ending, (NORMAL, "")))

    async def _script(self, started: messages.Started, path: str) -> Script:
        """A new conversation, or the one that this caller is in the midst of."""
        script = self._parts.script_for(path)
        if RESUME not in started.parameters:
            return script
        record = await self._parts.means.records.load(started.call_sid)
        if record is None or record.conversation != script.name:
            log.warning("call.not_resumed", reason="no record" if record is None else "another conversation")
            return script
        script.conversation.restore(record.state)
        for text in record.heard:
            async with aclosing(script.conversation.respond(SentenceHeard(text))) as orders:
                async for _ in orders:
                    pass  # it is only to know
        opening: CallResumed | TransferFailed = record.resumed(cut_off=record.ending != Ending.HANDED_OVER)
        if record.transfer_failed:
            opening = TransferFailed(record.transfer_to)
        log.info("call.resumed", streams=record.streams, from_replica=record.replica, ending=record.ending)
        return replace(script, opening=opening, streams=record.streams)


async def _start_of(stream: MediaStream, socket: MediaSocket, locks: Locks) -> messages.Started | None:
    """The `start` of a stream of our account; None when there is none."""
    for _ in range(MOST_BEFORE_START):
        if (text := await socket.receive()) is None:
            log.info("stream.refused", reason="gone_before_start")
            return None
        event = stream.receive(text)
        if not isinstance(event, messages.Started):
            continue
        if is_our_account(event.account_sid, locks):
            return event
        await _turn_away(socket, "another_account", "invalid stream token")
        return None
    raise RemoteProtocolError(f"{MOST_BEFORE_START} messages without a 'start'")


async def _turn_away(socket: MediaSocket, reason: str, told: str, **fields: str) -> None:
    log.warning("stream.refused", reason=reason, **fields)
    await socket.close(POLICY, told)
