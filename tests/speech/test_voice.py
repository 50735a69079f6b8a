import asyncio

import pytest
from structlog.testing import capture_logs

from app import clock
from app.capacity.breaker import State
from app.capacity.port import Rank
from app.errors import Failure, ProviderError
from app.speech.background import Background
from app.speech.budgets import USUAL, Budgets
from app.speech.port import Spoken
from app.speech.telling import Telling
from app.speech.voice import KEY_TRUSTED_S, NoPermit, Voice
from tests.standins.permits import Places
from tests.standins.spelled_voice import Fault, SpelledVoice
from tests.standins.voice import ToneVoice
from tests.virtual_time import in_virtual_time


def voice_of(
    *faults: Fault | None, aligned: bool = True, places: Places | None = None, limits: Budgets = USUAL
) -> tuple[Voice, SpelledVoice, list[Voice]]:
    opened: list[Voice] = []
    speech = SpelledVoice("first", aligned=aligned, faults=faults)
    return Voice(speech, places, limits, opened=opened.append, background=Background), speech, opened


async def told(voice: Voice, text: str = "One two three four") -> Telling:
    telling = Telling(text, Rank.TURN, "CA1")
    await voice.tell(telling, is_last=False)
    return telling


async def left_over(voice: Voice, text: str = "One two three four") -> str:
    telling = Telling(text, Rank.TURN, "CA1")
    with pytest.raises(ProviderError):
        await voice.tell(telling, is_last=False)
    return telling.rest


@in_virtual_time
async def test_a_sentence_that_was_said_leaves_nothing_and_teaches_the_pace() -> None:
    voice, _, _ = voice_of()
    telling = await told(voice)

    assert (telling.rest, telling.voices) == ("", ["first"])
    status = voice.status()
    assert (status.sentences, status.failures, status.breaker) == (1, 0, State.CLOSED)
    assert status.ms_per_character == 40.0
    assert status.permits is None


@in_virtual_time
async def test_what_it_could_not_say_is_left_for_somebody_else() -> None:
    voice, _, _ = voice_of(Fault(9 * 320, Failure.GARBAGE))

    assert await left_over(voice) == "three four"
    assert voice.status().last_failure is Failure.GARBAGE


@in_virtual_time
async def test_asked_again_it_goes_on_where_it_was() -> None:
    voice, speech, _ = voice_of(Fault(9 * 320, Failure.NETWORK))
    await told(voice)

    assert speech.said == ["One two three four", "three four"]
    assert voice.status().failures == 1


@in_virtual_time
async def test_the_places_of_both_its_goes_are_places_of_the_one_sentence() -> None:
    text, places = "One two three four", list[Spoken]()
    voice, _, _ = voice_of(Fault(9 * 320, Failure.NETWORK))
    await voice.tell(Telling(text, Rank.TURN, places=places), is_last=False)

    # `three` is said anew, 40 ms a character, where the audio of `two` has ended.
    assert places == [(3, 120.0), (7, 280.0), (8, 280.0), (13, 480.0), (18, 680.0)]


@in_virtual_time
async def test_a_failure_behind_the_last_word_is_no_failure_for_the_caller() -> None:
    voice, _, _ = voice_of(Fault(10_000, Failure.NETWORK))
    telling = await told(voice)

    assert telling.rest == ""
    assert voice.status().failures == 1


@in_virtual_time
async def test_a_key_that_worked_is_doubted_for_some_minutes() -> None:
    refused = [Fault(0, Failure.AUTH)] * 2
    voice, speech, opened = voice_of(None, *refused, None, Fault(0, Failure.AUTH))
    await told(voice)
    with capture_logs() as events:
        await left_over(voice)
    assert voice.status().last_failure is Failure.AUTH_SUSPECT
    assert len(speech.said) == 3
    assert opened == []
    assert [event["event"] for event in events].count("provider.key_doubted") == 2

    await told(voice)
    await asyncio.sleep(KEY_TRUSTED_S + 1)
    await left_over(voice)
    assert voice.status().last_failure is Failure.AUTH
    assert opened == [voice]


@in_virtual_time
async def test_a_refusal_of_the_vendors_teaches_the_permits_and_goes_back_into_the_line() -> None:
    places = Places(1)
    voice, speech, opened = voice_of(*[Fault(0, Failure.OVER_LIMIT)] * 4, places=places)
    await told(voice)

    assert (places.refusals, len(places.asked), places.held) == (4, 5, 0)
    assert len(speech.said) == 5
    assert opened == []
    waits = [wait_s for _, wait_s in places.asked]
    assert waits == sorted(waits, reverse=True) and waits[0] == USUAL.permit_wait_s


@in_virtual_time
async def test_waiting_in_line_has_an_end_and_is_no_failure() -> None:
    places = Places(1)
    voice, speech, _ = voice_of(places=places)
    async with places.permit(Rank.TURN, wait_s=1):
        began = clock.now()
        with pytest.raises(NoPermit):
            await told(voice)

        assert clock.now() - began == pytest.approx(USUAL.permit_wait_s)
    assert speech.said == []
    assert voice.status().failures == 0
    assert voice.status().permits is not None


@in_virtual_time
async def test_a_session_that_was_over_is_begun_anew_and_does_not_count() -> None:
    voice, speech, opened = voice_of(*[Fault(0, Failure.CLOSED), None] * 4)
    for _ in range(4):
        await told(voice)

    assert len(speech.said) == 8
    assert opened == []
    assert voice.breaker.state(clock.now()) is State.CLOSED


@in_virtual_time
async def test_a_bad_sentence_is_not_the_vendors_fault() -> None:
    voice, _, opened = voice_of(*[Fault(0, Failure.BAD_REQUEST)] * 9)
    for _ in range(9):
        await left_over(voice)

    assert opened == []


@in_virtual_time
async def test_silence_is_a_failure_when_its_time_is_up() -> None:
    voice, _, _ = voice_of(Fault(9 * 320))
    began = clock.now()

    assert await left_over(voice) == "three four"
    assert clock.now() - began == pytest.approx(USUAL.gap_s)
    assert voice.status().last_failure is Failure.TIMEOUT


@in_virtual_time
async def test_a_voice_slower_than_speech_is_left_in_the_end() -> None:
    limits = Budgets(sentence_s=10)
    voice = Voice(
        ToneVoice(seconds=60, gap_s=1.0), None, limits, opened=lambda _voice: None, background=Background
    )
    began = clock.now()
    with pytest.raises(ProviderError):
        await told(voice, "One word after the other. " * 30)

    assert 10 <= clock.now() - began <= 21  # once more, for the rest


@in_virtual_time
async def test_a_listener_who_goes_away_lets_another_probe() -> None:
    voice, _, _ = voice_of()
    for _ in range(3):
        voice.breaker.failed(clock.now())
    await asyncio.sleep(5)
    assert voice.breaker.may_pass(clock.now())
    speech = voice.speech
    assert isinstance(speech, SpelledVoice)
    speech._delay_s = 1.0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await told(voice)

    assert voice.breaker.may_pass(clock.now())
    assert speech.speaking == 0
