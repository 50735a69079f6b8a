"""One call's ear: puts the caller's frames in media time, and turns verdicts into what the call must know."""

from collections import deque
from dataclasses import dataclass
from itertools import islice

from app.audio.frame import FRAME_BYTES, FRAME_MS, SILENCE, Framer
from app.hearing import endpointing
from app.hearing.activity import SENSITIVITY, Sensitivity
from app.hearing.dtmf import InbandKeys, Keypad, keys_in
from app.hearing.echo import MARGINS, EchoGate, Margins
from app.hearing.endpointing import (
    TIMING,
    BargedIn,
    Endpointing,
    Timing,
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


@dataclass(frozen=True, slots=True)
class Tuning:
    """Every number by which ears judge."""

    timing: Timing = TIMING
    sensitivity: Sensitivity = SENSITIVITY
    margins: Margins = MARGINS


class Ear:
    """One caller's audio, from frames to events; made by `Ears`."""

    def __init__(self, bank: VadBank, slot: int, endpoints: Endpointing, echo: EchoGate) -> None:
        self.endpoints = endpoints
        self.echo = echo
        self.unnoted: list[tuple[int, bytes]] = []  # frames of ours whose level the next step will measure
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
        for start in range(0, len(mulaw), FRAME_BYTES):
            self.unnoted.append((at_ms, mulaw[start : start + FRAME_BYTES]))
            at_ms += FRAME_MS

    def cleared(self, at_ms: int) -> None:
        """What the phone was to play from here on it never will: it was told to drop it."""
        self.unnoted = [frame for frame in self.unnoted if frame[0] < at_ms]
        self.echo.cleared(at_ms)

    def reported(self, key: str) -> bool:
        """Twilio told of a key: is it a new press? Not if its tone was heard a moment ago."""
        return self._keypad.report(self.now_ms, key)

    def key_blocks(self, verdict: Verdict) -> list[bytes]:
        """Take one frame's verdict; gives the audio in which a key's tones are to be looked for."""
        if self._keypad.reported:
            return []
        if not _may_hold_key(verdict):
            self._keys.skip()
            return []
        return self._keys.blocks(verdict.mulaw)

    def judge(self, verdict: Verdict, keys: list[str | None]) -> list[Event]:
        """Take one frame's verdict, and what was in its blocks; gives all that follows, in order."""
        self._line.quiet_steps = 0
        near = self.echo.is_near(verdict.at_ms, verdict.level_dbfs)
        speaking_ms = self.echo.speaking_ms(verdict.at_ms)
        found = self.endpoints.hear(verdict.at_ms, verdict.probability, near=near, speaking_ms=speaking_ms)
        self._pre_roll.append(verdict.mulaw)
        news = self._with_audio(found)
        if not _may_hold_key(verdict):
            self._keys.release()
        if keys:
            news = [*self._heard(keys, verdict.at_ms), *news]
        return news

    def wait(self) -> list[Event]:
        """A step has passed without a frame of this call."""
        self._line.quiet_steps += 1
        if self._line.quiet_steps <= PATIENT_STEPS:
            return []
        return self._with_audio(self.endpoints.pass_time(self.now_ms + self._line.quiet_steps * FRAME_MS))

    def _heard(self, keys: list[str | None], at_ms: int) -> list[Event]:
        return [KeyHeard(at_ms, key) for key in self._keys.pressed(keys) if self._keypad.hear(at_ms, key)]

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


def _may_hold_key(verdict: Verdict) -> bool:
    return verdict.level_dbfs >= KEY_DBFS and verdict.probability <= KEY_PROBABILITY


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

    def __init__(self, bank: VadBank, tuning: Tuning | None = None) -> None:
        self._bank = bank
        self._tuning = tuning or Tuning()
        self._ears: dict[int, Ear] = {}

    def open(self, endpoints: Endpointing | None = None) -> Ear:
        """Begin to hear one call."""
        slot = self._bank.add()
        endpoints = endpoints or Endpointing(self._tuning.timing, self._tuning.sensitivity)
        ear = self._ears[slot] = Ear(self._bank, slot, endpoints, EchoGate(self._tuning.margins))
        return ear

    def close(self, ear: Ear) -> None:
        """The call is over."""
        (slot,) = (slot for slot, other in self._ears.items() if other is ear)
        del self._ears[slot]
        self._bank.remove(slot)

    def step(self) -> list[tuple[Ear, list[Event]]]:
        """Judge all that was heard since the last step; gives the calls that something follows for."""
        self._note()
        verdicts = self._bank.step()
        ears = [self._ears[verdict.slot] for verdict in verdicts]
        blocks = [ear.key_blocks(verdict) for ear, verdict in zip(ears, verdicts, strict=True)]
        keys = iter(keys_in([block for own in blocks for block in own]))
        news: dict[int, list[Event]] = {slot: [] for slot in self._ears}
        for ear, verdict, own in zip(ears, verdicts, blocks, strict=True):
            news[verdict.slot] += ear.judge(verdict, list(islice(keys, len(own))))
        for slot in self._ears.keys() - {verdict.slot for verdict in verdicts}:
            news[slot] += self._ears[slot].wait()
        return [(self._ears[slot], events) for slot, events in news.items() if events]

    def _note(self) -> None:
        """Measure what was played to all of them, at once."""
        played = [(ear, *frame) for ear in self._ears.values() for frame in ear.unnoted]
        levels = levels_dbfs(b"".join(mulaw for _, _, mulaw in played))
        for (ear, at_ms, _), level in zip(played, levels, strict=True):
            ear.echo.played(at_ms, level)
            ear.unnoted.clear()
