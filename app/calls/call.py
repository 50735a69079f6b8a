"""One caller from `start` to hang-up: wires the rooms together and decides nothing."""

import asyncio
from collections.abc import Coroutine

from app import clock
from app.calls.journal import Heading, Journal
from app.calls.leaver import CallLeaver
from app.calls.listening import Listening
from app.calls.means import Means
from app.calls.message import Mailbox
from app.calls.player import Player
from app.calls.port import Socket
from app.calls.registry import Ending
from app.calls.script import Script
from app.calls.speaker import Speaker
from app.calls.turn_taking import Acts, TurnTaking
from app.calls.vigil import Vigil
from app.conversation.port import CallStarted, KeyPressed, SentenceHeard, SpeechFailed
from app.conversation.turn_port import CallEnded, SentenceBegan, TurnFact
from app.conversation.turns import Turns
from app.errors import RemoteProtocolError
from app.log import log
from app.playout.marks import Fate, Line
from app.telephony import messages
from app.telephony.stream import MediaStream

CLEARED_WITHIN_MS = 100  # media ms from our order until the phone is silent
TOLERATED_FAULTS = 20  # broken messages in one call; a bug of Twilio's costs a frame, a fuzzer costs the call


class Call:
    """One call; `run` lives exactly as long as it and leaves nothing behind."""

    def __init__(
        self, started: messages.Started, stream: MediaStream, socket: Socket, script: Script, means: Means
    ) -> None:
        self._wire = (stream, socket)
        self._script = script
        self._means = means
        self._over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._player = Player(stream, socket, self, lead_s=means.limits.lead_s)
        self._speaker = Speaker(means.voice, self._player, tell=self._speech_failed, call=started.call_sid)
        self._listening = Listening(means.ears.open(), tell=self._tell)
        self._vigil = Vigil(means.limits.silence)
        self._started = started
        self.transfer_to = ""
        heading = Heading(started.call_sid, script.name, script.streams, means.replica)
        self._journal = Journal(means.records, heading, script.conversation, self._speaker.unheard)
        self._mailbox = Mailbox(self._listening, means.messages_in, started.call_sid)
        self._turns = TurnTaking(
            Turns(means.limits.turns),
            script.conversation,
            self._speaker,
            self._player,
            acts=self._acts(),
            prompts=means.prompts,
        )
        self.leaver = CallLeaver(self._turns, self._end, script.streams, self._vigil)

    async def run(self) -> Ending:
        """Serve the caller until one of us hangs up; logs the call's one canonical line."""
        began_at = clock.now()
        ending = Ending.INTERNAL_ERROR
        try:
            async with asyncio.timeout(self._means.limits.session_timeout_s), asyncio.TaskGroup() as group:
                self._means.ears.attach(self._listening.ear, self._listening.judge)
                self._turns.tell(self._script.opening or self._started_fact())
                parts = [group.create_task(part) for part in self._parts()]
                ending = await self._over
                for part in parts:
                    part.cancel()
        except TimeoutError:
            ending = Ending.SESSION_TIMEOUT
        finally:
            self._turns.tell(CallEnded())
            self._turns.close()
            if ending is not Ending.TAKEN_OVER:  # the record is the newer stream's
                self._journal.close(ending, transfer_to=self.transfer_to)
            self._means.ears.close(self._listening.ear)
            self._means.voice.forget(self._started.call_sid)
            self._report(ending, began_at)
            await self._mailbox.settle()
        return ending

    def line_began(self, line: Line) -> None:
        if line.is_reply:
            self._turns.tell(SentenceBegan(line.interruptible))

    def line_left(self, line: Line) -> None:
        self._journal.note()

    def line_heard(self, line: Line) -> None:
        if line.is_reply:
            self._turns.responder.note(SentenceHeard(line.text))
            self._journal.note()

    def frames_left(self, mulaw: bytes, plays_at: float) -> None:
        ear = self._listening.ear
        ear.played(ear.now_ms + round((plays_at - clock.now()) * 1000), mulaw)

    def silenced(self) -> None:
        ear = self._listening.ear
        ear.cleared(ear.now_ms + CLEARED_WITHIN_MS)
        self._journal.note()

    def _acts(self) -> Acts:
        journal = self._journal
        return Acts(self._end, self._transfer, self._listening, self._mailbox, journal.note, journal.freeze)

    def _started_fact(self) -> CallStarted:
        given = self._started.parameters.items()
        return CallStarted(self._started.call_sid, {name: value for name, value in given if name != "token"})

    def _parts(self) -> list[Coroutine[None, None, None]]:
        ears, phrases = self._means.recognisers, self._script.phrases
        return [
            self._listen(),
            self._watch(),
            self._speaker.run(),
            self._player.run(),
            self._turns.responder.run(),
            self._journal.run(),
            self._mailbox.run(),
            *([self._listening.run(ears, phrases)] if self._script.listens else []),
        ]

    async def _listen(self) -> None:
        stream, socket = self._wire
        faults = 0
        while (text := await socket.receive()) is not None:
            try:
                self._hear(stream.receive(text))
            except RemoteProtocolError as error:
                faults += 1
                log.warning("stream.message_refused", fault=str(error), faults=faults)
                if faults >= TOLERATED_FAULTS:
                    return self._end(Ending.PROTOCOL_BROKEN)
        self._end(Ending.STREAM_BROKE)

    async def _watch(self) -> None:
        log.warning("stream.fell_silent", silent_s=round(await self._vigil.over(), 1))
        self._end(Ending.STREAM_BROKE)

    def _hear(self, event: messages.Event) -> None:
        if not isinstance(event, messages.Ignored):
            self._vigil.heard()
        match event:
            case messages.MediaReceived(mulaw=mulaw, timestamp_ms=at_ms):
                if self._script.listens:
                    self._listening.hear(at_ms, mulaw)
            case messages.MarkReturned(name=name, played=played):
                self._player.returned(name, played=played)
            case messages.KeyPressed(digit=digit):
                if self._listening.ear.reported(digit):
                    self._tell(KeyPressed(digit))
            case messages.Stopped():
                self._end(Ending.CALLER_HUNG_UP)

    def _tell(self, fact: TurnFact) -> None:
        if self._script.listens:
            self._turns.tell(fact)

    def _speech_failed(self, fact: SpeechFailed) -> None:
        self._turns.responder.ask(fact)

    def _transfer(self, number: str) -> None:
        self.transfer_to = number
        self._end(Ending.TRANSFERRED)

    def _end(self, ending: Ending) -> None:
        if not self._over.done():
            self._over.set_result(ending)

    def _report(self, ending: Ending, began_at: float) -> None:
        player = self._player
        log.info(
            "call.ended",
            reason=ending.value,
            duration_s=round(clock.now() - began_at, 3),
            first_audio_ms=player.tally.first_audio_ms(began_at),
            sentences_heard=player.marks.count(Fate.PLAYED),
            sentences_unheard=player.marks.count(Fate.OUTSTANDING) + player.marks.count(Fate.CLEARED),
            underruns=player.pacer.underruns.count,
            underrun_ms=round(player.pacer.underruns.total_ms),
            frames_unsent=player.pacer.queued_ms // 20,
            frames_late=self._listening.ear.late_frames,
            marks_forgotten=self._wire[0].marks_forgotten,
            **self._turns.figures(),
        )
