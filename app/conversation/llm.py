"""The conversation with a language model: its words come from the model, its deeds from the configuration."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from app import clock
from app.conversation import port
from app.conversation.history import History, Speaker
from app.conversation.llm_asking import Asking
from app.conversation.llm_consent import CONSENT_PHRASES, agrees
from app.conversation.llm_messages import messages, said_by_caller, system_text
from app.conversation.llm_port import Budget, LlmLimits, Message, Model, ModelFailed, Role, ToolCall
from app.conversation.llm_reply import MakeCutter, Reply
from app.conversation.llm_tools import Confirm, Done, Handed, Outcome, Refused, Toolbox
from app.conversation.llm_words import FixedWords
from app.conversation.persona import Persona, Place
from app.conversation.port import Expect, Fact, GatherKeys, GiveUp, Order, Say, Transfer
from app.conversation.variants import Variants
from app.conversation.wording import NUMBERS
from app.log import log

SINGLE_KEYS = GatherKeys(most=1, terminator="")


@dataclass(slots=True)
class _Standing:
    """Where a call stands between two facts."""

    confirming: Place | None = None  # where the caller was asked whether to be put through
    question: str = ""  # in which words
    gathering: bool = False  # a number is keyed in
    tools: int = 0
    failures: int = 0
    missed: int = 0


class Llm:
    """One call; `respond` may be called for a fact while the orders of an earlier one are still read.

    A reply is remembered as far as it was heard (`SentenceHeard`, `Interrupted`), not as it was written.

    Args:
        make_cutter: makes what cuts one reply into sentences.
        greeting: instead of the persona's.
    """

    def __init__(
        self,
        model: Model,
        persona: Persona,
        make_cutter: MakeCutter,
        *,
        toolbox: Toolbox | None = None,
        greeting: str = "",
        limits: LlmLimits | None = None,
    ) -> None:
        self._limits = limits or LlmLimits()
        self._toolbox = toolbox or Toolbox(persona)
        self._asking = Asking(model, self._toolbox.tools, make_cutter, self._limits)
        self._system = system_text(persona)
        self._words = FixedWords(persona, greeting)
        self._history = History(self._limits.history_entries)
        self._standing = _Standing()

    def respond(self, fact: Fact) -> AsyncGenerator[Order, None]:
        """Take one fact now, give the orders as they become known; closing the iterator stops the model."""
        self._note(fact)
        orders = self._without_model(fact)
        return self._reply() if orders is None else _given(orders)

    def _note(self, fact: Fact) -> None:
        """Remember what was said and heard."""
        history = self._history
        match fact:
            case port.CallStarted(call_sid):
                self._words.variants = Variants(call_sid)
            case port.UtteranceHeard(text):
                history.caller_said(said_by_caller(text))
            case port.KeysEntered(digits):
                history.caller_pressed(digits)
            case port.SentenceHeard(text):
                history.bridge_said(text)
            case port.Interrupted(heard, unheard):
                history.bridge_was_cut(heard)
                if self._standing.question and self._standing.question in unheard:
                    self._standing.confirming = None  # a yes to what follows would be one to something else
            case port.MessageTaken() | port.TransferFailed() | port.HearingLost() | port.EarsAwaited():
                history.caller_said(_note_on(fact))

    def _without_model(self, fact: Fact) -> list[Order] | None:
        """The orders that need no model; None when it has to be asked."""
        words = self._words
        match fact:
            case port.CallStarted():
                return [Say(words.greeting), words.expect()]
            case port.CallResumed(unheard, cut_off):
                return self._resumed(unheard, cut_off=cut_off)
            case port.NotUnderstood() | port.UtteranceHeard() | port.KeysEntered():
                return self._answered(fact)
            case port.EarsAwaited(position):
                return [words.line("waiting", position=str(position))]
            case port.MessageTaken() | port.TransferFailed() | port.HearingLost():
                return None
            case port.SilenceLasted(times):
                return words.silence(times)
            case port.SpeechFailed():
                return [GiveUp()]  # no voice is left: a caller must not sit in silence
        return []

    def snapshot(self) -> dict[str, object]:
        return {"history": self._history.snapshot(), "tools": self._standing.tools}

    def restore(self, state: Mapping[str, object]) -> None:
        self._history.restore(state.get("history"))
        tools = state.get("tools")
        self._standing.tools = tools if isinstance(tools, int) else 0

    def _resumed(self, unheard: Sequence[Order], *, cut_off: bool) -> list[Order] | None:
        """Say what was not heard; where the caller's words were not answered yet, ask the model now."""
        last = self._history.entries()[-1:]
        if not unheard and last and last[0].speaker is Speaker.CALLER:
            return None
        return [*([self._words.line("cut_off")] if cut_off else []), *unheard, self._words.expect()]

    def _answered(
        self, fact: port.NotUnderstood | port.UtteranceHeard | port.KeysEntered
    ) -> list[Order] | None:
        wordless = isinstance(fact, port.UtteranceHeard) and not said_by_caller(fact.text)
        if wordless or isinstance(fact, port.NotUnderstood):
            return self._miss()
        self._standing.missed = 0
        return self._confirmed(fact)

    def _miss(self) -> list[Order]:
        self._standing.missed += 1
        if self._standing.missed >= self._limits.failures:
            return self._words.farewell("give_up")
        return [self._words.line("missed")]

    def _confirmed(self, fact: port.UtteranceHeard | port.KeysEntered) -> list[Order] | None:
        """What a caller's yes leads to; the model has no part in it."""
        place, self._standing.confirming = self._standing.confirming, None
        said_yes = fact.digits == "1" if isinstance(fact, port.KeysEntered) else agrees(fact.text)
        if place is None or not said_yes:
            return None
        log.info("conversation.transfer_confirmed")
        return [self._words.line("transfer"), Transfer(place.number)]

    async def _reply(self) -> AsyncGenerator[Order, None]:
        """The model's reply to what was said so far, then what to listen for."""
        limits = self._limits
        said = messages(self._system, self._history, most_chars=limits.history_chars)
        reply = Reply(said, Budget(limits.reply_s), limits.longest_reply, clock.now())
        outcome = "abandoned"
        if self._standing.gathering:
            self._standing.gathering = False
            yield SINGLE_KEYS
        try:
            async with aclosing(self._rounds(reply)) as orders:
                async for order in orders:
                    yield order
            outcome, self._standing.failures = "finished", 0
        except ModelFailed:
            outcome = "failed"
            for order in self._apologise(reply):
                yield order
        finally:
            log.info("conversation.replied", outcome=outcome, **reply.figures(clock.now()))
        if not reply.last_word:
            yield self._expect()

    def _expect(self) -> Expect:
        if self._standing.gathering:
            return Expect(tuple(NUMBERS), digits=True)
        return self._words.expect() if self._standing.confirming is None else Expect(CONSENT_PHRASES)

    def _apologise(self, reply: Reply) -> list[Order]:
        self._standing.failures += 1
        if self._standing.failures >= self._limits.failures:
            reply.last_word = True
            return self._words.farewell("give_up")
        return [self._words.line("broken" if reply.sentences else "failed")]

    async def _rounds(self, reply: Reply) -> AsyncGenerator[Order, None]:
        """Ask, obey the tools, tell the model what came of it, and ask again, until it has answered."""
        for number in range(1, self._limits.rounds + 1):
            reply.rounds = number
            asked = self._asking.begin()
            may_call = number < self._limits.rounds
            async with aclosing(self._asking.ask(reply, asked, may_call=may_call)) as orders:
                async for order in orders:
                    yield order
            if not asked.calls:
                return
            reply.messages.append(asked.message())
            for call in asked.calls:
                outcome = self._use(call, reply)
                for order in self._ordered(outcome, reply):
                    yield order
                if isinstance(outcome, Handed | Confirm):
                    return
                reply.messages.append(Message(Role.TOOL, outcome.told, call_id=call.id))
            if reply.full or (asked.said and self._standing.gathering):
                return  # nothing is left to say

    def _use(self, call: ToolCall, reply: Reply) -> Outcome:
        """Have one call checked, within what a reply and a call may use."""
        limits = self._limits
        reply.tools += 1
        self._standing.tools += 1
        if reply.tools > limits.tools_a_reply or self._standing.tools > limits.tools_a_call:
            outcome: Outcome = Refused("no more tools can be used now: answer in words")
        else:
            outcome = self._toolbox.use(call)
        report = log.warning if isinstance(outcome, Refused) else log.info
        report(
            "conversation.tool_used",
            tool=self._toolbox.known(call.name),
            outcome=type(outcome).__name__.lower(),
            **{"pii.arguments": call.arguments},
        )
        return outcome

    def _ordered(self, outcome: Outcome, reply: Reply) -> list[Order]:
        match outcome:
            case Done(orders=orders):
                asked_for_keys = any(isinstance(order, GatherKeys) for order in orders)
                self._standing.gathering = self._standing.gathering or asked_for_keys
                return list(orders)
            case Handed(order, line):
                reply.last_word = True
                return [order] if reply.sentences else [self._words.line(line), order]
            case Confirm(place, name):
                question = self._words.line("confirm", name=name)
                self._standing.confirming, self._standing.question = place, question.text
                return [question]
        return []


async def _given(orders: Sequence[Order]) -> AsyncGenerator[Order, None]:
    for order in orders:
        yield order


def _note_on(
    fact: port.MessageTaken | port.TransferFailed | port.HearingLost | port.EarsAwaited,
) -> str:
    """What the telephone tells the model."""
    match fact:
        case port.MessageTaken(duration_s) if duration_s > 0:
            return f"[left a message of {duration_s:.0f} seconds]"
        case port.MessageTaken():
            return "[left no message]"
        case port.TransferFailed():
            return "[nobody took the call: the caller is back with you]"
        case port.EarsAwaited():
            return "[you cannot hear the caller yet: only keys reach you]"
    return "[you cannot hear the caller any more: offer choices by single keys]"
