import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.errors import ProviderError
from app.speech.connection import Patience
from app.speech.inworld import Inworld
from app.speech.port import Spoken
from tests.standins.inworld import KEY, TOKENS, VOICE, InworldStandin, Script, Seen
from tests.standins.word_times import spread

LONG = "This sentence is long enough to come in several lines, one after the other. "
QUICK = Patience(connect_s=0.4, first_audio_s=0.4, gap_s=0.3)


@asynccontextmanager
async def speaking(vendor: InworldStandin, **settings: Any) -> AsyncIterator[Inworld]:
    async with Inworld(**{"api_key": KEY, "base_url": vendor.url} | settings) as speech:
        yield speech


async def said(speech: Inworld, text: str = LONG) -> bytes:
    async with speech.speak(text) as pieces:
        return b"".join([piece async for piece in pieces if isinstance(piece, bytes)])


async def failure_of(speech: Inworld, text: str = LONG) -> ProviderError:
    with pytest.raises(ProviderError) as failure:
        await said(speech, text)
    return failure.value


async def left(vendor: InworldStandin) -> Seen:
    async with asyncio.timeout(10):
        while vendor.slots.running:  # noqa: ASYNC110 - the vendor does not signal
            await asyncio.sleep(0.005)
    return vendor.seen[-1]


async def test_the_request_is_the_documented_one() -> None:
    async with InworldStandin() as vendor:
        async with speaking(vendor) as speech:
            await said(speech)
        async with speaking(vendor, voice_id="Ashley", audio_format="pcm_16000", aligned=True) as speech:
            await said(speech, "Hi.")

    first, second = vendor.seen
    assert first.body == {
        "text": LONG.strip(),
        "voiceId": "Dennis",
        "modelId": "inworld-tts-2",
        "audioConfig": {"audioEncoding": "MULAW", "sampleRateHertz": 8000},
    }
    assert second.body["audioConfig"] == {"audioEncoding": "PCM", "sampleRateHertz": 16000}
    assert second.body["timestampType"] == "WORD"
    assert second.body["timestampTransportStrategy"] == "SYNC"
    assert first.request.headers["authorization"] == f"Basic {KEY}"


async def test_a_key_with_its_scheme_is_sent_as_it_is() -> None:
    async with InworldStandin() as vendor, speaking(vendor, api_key=f"Bearer {KEY}") as speech:
        assert await said(speech)

    assert vendor.seen[0].request.headers["authorization"] == f"Bearer {KEY}"


async def test_sentences_share_a_connection_that_was_warmed() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        speech.warm()
        async with asyncio.timeout(10):
            while not vendor.looked_up:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.1)
        await said(speech, "One.")
        await said(speech, "Two.")

        assert vendor.connections == 1


async def test_warming_that_fails_is_told_and_harms_nobody() -> None:
    async with InworldStandin() as vendor, speaking(vendor, api_key="bm90OnRoZWtleQ==") as speech:
        with capture_logs() as events:
            speech.warm()
            async with asyncio.timeout(10):
                while not events:  # noqa: ASYNC110 - what is told shows in the log
                    await asyncio.sleep(0.005)

    assert [(event["event"], event["kind"]) for event in events] == [("speech.warming_failed", "auth")]


async def test_a_connection_that_died_unseen_costs_one_reconnect_and_no_failure() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        vendor.drop_connections()

        assert await said(speech) == await vendor.bank.audio(LONG, "ulaw_8000")


async def test_a_cut_in_mid_sentence_is_not_asked_for_again() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        vendor.scripts[VOICE] = Script(cut_after=2000)
        failure = await failure_of(speech)

    assert failure.kind == "network"
    assert [seen.text for seen in vendor.seen] == ["One.", LONG.strip()]


async def test_a_chunk_that_breaks_off_is_a_broken_connection() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(cut_after=2000, broken_chunk=True)

        assert (await failure_of(speech)).kind == "network"


async def test_leaving_in_mid_sentence_closes_the_connection() -> None:
    patience = Patience(gap_s=60)  # longer than the test waits: no time-out closes it
    async with InworldStandin() as vendor, speaking(vendor, patience=patience) as speech:
        vendor.scripts[VOICE] = Script(stall_after=2000)
        async with speech.speak(LONG) as pieces:
            await anext(aiter(pieces))

        assert (await left(vendor)).gone


async def test_leaving_before_the_first_audio_closes_the_connection() -> None:
    async with InworldStandin(delay_ms=(5000, 5000)) as vendor, speaking(vendor, patience=QUICK) as speech:
        assert (await failure_of(speech)).kind == "timeout"
        assert (await left(vendor)).gone


async def test_a_vendor_that_never_answers_is_left_in_time() -> None:
    async with InworldStandin() as vendor, speaking(vendor, voice_id="fault-hang", patience=QUICK) as speech:
        assert (await failure_of(speech)).kind == "timeout"


@pytest.mark.parametrize("audio_format", ["ulaw_8000", "pcm_8000", "pcm_24000"])
async def test_no_header_of_any_piece_is_heard(audio_format: str) -> None:
    async with InworldStandin() as vendor, speaking(vendor, audio_format=audio_format) as speech:
        vendor.scripts[VOICE] = Script(headers=True)

        assert await said(speech) == await vendor.bank.audio(LONG, audio_format)


async def test_a_header_of_another_format_is_garbage() -> None:
    header = (
        b"RIFF\x24\x10\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x22\x56\0\0\x44\xac\0\0\x02\0\x10\0data\x00\x10\0\0"
    )
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(body=header + bytes(500))
        failure = await failure_of(speech)

    assert failure.kind == "garbage"
    assert "22050" in failure.message


@pytest.mark.parametrize(
    "line", [b"{not json", b"<html>", b'{"result": {"audioContent": "%%"}}', b"\xff\xfe", b"[" * 5000]
)
async def test_a_line_that_cannot_be_read_is_garbage(line: bytes) -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(line=line)

        assert (await failure_of(speech)).kind == "garbage"


async def test_lines_that_nobody_knows_are_passed_over() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(line=b'\r\n{"result": {"news": [1]}}\n{"usage": {}}')

        assert await said(speech) == await vendor.bank.audio(LONG, "ulaw_8000")


async def test_a_last_line_needs_no_end() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(tail=b'{"error": {"code": 14, "message": "unavailable"}}')

        assert (await failure_of(speech)).kind == "busy"


async def test_a_line_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.speech.inworld.LONGEST_LINE", 10_000)
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(line=b"x" * 200_000)
        failure = await failure_of(speech)

    assert (failure.kind, failure.message) == ("garbage", "a line without an end")


async def test_documents_in_place_of_audio_are_refused() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(body=b'{"error":{"code":8}}' * 50)

        assert (await failure_of(speech)).kind == "garbage"


@pytest.mark.parametrize(("after", "heard"), [(0, False), (1, True)])
async def test_an_error_line_ends_the_sentence_where_it_stands(after: int, heard: bool) -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(error=(14, "unavailable"), error_after=after)
        pieces = []
        with pytest.raises(ProviderError) as failure:
            async with speech.speak(LONG) as arriving:
                async for piece in arriving:
                    pieces.append(piece)

    assert failure.value.kind == "busy"
    assert bool(pieces) is heard


async def test_a_refused_key_is_told_without_it_by_a_sentence_and_by_ping() -> None:
    wrong = "d3JvbmdrZXk6d3JvbmdzZWNyZXQ="
    async with InworldStandin() as vendor, speaking(vendor, api_key=wrong) as speech:
        by_sentence = await failure_of(speech)
        with pytest.raises(ProviderError) as by_ping:
            await speech.ping()

    for failure in (by_sentence, by_ping.value):
        assert failure.kind == "auth"
        assert wrong[:4] not in str(failure)
        assert "does not exist" in str(failure)


async def test_a_refusal_tells_how_long_to_wait() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(refuse=(503, b"busy"), refuse_headers={"retry-after": "7"})
        failure = await failure_of(speech)

    assert (failure.kind, failure.retry_after_s) == ("busy", 7.0)


async def test_an_endless_refusal_is_read_only_so_far() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        vendor.scripts[VOICE] = Script(refuse=(500, b"x" * 1_000_000))

        assert len((await failure_of(speech)).message) <= 300


async def test_nobody_there_is_a_network_failure() -> None:
    async with InworldStandin() as vendor:
        url = vendor.url
    async with Inworld(api_key=KEY, base_url=url) as speech:
        assert (await failure_of(speech)).kind == "network"
        with pytest.raises(ProviderError) as failure:
            await speech.ping()

    assert failure.value.kind == "network"


async def test_leaving_before_listening_asks_for_nothing() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        async with speech.speak(LONG):
            pass
        await asyncio.sleep(0.05)

        assert vendor.seen == []


async def test_a_word_that_a_piece_cuts_is_claimed_with_its_real_end() -> None:
    async with InworldStandin() as vendor, speaking(vendor, aligned=True) as speech:
        async with speech.speak(LONG) as pieces:
            claims = [piece async for piece in pieces if isinstance(piece, Spoken)]
        length = len(await vendor.bank.audio(LONG, "ulaw_8000"))

    ends, at = {}, 0
    for token, _, end_s in spread(LONG, length / 8000, pattern=TOKENS):
        at += len(token)
        ends[at] = end_s * 1000
    words = [(len(LONG[: claim.characters].rstrip(",. ")), claim.until_ms) for claim in claims]
    assert len(words) > 3
    assert all(until_ms >= ends[end] - 1 for end, until_ms in words)


async def test_a_kept_connection_that_breaks_before_an_answer_is_replaced_at_once() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech:
        await said(speech, "One.")
        vendor.delay_ms = (5000, 5000)
        sentence = asyncio.create_task(said(speech))
        async with asyncio.timeout(10):
            while len(vendor.seen) < 2:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)
        vendor.delay_ms = (1, 1)
        vendor.drop_connections()

        assert await sentence == await vendor.bank.audio(LONG, "ulaw_8000")
        assert vendor.connections == 2


async def test_a_fresh_connection_that_breaks_is_not_asked_again() -> None:
    async with InworldStandin(delay_ms=(5000, 5000)) as vendor, speaking(vendor) as speech:
        sentence = asyncio.create_task(failure_of(speech))
        async with asyncio.timeout(10):
            while not vendor.seen:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)
        vendor.drop_connections()

        assert (await sentence).kind == "network"
        assert (len(vendor.seen), vendor.connections) == (1, 1)


async def test_words_that_trail_behind_are_claimed_by_the_end_at_least() -> None:
    async with InworldStandin() as vendor, speaking(vendor, aligned=True) as speech:
        vendor.scripts[VOICE] = Script(trailing_words=True)
        async with speech.speak(LONG) as pieces:
            claims = [piece async for piece in pieces if isinstance(piece, Spoken)]

    assert claims[-1].characters == len(LONG)


async def test_nothing_is_claimed_when_it_was_not_asked_for() -> None:
    async with InworldStandin() as vendor, speaking(vendor) as speech, speech.speak(LONG) as pieces:
        kinds = {type(piece) async for piece in pieces}

    assert kinds == {bytes}
    assert "timestampType" not in json.dumps(vendor.seen[0].body)
