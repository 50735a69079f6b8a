"""The speech route without a network; over real sockets it is in tests/journeys."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from app.errors import Failure, ProviderError
from app.log import attach
from app.observe.money import Money
from app.speech.budgets import Budgets
from app.speech.chain import Chain
from app.web import speech_api
from app.web.parts import Parts
from app.web.speech_api import MOST_AT_ONCE, SPEECH_PATH, SpeechApi
from tests.standins.voice import ToneVoice
from tests.web.conftest import Knock, locked, make_parts

ORDER = {"input": "Hello there.", "model": "tts-1", "voice": "alloy", "response_format": "ulaw"}


HURRIED = Budgets(batch_wait_s=0.1)


@asynccontextmanager
async def speaking(voice: ToneVoice, **changes: Any) -> AsyncIterator[Parts]:
    async with Chain([voice], limits=HURRIED) as chain:
        means = replace(make_parts().means, voice=chain)
        yield make_parts(means=means, **changes)


async def test_a_text_becomes_audio(knock: Knock) -> None:
    async with speaking(ToneVoice(seconds=0.2)) as parts, knock(parts) as http:
        answer = await http.post(SPEECH_PATH, json=ORDER, headers={"x-request-id": "mine"})

    assert (answer.status_code, len(answer.content)) == (200, 1600)
    assert (answer.headers["content-type"], answer.headers["x-request-id"]) == ("audio/basic", "mine")


async def test_an_id_that_could_break_a_log_is_replaced(knock: Knock) -> None:
    async with speaking(ToneVoice(seconds=0.2)) as parts, knock(parts) as http:
        answer = await http.post(SPEECH_PATH, json=ORDER, headers={"x-request-id": "a b\tc"})

    assert answer.headers["x-request-id"].startswith("req_")


async def test_strangers_are_refused_in_openais_words_and_their_body_is_not_read(knock: Knock) -> None:
    locks = locked(admin_tokens=("sesame",))
    async with speaking(ToneVoice(), locks=locks) as parts, knock(parts, peer="203.0.113.9") as http:
        answer = await http.post(SPEECH_PATH, content=b"x" * 10_000_000)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


async def test_a_refusal_of_every_voice_tells_the_kind_and_not_the_vendors_words(knock: Knock) -> None:
    for kind, status in ((Failure.OVER_LIMIT, 429), (Failure.QUOTA, 503)):
        voice = ToneVoice(failure=ProviderError("tone", kind, "sk_0123456789abcdef01"))
        async with speaking(voice) as parts, knock(parts) as http:
            answer = await http.post(SPEECH_PATH, json=ORDER)

        assert answer.status_code == status and "retry-after" in answer.headers
        assert "sk_" not in answer.text


async def test_more_than_enough_at_once_are_turned_away(knock: Knock) -> None:
    async with speaking(ToneVoice()) as parts, knock(parts) as http:
        with ExitStack() as others:
            for number in range(MOST_AT_ONCE):
                others.enter_context(parts.observers.requests.account(f"req_{number}"))
            answer = await http.post(SPEECH_PATH, json=ORDER)

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")


async def test_a_client_that_takes_nothing_is_given_up(monkeypatch: Any) -> None:
    monkeypatch.setattr(speech_api, "STALLED_S", 0.05)
    voice = ToneVoice(seconds=60.0, gap_s=0.001)
    sent: list[str] = []
    body = [{"type": "http.request", "body": json.dumps(ORDER).encode(), "more_body": False}]

    async def receive() -> Any:
        return body.pop() if body else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message["type"])
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    scope = {
        "type": "http",
        "method": "POST",
        "path": SPEECH_PATH,
        "headers": [(b"content-type", b"application/json"), (b"host", b"localhost")],
        "client": ("127.0.0.1", 5),
    }
    async with speaking(voice) as parts, asyncio.timeout(20):
        detach = attach(parts.observers.requests.read)
        await SpeechApi(parts)(scope, receive, send)
        detach()

    [one] = parts.observers.requests.status()["recent"]
    assert (one["outcome"], one["reason"]) == ("gone", "stalled")
    assert sent == ["http.response.start", "http.response.body"]
    assert voice.speaking == 0


async def test_programs_are_told_when_there_is_nothing_left_to_spend(knock: Knock) -> None:
    async with speaking(ToneVoice(), money=Money(closed=True)) as parts, knock(parts) as http:
        answer = await http.post(SPEECH_PATH, json=ORDER)

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "insufficient_quota")
