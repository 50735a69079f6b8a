"""Who has the floor: facts about the caller, the reply and the time come in, orders to the shell go out.

    floor          what is met                                   floor after     orders
    ─────────────  ────────────────────────────────────────────  ──────────────  ─────────────────────────────
    LISTENING      an utterance, with words or without           THINKING        Ask
                   silence_s without a sound, a key or a word    THINKING        Ask(SilenceLasted)
                   a sentence of ours begins                     SPEAKING
    THINKING       a sentence begins                             SPEAKING
                   nothing is to be said                         LISTENING
                   filler_after_s have passed                    THINKING        PlayFiller
                   the caller barges in                          HOLDING         Interrupt
                   an utterance with words                       THINKING        Interrupt, Abandon, Ask
    SPEAKING       the reply was heard                           LISTENING       (Ask, if words were kept)
                   the caller barges in                          HOLDING         Interrupt
                   interim words                                 LISTENING       Interrupt, Abandon
                   an utterance with words                       THINKING        Interrupt, Abandon, Ask
                   the same, while not interruptible             SPEAKING        (the words are kept)
    HOLDING        noise, a cough, a backchannel, or             SPEAKING        Resume
                   false_start_s without words
                   the reply was heard                           LISTENING       Resume
                   SURE_WORDS interim words                      LISTENING       Abandon
                   an utterance with words                       THINKING        Abandon, Ask
                   a long one without                            THINKING        Abandon, Ask(NotUnderstood)
    these four     a key completes an answer                     THINKING        (silence,) Ask(KeysEntered)
                   a key does not                                LISTENING       (silence)
    RECORDING      a key, message_silence_s, the longest time    THINKING        EndMessage, Ask(MessageTaken)
                   the line is gone                              ENDING          EndMessage
    TRANSFERRING   nobody took the caller                        THINKING        Ask(TransferFailed)
    ENDING         anything                                      ENDING

A reply with a message to take goes on to RECORDING when it was heard. (silence) is `Interrupt, Abandon` for a
reply on its way, `Abandon` for one that is held. In SPEAKING and HOLDING words are those that take the floor:
backchannels do not, unless they are an expected answer.
"""

from collections.abc import Callable

from app.conversation import port
from app.conversation.alarms import Alarm, Alarms
from app.conversation.caller import Caller
from app.conversation.keys import Gather
from app.conversation.reply import Reply
from app.conversation.turn_port import (
    OPEN,
    SILENCING,
    SURE_WORDS,
    Abandon,
    Ask,
    BargeIn,
    CallEnded,
    CallerBargedIn,
    CallerBegan,
    CallerStopped,
    EndMessage,
    Floor,
    Given,
    Interim,
    Interrupt,
    NoiseHeard,
    PlayFiller,
    Record,
    ReplyHeard,
    Resume,
    SentenceBegan,
    Tick,
    TurnFact,
    TurnLimits,
    TurnOrder,
)
from app.conversation.variants import Variants


class Turns:
    """One call's turns: `handle` takes every fact, `ordered` every order of the conversation.

    All orders are obeyed in order, then `handle(Tick(), now)` is called at `next_deadline()`.
    """

    def __init__(self, limits: TurnLimits | None = None, *, seed: str = "") -> None:
        self.floor = Floor.LISTENING
        self._limits = limits or TurnLimits()
        self._alarms: Alarms = Alarms()
        self._caller = Caller()
        self._reply = Reply()
        self._gather = Gather()
        self._fillers = Variants(seed)

    def next_deadline(self) -> float | None:
        """When `Tick` is due; None while nothing is waited for."""
        return self._alarms.next()

    @property
    def idle(self) -> bool:
        """Nobody speaks, and nothing that was begun waits for its end: a good moment to part."""
        begun = self._gather.begun or Alarm.TRANSCRIPT in self._alarms
        return self.floor is Floor.LISTENING and not (self._caller.speaking or begun)

    def ordered(self, order: port.Order) -> None:
        """The conversation has ordered this in answer to the last `Ask`."""
        match order:
            case port.GatherKeys(most, terminator, within_s):
                self._gather = Gather(most, terminator, within_s)
            case port.Expect(phrases=phrases):
                self._reply.expect(phrases)
            case port.TakeMessage(longest_s):
                self._reply.message_s = longest_s
            case port.Transfer():
                self._part(Floor.TRANSFERRING)
            case port.HangUp():
                self._part(Floor.ENDING)
            case port.GiveUp():
                self._leave(Floor.ENDING)

    def handle(self, fact: TurnFact, now: float) -> list[TurnOrder]:
        """Take one fact at `now`, give all orders that follow from it."""
        match fact:
            case _ if self.floor is Floor.ENDING:
                return []
            case CallEnded():
                return self._hang_up()
            case port.CallStarted() | port.CallResumed() | port.TransferFailed() if self.floor in OPEN:
                return self._ask(fact, now)
            case Tick():
                due = (alarm for alarm in self._alarms.due(now) if self._alarms.take(alarm, now))
                return [order for alarm in due for order in self._rule(alarm, now)]
            case Interim() | port.UtteranceHeard() if self._caller.recorded:
                return []
        self._note(fact, now)
        return self._rule(fact, now)

    def _note(self, fact: TurnFact, now: float) -> None:
        """What is remembered of the caller on every floor."""
        self._caller.note(fact, recorded=self.floor is Floor.RECORDING)
        match fact:
            case CallerBegan():
                self._alarms.cancel(Alarm.SILENCE, Alarm.FALSE_START, Alarm.TRANSCRIPT)
            case CallerStopped() if not self._caller.recorded:
                self._alarms.set(Alarm.TRANSCRIPT, now + self._limits.transcript_s)
            case port.UtteranceHeard():
                self._alarms.cancel(Alarm.TRANSCRIPT)

    def _rule(self, given: Given, now: float) -> list[TurnOrder]:
        match given:
            case port.KeyPressed(digit) if self.floor in SILENCING:
                return self._press(digit, now)
            case Alarm.KEYS:
                return [*SILENCING[self.floor], *self._ask(port.KeysEntered(self._gather.take()), now)]
            case port.HearingLost() | port.EarsAwaited() if self.floor is Floor.LISTENING:
                return self._ask(given, now)
            case port.HearingLost() | port.EarsAwaited():
                self._caller.ears = given
                return []
        return RULES[self.floor](self, given, now)

    def _listening(self, given: Given, now: float) -> list[TurnOrder]:
        match given:
            case port.UtteranceHeard():
                return self._hear_out(given, now)
            case Alarm.TRANSCRIPT:
                return self._hear_out(port.UtteranceHeard(""), now)
            case NoiseHeard() if self._caller.said is not None:
                return self._hear_out(port.UtteranceHeard(""), now)
            case Alarm.SILENCE:
                self._caller.silences += 1
                return self._ask(port.SilenceLasted(self._caller.silences), now)
            case SentenceBegan(interruptible):
                self._speak(interruptible=interruptible)
            case NoiseHeard() | ReplyHeard():
                self._listen(now)
        return []

    def _thinking(self, given: Given, now: float) -> list[TurnOrder]:
        match given:
            case SentenceBegan(interruptible):
                self._speak(interruptible=interruptible)
            case ReplyHeard():
                return self._end_reply(now)
            case Alarm.FILLER if not self._caller.speaking:
                return [PlayFiller(self._fillers.choose(self._limits.fillers))]
            case CallerBargedIn() if self._limits.barge_in is BargeIn.SPEECH:
                return self._hold()
            case port.UtteranceHeard(text) if self._takes_floor(text):
                return [Interrupt(), Abandon(), *self._ask(given, now)]
        return []

    def _speaking(self, given: Given, now: float) -> list[TurnOrder]:
        match given:
            case SentenceBegan(interruptible):
                self._speak(interruptible=interruptible)
                return self._answer_kept(now) if interruptible else []
            case ReplyHeard():
                return self._end_reply(now)
            case port.UtteranceHeard(text) if self._takes_floor(text):
                self._reply.kept = given
                return self._answer_kept(now) if self._may_be_cut(BargeIn.WORDS) else []
            case CallerBargedIn() if self._may_be_cut(BargeIn.SPEECH):
                return self._hold()
            case Interim(text) if self._may_be_cut(BargeIn.WORDS) and self._takes_floor(
                text, words=SURE_WORDS
            ):
                self._listen(now)
                return [Interrupt(), Abandon()]
        return []

    def _holding(self, given: Given, now: float) -> list[TurnOrder]:
        match given:
            case CallerStopped():
                self._alarms.set(Alarm.FALSE_START, now + self._limits.false_start_s)
            case port.UtteranceHeard():
                return self._judge(given, now)
            case Interim(text) if self._takes_floor(text, words=SURE_WORDS):
                self._listen(now)
                return [Abandon()]
            case NoiseHeard() | Alarm.FALSE_START:
                return self._resume()
            case ReplyHeard():  # the cut came after the last word
                return [Resume(), *self._end_reply(now)]
        return []

    def _recording(self, given: Given, now: float) -> list[TurnOrder]:
        match given:
            case CallerBegan():
                self._reply.message_begun = True
            case CallerStopped() | NoiseHeard():
                self._alarms.set(Alarm.SILENCE, now + self._limits.message_silence_s)
            case port.KeyPressed() | Alarm.SILENCE | Alarm.MESSAGE:
                begun = self._reply.message_begun
                lasted_s = now - self._reply.recording_since if begun else 0.0
                return [EndMessage(keep=begun), *self._ask(port.MessageTaken(lasted_s), now)]
        return []

    def _hang_up(self) -> list[TurnOrder]:
        """The line is gone; most callers end their message so, and it is kept."""
        recorded = self.floor is Floor.RECORDING and self._reply.message_begun
        self._leave(Floor.ENDING)
        return [EndMessage(keep=True)] if recorded else []

    def _press(self, digit: str, now: float) -> list[TurnOrder]:
        silencing = SILENCING[self.floor]
        digits = self._gather.press(digit)
        if digits is not None:
            return [*silencing, *self._ask(port.KeysEntered(digits), now)]
        self._listen(now)
        self._alarms.set(Alarm.KEYS, now + self._gather.within_s)
        return silencing

    def _hear_out(self, heard: port.UtteranceHeard, now: float) -> list[TurnOrder]:
        """Answer all that was said in this turn, but never while the caller goes on."""
        self._caller.add(heard)
        said = None if self._caller.speaking else self._caller.take_said() or port.NotUnderstood()
        return [] if said is None else self._ask(said, now)

    def _judge(self, heard: port.UtteranceHeard, now: float) -> list[TurnOrder]:
        """The reply is held; was it for this?"""
        if self._takes_floor(heard.text):
            return [Abandon(), *self._ask(heard, now)]
        if self._caller.speaking:
            return []  # the next utterance will tell
        if not heard.text and self._caller.lasted_ms > self._limits.noise_up_to_ms:
            return [Abandon(), *self._ask(port.NotUnderstood(), now)]
        return self._resume()

    def _takes_floor(self, text: str, *, words: int = 1) -> bool:
        return len(text.split()) >= words and self._reply.is_ended_by(
            text, least_words=self._limits.least_words
        )

    def _may_be_cut(self, by: BargeIn) -> bool:
        chosen = self._limits.barge_in
        return self._reply.interruptible and (chosen is by or chosen is BargeIn.SPEECH)

    def _answer_kept(self, now: float) -> list[TurnOrder]:
        kept = self._reply.kept
        return [Interrupt(), Abandon(), *self._ask(kept, now)] if kept is not None else []

    def _end_reply(self, now: float) -> list[TurnOrder]:
        if self._reply.message_s is not None:
            return self._record(self._reply.message_s, now)
        if self._caller.ears is not None:
            return self._ask(self._caller.take_ears(), now)
        if self._reply.kept is not None:
            return self._ask(self._reply.kept, now)
        self._listen(now)
        return []

    def _record(self, longest_s: float, now: float) -> list[TurnOrder]:
        self._leave(Floor.RECORDING)
        self._reply.recording_since = now
        self._reply.message_begun = self._caller.recorded = self._caller.speaking
        self._alarms.set(Alarm.MESSAGE, now + longest_s)
        if not self._caller.speaking:
            self._alarms.set(Alarm.SILENCE, now + self._limits.silence_s)
        return [Record()]

    def _ask(self, fact: port.Fact, now: float) -> list[TurnOrder]:
        self._leave(Floor.THINKING)
        self._reply = Reply()
        self._gather = Gather()
        if self._limits.fillers:
            self._alarms.set(Alarm.FILLER, now + self._limits.filler_after_s)
        return [Ask(fact)]

    def _listen(self, now: float) -> None:
        self.floor = Floor.LISTENING
        self._alarms.cancel(Alarm.FILLER, Alarm.FALSE_START, Alarm.SILENCE)
        if self.idle:
            self._alarms.set(Alarm.SILENCE, now + self._limits.silence_s)

    def _speak(self, *, interruptible: bool) -> None:
        self.floor = Floor.SPEAKING
        self._reply.interruptible = interruptible
        self._alarms.cancel(Alarm.FILLER, Alarm.SILENCE)

    def _hold(self) -> list[TurnOrder]:
        self.floor = Floor.HOLDING
        self._alarms.cancel(Alarm.FILLER)
        return [Interrupt()]

    def _resume(self) -> list[TurnOrder]:
        self.floor = Floor.SPEAKING
        self._alarms.cancel(Alarm.FALSE_START)
        if self._reply.parting is not None:
            self._leave(self._reply.parting)
        return [Resume()]

    def _part(self, floor: Floor) -> None:
        """These are the last words, unless the caller has just cut them."""
        if self.floor is Floor.HOLDING:
            self._reply.parting = floor
        else:
            self._leave(floor)

    def _leave(self, floor: Floor) -> None:
        """Go to `floor`; what the last one waited for has no meaning there."""
        self.floor = floor
        self._alarms.clear()


RULES: dict[Floor, Callable[[Turns, Given, float], list[TurnOrder]]] = {
    Floor.LISTENING: Turns._listening,
    Floor.THINKING: Turns._thinking,
    Floor.SPEAKING: Turns._speaking,
    Floor.HOLDING: Turns._holding,
    Floor.RECORDING: Turns._recording,
    Floor.TRANSFERRING: lambda *_: [],
}
