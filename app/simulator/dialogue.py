"""The caller's side of the talk: when to speak, when to press keys, when to hang up. In media time."""

from collections import deque
from dataclasses import dataclass

from app.audio.frame import FRAME_BYTES, FRAME_MS, SILENCE, duration_ms
from app.simulator.plan import Patience, Turn
from app.simulator.recording import onset_ms


@dataclass(slots=True)
class TurnFigures:
    """One turn, measured where the caller's ear and mouth are."""

    caller_ms: int  # how long the caller spoke
    at_ms: int = 0  # the caller's first sound or key, since the phone was picked up
    # From the caller's last sound to the first of the reply; 0: it began even before; None: there was none.
    silence_ms: int | None = None
    reply_ms: int = 0  # audio heard of it, until the next turn
    clear_ms: int | None = None  # from `at_ms` to `clear`: the hotline fell silent; None: none came
    reply_at_ms: int | None = None  # since the phone was picked up
    heard: str | None = None  # the reply's words; None: nobody has written them down


@dataclass(frozen=True, slots=True)
class Doings:
    """What the caller does in these 20 ms."""

    mulaw: bytes | None = None  # one frame; None is silence
    digits: str = ""
    hangs_up: bool = False


NOTHING = Doings()
HANG_UP = Doings(hangs_up=True)


class Dialogue:
    """Takes turns with whatever is at the other end. Asked once every 20 ms."""

    def __init__(self, turns: tuple[Turn, ...], patience: Patience) -> None:
        self._turns = deque(turns)
        self._patience = patience
        self._speech: deque[bytes] = deque()  # frames still to be said
        self._ear = Ear()
        self._now_ms = 0  # since the phone was picked up
        self.figures: list[TurnFigures] = []

    def tick(self, *, hears: bool, is_quiet: bool) -> Doings:
        """The next 20 ms. `hears`: audio is playing; `is_quiet`: none waits, and no mark is out either."""
        self._ear.tick(hears=hears, is_quiet=is_quiet)
        self._measure(hears)
        doings = self._act()
        self._now_ms += FRAME_MS
        return doings

    def missed(self, silent_ms: int) -> None:
        """So long there was no stream: nothing could be said, and the caller goes on when there is one."""
        self._now_ms += silent_ms
        self._ear.missed(silent_ms)

    def cleared(self) -> None:
        """The hotline has fallen silent; all frames of the ticks before have left on their way to it."""
        for turn in self.figures[-1:]:
            if turn.clear_ms is None and self._now_ms > turn.at_ms:
                turn.clear_ms = self._now_ms - turn.at_ms

    def _act(self) -> Doings:
        if self._ear.total_ms >= (self._patience.hang_up_after_ms or float("inf")):
            return HANG_UP
        if self._speech:
            return self._speak()
        if self._turns:
            return self._begin(self._turns.popleft()) if self._may_begin(self._turns[0]) else NOTHING
        return HANG_UP if self._is_over() else NOTHING

    def _begin(self, turn: Turn) -> Doings:
        frames = [turn.mulaw[at : at + FRAME_BYTES] for at in range(0, len(turn.mulaw), FRAME_BYTES)]
        self._speech.extend(frame.ljust(FRAME_BYTES, SILENCE) for frame in frames)
        at_ms = self._now_ms + onset_ms(turn.mulaw)
        self.figures.append(TurnFigures(caller_ms=round(duration_ms(turn.mulaw)), at_ms=at_ms))
        self._ear.turn_began()
        return Doings(self._speak().mulaw if self._speech else None, turn.digits)

    def _speak(self) -> Doings:
        frame = self._speech.popleft()
        if not self._speech:
            self._ear.turn_ended()
        return Doings(frame)

    def _may_begin(self, turn: Turn) -> bool:
        if turn.interrupt_after_ms is not None:
            return self._ear.heard_ms >= turn.interrupt_after_ms
        quiet_ms = self._patience.quiet_before_turn_ms if turn.quiet_ms is None else turn.quiet_ms
        return self._ear.reply_has_ended(quiet_ms) or self._gave_up_waiting()

    def _is_over(self) -> bool:
        quiet_ms = self._patience.quiet_before_end_ms
        return quiet_ms is not None and (self._ear.reply_has_ended(quiet_ms) or self._gave_up_waiting())

    def _gave_up_waiting(self) -> bool:
        return not self._ear.heard_ms and self._ear.silent_ms >= self._patience.reply_within_ms

    def _measure(self, hears: bool) -> None:
        if not self.figures or not hears or self._ear.is_old_reply:
            return
        turn = self.figures[-1]
        if turn.silence_ms is None:
            turn.silence_ms = 0 if self._speech else self._ear.waited_ms
            turn.reply_at_ms = self._now_ms
        turn.reply_ms += FRAME_MS


class Ear:
    """How long something, or nothing, has been heard; all in ms."""

    def __init__(self) -> None:
        self.total_ms = 0  # heard since the call began
        self.heard_ms = 0  # heard since the caller's last turn began; what ran on into it does not count
        self.quiet_ms = 0  # of unbroken quiet
        self.waited_ms = 0  # since the caller's last turn ended, before this frame
        self.is_old_reply = False  # what is heard now began before the caller's last turn
        self._clock_ms = 0

    def tick(self, *, hears: bool, is_quiet: bool) -> None:
        self.waited_ms = self._clock_ms
        self._clock_ms += FRAME_MS
        if is_quiet and not hears:
            self.quiet_ms += FRAME_MS
            self.is_old_reply = False
            return
        self.quiet_ms = 0
        if hears:
            self.total_ms += FRAME_MS
            self.heard_ms += 0 if self.is_old_reply else FRAME_MS

    def missed(self, silent_ms: int) -> None:
        self._clock_ms += silent_ms

    def turn_began(self) -> None:
        self.is_old_reply = self.quiet_ms == 0 and self.total_ms > 0
        self.heard_ms = 0
        self._clock_ms = 0

    def turn_ended(self) -> None:
        self._clock_ms = 0

    @property
    def silent_ms(self) -> int:
        """Of unbroken quiet since the caller's last turn."""
        return min(self.quiet_ms, self._clock_ms)

    def reply_has_ended(self, quiet_ms: int) -> bool:
        return self.heard_ms > 0 and self.quiet_ms >= quiet_ms
