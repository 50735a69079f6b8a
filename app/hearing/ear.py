"""One call's ear: puts the caller's frames in media time, and turns verdicts into what the call must know."""

from collections import deque
from dataclasses import dataclass

from app.audio.frame import FRAME_BYTES, FRAME_MS, SILENCE, Framer
from app.hearing import endpointing
from app.hearing.dtmf import InbandKeys, Keypad
from app.hearing.echo import EchoGate
from app.hearing.endpointing import (
    BargedIn,
    Endpointing,
    UtteranceBegan,
    UtteranceDropped,
    UtteranceEnded,
    UtterancePaused,
    UtteranceResumed,
)
from app.hearing.vad import VadBank, Verdict, levels_dbfs

PRE_ROLL_FRAMES = (
    20  # 400 ms kept for the recogniser: the start's 160 ms, the network's delay, a breath before
)
BRIDGED_FRAMES = 10  # a hole up to 200 ms is heard as silence; after a longer one the line begins anew
PATIENT_STEPS = 10  # steps without a frame before missing frames count as time: 200 ms of ordinary jitter
RESTARTED_MS = 1_000  # a timestamp this far back is a new count, not a late frame
KEY_DBFS = -42.0  # a frame below it holds no key tone
KEY_PROBABILITY = 0.5  # nor does one that is rather speech; the network gives tones 0.2 at most


@dataclass(frozen=True, slots=True)
class UtteranceAudio:
    """What the recogniser must hear next; comes after a beginning or resuming, and before a pause or end."""

    mulaw: bytes


@dataclass(frozen=True, slots=True)
class KeyHeard:
    """A key's tone was in the audio, and Twilio has not reported it."""

    at_ms: int
    key: str


Event = endpointing.Event | UtteranceAudio | KeyHeard


class Ear:
    """One caller's audio, from frames to events; made by `Ears`."""

    def __init__(self, bank: VadBank, slot: int, endpoints: Endpointing) -> None:
        self.endpoints = endpoints
        self.echo = EchoGate()
        self._line = _Line(bank, slot)
        self._pre_roll: deque[bytes] = deque(maxlen=PRE_ROLL_FRAMES)
        self._talking = False
        self._keys = InbandKeys()
        self._keypad = Keypad()

    @property
    def now_ms(self) -> int:
        """Media time: the end of the last frame that was heard."""
        return self._line.next_ms

    @property
    def late_frames(self) -> int:
        """Frames that were not heard, since their time had passed."""
        return self._line.late_frames

    def hear(self, at_ms: int, mulaw: bytes) -> None:
        """Take caller audio with Twilio's timestamp; it is judged at the next step."""
        self._line.push(at_ms, mulaw)

    def played(self, at_ms: int, mulaw: bytes) -> None:
        """Note whole frames of ours, and when the phone begins to play them, in the caller's media time."""
        for index, level in enumerate(levels_dbfs(mulaw)):
            self.echo.played(at_ms + index * FRAME_MS, level)

    def reported(self, key: str) -> bool:
        """Twilio told of a key: is it a new press? Not if its tone was heard a moment ago."""
        return self._keypad.report(self.now_ms, key)

    def judge(self, verdict: Verdict) -> list[Event]:
        """Take one frame's verdict; gives all that follows from it, in order."""
        self._line.quiet_steps = 0
        near = self.echo.is_near(verdict.at_ms, verdict.level_dbfs)
        speaking_ms = self.echo.speaking_ms(verdict.at_ms)
        found = self.endpoints.hear(verdict.at_ms, verdict.probability, near=near, speaking_ms=speaking_ms)
        self._pre_roll.append(verdict.mulaw)
        return [*self._keys_in(verdict), *self._with_audio(found)]

    def wait(self) -> list[Event]:
        """A step has passed without a frame of this call."""
        self._line.quiet_steps += 1
        if self._line.quiet_steps <= PATIENT_STEPS:
            return []
        return self._with_audio(self.endpoints.pass_time(self.now_ms + self._line.quiet_steps * FRAME_MS))

    def _keys_in(self, verdict: Verdict) -> list[Event]:
        if self._keypad.reported:
            return []
        if verdict.level_dbfs < KEY_DBFS or verdict.probability > KEY_PROBABILITY:
            self._keys.skip()
            return []
        pressed = self._keys.feed(verdict.mulaw)
        return [KeyHeard(verdict.at_ms, key) for key in pressed if self._keypad.hear(verdict.at_ms, key)]

    def _with_audio(self, found: list[endpointing.Event]) -> list[Event]:
        """The same, and between them the audio of the utterance."""
        events: list[Event] = []
        for event in found:
            match event:
                case UtteranceBegan() | UtteranceResumed():
                    self._talking = True
                case UtterancePaused() | UtteranceDropped() | UtteranceEnded():
                    events += self._audio()
                    self._talking = False
                case BargedIn():
                    pass
            events.append(event)
        return events + self._audio()

    def _audio(self) -> list[Event]:
        if not self._talking or not self._pre_roll:
            return []
        mulaw = b"".join(self._pre_roll)
        self._pre_roll.clear()
        return [UtteranceAudio(mulaw)]


class _Line:
    """Twilio's timestamps and payloads as whole frames, one after the other, without holes."""

    def __init__(self, bank: VadBank, slot: int) -> None:
        self.slot = slot
        self.next_ms = 0  # media time of the next frame
        self.quiet_steps = 0  # since the last verdict
        self.late_frames = 0
        self._bank = bank
        self._framer = Framer()
        self._shift_ms = 0  # from Twilio's count to ours; changes only if Twilio begins to count anew

    def push(self, at_ms: int, mulaw: bytes) -> None:
        """Time that is missing becomes silence, and what comes again or too late is dropped."""
        missing_ms = at_ms + self._shift_ms - self.next_ms
        if missing_ms <= -RESTARTED_MS:
            self._shift_ms -= missing_ms
        elif missing_ms <= -FRAME_MS:
            self.late_frames += 1
            return
        elif missing_ms >= FRAME_MS:
            self._leap(missing_ms // FRAME_MS)
        frames = self._framer.feed(mulaw)
        for start in range(0, len(frames), FRAME_BYTES):
            self._push(frames[start : start + FRAME_BYTES])

    def _leap(self, frames: int) -> None:
        if frames > BRIDGED_FRAMES:
            self._bank.forget(self.slot)
            self.next_ms += frames * FRAME_MS
        else:
            for _ in range(frames):
                self._push(SILENCE * FRAME_BYTES)

    def _push(self, mulaw: bytes) -> None:
        self._bank.push(self.slot, self.next_ms, mulaw)
        self.next_ms += FRAME_MS


class Ears:
    """The ears of all live calls; `step` is called each 20 ms by one task of the process."""

    def __init__(self, bank: VadBank) -> None:
        self._bank = bank
        self._ears: dict[int, Ear] = {}

    def open(self, endpoints: Endpointing | None = None) -> Ear:
        """Begin to hear one call."""
        slot = self._bank.add()
        ear = self._ears[slot] = Ear(self._bank, slot, endpoints or Endpointing())
        return ear

    def close(self, ear: Ear) -> None:
        """The call is over."""
        (slot,) = (slot for slot, other in self._ears.items() if other is ear)
        del self._ears[slot]
        self._bank.remove(slot)

    def step(self) -> list[tuple[Ear, list[Event]]]:
        """Judge all that was heard since the last step; gives the calls that something follows for."""
        news: dict[int, list[Event]] = {slot: [] for slot in self._ears}
        heard: set[int] = set()
        for verdict in self._bank.step():
            heard.add(verdict.slot)
            news[verdict.slot] += self._ears[verdict.slot].judge(verdict)
        for slot in self._ears.keys() - heard:
            news[slot] += self._ears[slot].wait()
        return [(self._ears[slot], events) for slot, events in news.items() if events]
