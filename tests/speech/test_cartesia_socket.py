import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from app.errors import Failure, ProviderError
from app.speech.arrivals import Arrivals
from app.speech.cartesia_socket import MOST_SENTENCES, CartesiaSocket, Sentence
from app.speech.cartesia_wire import Message, WordTimestamps, request, socket_url
from app.speech.connection import USUAL, Patience
from app.speech.port import Piece, Spoken
from app.speech.word_times import WordTimes
from tests.standins.cartesia import KEY, VOICE, CartesiaStandin
from tests.standins.cartesia_script import Script

REQUEST = request(VOICE, "sonic-3.5", "en", "ulaw_8000", aligned=False)
TEXT = "The quick brown fox jumps over the lazy dog."


@asynccontextmanager
async def opened(
    vendor: CartesiaStandin, *, key: str = KEY, patience: Patience = USUAL
) -> AsyncIterator[tuple[CartesiaSocket, asyncio.Task[ProviderError]]]:
    socket = await CartesiaSocket.open(socket_url(vendor.url), key, patience)
    reading = asyncio.create_task(socket.read())
    try:
        yield socket, reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await socket.close()


def sentence(text: str = TEXT, *, alignment: WordTimes | None = None) -> Sentence:
    return Sentence(text, Arrivals("cartesia", USUAL), alignment)


async def all_of(sentence: Sentence) -> list[Piece]:
    async with aclosing(sentence.arrivals.pieces(first_audio_s=5)) as pieces:
        return [piece async for piece in pieces]


async def heard(sentence: Sentence) -> bytes:
    return b"".join([piece for piece in await all_of(sentence) if isinstance(piece, bytes)])


async def test_sentences_on_one_socket_are_never_mixed() -> None:
    texts = ["Yes.", TEXT, "One, two, three."]
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, _):
        sentences = [sentence(text) for text in texts]
        for one in sentences:
            await socket.say(one, REQUEST)
        spoken = [await heard(one) for one in sentences]

        assert spoken == [await vendor.bank.audio(text, "ulaw_8000") for text in texts]
        assert (vendor.accepted, socket.idle) == (1, True)


async def test_what_comes_late_for_a_sentence_that_was_left_is_nobodys() -> None:
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, _):
        vendor.scripts[VOICE] = Script(pause_s=0.02)
        first, second = sentence(TEXT * 2), sentence()
        await socket.say(first, REQUEST)
        async with aclosing(first.arrivals.pieces(first_audio_s=5)) as pieces:
            await anext(pieces)
        unfinished = socket.leave(first)
        await socket.cancel(first)
        await socket.say(second, REQUEST)

        assert unfinished
        assert await heard(second) == await vendor.bank.audio(TEXT, "ulaw_8000")
        assert [seen.cancelled for seen in vendor.seen] == [True, False]


async def test_a_finished_sentence_is_left_without_a_word() -> None:
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, _):
        one = sentence()
        await socket.say(one, REQUEST)
        await heard(one)

        assert not socket.leave(one)


async def test_it_takes_only_so_many_sentences_at_once() -> None:
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, _):
        vendor.scripts[VOICE] = Script(stall_after=0)
        sentences = [sentence() for _ in range(MOST_SENTENCES)]
        usable = []
        for one in sentences:
            usable.append(socket.usable)
            await socket.say(one, REQUEST)
        full = socket.usable
        socket.leave(sentences[0])

        assert (all(usable), full, socket.usable) == (True, False, True)


async def test_an_error_is_its_own_sentences_only() -> None:
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, _):
        good, bad = sentence(), sentence()
        await socket.say(good, REQUEST)
        await socket.say(bad, REQUEST | {"model_id": "tacotron"})

        with pytest.raises(ProviderError) as failure:
            await heard(bad)
        assert await heard(good)
        assert failure.value.kind == "bad_request"
        assert socket.usable


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(close=(1011, "oops")), "busy"),
        (Script(close=(1000, "")), "closed"),
        (Script(cut_after=0), "network"),
        (Script(frame="{not json"), "garbage"),
        (Script(frame='{"type":"chunk","data":"%%%"}'), "garbage"),
        (Script(error=(503, None, "down"), anonymous=True), "busy"),
    ],
)
async def test_the_end_of_the_socket_is_the_end_of_every_sentence(script: Script, kind: str) -> None:
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, reading):
        vendor.scripts["slow"] = Script(stall_after=2000)
        vendor.scripts[VOICE] = script
        waiting, last = sentence(), sentence()
        await socket.say(waiting, REQUEST | {"voice": {"mode": "id", "id": "slow"}})
        await socket.say(last, REQUEST)

        for one in (waiting, last):
            with pytest.raises(ProviderError) as failure:
                await heard(one)
            assert failure.value.kind == kind
        assert (await reading).kind == kind
        assert (socket.usable, socket.idle) == (False, True)
        with pytest.raises(ProviderError, match="no longer used"):
            await socket.say(sentence(), REQUEST)


async def test_a_message_that_nobody_knows_is_passed_over() -> None:
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, _):
        vendor.scripts[VOICE] = Script(frame='{"type":"news","context_id":"x","data":null,"more":{"a":[1]}}')
        one = sentence()
        await socket.say(one, REQUEST)

        assert await heard(one) == await vendor.bank.audio(TEXT, "ulaw_8000")


async def test_words_are_claimed_when_they_were_asked_for() -> None:
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, _):
        one = sentence(alignment=WordTimes(TEXT, bytes_per_s=8000))
        await socket.say(one, REQUEST | {"add_timestamps": True})
        pieces = await all_of(one)

    claims = [TEXT[: piece.characters] for piece in pieces if isinstance(piece, Spoken)]
    assert claims[-1] == TEXT
    assert len(claims) > 2


def test_words_ahead_of_their_audio_wait_for_it() -> None:
    one = sentence("one two", alignment=WordTimes("one two", bytes_per_s=8000))
    words = WordTimestamps(["one", "two"], [0, 0.5], [0.5, 1])
    one.take(Message("timestamps", word_timestamps=words))
    before = one.arrivals.begun
    one.take(Message("chunk", data=bytes(4000)))

    assert (before, one.arrivals.begun) == (False, True)


async def test_a_refused_key_is_masked_also_in_what_caused_it() -> None:
    key = "sk_car_" + "x1" * 20
    async with CartesiaStandin() as vendor:
        with pytest.raises(ProviderError) as failure:
            await CartesiaSocket.open(socket_url(vendor.url), key, USUAL)

    assert failure.value.kind == "auth"
    assert "x1x1" not in "".join(traceback.format_exception(failure.value))


async def test_a_reason_with_a_key_is_masked_also_in_what_caused_it() -> None:
    async with CartesiaStandin() as vendor, opened(vendor) as (socket, _):
        vendor.scripts[VOICE] = Script(close=(1008, f"bad key {KEY}"))
        one = sentence()
        await socket.say(one, REQUEST)
        with pytest.raises(ProviderError) as failure:
            await heard(one)

    assert KEY[:9] not in "".join(traceback.format_exception(failure.value))


async def test_a_socket_that_closed_while_nobody_read_it_says_so() -> None:
    async with CartesiaStandin() as vendor:
        socket = await CartesiaSocket.open(socket_url(vendor.url), KEY, USUAL)
        await socket.close()
        one = sentence()
        with pytest.raises(ProviderError) as failure:
            await socket.say(one, REQUEST)
        await socket.cancel(one)

    assert failure.value.kind == "closed"
    assert not socket.usable


async def test_a_reason_met_in_sending_is_masked_also_in_what_caused_it() -> None:
    async with CartesiaStandin() as vendor:
        vendor.scripts[VOICE] = Script(close=(1008, f"bad key {KEY}"))
        socket = await CartesiaSocket.open(socket_url(vendor.url), KEY, USUAL)
        await socket.say(sentence(), REQUEST)
        async with asyncio.timeout(10):
            while socket.usable:  # noqa: ASYNC110 - nobody reads, so nobody is told
                await asyncio.sleep(0.005)
        with pytest.raises(ProviderError) as failure:
            await socket.say(sentence(), REQUEST)
        await socket.close()

    assert failure.value.kind == "bad_request"
    assert KEY[:9] not in "".join(traceback.format_exception(failure.value))


async def test_handshakes_that_lead_nowhere_have_their_names() -> None:
    quick = Patience(connect_s=0.3)
    kinds = []
    async with CartesiaStandin() as vendor:
        for status in (500, 429, 0):
            vendor.refuse, vendor.hang = (status, {}) if status else None, not status
            with pytest.raises(ProviderError) as failure:
                await CartesiaSocket.open(socket_url(vendor.url), KEY, quick)
            kinds.append(failure.value.kind)
    with pytest.raises(ProviderError) as failure:
        await CartesiaSocket.open("ws://127.0.0.1:1/tts/websocket", KEY, quick)

    assert [*kinds, failure.value.kind] == [Failure.BUSY, Failure.BUSY, Failure.TIMEOUT, Failure.NETWORK]
