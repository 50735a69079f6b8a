"""One call's session with the local recogniser: it outlives the process that happens to serve it."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from app import clock
from app.hearing.outbox import Outbox
from app.hearing.port import Transcript
from app.hearing.recogniser_wire import COUNT, Kind, Packet
from app.hearing.utterance import BYTES_PER_MS, Utterance
from app.log import log

FINAL_WITHIN_S = 2.0  # of the end of an utterance; a caller who waits longer thinks the line is dead
MOST_REPLAYS = 2  # an utterance that has met so many dying recognisers is given up: it may be what kills them


class Link(Protocol):
    """Where packets for a recogniser go."""

    def send(self, packet: Packet) -> None: ...

    def suspect(self) -> None:
        """An answer is overdue."""


class Session:
    """A listener. Its worker gives it a link, and another when the process behind it is replaced."""

    def __init__(self, number: int, phrases: tuple[str, ...]) -> None:
        self.number = number
        self._phrases = phrases
        self._link: Link | None = None
        self._open: deque[Utterance] = deque()  # begun, and without an answer
        self._begun = 0
        self._outbox = Outbox()

    def begin_utterance(self) -> int:
        self.cancel_utterance()
        self._begun += 1
        self._open.append(Utterance(self._begun))
        self._pump()
        return self._begun

    def hear(self, mulaw: bytes) -> None:
        if speaking := self._speaking():
            speaking.add(mulaw)
            self._pump()

    def end_utterance(self) -> None:
        if speaking := self._speaking():
            speaking.ended_at = clock.now()
            self._pump()
            asyncio.get_running_loop().call_later(FINAL_WITHIN_S, self._overdue, speaking)

    def cancel_utterance(self) -> None:
        if speaking := self._speaking():
            self._forget(speaking)

    def transcripts(self) -> AsyncIterator[Transcript]:
        return self._outbox.read()

    def attach(self, link: Link) -> None:
        """A process serves this session from now on: it is told everything that has no answer yet."""
        self._link = link
        self._send(Kind.OPEN, 0, json.dumps(self._phrases).encode())
        for utterance in tuple(self._open):
            utterance.rewind()
            if utterance.replays > MOST_REPLAYS:
                self._answer(utterance, nothing(utterance))
        self._pump()

    def take(self, packet: Packet) -> None:
        """What the process says about this session."""
        utterance = next((known for known in self._open if known.number == packet.utterance), None)
        if utterance is None:  # cancelled, or answered in its place, while this was on its way
            return
        match packet.kind:
            case Kind.WORKED:
                utterance.worked_on(COUNT.unpack(packet.payload)[0])
                self._pump()
            case Kind.INTERIM:
                self._outbox.put(Transcript(packet.payload.decode(), final=False, utterance=utterance.number))
            case Kind.FINAL:
                said = json.loads(packet.payload)
                self._answer(utterance, Transcript(said["text"], True, utterance.number, said["confidence"]))

    def close(self) -> None:
        """The call is over."""
        self._open.clear()
        self._outbox.close()
        self._send(Kind.CLOSE, 0)
        self._link = None

    def _speaking(self) -> Utterance | None:
        return self._open[-1] if self._open and self._open[-1].ended_at is None else None

    def _pump(self) -> None:
        """Send what may be sent, one utterance after the other."""
        for utterance in self._open if self._link else ():
            if not utterance.begin_sent:
                utterance.begin_sent = True
                self._send(Kind.BEGIN, utterance.number)
            if mulaw := utterance.take():
                self._send(Kind.AUDIO, utterance.number, mulaw)
            if not utterance.all_sent:
                return
            if not utterance.end_sent:
                utterance.end_sent = True
                self._send(Kind.END, utterance.number)

    def _forget(self, utterance: Utterance) -> None:
        """Expect no answer; the process is told only while it is still listening to this utterance."""
        self._open.remove(utterance)
        if utterance.begin_sent and not utterance.end_sent:
            self._send(Kind.CANCEL, utterance.number)
        self._pump()

    def _send(self, kind: Kind, utterance: int, payload: bytes = b"") -> None:
        if self._link is not None:
            self._link.send(Packet(kind, self.number, utterance, payload))

    def _answer(self, utterance: Utterance, transcript: Transcript) -> None:
        self._forget(utterance)
        self._outbox.put(transcript)
        log.info(
            "hearing.utterance_recognised",
            utterance=utterance.number,
            audio_ms=utterance.audio_ms,
            dropped_ms=utterance.dropped // BYTES_PER_MS,
            latency_ms=round(1000 * (clock.now() - (utterance.ended_at or clock.now()))),
            words=len(transcript.text.split()),
            confidence=round(transcript.confidence, 2),
            **{"pii.text": transcript.text},
        )

    def _overdue(self, utterance: Utterance) -> None:
        if utterance in self._open:
            self._answer(utterance, nothing(utterance))
            log.warning("hearing.transcript_overdue", utterance=utterance.number, waited_s=FINAL_WITHIN_S)
            if self._link is not None:
                self._link.suspect()


def nothing(utterance: Utterance) -> Transcript:
    """The answer when there is none."""
    return Transcript("", final=True, utterance=utterance.number, confidence=0.0)
