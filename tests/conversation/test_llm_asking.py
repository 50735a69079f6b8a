"""Asking a model: what is tried again, how long that takes, and what is kept of it."""

from collections.abc import AsyncIterator

import pytest

from app.conversation.llm_asking import Asking
from app.conversation.llm_openai import OpenAiModel, Patience
from app.conversation.llm_port import Budget, LlmLimits, Message, ModelFailed, Role, Tool
from app.conversation.llm_reply import Reply, Round
from app.conversation.port import Say
from app.errors import Failure
from app.speech.sentences import SentenceCutter
from tests.standins import openai
from tests.standins.openai import KEY, MODEL, OpenAiStandin

BUSY = openai.Reply(refuse=(503, {}))
HANG_UP = Tool("hang_up", "End the call.", {"type": "object", "properties": {}})


@pytest.fixture
async def vendor() -> AsyncIterator[OpenAiStandin]:
    async with OpenAiStandin() as vendor:
        yield vendor


@pytest.fixture
async def model(vendor: OpenAiStandin) -> AsyncIterator[OpenAiModel]:
    patience = Patience(connect_s=1.0, first_token_s=0.3, gap_s=0.3)
    async with OpenAiModel(base_url=vendor.url, api_key=KEY, model=MODEL, patience=patience) as model:
        yield model


async def ask(
    model: OpenAiModel, limits: LlmLimits, *, budget_s: float = 5.0, may_call: bool = True
) -> tuple[list[str], Reply, Round]:
    asking = Asking(model, [HANG_UP], SentenceCutter, limits)
    reply = Reply([Message(Role.CALLER, "hello")], Budget(budget_s), limits.longest_reply, began=0.0)
    asked = asking.begin()
    said = [
        order.text async for order in asking.ask(reply, asked, may_call=may_call) if isinstance(order, Say)
    ]
    return said, reply, asked


async def test_as_many_attempts_as_there_may_be(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies += [BUSY] * 3

    with pytest.raises(ModelFailed) as raised:
        await ask(model, LlmLimits(attempts=3, pause_s=(0.0, 0.001)))

    assert raised.value.kind is Failure.BUSY
    assert len(vendor.seen) == 3


async def test_a_pause_counts_as_waiting(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(BUSY)

    _, reply, _ = await ask(model, LlmLimits(pause_s=(0.05, 0.06)))

    assert reply.budget.left_s <= 4.95


async def test_no_pause_that_would_use_up_the_time(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(BUSY)

    with pytest.raises(ModelFailed):
        await ask(model, LlmLimits(pause_s=(1.0, 1.1)), budget_s=0.9)

    assert len(vendor.seen) == 1


async def test_half_a_first_sentence_is_forgotten_before_the_next_attempt(
    vendor: OpenAiStandin, model: OpenAiModel
) -> None:
    vendor.replies += [openai.Reply("<think>I sho", cut_after=2), openai.Reply("Hello. I am here.")]

    said, reply, asked = await ask(model, LlmLimits(pause_s=(0.0, 0.001)))

    assert said == asked.said == ["Hello.", "I am here."]
    assert reply.sentences == 2


@pytest.mark.parametrize(
    ("finish", "may_call"), [("", False), ("length", True)], ids=["not allowed", "perhaps cut short"]
)
async def test_calls_that_may_not_count_are_dropped(
    vendor: OpenAiStandin, model: OpenAiModel, finish: str, may_call: bool
) -> None:
    vendor.replies.append(openai.Reply("Bye.", calls=(("hang_up", ""),), finish=finish))

    _, _, asked = await ask(model, LlmLimits(), may_call=may_call)

    assert asked.calls == ()
