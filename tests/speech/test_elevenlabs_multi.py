import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from app.errors import Failure, ProviderError
from app.speech import elevenlabs_multi
from app.speech.connection import Patience
from app.speech.elevenlabs_multi import MOST_CONTEXTS, ContextSocket, socket_url
from app.speech.port import Piece
from tests.standins.elevenlabs_multi import KEY, UNKNOWN_VOICE, VOICE, MultiVoice
from tests.standins.voice_house import Script, until

CALM = Patience(connect_s=20.0, first_audio_s=20.0, gap_s=20.0)
QUICK = replace(CALM, first_audio_s=0.2)
ENDLESS = Script(gap_s=0.01, piece_bytes=80)
LONG = "A long sentence that nobody hears to its end, since something happens before that."


@asynccontextmanager
async def connected(
    house: MultiVoice, *, key: str = KEY, voice: str = VOICE, patience: Patience = CALM
) -> AsyncIterator[ContextSocket]:
    url = socket_url(house.url, voice, "eleven_flash_v2_5", "ulaw_8000")
    socket = await ContextSocket.open(url, key, "ulaw_8000", patience)
    running = asyncio.create_task(socket.run())
    try:
        yield socket
    finally:
        await socket.close()
        await running


async def said(socket: ContextSocket, text: str = "Hello there.") -> bytes:
    async with aclosing(socket.say(text)) as pieces:
        return audio_of([piece async for piece in pieces])


def audio_of(pieces: list[Piece]) -> bytes:
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


async def failure_of(
    house: MultiVoice, key: str = KEY, voice: str = VOICE, s: Patience = CALM
) -> ProviderError:
    async with house, connected(house, key=key, voice=voice, patience=s) as socket:
        with pytest.raises(ProviderError) as failure:
            await said(socket)
    return failure.value


def test_the_address_asks_for_timing_and_the_longest_idleness() -> None:
    assert socket_url("https://api.elevenlabs.io/", "a/b", "m", "ulaw_8000") == (
        "wss://api.elevenlabs.io/v1/text-to-speech/a%2Fb/multi-stream-input"
        "?model_id=m&output_format=ulaw_8000&auto_mode=true&sync_alignment=true&inactivity_timeout=180"
    )


async def test_a_context_is_closed_once_it_sounds_and_all_of_it_is_heard() -> None:
    async with MultiVoice() as house, connected(house) as socket:
        assert await said(socket) == await house.bank.audio("Hello there.", "ulaw_8000")

        (context,) = house.seen[0].contexts
        assert house.seen[0].messages == [
            {"text": "Hello there. ", "context_id": context.name, "flush": True},
            {"context_id": context.name, "close_context": True},
        ]
        assert context.closed_at
        assert context.final


async def test_a_vendor_that_is_slow_to_take_the_text_still_says_it() -> None:
    async with MultiVoice(registers_s=0.1) as house, connected(house) as socket:
        assert await said(socket)


async def test_four_sentences_are_spoken_at_once_and_none_is_taken_for_another() -> None:
    texts = [f"Number {number}." for number in ("one", "two", "three hundred", "four thousand and five")]
    async with MultiVoice() as house, connected(house) as socket:
        spoken = await asyncio.gather(*(said(socket, text) for text in texts))

        assert spoken == [await house.bank.audio(text, "ulaw_8000") for text in texts]
        assert house.seen[0].most_open == MOST_CONTEXTS


async def test_a_fifth_waits_until_one_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elevenlabs_multi, "PLACE_S", 20.0)
    async with MultiVoice() as house, connected(house) as socket:
        spoken = await asyncio.gather(*(said(socket, f"Number {number}.") for number in range(9)))

        assert all(spoken)
        assert house.seen[0].most_open == MOST_CONTEXTS


async def test_when_none_ends_the_fifth_is_told() -> None:
    async with MultiVoice(finals=False) as house, connected(house) as socket:
        listening = [asyncio.create_task(said(socket, f"Number {number}.")) for number in range(4)]
        await until(lambda: house.generations.finished == 4)
        with pytest.raises(TimeoutError):
            await said(socket)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def test_leaving_a_sentence_ends_its_context_and_no_other() -> None:
    async with MultiVoice(ENDLESS) as house, connected(house) as socket:
        async with aclosing(socket.say(LONG)) as left:
            await anext(left)
            other = asyncio.create_task(said(socket, "Something else."))
            await until(lambda: len(house.seen[0].contexts) == 2)
        await said(socket, "And more.")

        assert await other == await house.bank.audio("Something else.", "ulaw_8000")
        assert house.seen[0].contexts[0].closed_at is not None
        assert socket.usable


async def test_what_is_left_before_it_sounds_is_closed_when_it_does() -> None:
    async with MultiVoice(Script(delay_s=0.2)) as house, connected(house) as socket:
        task = asyncio.create_task(said(socket, LONG))
        await until(lambda: house.generations.running == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        (context,) = house.seen[0].contexts
        closed_before_it_sounded = context.closed_at is not None

        await until(lambda: context.final)
        assert not closed_before_it_sounded
        assert context.closed_at
        assert await said(socket) == await house.bank.audio("Hello there.", "ulaw_8000")


async def test_what_is_left_and_never_sounds_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elevenlabs_multi, "TICK_S", 0.02)
    async with MultiVoice(Script(delay_s=30.0)) as house, connected(house, patience=QUICK) as socket:
        task = asyncio.create_task(said(socket, LONG))
        await until(lambda: house.generations.running == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        await until(lambda: house.seen[0].contexts[0].closed_at is not None)


async def test_a_socket_that_never_answers_a_close_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elevenlabs_multi, "TICK_S", 0.02)
    monkeypatch.setattr(elevenlabs_multi, "STUCK_S", 0.1)
    async with MultiVoice(finals=False) as house, connected(house, patience=QUICK) as socket:
        async with aclosing(socket.say("Hello.")) as left:
            await anext(left)
        assert socket.usable

        await until(lambda: not socket.usable)


async def test_ids_are_never_used_twice() -> None:
    async with MultiVoice() as house:
        for _ in range(2):
            async with connected(house) as socket:
                await said(socket)
                await said(socket)
    names = [context.name for seen in house.seen for context in seen.contexts]

    assert len(set(names)) == 4


async def test_a_keep_alive_makes_no_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elevenlabs_multi, "KEEP_ALIVE_S", 0.1)
    async with MultiVoice(idle_s=5.0) as house, connected(house) as socket:
        await until(lambda: {"text": ""} in house.seen[0].messages)
        assert await said(socket)

    assert len(house.seen[0].contexts) == 1


async def test_a_socket_opened_ahead_for_nobody_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elevenlabs_multi, "KEEP_ALIVE_S", 0.02)
    async with MultiVoice() as house, connected(house) as socket:
        await until(lambda: not socket.usable)
        with pytest.raises(ProviderError) as failure:
            await said(socket)

    assert failure.value.kind is Failure.CLOSED
    assert house.seen[0].messages == [{"text": ""}] * 2


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ('{"error": "quota_exceeded", "message": "no credits"}', Failure.QUOTA),
        ("{not json", Failure.GARBAGE),
        ('{"audio": "***"}', Failure.GARBAGE),
    ],
)
async def test_a_message_that_is_an_error_ends_every_sentence_of_the_socket(
    frame: str, kind: Failure
) -> None:
    assert (await failure_of(MultiVoice(Script(frame=frame)))).kind is kind


async def test_an_error_of_one_sentence_lets_the_others_try_again() -> None:
    async with MultiVoice(ENDLESS, limit=1) as house, connected(house) as socket:
        innocent = asyncio.create_task(said(socket, LONG))
        await until(lambda: house.generations.running == 1)
        with pytest.raises(ProviderError) as refused:
            await said(socket)
        with pytest.raises(ProviderError) as ended:
            await innocent

    assert (refused.value.kind, ended.value.kind) == (Failure.OVER_LIMIT, Failure.CLOSED)


async def test_a_refused_voice_or_key_is_told() -> None:
    assert (await failure_of(MultiVoice(), voice=UNKNOWN_VOICE)).kind is Failure.BAD_REQUEST
    refused = await failure_of(MultiVoice(), key="sk_another_key_of_ours")
    assert refused.kind is Failure.AUTH
    assert "another_key" not in str(refused)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(close=(1008, "quota exceeded")), Failure.QUOTA),
        (Script(close=(1000, "")), Failure.CLOSED),
        (Script(cut_after=1001), Failure.NETWORK),
    ],
)
async def test_a_socket_that_ends_is_told_by_how_it_does(script: Script, kind: Failure) -> None:
    assert (await failure_of(MultiVoice(script))).kind is kind


@pytest.mark.parametrize("after", [0, 1001])
async def test_silence_is_a_timeout(after: int) -> None:
    patience = Patience(connect_s=20.0, first_audio_s=0.3, gap_s=0.2)

    assert (await failure_of(MultiVoice(Script(stall_after=after)), s=patience)).kind is Failure.TIMEOUT


async def test_a_sentence_on_a_socket_that_has_ended_is_told_how_it_ended() -> None:
    async with MultiVoice() as house, connected(house, key="sk_another_key_of_ours") as socket:
        await until(lambda: not socket.usable)
        with pytest.raises(ProviderError) as failure:
            await said(socket)

    assert failure.value.kind is Failure.AUTH


async def test_the_handshake_may_tell_the_workspaces_limit() -> None:
    async with MultiVoice(headers={"maximum-concurrent-requests": "12"}) as house, connected(house) as socket:
        assert socket.maximum_concurrent == 12
    async with (
        MultiVoice(headers={"maximum-concurrent-requests": "many"}) as house,
        connected(house) as socket,
    ):
        assert socket.maximum_concurrent is None


async def test_the_handshake_may_be_refused() -> None:
    async with MultiVoice() as house:
        house.handshake = Script(refuse=(429, {"detail": {"code": "concurrent_limit_exceeded"}}))
        with pytest.raises(ProviderError) as failure:
            async with connected(house):
                pass
        house.handshake = Script(hang=True)
        with pytest.raises(ProviderError) as hung:
            async with connected(house, patience=Patience(connect_s=0.2)):
                pass
    assert (failure.value.kind, hung.value.kind) == (Failure.OVER_LIMIT, Failure.TIMEOUT)


async def test_closing_says_goodbye() -> None:
    async with MultiVoice() as house:
        async with connected(house) as socket:
            await said(socket)
        await until(lambda: house.open_sockets == 0)

    assert house.seen[0].said_goodbye
