"""One caller from `start` to hang-up: wires the rooms together and decides nothing."""

import asyncio
from dataclasses import dataclass

from app import clock
from app.calls.player import Player
from app.calls.port import Socket
from app.calls.registry import Ending
from app.calls.speaker import Speaker
from app.conversation.port import (
    CallStarted,
    Conversation,
    Fact,
    GiveUp,
    HangUp,
    KeyPressed,
    Order,
    Say,
    SentenceHeard,
)
from app.errors import RemoteProtocolError
from app.log import log
from app.playout.marks import Fate
from app.speech.chain import Chain
from app.telephony import messages
from app.telephony.stream import MediaStream

TOLERATED_FAULTS = 20  # broken messages in one call; a bug of Twilio's costs a frame, a fuzzer costs the call


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator bounds on every call."""

    session_timeout_s: float = 1800.0
    lead_s: float = 0.4


class Call:
    """One call; `run` lives exactly as long as it and leaves nothing behind."""

    def __init__(
        self, stream: MediaStream, socket: Socket, *, conversation: Conversation, voice: Chain, limits: Limits
    ) -> None:
        self._stream = stream
        self._socket = socket
        self._conversation = conversation
        self._limits = limits
        self._player = Player(stream, socket, lead_s=limits.lead_s)
        self._speaker = Speaker(voice, self._player, tell=self._tell)
        self._over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    async def run(self, started: messages.Started) -> Ending:
        """Serve the caller until one of us hangs up; logs the call's one canonical line."""
        began_at = clock.now()
        ending = Ending.INTERNAL_ERROR
        try:
            async with asyncio.timeout(self._limits.session_timeout_s), asyncio.TaskGroup() as group:
                self._tell(CallStarted(started.call_sid, dict(started.parameters)))
                parts = [
                    group.create_task(part) for part in (self._listen(), self._speak(), self._player.run())
                ]
                ending = await self._over
                for part in parts:
                    part.cancel()
        except TimeoutError:
            ending = Ending.SESSION_TIMEOUT
        finally:
            self._report(ending, began_at)
        return ending

    async def _listen(self) -> None:
        faults = 0
        while (text := await self._socket.receive()) is not None:
            try:
                self._hear(self._stream.receive(text))
            except RemoteProtocolError as error:
                faults += 1
                log.warning("stream.message_refused", fault=str(error), faults=faults)
                if faults >= TOLERATED_FAULTS:
                    return self._end(Ending.PROTOCOL_BROKEN)
        self._end(Ending.STREAM_BROKE)

    def _hear(self, event: messages.Event) -> None:
        match event:
            case messages.MarkReturned(name=name, played=played):
                if (sentence := self._player.returned(name, played=played)) is not None:
                    self._tell(SentenceHeard(sentence))
            case messages.KeyPressed(digit=digit):
                self._tell(KeyPressed(digit))
            case messages.Stopped():
                self._end(Ending.CALLER_HUNG_UP)
            case _:
                pass  # the caller's voice: nobody listens to it yet

    async def _speak(self) -> None:
        self._end(await self._speaker.run())

    def _tell(self, fact: Fact) -> None:
        for order in self._conversation.handle(fact):
            self._obey(order)

    def _obey(self, order: Order) -> None:
        match order:
            case Say(text=text):
                self._speaker.say(text)
            case HangUp():
                self._speaker.say_goodbye()
            case GiveUp():
                self._speaker.give_up()

    def _end(self, ending: Ending) -> None:
        if not self._over.done():
            self._over.set_result(ending)

    def _report(self, ending: Ending, began_at: float) -> None:
        player = self._player
        first = player.tally.first_sent_at
        log.info(
            "call.ended",
            reason=ending.value,
            duration_s=round(clock.now() - began_at, 3),
            first_audio_ms=None if first is None else round((first - began_at) * 1000),
            sentences_heard=player.count(Fate.PLAYED),
            sentences_unheard=player.count(Fate.OUTSTANDING) + player.count(Fate.CLEARED),
            underruns=player.pacer.underruns.count,
            underrun_ms=round(player.pacer.underruns.total_ms),
            frames_unsent=player.pacer.queued_ms // 20,
        )
