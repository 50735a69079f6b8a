"""The stand-in is as strict as the endpoint it stands for."""

import json

import httpx
import pytest

from tests.standins.openai import KEY, OpenAiStandin, Reply

HEADERS = {"authorization": f"Bearer {KEY}"}
HELLO = {"model": "standin", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
CALLED = {"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "a"}}]}


async def post(vendor: OpenAiStandin, body: object, headers: dict[str, str] = HEADERS) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(f"{vendor.url}/chat/completions", json=body, headers=headers)


async def test_an_answer_is_events_up_to_done() -> None:
    async with OpenAiStandin() as vendor:
        answer = await post(vendor, HELLO)

    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    chunks = [json.loads(event) for event in events[:-1]]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert events[-1] == "[DONE]"
    assert text == "You said: hello. What else would you like to know?"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


async def test_arguments_of_calls_are_split() -> None:
    async with OpenAiStandin() as vendor:
        vendor.replies.append(Reply(calls=(("look_up", '{"entry": 1}'),)))
        answer = await post(vendor, HELLO)

    assert '{"entry": 1}' not in answer.text.replace('\\"', '"')
    assert answer.text.count('"arguments"') == 4


@pytest.mark.parametrize(
    "change",
    [
        {"messages": []},
        {"stream": False},
        {"tool_choice": "auto"},
        {"tools": [{"type": "function", "function": {"name": "no blanks"}}]},
        {"messages": [CALLED, {"role": "user", "content": "and"}]},
        {"messages": [{"role": "tool", "tool_call_id": "1", "content": "x"}]},
    ],
    ids=[
        "no messages",
        "not streamed",
        "choice of nothing",
        "bad name",
        "unanswered call",
        "answer to no call",
    ],
)
async def test_what_the_endpoint_refuses_is_refused(change: dict[str, object]) -> None:
    async with OpenAiStandin() as vendor:
        answer = await post(vendor, HELLO | change)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_wrong_key_is_refused_with_its_ends_shown() -> None:
    async with OpenAiStandin() as vendor:
        answer = await post(vendor, HELLO, {"authorization": "Bearer sk-wrong-0123456789"})

    assert answer.status_code == 401
    assert "sk-wrong-01****6789" in answer.text
