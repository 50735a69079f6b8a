"""The scripted conversation: one call through the steps of a script."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.conversation import port
from app.conversation.matching import Match, Option, match_choice, match_key, phrases_of
from app.conversation.port import Expect, Fact, GatherKeys, GiveUp, HangUp, Order, PlayPrompt, Say
from app.conversation.script_model import (
    Answer,
    Everywhere,
    Goodbye,
    Greeting,
    Hours,
    Menu,
    Message,
    Question,
    Script,
    Step,
    Transfer,
)
from app.conversation.script_standing import Outcome, Way, read, written
from app.conversation.script_texts import daypart, fill, read_keys
from app.conversation.variants import Variants
from app.conversation.wording import NUMBERS, SPOKEN, enumerated, plain, spoken_digits, without_lead_in

LONGEST_ANSWER = 200  # characters that are kept of one answer
# Misses in a row: after these the wording changes, after the last the call ends. Keys are offered twice.
SECOND_MISS, KEYS_MISS, LAST_MISS = 2, 3, 5
QUESTION_MISSES = 3  # a question is given up earlier: there is a way around it

_Speaking = Greeting | Menu | Answer | Question | Message | Transfer | Goodbye
# Outcomes beside the steps' names, which no step can have.
REPEAT, HELP = "<repeat>", "<help>"


class ScriptConversation:
    """One call; `moment`, with its zone, is when it began.

    `kept` are the caller's answers by name: their words, never for the log but in `pii.*` keys.
    """

    def __init__(self, script: Script, moment: datetime, *, greeting: str = "") -> None:
        self.kept: dict[str, str] = {}
        self._script = script
        self._steps = script.steps()
        self._moment = script.local(moment)
        self._greeting = greeting
        self._variants = Variants()
        self._way = Way(menu=next(iter(script.menu), ""))

    def handle(self, fact: Fact) -> list[Order]:
        """Take one fact, give all orders that follow from it, in order."""
        match fact:
            case port.CallStarted(call_sid):
                self._variants = Variants(call_sid)
                return self._greet()
            case port.UtteranceHeard(text):
                return self._hear(text)
            case port.KeysEntered(digits):
                return self._take_keys(digits)
            case port.NotUnderstood():
                return self._miss()
            case port.SilenceLasted(times):
                return self._break_silence(times)
            case port.SpeechFailed():
                return [GiveUp()]  # no voice is left: a caller must not sit in silence
        return self._go_on(fact)

    def _go_on(self, fact: Fact) -> list[Order]:
        """What the caller did not say: nobody listens, the ends of messages and transfers."""
        match fact, self._steps.get(self._way.step):
            case port.EarsAwaited(position), _:
                waiting = self._script.not_understood.waiting
                return [*self._say(waiting, position=str(position)), *self._listen()]
            case port.CallResumed(unheard, cut_off), step:
                return self._resume(step, unheard, cut_off=cut_off)
            case port.HearingLost(), _:
                return [*self._say(self._script.not_understood.keys), *self._listen()]
            case port.MessageTaken(duration_s), Message() as step:
                empty = duration_s <= 0 and step.empty is not None
                return self._enter((step.empty if empty else step.then) or self._way.menu)
            case port.TransferFailed(), Transfer() as step:
                return self._enter(step.otherwise)
        return []

    def snapshot(self) -> dict[str, object]:
        return written(self._way, self.kept)

    def restore(self, state: Mapping[str, object]) -> None:
        if (stood := read(state, self._steps)) is not None:
            self._way, self.kept = stood

    def _resume(self, step: Step | None, unheard: Sequence[Order], *, cut_off: bool) -> list[Order]:
        """Say what was not heard, or else the open question, and go on."""
        orders = [*(self._say(self._script.cut_off) if cut_off else []), *unheard]
        match step:
            case None:
                return [*orders, *self._enter(self._way.menu)]
            case Goodbye():
                return [*orders, HangUp()]
            case Transfer(number=number) if number:
                return [*orders, port.Transfer(number)]
            case Menu() | Question() if cut_off and not unheard:
                return [*orders, *self._speak(step), *self._listen()]
        return [*orders, *self._listen()]

    def _greet(self) -> list[Order]:
        greeting = self._script.greeting
        if self._greeting:
            greeting = greeting.model_copy(update={"say": (self._greeting,), "play": ""})
        return [*self._speak(greeting), *self._enter(greeting.then)]

    def _enter(self, name: str) -> list[Order]:
        """Go to a step, and on from there until the caller has to do something or the call ends."""
        orders: list[Order] = []
        self._way.told = []
        following: str | None = name
        while following is not None:
            at, self._way.step = following, following
            self._way.misses, self._way.between = 0, ()
            orders += self._arrive(at)
            following = self._follow(at)
            if following is not None:
                self._way.told = list(orders)
            self._way.seen.add(at)
        return orders

    def _arrive(self, name: str) -> list[Order]:
        match step := self._steps[name]:
            case Menu():
                self._way.menu = name
                again = step.again if name in self._way.seen else ()
                return [*(self._say(again) or self._speak(step)), *self._listen()]
            case Question() | Message():
                return [*self._speak(step), *self._listen()]
            case Transfer(number=number):
                return [*self._speak(step), port.Transfer(number)] if number else []
            case Goodbye():
                return [*self._speak(step), HangUp()]
            case Answer():
                return self._speak(step)
            case Hours():
                return []

    def _follow(self, name: str) -> str | None:
        """The step that follows at once; None where the caller has to do something, or the call ends."""
        match step := self._steps[name]:
            case Answer():
                return step.then or self._way.menu
            case Hours():
                return step.open if step.is_open(self._moment) else step.closed
            case Transfer(number=""):
                return step.otherwise
        return None

    def _hear(self, text: str) -> list[Order]:
        match step := self._steps[self._way.step]:
            case Menu():
                return self._choose(match_choice(text, self._options()))
            case Question():
                return self._hear_answer(step, text)
            case Message():
                return self._arrive(self._way.step)
        return []

    def _choose(self, match: Match[Outcome]) -> list[Order]:
        outcomes = tuple(dict.fromkeys(match.choices))
        if len(outcomes) == 1:
            return self._obey(outcomes[0])
        if not outcomes:
            return self._miss()
        if self._way.between:
            return self._miss()  # asked once already
        self._way.between = outcomes
        return [*self._say(self._script.not_understood.which), *self._listen()]

    def _hear_answer(self, question: Question, text: str) -> list[Order]:
        # A word that works everywhere could be a part of the answer, so here it has to be all of it.
        for option in self._options():
            if plain(text) in map(plain, option.phrases):
                return self._obey(option.choice)
        if question.answer == "digits":
            return self._keep_digits(question, spoken_digits(text))
        answer = without_lead_in(text)[:LONGEST_ANSWER]
        return self._keep(question, answer) if answer else self._miss()

    def _take_keys(self, digits: str) -> list[Order]:
        step = self._steps[self._way.step]
        if isinstance(step, Message):
            return self._listen()  # the caller would not wait for the end of `say`
        if isinstance(step, Question) and step.answer == "digits" and digits.isdecimal():
            return self._keep_digits(step, digits)
        outcome = match_key(digits, self._options())
        return self._miss() if outcome is None else self._obey(outcome)

    def _keep_digits(self, question: Question, digits: str) -> list[Order]:
        if not digits.isdecimal() or len(digits) > question.most:
            return self._miss()
        return self._keep(question, " ".join(digits))  # said one by one

    def _keep(self, question: Question, answer: str) -> list[Order]:
        self.kept[question.keep] = answer
        return self._enter(question.then)

    def _obey(self, outcome: Outcome) -> list[Order]:
        if outcome not in (REPEAT, HELP):
            return self._enter(outcome)
        step = self._steps[self._way.step]
        self._way.misses, self._way.between = 0, ()
        if not isinstance(step, Menu | Question):
            return []
        if outcome == HELP:
            return [*self._say(getattr(step, "help", ()) or self._script.help), *self._listen()]
        if self._way.told and isinstance(step, Menu):
            return [*self._way.told, *(self._say(step.again) or self._speak(step)), *self._listen()]
        return [*self._speak(step), *self._listen()]

    def _miss(self) -> list[Order]:
        """The caller was not understood: other words each time, then keys, at last goodbye."""
        self._way.misses += 1
        misses, texts, step = self._way.misses, self._script.not_understood, self._steps[self._way.step]
        way_around = (step.otherwise or self._way.menu) if isinstance(step, Question) else ""
        if way_around and misses >= QUESTION_MISSES:
            return self._enter(way_around)
        if misses >= LAST_MISS:
            return [*self._say(texts.goodbye), HangUp()]
        if misses >= KEYS_MISS:
            return [*self._say(texts.keys), *self._listen()]
        return [*self._say(texts.second if misses >= SECOND_MISS else texts.first), *self._listen()]

    def _break_silence(self, times: int) -> list[Order]:
        texts = self._script.silence
        if times > 2:
            return [*self._say(texts.goodbye), HangUp()]
        return [*self._say(texts.second if times > 1 else texts.prompt), *self._listen()]

    def _listen(self) -> list[Order]:
        """What can follow now: keys of one answer and words for the recogniser, or a message."""
        step = self._steps[self._way.step]
        if isinstance(step, Message):
            return [port.TakeMessage(step.longest_s)]
        if not isinstance(step, Menu | Question):
            return []
        phrases = phrases_of(self._options(), SPOKEN)
        if isinstance(step, Menu):
            return [GatherKeys(terminator=""), Expect(phrases)]
        if step.answer == "words":
            return [GatherKeys(terminator=""), Expect((*step.phrases, *phrases))]
        return [GatherKeys(step.most, step.terminator), Expect((*NUMBERS, *phrases), digits=True)]

    def _options(self) -> list[Option[Outcome]]:
        """What can be chosen here, those of this step first."""
        step, between = self._steps[self._way.step], self._way.between
        choices = step.choices if isinstance(step, Menu) else ()
        own = [Option(choice.to, choice.words, choice.key) for choice in choices]
        return [option for option in own if not between or option.choice in between] + [
            Option(_outcome(each), each.words, each.key) for each in self._script.everywhere
        ]

    def _speak(self, step: _Speaking) -> list[Order]:
        played: list[Order] = [PlayPrompt(step.play, step.interruptible)] if step.play else []
        return played + self._say(step.say, interruptible=step.interruptible)

    def _say(self, wordings: Sequence[str], *, interruptible: bool = True, position: str = "") -> list[Order]:
        values = self._values() | {"position": position}
        text = fill(self._variants.choose(wordings), values) if wordings else ""
        return [Say(text, interruptible)] if text else []

    def _values(self) -> dict[str, str]:
        """What stands for the placeholders now."""
        step, everywhere = self._steps.get(self._way.step), self._script.everywhere
        choices = step.choices if isinstance(step, Menu) else ()
        labels = {choice.to: choice.name for choice in reversed(choices)}
        labels = {_outcome(each): each.label or next(iter(each.words), "") for each in everywhere} | labels
        return (
            self._script.names
            | self.kept
            | {
                "daypart": daypart(self._moment.hour),
                "keys": read_keys(choices, everywhere),
                "choices": enumerated([labels[outcome] for outcome in self._way.between]),
            }
        )


def _outcome(each: Everywhere) -> Outcome:
    return each.to or (REPEAT if each.do == "repeat" else HELP)
