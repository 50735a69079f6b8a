"""What a caller says, told to a vendor whose connections may break: a pure machine, time comes in as `now`.

    begin ─▶ hear ─▶ end ─▶ the vendor is asked for its last word ─▶ a final transcript
                      │ cancel ─▶ the same, and nobody is told

One utterance is told at a time; the next waits until the last word about it has come, so that no answer can
be taken for another's. A lost connection costs no words: the next one is told again what was not confirmed.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from app.hearing.dialect import Dialect, Heard, Message
from app.hearing.port import Transcript
from app.hearing.unconfirmed import Unconfirmed

GROUP_BYTES = 800  # five frames a message: the vendors advise 0.1 s and more
LARGEST_BYTES = 8_000  # a message of a replay; 1 s is the most they advise
MOST_UTTERANCES = 8  # begun and without a last word: more than a caller can say while we are patient
GUESSED = 0.5  # confidence in words that the vendor might still have changed


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a vendor may take, in seconds."""

    final_s: float = 2.0
    """From being asked, with all audio sent, to the last word; 0.2 to 0.4 s is usual."""
    latest_s: float = 5.0
    """From the end of an utterance, when connections had to be replaced meanwhile."""
    keep_alive_s: float = 4.0
    """Without audio; the vendors close after 10 and 15."""


WAITS = Waits()


@dataclass(slots=True)
class _Utterance:
    number: int
    audio: Unconfirmed = field(default_factory=Unconfirmed)
    words: list[Heard] = field(default_factory=list)  # final ones
    interim: str = ""
    begun: bool = False  # told to the connection that stands
    ended_at: float | None = None
    asked_at: float | None = None  # on the connection that stands
    cancelled: bool = False

    def text(self) -> str:
        return " ".join(filter(None, [*(heard.text for heard in self.words), self.interim]))

    def confidence(self) -> float:
        spoken = [heard.confidence for heard in self.words if heard.text]
        return min([*spoken, GUESSED] if self.interim else spoken, default=0.0)


class Dictation:
    """The utterances of one call that have no last word yet; `deliver` gets the transcripts."""

    def __init__(self, deliver: Callable[[Transcript], None], waits: Waits = WAITS) -> None:
        self.answers = 0  # last words that the vendor gave
        self._deliver = deliver
        self._waits = waits
        self._utterances: deque[_Utterance] = deque()
        self._numbered = 0
        self._dropped_bytes = 0  # of utterances that are finished
        self._line = _Line()

    @property
    def idle(self) -> bool:
        """Nothing is to be told, and nothing awaited."""
        return not self._utterances

    @property
    def dropped_bytes(self) -> int:
        """Audio that no vendor was told, since it came faster than it could be sent."""
        return self._dropped_bytes + sum(waiting.audio.dropped_bytes for waiting in self._utterances)

    @property
    def stalled(self) -> bool:
        """The vendor no longer answers on the connection that stands."""
        return self._line.stalled

    def begin(self, now: float) -> int:
        """An utterance begins; one that was not ended ends."""
        self.end(now)
        if len(self._utterances) == MOST_UTTERANCES:
            self._finish(now)
        self._numbered += 1
        if self.idle:
            self._line.headed_at = now
        if not self._line.given_up:
            self._utterances.append(_Utterance(self._numbered))
        return self._numbered

    def hear(self, mulaw: bytes) -> bool:
        """Audio of the utterance that has begun; whether there is enough to be released."""
        current = self._current()
        if current is None:
            return False
        current.audio.put(mulaw)
        return current.audio.unsent_bytes >= GROUP_BYTES

    def end(self, now: float) -> None:
        current = self._current()
        if current is not None:
            current.ended_at = now

    def cancel(self, now: float) -> None:
        current = self._current()
        if current is not None:
            current.ended_at = now
            current.cancelled = True
            current.audio.drop_unsent()

    def connect(self, dialect: Dialect, now: float) -> None:
        """A connection stands; what was told to the one before is told again."""
        self._line.connect(dialect, now)

    def disconnect(self) -> int:
        """The connection is lost; gives the bytes of audio that must be told again."""
        self._line.dialect = None
        again = 0
        for utterance in tuple(self._utterances):
            if utterance.cancelled:
                self._utterances.remove(utterance)
            again += utterance.audio.rewind()
            utterance.begun, utterance.asked_at, utterance.interim = False, None, ""
        return again

    def release(self, now: float) -> list[Message]:
        """Take what is to be sent by now; what the vendor owes us for too long is given up."""
        while (deadline := self._deadline()) is not None and now >= deadline:
            self._line.unanswered += self._utterances[0].asked_at is not None
            self._finish(now)
        dialect = self._line.dialect
        if dialect is None or self.stalled:
            return []
        messages: list[Message] = []
        while self._utterances and self._utterances[0].asked_at is None:
            messages += self._tell(dialect, self._utterances[0])
            if self._utterances[0].ended_at is None:
                break
            messages += self._ask(dialect, self._utterances[0], now)
        if messages:
            self._line.spoke_at = now
        elif now >= self._line.spoke_at + self._waits.keep_alive_s:
            self._line.spoke_at = now
            messages = [dialect.keep_alive()]
        return messages

    def next_release(self) -> float | None:
        """When to call `release` next, if nothing happens before; None: only then."""
        moments = [self._deadline()]
        if self._line.dialect is not None:
            moments.append(self._line.spoke_at + self._waits.keep_alive_s)
        return min((moment for moment in moments if moment is not None), default=None)

    def heard(self, heard: Heard, now: float) -> None:
        """The vendor's words on the utterance it was told of."""
        if self.idle or not self._utterances[0].begun:
            return
        utterance = self._utterances[0]
        before = utterance.text()
        if heard.final:
            utterance.words.append(heard)
            utterance.interim = ""
            utterance.audio.confirm(heard.taken_bytes)
        else:
            utterance.interim = heard.text
        if heard.whole:
            self.answers += 1
            self._line.unanswered = 0
            self._finish(now)
        elif utterance.text() != before and not utterance.cancelled:
            self._deliver(Transcript(utterance.text(), False, utterance.number, heard.confidence))

    def abandon(self, now: float) -> None:
        """There will be no answers any more: every utterance gets its last word now."""
        self._line.given_up = True
        self._line.dialect = None
        while self._utterances:
            self._finish(now)

    def _current(self) -> _Utterance | None:
        """The utterance that the caller is saying."""
        if self._utterances and self._utterances[-1].ended_at is None:
            return self._utterances[-1]
        return None

    def _tell(self, dialect: Dialect, utterance: _Utterance) -> list[Message]:
        messages = []
        least = GROUP_BYTES if utterance.ended_at is None else 1
        while utterance.audio.unsent_bytes >= least:
            if not utterance.begun:
                dialect.begin()
                utterance.begun = True
            whole_groups = utterance.audio.unsent_bytes // GROUP_BYTES * GROUP_BYTES
            messages.append(
                dialect.audio(utterance.audio.take(min(whole_groups or GROUP_BYTES, LARGEST_BYTES)))
            )
        return messages

    def _ask(self, dialect: Dialect, utterance: _Utterance, now: float) -> list[Message]:
        """Ask for the last word, unless it is known: nothing was said, or all of it was confirmed."""
        if not utterance.begun or not utterance.audio:
            self._finish(now)
            return []
        utterance.asked_at = now
        return dialect.end()

    def _deadline(self) -> float | None:
        if self.idle or self._utterances[0].ended_at is None:
            return None
        utterance = self._utterances[0]
        assert utterance.ended_at is not None
        latest = max(utterance.ended_at, self._line.headed_at) + self._waits.latest_s
        if utterance.asked_at is None:
            return latest
        return min(latest, utterance.asked_at + self._waits.final_s)

    def _finish(self, now: float) -> None:
        """The oldest utterance gets its last word: what is known of it, be it nothing."""
        utterance = self._utterances.popleft()
        self._line.headed_at = now
        self._dropped_bytes += utterance.audio.dropped_bytes
        if not utterance.cancelled:
            self._deliver(Transcript(utterance.text(), True, utterance.number, utterance.confidence()))


class _Line:
    """The connection that stands, if any."""

    def __init__(self) -> None:
        self.dialect: Dialect | None = None
        self.spoke_at = 0.0
        self.unanswered = 0  # utterances in a row
        self.given_up = False
        self.headed_at = 0.0  # when the oldest utterance became the oldest

    @property
    def stalled(self) -> bool:
        return self.dialect is not None and self.unanswered >= self.dialect.most_unanswered

    def connect(self, dialect: Dialect, now: float) -> None:
        self.dialect, self.spoke_at, self.unanswered = dialect, now, 0
