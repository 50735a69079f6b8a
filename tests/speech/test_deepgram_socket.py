from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from app import clock
from app.errors import Failure, ProviderError
from app.speech.connection import Patience
from app.speech.deepgram_socket import LONGEST_TEXT, Allowance, SpeakSocket, parts, socket_url
from tests.standins.deepgram_voice import KEY, MODEL, NET_0001, DeepgramVoice, refusal
from tests.standins.voice_house import Script

CALM = Patience(connect_s=20.0, first_audio_s=20.0, gap_s=20.0)
IMPATIENT = Patience(connect_s=20.0, first_audio_s=0.2, gap_s=0.2)


@asynccontextmanager
async def connected(
    house: DeepgramVoice, *, key: str = KEY, model: str = MODEL, patience: Patience = CALM
) -> AsyncIterator[SpeakSocket]:
    socket = await SpeakSocket.open(socket_url(house.url, model), key, patience)
    try:
        yield socket
    finally:
        await socket.close()


async def said(socket: SpeakSocket, text: str = "Hello there.") -> bytes:
    await socket.say(text)
    async with aclosing(socket.audio()) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def failure_of(script: Script, patience: Patience = CALM) -> ProviderError:
    async with DeepgramVoice(script) as house:
        with pytest.raises(ProviderError) as failure:
            async with connected(house, patience=patience) as socket:
                await said(socket)
    return failure.value


def test_the_address_asks_for_the_telephones_audio() -> None:
    assert socket_url("https://api.deepgram.com/", MODEL) == (
        f"wss://api.deepgram.com/v1/speak?model={MODEL}&encoding=mulaw&sample_rate=8000"
    )


async def test_a_sentence_is_a_text_and_a_flush_and_ends_where_the_vendor_has_flushed() -> None:
    async with DeepgramVoice() as house, connected(house) as socket:
        assert await said(socket, " Hello there. ") == await house.bank.audio("Hello there.", "ulaw_8000")

        assert house.seen[0].messages == [{"type": "Speak", "text": "Hello there."}, {"type": "Flush"}]


async def test_one_sentence_follows_the_other() -> None:
    async with DeepgramVoice() as house, connected(house) as socket:
        first = await said(socket, "One.")
        second = await said(socket, "Twenty two thousand.")

        assert (first, second) == (
            await house.bank.audio("One.", "ulaw_8000"),
            await house.bank.audio("Twenty two thousand.", "ulaw_8000"),
        )


def test_a_long_text_is_cut_at_blanks_and_nothing_of_it_is_lost() -> None:
    text = "word " * 1000
    cut = list(parts(text))

    assert "".join(cut) == text
    assert all(len(part) <= LONGEST_TEXT and part.endswith(" ") for part in cut[:-1])
    assert [len(part) for part in parts("x" * 4500)] == [2000, 2000, 500]
    assert list(parts("Hello.")) == ["Hello."]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Failure.AUTH),
        (402, Failure.QUOTA),
        (429, Failure.OVER_LIMIT),
        (400, Failure.BAD_REQUEST),
        (503, Failure.BUSY),
    ],
)
async def test_a_refused_handshake_is_told_by_the_vendors_word(status: int, kind: Failure) -> None:
    code, body, headers = refusal(status)
    failure = await failure_of(Script(refuse=(code, body), refuse_headers=headers))

    assert failure.kind is kind
    assert f"HTTP {status}" in failure.message


async def test_a_refusal_without_a_readable_body_is_told_by_its_header() -> None:
    headers = {"dg-error": "INVALID_AUTH", "retry-after": "7"}
    failure = await failure_of(Script(refuse=(418, b"<html>"), refuse_headers=headers))

    assert (failure.kind, failure.retry_after_s) == (Failure.AUTH, 7.0)


@pytest.mark.parametrize(
    ("close", "kind"),
    [
        (NET_0001, Failure.CLOSED),
        ((1011, "NET-0000"), Failure.NETWORK),
        ((1008, "DATA-0000"), Failure.BAD_REQUEST),
        ((1009, ""), Failure.BAD_REQUEST),
        ((1013, ""), Failure.BUSY),
        ((1000, ""), Failure.CLOSED),
    ],
)
async def test_a_close_is_told_by_its_reason_and_code(close: tuple[int, str], kind: Failure) -> None:
    assert (await failure_of(Script(close=close))).kind is kind


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ("{not json", Failure.GARBAGE),
        ('{"type": "Error", "err_code": "TOO_MANY_REQUESTS", "err_msg": "slow down"}', Failure.OVER_LIMIT),
        ('{"type": "Error", "description": "something broke"}', Failure.BUSY),
        ('{"type": "Warning", "code": "EXCESSIVE_FLUSH", "description": "no more flushes"}', Failure.BUSY),
    ],
)
async def test_a_message_that_tells_of_a_failure_is_one(frame: str, kind: Failure) -> None:
    assert (await failure_of(Script(frame=frame))).kind is kind


@pytest.mark.parametrize(
    "frame", ['{"type": "Warning", "code": "DEPRECATED", "description": "old voice"}', '{"type": "New"}']
)
async def test_other_messages_are_passed_over(frame: str) -> None:
    async with DeepgramVoice(Script(frame=frame)) as house, connected(house) as socket:
        assert await said(socket)


@pytest.mark.parametrize("after", [0, 1001])
async def test_silence_is_a_timeout(after: int) -> None:
    assert (await failure_of(Script(stall_after=after), IMPATIENT)).kind is Failure.TIMEOUT


async def test_a_handshake_that_never_ends_is_a_timeout() -> None:
    failure = await failure_of(Script(hang=True), Patience(connect_s=0.2))

    assert failure.kind is Failure.TIMEOUT


async def test_nobody_at_the_address_is_a_failure_of_the_network() -> None:
    with pytest.raises(ProviderError) as failure:
        await SpeakSocket.open("ws://127.0.0.1:9/v1/speak", KEY, CALM)

    assert failure.value.kind is Failure.NETWORK


async def test_the_key_is_in_the_header_and_in_no_message_of_ours() -> None:
    leaking = {"err_code": "INVALID_AUTH", "err_msg": f"no such key: {KEY}"}
    async with DeepgramVoice() as house, connected(house):
        assert house.seen[0].request.headers["authorization"] == f"Token {KEY}"

    assert KEY[:8] not in str(await failure_of(Script(refuse=(401, leaking))))


def test_an_allowance_ends_with_flushes_characters_or_age(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(clock, "now", lambda: now)
    flushes, characters = Allowance(), Allowance()
    for _ in range(20):
        flushes.spend(10)
    characters.spend(2000)
    assert not flushes.covers(10)
    assert characters.covers(400)
    assert not characters.covers(401)

    now += 62
    assert flushes.covers(10)
    assert Allowance().covers(5000)  # a fresh socket takes what no other would take either

    now += 3600
    assert not flushes.covers(10)
