"""The shell around the turns: facts go in, and speaker, player and conversation carry out what follows."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app import clock
from app.audio import tone
from app.calls.listening import Listening
from app.calls.message import Mailbox
from app.calls.player import Player
from app.calls.registry import Ending
from app.calls.responder import Responder
from app.calls.speaker import Speaker
from app.capacity.port import Rank
from app.conversation import port, turn_port
from app.conversation.turns import Turns
from app.log import log


@dataclass(slots=True)
class Latencies:
    """From the end of what the caller said to the first frame of the reply."""

    asked_at: float | None = None
    replies_ms: list[int] = field(default_factory=list)
    barge_ins: int = 0

    def asked(self, fact: port.Fact) -> None:
        self.asked_at = clock.now() if isinstance(fact, port.UtteranceHeard | port.KeysEntered) else None

    def replied(self) -> None:
        if self.asked_at is not None:
            ttfa_ms = round((clock.now() - self.asked_at) * 1000)
            self.asked_at = None
            self.replies_ms.append(ttfa_ms)
            log.info("turn.replied", ttfa_ms=ttfa_ms)


@dataclass(frozen=True, slots=True)
class Acts:
    """What the turns make the call do, besides speaking."""

    end: Callable[[Ending], None]
    transfer: Callable[[str], None]
    listening: Listening
    mailbox: Mailbox
    note: Callable[[], None]
    """Something has changed that another server would have to know."""
    freeze: Callable[[], None]
    """What is known now is what another server goes on from."""


class TurnTaking:
    """One call's turns; `tell` takes every fact, `run` puts the questions to the conversation."""

    def __init__(
        self,
        turns: Turns,
        conversation: port.StreamingConversation,
        speaker: Speaker,
        player: Player,
        *,
        acts: Acts,
        prompts: Mapping[str, bytes],
    ) -> None:
        self._turns = turns
        self._speaker = speaker
        self._player = player
        self._acts = acts
        self._prompts = prompts
        self._timer: asyncio.TimerHandle | None = None
        self._latencies = Latencies()
        self._leaving = self._parting = False
        self.responder = Responder(conversation, order=self._ordered, done=self._answered)

    def tell(self, fact: turn_port.TurnFact) -> None:
        """Take one fact, carry out all that follows, and set the next alarm."""
        before = self._turns.floor
        if isinstance(fact, turn_port.SentenceBegan):
            self._latencies.replied()
        for order in self._turns.handle(fact, clock.now()):
            self._obey(order)
        if self._turns.floor is not before:
            log.debug("turn.floor_passed", floor=self._turns.floor.value, fact=type(fact).__name__)
        self._set_alarm()
        self._leave_if_idle()

    def leave(self) -> None:
        """End the stream at the next silence: another server goes on."""
        self._leaving = True
        self._leave_if_idle()

    def part(self, notice: str) -> None:
        """Say the notice now, hold what was being said for another server, and end the stream."""
        if not self._parting:
            self._parting = True
            self._acts.freeze()
            self.responder.abandon()
            self._speaker.interrupt()
            self._player.hold()
            self._player.abandon()
            self._speaker.say(notice, interruptible=False, is_reply=False)
            self._speaker.then(lambda: self._acts.end(Ending.HANDED_OVER))

    def figures(self) -> dict[str, object]:
        """What the call's last line says of its turns."""
        replies = sorted(self._latencies.replies_ms)
        middle = replies[len(replies) // 2] if replies else None
        return {"turns": len(replies), "barge_ins": self._latencies.barge_ins, "ttfa_ms_p50": middle}

    @property
    def doing(self) -> str:
        """Who has the floor, or `greeting` or `leaving`."""
        if self._leaving or self._parting:
            return "leaving"
        replying = self._turns.floor in (turn_port.Floor.THINKING, turn_port.Floor.SPEAKING)
        is_first = self._speaker.rank is Rank.GREETING
        return "greeting" if replying and is_first else self._turns.floor.value

    def close(self) -> None:
        """The call is over."""
        if self._timer is not None:
            self._timer.cancel()

    def _leave_if_idle(self) -> None:
        if self._leaving and self._turns.idle and not self._player.is_speaking:
            self._acts.end(Ending.HANDED_OVER)

    def _obey(self, order: turn_port.TurnOrder) -> None:
        match order:
            case turn_port.Ask(fact):
                self._latencies.asked(fact)
                self._speaker.rank = Rank.GREETING if isinstance(fact, port.CallStarted) else Rank.TURN
                self.responder.ask(fact)
                self._acts.note()
            case turn_port.Interrupt():
                self._player.hold()
            case turn_port.Resume():
                log.info("turn.resumed")
                self._player.resume()
            case turn_port.Abandon():
                self._abandon()
            case turn_port.PlayFiller(text):
                self._speaker.fill(text)
            case turn_port.Record():
                self._player.beep()
                self._acts.mailbox.open()
            case turn_port.EndMessage(keep):
                self._acts.mailbox.close(keep=keep)

    def _abandon(self) -> None:
        self.responder.abandon()
        self._speaker.interrupt()
        was_speaking = self._player.is_speaking
        heard, unheard = self._player.abandon()
        if was_speaking:
            self._latencies.barge_ins += 1
            log.info("turn.barged_in", heard_characters=len(heard), unheard_characters=len(unheard))
            self.responder.note(port.Interrupted(heard, unheard))

    def _ordered(self, order: port.Order) -> None:
        """The conversation ordered this: speak it, or do it when all before has been heard."""
        self._turns.ordered(order)
        match order:
            case port.Say(text, interruptible):
                self._speaker.say(text, interruptible=interruptible)
            case port.PlayPrompt(path, interruptible):
                self._speaker.play(path, self._prompts.get(path, b""), interruptible=interruptible)
            case port.PressKeys(keys):
                self._speaker.play(f"(keys: {keys})", tone.keys(keys), interruptible=False)
            case port.PlayBack():
                self._speaker.play("(the caller's own voice)", self._acts.listening.last_heard)
            case port.Expect():
                self._acts.listening.expect(order)
            case port.HangUp() | port.GiveUp() | port.Transfer():
                self._part(order)
        self._acts.note()
        self._set_alarm()

    def _part(self, order: port.HangUp | port.GiveUp | port.Transfer) -> None:
        """These are the last words; what follows them waits until they were heard."""
        match order:
            case port.HangUp():
                self._speaker.then(lambda: self._acts.end(Ending.FINISHED))
            case port.GiveUp():
                self._speaker.drop()
                self._speaker.then(lambda: self._acts.end(Ending.SPEECH_FAILED))
            case port.Transfer(number):
                self._speaker.then(lambda: self._acts.transfer(number))

    def _answered(self) -> None:
        self._speaker.then(lambda: self.tell(turn_port.ReplyHeard()))

    def _set_alarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._turns.next_deadline()
        if deadline is None:
            self._timer = None
        else:
            self._timer = asyncio.get_running_loop().call_at(deadline, self.tell, turn_port.Tick())
