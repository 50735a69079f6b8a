"""The model behind an endpoint, against a stand-in that speaks its real wire protocol."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from app.conversation.llm_openai import OpenAiModel, Patience
from app.conversation.llm_port import (
    Budget,
    Finished,
    Message,
    ModelFailed,
    Piece,
    Role,
    Text,
    Thinking,
    Tool,
    ToolCall,
)
from app.errors import Failure
from tests.standins.openai import KEY, MODEL, OpenAiStandin, Reply

ASKED = (Message(Role.SYSTEM, "Be kind."), Message(Role.CALLER, "hello"))
LOOK_UP = Tool("look_up", "Look something up.", {"type": "object", "properties": {}})
QUICK = Patience(connect_s=1.0, first_token_s=0.3, gap_s=0.3)


@pytest.fixture
async def vendor() -> AsyncIterator[OpenAiStandin]:
    async with OpenAiStandin() as vendor:
        yield vendor


@pytest.fixture
async def model(vendor: OpenAiStandin) -> AsyncIterator[OpenAiModel]:
    async with OpenAiModel(base_url=vendor.url, api_key=KEY, model=MODEL, patience=QUICK) as model:
        yield model


async def all_of(model: OpenAiModel, *tools: Tool, budget: Budget | None = None) -> list[Piece]:
    async with model.reply(ASKED, tools, budget or Budget(5.0)) as pieces:
        return [piece async for piece in pieces]


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


async def failure_of(model: OpenAiModel, budget: Budget | None = None) -> tuple[ModelFailed, list[Piece]]:
    met: list[Piece] = []
    with pytest.raises(ModelFailed) as raised:
        async with model.reply(ASKED, (), budget or Budget(5.0)) as pieces:
            async for piece in pieces:
                met.append(piece)
    return raised.value, met


async def test_a_reply_comes_in_pieces_and_ends(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(Reply("Hello there, caller."))

    pieces = await all_of(model)

    assert text_of(pieces) == "Hello there, caller."
    assert len(pieces) > 3
    assert pieces[-1] == Finished()
    assert vendor.seen[0].finished


async def test_the_request_holds_messages_tools_key_and_model(
    vendor: OpenAiStandin, model: OpenAiModel
) -> None:
    called = (ToolCall("call_1", "look_up", '{"a": 1}'),)
    asked = [*ASKED, Message(Role.BRIDGE, "Wait.", called), Message(Role.TOOL, "found", call_id="call_1")]

    async with model.reply(asked, [LOOK_UP], Budget(5.0)) as pieces:
        assert [piece async for piece in pieces][-1] == Finished()

    seen = vendor.seen[0]
    assert seen.request.headers["authorization"] == f"Bearer {KEY}"
    assert seen.body["model"] == MODEL
    assert seen.body["tool_choice"] == "auto"
    assert seen.body["tools"][0]["function"]["name"] == "look_up"
    assert seen.said == [("user", "hello"), ("assistant", "Wait."), ("tool", "found")]
    assert seen.messages[2]["tool_calls"][0]["function"] == {"name": "look_up", "arguments": '{"a": 1}'}


async def test_a_model_that_may_not_call_is_told_so(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    async with model.reply(ASKED, [LOOK_UP], Budget(5.0), may_call=False) as pieces:
        _ = [piece async for piece in pieces]

    assert vendor.seen[0].body["tool_choice"] == "none"


async def test_without_tools_none_are_mentioned(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    await all_of(model)

    assert {"tools", "tool_choice"}.isdisjoint(vendor.seen[0].body)


@pytest.mark.parametrize("one_index", [False, True], ids=["numbered", "all number 0"])
async def test_arguments_in_pieces_become_whole_calls(
    vendor: OpenAiStandin, model: OpenAiModel, one_index: bool
) -> None:
    calls = (("look_up", '{"table": "tour", "entry": "Hamburg"}'), ("look_up", '{"table": "news"}'))
    vendor.replies.append(Reply("One moment.", calls=calls, one_index=one_index))

    *_, finished = await all_of(model, LOOK_UP)

    assert isinstance(finished, Finished)
    assert [(call.name, call.arguments) for call in finished.calls] == list(calls)
    assert len({call.id for call in finished.calls}) == 2


async def test_calls_and_their_arguments_are_bounded(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    long = json.dumps({"entry": "x" * 5000})
    vendor.replies.append(Reply(calls=(("look_up", long), *[("look_up", "{}")] * 20), size=1000))

    *_, finished = await all_of(model, LOOK_UP)

    assert isinstance(finished, Finished)
    assert [len(call.arguments) for call in finished.calls] == [4000] + [2] * 7


async def test_calls_without_ids_get_some(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(Reply(calls=(("hang_up", ""), ("look_up", "{}")), no_ids=True))

    *_, finished = await all_of(model, LOOK_UP)

    assert isinstance(finished, Finished)
    assert [(call.id, call.name) for call in finished.calls] == [("call_0", "hang_up"), ("call_1", "look_up")]


async def test_thoughts_are_a_sign_of_life_and_no_text(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(
        Reply("Yes.", thoughts="The caller greets me, so", pause_s=0.08)
    )  # longer than the gap

    pieces = await all_of(model)

    assert pieces.count(Thinking()) == 6
    assert text_of(pieces) == "Yes."


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_a_text_that_was_cut_is_not_complete(
    vendor: OpenAiStandin, model: OpenAiModel, reason: str
) -> None:
    vendor.replies.append(Reply("Half a", finish=reason))

    assert (await all_of(model))[-1] == Finished(complete=False)


async def test_a_call_that_may_be_half_is_never_told(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(Reply("One moment.", calls=(("hang_up", ""),), finish=None))

    error, met = await failure_of(model)

    assert error.kind is Failure.NETWORK
    assert not any(isinstance(piece, Finished) for piece in met)


async def test_a_server_that_tells_no_reason_is_understood(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(Reply("All of it.", finish=None))

    assert (await all_of(model))[-1] == Finished()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Reply(hang=True), Failure.TIMEOUT),
        (Reply("Never.", stall_after=0), Failure.TIMEOUT),
        (Reply("Never.", delay_s=60), Failure.TIMEOUT),
        (Reply(refuse=(500, {"error": {"message": "no"}})), Failure.BUSY),
        (Reply(refuse=(503, b"<html>bad gateway</html>")), Failure.BUSY),
        (Reply(refuse=(400, {"error": {"message": "no"}})), Failure.BAD_REQUEST),
        (Reply("x", cut_after=0), Failure.NETWORK),
        (Reply("x", garbage_after=0), Failure.GARBAGE),
        (Reply("x", error_after=0), Failure.BUSY),
    ],
    ids=["hangs", "stalls", "late", "500", "gateway", "400", "cut", "garbage", "error event"],
)
async def test_a_fault_before_the_first_token(
    vendor: OpenAiStandin, model: OpenAiModel, fault: Reply, kind: Failure
) -> None:
    vendor.replies.append(fault)

    error, met = await failure_of(model)

    assert (error.kind, met) == (kind, [])
    assert len(vendor.seen) == 1  # the library tries nothing again by itself


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Reply("Hello there.", stall_after=2), Failure.TIMEOUT),
        (Reply("Hello there.", cut_after=2), Failure.NETWORK),
        (Reply("Hello there.", garbage_after=2), Failure.GARBAGE),
        (Reply("Hello there.", error_after=2), Failure.BUSY),
    ],
    ids=["stalls", "cut", "garbage", "error event"],
)
async def test_a_fault_after_the_first_token_comes_behind_it(
    vendor: OpenAiStandin, model: OpenAiModel, fault: Reply, kind: Failure
) -> None:
    vendor.replies.append(fault)

    error, met = await failure_of(model)

    assert (error.kind, text_of(met)) == (kind, "Hello th")


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        b'data: {"choices": "none"}\n\n',
        b"data: [1, 2]\n\n",
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: \xff\xfe\n\n",
    ],
    ids=["no text", "no choices", "a list", "deep", "no utf-8"],
)
async def test_an_answer_of_another_shape_is_garbage(
    vendor: OpenAiStandin, model: OpenAiModel, body: bytes
) -> None:
    vendor.replies.append(Reply(refuse=(200, body), refuse_headers={"content-type": "text/event-stream"}))

    error, _ = await failure_of(model)

    assert error.kind is Failure.GARBAGE


async def test_an_answer_without_a_stream_says_nothing(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(Reply(refuse=(200, {"choices": [{"message": {"content": "not streamed"}}]})))

    assert await all_of(model) == [Finished()]


async def test_retry_after_is_told(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    refused = (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}})
    vendor.replies.append(Reply(refuse=refused, refuse_headers={"retry-after": "7"}))

    error, _ = await failure_of(model)

    assert (error.kind, error.retryable, error.retry_after_s) == (Failure.BUSY, True, 7.0)


async def test_the_budget_bounds_all_waiting_and_no_reading(
    vendor: OpenAiStandin, model: OpenAiModel
) -> None:
    vendor.replies += [Reply("Ten pieces are in this text, or so.", pause_s=0.05), Reply("One. Two. Three.")]

    error, met = await failure_of(model, Budget(0.15))
    async with model.reply(ASKED, (), budget := Budget(5.0)) as pieces:
        async for _ in pieces:
            await asyncio.sleep(0.01)  # a caller who listens

    assert error.kind is Failure.TIMEOUT
    assert text_of(met).startswith("Ten")
    assert budget.left_s > 4.9


async def test_nobody_at_the_address_is_a_network_failure(vendor: OpenAiStandin) -> None:
    async with OpenAiModel(base_url="http://127.0.0.1:1/v1", api_key=KEY, model=MODEL) as model:
        error, _ = await failure_of(model)

    assert error.kind is Failure.NETWORK


async def test_leaving_the_reply_closes_the_stream_at_once(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(Reply("And so on. ", endless=True, pause_s=0.001))

    async with model.reply(ASKED, (), Budget(5.0)) as pieces:
        assert isinstance(await anext(pieces), Text)

    async with asyncio.timeout(2):
        await vendor.seen[0].gone.wait()
    assert not vendor.seen[0].finished


async def test_cancelling_while_it_waits_closes_the_stream(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    vendor.replies.append(Reply("Hello there.", stall_after=1))
    begun = asyncio.Event()

    async def read() -> None:
        async with model.reply(ASKED, (), Budget(5.0)) as pieces:
            async for _ in pieces:
                begun.set()

    reading = asyncio.create_task(read())
    await begun.wait()
    reading.cancel()
    async with asyncio.timeout(2):
        await vendor.seen[0].gone.wait()

    with pytest.raises(asyncio.CancelledError):
        await reading
    gc.collect()  # what is left open would warn now, and a warning fails the test


async def test_turns_of_a_call_share_a_connection(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    await model.ping()
    await all_of(model)
    await all_of(model)

    assert vendor.connections == 1


async def test_a_wrong_key_is_told_by_ping_and_never_repeated(vendor: OpenAiStandin) -> None:
    wrong = "sk-wrong-key-0123456789"
    async with OpenAiModel(base_url=vendor.url, api_key=wrong, model=MODEL) as model:
        with pytest.raises(ModelFailed) as raised:
            await model.ping()

    assert raised.value.kind is Failure.AUTH
    assert not raised.value.retryable
    assert "sk-wrong" not in str(raised.value) + raised.value.words
    assert "[key]" in raised.value.words


async def test_nothing_of_the_environment_goes_to_the_endpoint(
    vendor: OpenAiStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "somebody-elses")
    vendor.keys = ()  # as servers on one's own machine
    async with OpenAiModel(base_url=vendor.url, api_key="", model=MODEL) as model:
        await all_of(model)

    assert "somebody-elses" not in str(vendor.seen[0].request.headers)


async def test_pieces_can_be_left_early_by_their_reader(vendor: OpenAiStandin, model: OpenAiModel) -> None:
    async def first() -> AsyncIterator[Piece]:
        async with model.reply(ASKED, (), Budget(5.0)) as pieces:
            async for piece in pieces:
                yield piece

    vendor.replies.append(Reply("And so on. ", endless=True))
    async with aclosing(first()) as pieces:  # type: ignore[type-var]
        await anext(pieces)

    async with asyncio.timeout(2):
        await vendor.seen[0].gone.wait()
