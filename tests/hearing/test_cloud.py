"""What a session does beyond the contract; the contract's run over both vendors is in `tests/contract/`."""

import asyncio
import ssl

import pytest
from structlog.testing import capture_logs

from app.errors import ProviderError
from app.hearing.cloud import CloudHearing, CloudListener, Patience
from app.hearing.deepgram import DeepgramHearing
from app.hearing.dictation import Waits
from app.hearing.elevenlabs import ElevenLabsHearing
from app.hearing.port import Transcript
from tests.standins.cloud_ears import CloudEarsStandin, Script
from tests.standins.deepgram import KEY as DEEPGRAM_KEY
from tests.standins.deepgram import DeepgramStandin
from tests.standins.dictated import dictated, understood
from tests.standins.elevenlabs_stt import KEY, ScribeStandin

QUICK = Patience(
    Waits(final_s=0.3, latest_s=1.0, keep_alive_s=0.05), connect_s=5.0, backoff_s=(0.0, 0.02, 0.02)
)


def scribe(vendor: CloudEarsStandin) -> CloudHearing:
    return ElevenLabsHearing(api_key=KEY, base_url=vendor.url, patience=QUICK)


def deepgram(vendor: CloudEarsStandin) -> CloudHearing:
    return DeepgramHearing(api_key=DEEPGRAM_KEY, base_url=vendor.url, patience=QUICK)


async def final(listener: CloudListener) -> Transcript:
    async with asyncio.timeout(5):
        async for transcript in listener.transcripts():
            if transcript.final:
                return transcript
    raise AssertionError("the session was left")


async def said(listener: CloudListener, text: str) -> str:
    listener.begin_utterance()
    listener.hear(dictated(text))
    listener.end_utterance()
    return (await final(listener)).text


async def test_a_provider_has_its_vendors_name() -> None:
    async with ScribeStandin() as vendor:
        assert (scribe(vendor).name, deepgram(vendor).name) == ("elevenlabs", "deepgram")


async def test_audio_leaves_while_the_caller_still_speaks() -> None:
    async with ScribeStandin() as vendor, scribe(vendor).listen() as listener:
        listener.begin_utterance()
        audio = dictated("what are the tour dates")
        for start in range(0, len(audio), 160):
            listener.hear(audio[start : start + 160])
            await asyncio.sleep(0.0005)
        async with asyncio.timeout(2):
            interim = await anext(aiter(listener.transcripts()))
        assert not interim.final
        listener.end_utterance()

        assert (await final(listener)).text == "what are the tour dates"
    assert set(vendor.seen[0].sizes[:-1]) == {800}


async def test_nothing_but_silence_is_sent_between_utterances_and_the_vendor_stays() -> None:
    async with ScribeStandin(quiet_s=0.15) as vendor, scribe(vendor).listen() as listener:
        await said(listener, "one")
        listener.hear(dictated("secret"))
        await asyncio.sleep(0.4)

        assert await said(listener, "two") == "two"
    assert len(vendor.seen) == 1
    assert understood(bytes(vendor.seen[0].audio)) == "one two"


async def test_a_text_keeps_the_other_vendor_and_no_audio_does() -> None:
    async with DeepgramStandin(quiet_s=0.15) as vendor, deepgram(vendor).listen() as listener:
        await said(listener, "one")
        await asyncio.sleep(0.4)

        assert await said(listener, "two") == "two"
    assert {"type": "KeepAlive"} in vendor.seen[0].messages
    assert bytes(vendor.seen[0].audio) == dictated("one two")


async def test_a_vendor_that_left_a_quiet_line_is_called_again_unnoticed() -> None:
    async with ScribeStandin(quiet_s=0.02) as vendor, scribe(vendor).listen() as listener:
        await asyncio.sleep(0.03)
        vendor.quiet_s = 5

        assert await said(listener, "still here") == "still here"


async def test_words_that_a_vendor_confirmed_by_their_time_are_heard_once() -> None:
    cut = Script(cut=True, fault_after=14_000, segment_bytes=5_000)
    sentence = "what are the tour dates in the city of berlin please"
    async with DeepgramStandin(cut) as vendor, deepgram(vendor).listen() as listener:
        assert await said(listener, sentence) == sentence

    assert len(vendor.seen) == 2
    assert len(vendor.seen[1].audio) < len(dictated(sentence)) - 5_000


async def test_a_replay_is_told_with_what_it_replayed_and_without_words_or_keys() -> None:
    with capture_logs() as events:
        async with (
            ScribeStandin(Script(cut=True, fault_after=4000)) as vendor,
            scribe(vendor).listen() as listener,
        ):
            await said(listener, "what are the tour dates")

    told = {event["event"]: event for event in events}
    assert told["hearing.connection_lost"]["kind"] == "network"
    assert told["hearing.reconnected"]["replayed_ms"] > 0
    assert "tour" not in str(events)
    assert KEY[:8] not in str(events)


async def test_a_vendor_that_does_not_answer_is_left_for_a_new_connection() -> None:
    async with ScribeStandin(Script(mute=True)) as vendor, scribe(vendor).listen() as listener:
        assert await said(listener, "hello") == ""
        assert await said(listener, "hello") == "hello"

    assert len(vendor.seen) == 2


async def test_an_unanswered_question_alone_is_no_reason_to_leave_the_other_vendor() -> None:
    async with DeepgramStandin(Script(mute=True)) as vendor, deepgram(vendor).listen() as listener:
        assert await said(listener, "a") == ""
        assert await said(listener, "b") == ""
        assert len(vendor.seen) == 1
        assert await said(listener, "c") == ""
        assert await said(listener, "d") == "d"

    assert len(vendor.seen) == 2


async def test_audio_that_was_lost_is_told_at_the_end() -> None:
    with capture_logs() as events:
        async with (
            ScribeStandin(Script(cut=True), *[Script(hang=True)] * 3) as vendor,
            scribe(vendor).listen() as listener,
        ):
            listener.begin_utterance()
            listener.hear(bytes(800))
            await vendor.arrived(2)
            listener.hear(bytes(31 * 8000))

    assert [event["dropped_ms"] for event in events if event["event"] == "hearing.audio_dropped"] == [
        1100
    ]  # with what was told to the connection that broke


async def test_the_callers_own_exception_comes_out_as_it_is() -> None:
    async with ScribeStandin() as vendor:
        with pytest.raises(KeyError):
            async with scribe(vendor).listen():
                raise KeyError

        async with asyncio.timeout(2):
            await vendor.seen[0].gone.wait()


async def test_a_session_left_while_it_connects_anew_leaves_nothing_behind() -> None:
    async with ScribeStandin(Script(cut=True), Script(hang=True)) as vendor:
        async with scribe(vendor).listen() as listener:
            listener.begin_utterance()
            listener.hear(bytes(800))
            second = await vendor.arrived(2)
        async with asyncio.timeout(2):
            await second.gone.wait()


async def test_a_cancelled_call_leaves_its_session() -> None:
    async with ScribeStandin() as vendor:

        async def call() -> None:
            async with scribe(vendor).listen() as listener:
                async for _ in listener.transcripts():
                    pass

        task = asyncio.create_task(call())
        await vendor.arrived(1)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await vendor.seen[0].gone.wait()


async def test_what_follows_the_loss_of_the_ears_is_not_heard_and_does_no_harm() -> None:
    async with ScribeStandin(Script(error="quota_exceeded")) as vendor, scribe(vendor).listen() as listener:
        assert await said(listener, "hello") == ""
        assert listener.begin_utterance() == 2
        listener.hear(bytes(8000))
        listener.end_utterance()
        with pytest.raises(ProviderError) as failure:
            await final(listener)

    assert failure.value.kind == "quota"
    assert len(vendor.seen) == 1


async def test_the_authorities_are_read_once_and_not_in_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    whole = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        read.append(1)
        return whole()

    monkeypatch.setattr(ssl, "create_default_context", counted)
    hearing = ElevenLabsHearing(api_key=KEY, base_url="https://127.0.0.1:9", patience=QUICK)
    for _ in range(2):
        with pytest.raises(ProviderError):
            async with hearing.listen():
                pass

    assert len(read) == 1
