"""The catalogue of what vendors do, by number, over real sockets: the caller hears the whole text, once.

1 to 6 are refusals, 9 to 12 and 19 are silence, 16 and 22 are messages that are not what they should be.
"""

import asyncio
import base64
import json

import pytest
from structlog.testing import capture_logs

from app.capacity.breaker import State
from app.capacity.port import Rank
from app.errors import Failure
from app.speech.trouble import trouble
from app.speech.voice import LEFT_S
from tests.faults.conftest import AT_THE_START, IN_MID_SENTENCE, TEXT, USUAL, scene
from tests.faults.coverage import assert_every_word_said, assert_said_once
from tests.standins.elevenlabs import KEY
from tests.standins.elevenlabs_script import FRAMES, Script
from tests.standins.permits import Places
from tests.standins.spelled import CHARACTER_BYTES, spelled

GOOD = Script()
TRANSPORTS = ["websocket", "http"]
SOME = 20 * CHARACTER_BYTES + 100  # bytes of audio, in mid-word


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_01_over_the_vendors_limit_a_sentence_goes_back_into_the_line(transport: str) -> None:
    places = Places(2)  # one more than the vendor lets through
    texts = [TEXT, TEXT.replace("Vienna", "Prague"), TEXT.replace("train", "bus")]
    slow = Script(delay_ms=(300, 300))
    async with scene(slow, GOOD, limit=1, permits={"first": places}, transport=transport) as found:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(found.hear(text)) for text in texts]
        refused = found.status("first").last_failure

        assert found.asked("second") == []
        assert found.status("first").breaker is State.CLOSED
    for text, task in zip(texts, tasks, strict=True):
        assert_said_once(text, task.result())
    assert refused is Failure.OVER_LIMIT
    assert places.refusals >= 1
    assert (places.held, places.peak) == (0, 2)


async def test_01_twenty_callers_on_a_limit_of_three_are_all_heard_whole_by_the_same_voice() -> None:
    places = Places(3)
    texts = [f"This is the sentence of caller number {number} and of nobody else." for number in range(20)]
    with capture_logs() as events:
        async with scene(GOOD, limit=3, permits={"first": places}) as found, asyncio.TaskGroup() as group:
            tasks = [group.create_task(found.hear(text)) for text in texts]

    for text, task in zip(texts, tasks, strict=True):
        assert_said_once(text, task.result())
    rendered = [event for event in events if event["event"] == "speech.rendered"]
    assert [event["outcome"] for event in rendered] == ["complete"] * 20
    assert sum(event["waited_ms"] > 0 for event in rendered) >= 17
    assert (places.held, places.peak, places.refusals) == (0, 3, 0)


async def test_01_when_the_line_is_too_long_the_next_voice_speaks() -> None:
    places = Places(1)
    async with scene(Script(stall_after=0), GOOD, limits=AT_THE_START, permits={"first": places}) as found:
        async with places.permit(Rank.BATCH, wait_s=1.0):
            assert_said_once(TEXT, await found.hear())

        assert found.asked("first") == []
        assert found.status("first").failures == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_02_a_busy_vendor_is_asked_once_more_and_then_left_alone(transport: str) -> None:
    busy = (
        Script(refuse=(429, {"detail": {"status": "system_busy", "message": FRAMES["system_busy"]}}))
        if transport == "http"
        else Script(error="system_busy")
    )
    async with scene(busy, GOOD, transport=transport) as found:
        heard = [await found.hear() for _ in range(3)]
        asked = [seen for seen in found.vendor.seen if seen.voice == "first"]

        assert found.status("first").breaker is State.OPEN
        assert found.status("first").last_failure is Failure.BUSY
    for mulaw in heard:
        assert_said_once(TEXT, mulaw)
    # Twice for the first sentence; the third failure in a row opens the breaker, a fourth is its repetition.
    assert 3 <= len(asked) <= 4


async def test_03_a_key_that_worked_just_now_and_is_refused_is_doubted_not_damned() -> None:
    async with scene(GOOD, GOOD) as found:
        await found.hear()
        found.behaves("first", Script(error="invalid_api_key", error_message=f"Invalid API key {KEY}"))
        with capture_logs() as events:
            assert_said_once(TEXT, await found.hear())
        status = found.status("first")

        assert (status.last_failure, status.breaker) == (Failure.AUTH_SUSPECT, State.CLOSED)
        assert len(found.asked("first")) == 3
    doubts = [event for event in events if event["event"] == "provider.key_doubted"]
    assert [event["log_level"] for event in doubts] == ["error", "error"]
    assert KEY[:12] not in str(events)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_04_a_key_that_never_worked_is_asked_once_and_every_call_is_heard(transport: str) -> None:
    with capture_logs() as events:
        async with scene(GOOD, GOOD, transport=transport, key="sk_wrong_wrong_wrong") as found:
            heard = [await found.hear() for _ in range(3)]

            assert found.chain.failing == ["first"]
            assert found.status("first").breaker is State.OPEN
            assert len([seen for seen in found.vendor.seen if seen.voice == "first"]) == 1
    for mulaw in heard:
        assert_said_once(TEXT, mulaw)
    assert [event["kind"] for event in events if event["event"] == "provider.breaker_opened"] == ["auth"]


async def test_05_a_quota_that_ends_opens_the_breaker_until_somebody_pays() -> None:
    async with scene(GOOD, GOOD) as found:
        await found.hear()
        found.behaves("first", Script(error="quota_exceeded"))
        heard = [await found.hear() for _ in range(2)]

        assert found.status("first").opens_in_s > 50
        assert len(found.asked("first")) == 2
    for mulaw in heard:
        assert_said_once(TEXT, mulaw)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    "script", [Script(hang=True), Script(stall_after=0)], ids=["06_no_connection", "09_no_first_byte"]
)
async def test_06_09_a_vendor_that_does_not_begin_is_left_within_its_budget(
    script: Script, transport: str
) -> None:
    async with scene(script, GOOD, limits=AT_THE_START, transport=transport) as found:
        assert_said_once(TEXT, await found.hear())

        assert found.status("first").last_failure is Failure.TIMEOUT
        assert found.vendor.slots.peak <= 2


MID_SENTENCE = {
    "10_stall": (Script(stall_after=SOME), Failure.TIMEOUT),
    "11_closed_with_1000": (Script(after=SOME, close=(1000, "")), Failure.CLOSED),
    "11_closed_with_1008": (Script(after=SOME, close=(1008, "")), Failure.BAD_REQUEST),
    "11_cut": (Script(cut_after=SOME), Failure.NETWORK),
    "11_error_frame": (Script(after=SOME, error="quota_exceeded"), Failure.QUOTA),
    "16_invalid_base64": (Script(after=SOME, frame='{"audio":"***"}'), Failure.GARBAGE),
    "16_no_json": (Script(after=SOME, frame="{not json"), Failure.GARBAGE),
}


@pytest.mark.parametrize("timed", ["first", "each"])
@pytest.mark.parametrize("name", MID_SENTENCE)
async def test_10_11_16_what_breaks_in_mid_sentence_is_taken_up_with_the_next_word(
    name: str, timed: str
) -> None:
    script, kind = MID_SENTENCE[name]
    limits = IN_MID_SENTENCE if kind is Failure.TIMEOUT else USUAL
    script = Script(**{**script.__dict__, "timed": timed})
    async with scene(script, GOOD, limits=limits) as found:
        heard = await found.hear()

        assert found.status("first").last_failure is kind
        assert found.asked("second")[0].texts[0].strip() in TEXT[5:]
        await found.settled()
    assert_said_once(TEXT, heard)


@pytest.mark.parametrize("script", [Script(stall_after=SOME), Script(cut_after=SOME, broken_chunk=True)])
async def test_10_11_without_alignment_the_word_that_was_cut_is_said_again(script: Script) -> None:
    async with scene(GOOD, GOOD, transport="http", limits=IN_MID_SENTENCE) as found:
        await found.hear()  # from which the pace is learned
        found.behaves("first", script)
        heard = await found.hear()

        assert len(found.asked("second")) == 1
    assert_every_word_said(TEXT, heard)


async def test_12_an_end_that_is_never_told_costs_no_word_and_no_permit() -> None:
    places = Places(1)
    async with scene(Script(no_final=True), GOOD, limits=IN_MID_SENTENCE, permits={"first": places}) as found:
        assert_said_once(TEXT, await found.hear())

        assert places.held == 0
        assert found.asked("second") == []
        await found.settled()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_17_a_slow_listener_holds_neither_permit_nor_connection(transport: str) -> None:
    places = Places(1)
    async with scene(GOOD, permits={"first": places}, transport=transport) as found:
        frames = found.chain.render(TEXT)
        heard = await anext(frames)
        async with asyncio.timeout(10):
            while places.held:  # noqa: ASYNC110 - it does not signal
                await asyncio.sleep(0.01)
        assert found.vendor.seen[-1].finished
        heard += b"".join([frame async for frame in frames])

    assert_said_once(TEXT, heard)


async def test_17_more_than_a_minute_ahead_of_its_listener_the_voice_waits() -> None:
    text = " ".join([TEXT] * 25)  # 90 s of audio
    places = Places(1)
    async with scene(GOOD, permits={"first": places}) as found:
        frames = found.chain.render(text)
        heard = await anext(frames)
        await asyncio.sleep(0.5)

        assert places.held == 1
        heard += b"".join([frame async for frame in frames])
        assert places.held == 0
    assert_said_once(text, heard)


async def test_18_a_voice_slower_than_speech_is_heard_in_order_and_whole() -> None:
    text = "Slow as a snail on ice."
    async with scene(Script(trickle=True), GOOD) as found:
        assert_said_once(text, await found.hear(text))

        assert found.asked("second") == []


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_19_no_audio_for_a_text_is_a_failure(transport: str) -> None:
    async with scene(Script(silent=True), GOOD, transport=transport) as found:
        assert_said_once(TEXT, await found.hear())

        assert found.status("first").last_failure is Failure.GARBAGE


async def test_20_interruptions_in_a_row_leave_nothing_open_at_the_vendor() -> None:
    places = Places(1)
    async with scene(GOOD, permits={"first": places}, prewarm=2) as found:
        for _ in range(12):
            frames = found.chain.render(TEXT)
            await anext(frames)
            await frames.aclose()
        await asyncio.sleep(2 * LEFT_S)
        assert places.held == 0
        assert_said_once(TEXT, await found.hear())

        assert found.status("first").failures == 0
        assert found.vendor.slots.peak <= 2


async def test_21_a_warm_socket_that_expired_costs_no_sentence_and_counts_nowhere() -> None:
    async with scene(GOOD, GOOD, idle_s=0.05, prewarm=2) as found:
        found.chain.warm()
        await asyncio.sleep(0.3)
        assert_said_once(TEXT, await found.hear())

        assert (found.status("first").failures, found.status("first").breaker) == (0, State.CLOSED)
        assert found.asked("second") == []


async def test_22_the_audio_of_another_conversation_is_dropped() -> None:
    other = base64.b64encode(spelled(999, "Somebody else's words. ")).decode()
    frame = json.dumps({"audio": other, "isFinal": None, "contextId": "another"})
    with capture_logs() as events:
        async with scene(Script(frame=frame, after=SOME), GOOD) as found:
            assert_said_once(TEXT, await found.hear())

            assert found.asked("second") == []
    assert [event["event"] for event in events].count("speech.message_of_another") == 1


async def test_23_when_every_voice_fails_the_caller_is_asked_to_hold() -> None:
    async with scene(Script(error="quota_exceeded"), Script(refuse=(500, {"detail": "oops"}))) as found:
        heard, failure = await found.hear_until_failure()

    assert heard == trouble()
    assert failure is not None and (failure.kind, failure.provider) == (Failure.BUSY, "elevenlabs")


async def test_23_in_mid_sentence_as_well() -> None:
    async with scene(Script(after=SOME, error="quota_exceeded"), Script(error="quota_exceeded")) as found:
        heard, failure = await found.hear_until_failure()

    assert heard.endswith(trouble()) and len(heard) > len(trouble())
    assert failure is not None
