"""Asks a model, sentence by sentence; once more where that can help and nothing was said yet."""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from app import clock
from app.conversation.llm_port import Finished, LlmLimits, Model, ModelFailed, Text, Tool
from app.conversation.llm_reply import MakeCutter, Reply, Round
from app.conversation.port import Order, Say
from app.errors import Failure
from app.log import log


class Asking:
    """One call's way to the model."""

    def __init__(
        self, model: Model, tools: Sequence[Tool], make_cutter: MakeCutter, limits: LlmLimits
    ) -> None:
        self._model = model
        self._tools = tools
        self._make_cutter = make_cutter
        self._limits = limits

    def begin(self) -> Round:
        return Round(self._make_cutter())

    async def ask(self, reply: Reply, asked: Round, *, may_call: bool) -> AsyncGenerator[Order, None]:
        """One request; again where that can help, as long as the caller has heard nothing of its answer.

        Raises:
            ModelFailed: the last attempt's.
        """
        limits = self._limits
        for attempt in range(1, limits.attempts + 1):
            try:
                async with aclosing(self._attempt(reply, asked, may_call=may_call)) as orders:
                    async for order in orders:
                        yield order
                return
            except ModelFailed as error:
                log.warning(
                    "conversation.model_failed",
                    provider=error.provider,
                    kind=error.kind.value,
                    reason=error.message,
                    attempt=attempt,
                    **{"pii.words": error.words},
                )
                pause_s = max(error.retry_after_s, random.uniform(*limits.pause_s))
                hopeless = asked.said or not error.retryable or attempt == limits.attempts
                if hopeless or pause_s > min(limits.longest_pause_s, reply.budget.left_s):
                    raise
                asked.begin_again(self._make_cutter())
            reply.budget.left_s -= pause_s
            await asyncio.sleep(pause_s)

    async def _attempt(self, reply: Reply, asked: Round, *, may_call: bool) -> AsyncGenerator[Order, None]:
        answer = self._model.reply(reply.messages, self._tools, reply.budget, may_call=may_call)
        async with answer as pieces:
            async for piece in pieces:
                reply.token_came(clock.now())
                complete = True
                match piece:
                    case Text(text):
                        sentences = asked.feed(text)
                    case Finished():
                        complete = piece.complete
                        sentences = asked.finish(complete=complete)
                        asked.calls = piece.calls if may_call and complete else ()
                    case _:
                        continue
                for say in _said(sentences, reply, asked):
                    yield say
                reply.cut = reply.cut or reply.full or not complete
                if reply.full:
                    return  # leaving ends the model's work: nobody would hear the rest
        if not asked.said and not asked.calls:
            raise ModelFailed(self._model.name, Failure.GARBAGE, "no words")


def _said(sentences: Sequence[str], reply: Reply, asked: Round) -> Iterator[Say]:
    for sentence in sentences:
        if say := reply.say(sentence, clock.now()):
            asked.said.append(say.text)
            yield say
