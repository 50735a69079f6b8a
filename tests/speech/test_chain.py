import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest
from structlog.testing import capture_logs

from app import clock
from app.capacity.breaker import State
from app.capacity.port import Rank
from app.errors import ConfigError, Failure, ProviderError
from app.speech.budgets import USUAL
from app.speech.chain import Chain
from app.speech.port import Spoken
from app.speech.trouble import trouble
from app.speech.voice import LEFT_S
from tests.standins.permits import Places
from tests.standins.spelled import read
from tests.standins.spelled_voice import Fault, SpelledVoice
from tests.standins.voice import ToneVoice, tone
from tests.virtual_time import in_virtual_time


def failing(kind: Failure, *, name: str = "first", fail_after: int = 0) -> ToneVoice:
    return ToneVoice(name=name, failure=ProviderError(name, kind, "so it is"), fail_after=fail_after)


class Unstartable(ToneVoice):
    """A voice whose library is missing."""

    async def __aenter__(self) -> "Unstartable":
        raise ConfigError("the library is missing")


class Shelf:
    """A cache of a test."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    def find(self, text: str, fingerprints: Sequence[str]) -> bytes | None:
        return next((self.kept[text, one] for one in fingerprints if (text, one) in self.kept), None)

    def keep(self, text: str, fingerprint: str, mulaw: bytes) -> None:
        self.kept[text, fingerprint] = mulaw


async def heard(chain: Chain, text: str = "Hello.", rank: Rank = Rank.TURN) -> bytes:
    async with aclosing(chain.render(text, rank=rank)) as frames:
        return b"".join([frame async for frame in frames])


def said(mulaw: bytes) -> str:
    return "|".join(passage.text for passage in read(mulaw))


async def test_it_tells_where_in_the_sentence_the_frames_are_over_all_voices() -> None:
    first = SpelledVoice("first", aligned=True, faults=[Fault(9 * 320, Failure.QUOTA)])
    second = SpelledVoice("second", aligned=False)
    places: list[Spoken] = []
    async with (
        Chain([first, second]) as chain,
        aclosing(chain.render("One two three four", places=places)) as frames,
    ):
        mulaw = b"".join([frame async for frame in frames])

    assert said(mulaw) == "One two|three four"
    assert places == [(3, 120.0), (7, 280.0), (8, 280.0)]


async def test_the_first_voice_speaks() -> None:
    first, second = ToneVoice(name="first", hertz=440), ToneVoice(name="second", hertz=880)
    async with Chain([first, second]) as chain:
        assert await heard(chain) == tone(440, 1.0)

    assert second.said == []


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        (Failure.QUOTA, 1),
        (Failure.AUTH, 1),
        (Failure.GARBAGE, 1),
        (Failure.BAD_REQUEST, 1),
        (Failure.NETWORK, 2),
        (Failure.BUSY, 2),
        (Failure.TIMEOUT, 2),
        (Failure.CLOSED, 2),
    ],
)
@in_virtual_time
async def test_a_voice_that_cannot_begin_is_left_for_the_next(kind: Failure, times: int) -> None:
    first, second = failing(kind), ToneVoice(name="second", hertz=880)
    with capture_logs() as events:
        async with Chain([first, second]) as chain:
            began = clock.now()
            assert await heard(chain) == tone(880, 1.0)
            assert clock.now() - began < 0.3

    assert first.said == ["Hello."] * times
    assert second.said == ["Hello."]
    names = [event["event"] for event in events if event.get("provider") == "second"]
    assert "speech.fell_back" in names


@in_virtual_time
async def test_each_sentence_begins_with_the_first_voice_again() -> None:
    first, second = failing(Failure.GARBAGE), ToneVoice(name="second")
    async with Chain([first, second]) as chain:
        await heard(chain, "One.")
        await heard(chain, "Two.")

    assert first.said == ["One.", "Two."]


@pytest.mark.parametrize("aligned", [True, False])
@in_virtual_time
async def test_a_failure_in_mid_sentence_is_taken_up_by_the_next_voice(aligned: bool) -> None:
    first = SpelledVoice("first", aligned=aligned)
    second = SpelledVoice("second", aligned=aligned)
    async with Chain([first, second]) as chain:
        await heard(chain, "A lesson.")
        first.faults = [Fault(7 * 320, Failure.GARBAGE)]
        frames = await heard(chain, "Hello my dear.")

    assert said(frames) == ("Hello|my dear." if aligned else "Hello m|my dear.")
    assert second.said == ["my dear."]


@in_virtual_time
async def test_a_repetition_is_bounded_by_what_the_caller_can_bear() -> None:
    """A vendor that fails late has used the time up in which it could be asked again."""
    first, second = failing(Failure.NETWORK), ToneVoice(name="second")
    first._delay_s = 1.5
    async with Chain([first, second]) as chain:
        began = clock.now()
        await heard(chain)

        assert clock.now() - began == pytest.approx(1.5)
    assert first.said == ["Hello."]


@in_virtual_time
async def test_a_silent_voice_costs_less_than_two_seconds_and_nothing_once_its_breaker_is_open() -> None:
    first, second = ToneVoice(name="first", delay_s=1e6), ToneVoice(name="second")
    first._failure = ProviderError("first", Failure.TIMEOUT)  # what a look at it would meet
    async with Chain([first, second]) as chain:
        delays = []
        for _ in range(4):
            began = clock.now()
            async with aclosing(chain.render("Hello.")) as frames:
                await anext(frames)
                delays.append(clock.now() - began)

        assert [delay < 2 for delay in delays] == [True] * 4
        assert delays[3] == 0
        assert chain.status()[0].breaker is State.OPEN


@in_virtual_time
async def test_a_breaker_is_half_opened_by_a_look_in_the_background() -> None:
    first, second = failing(Failure.BUSY), ToneVoice(name="second")
    async with Chain([first, second]) as chain:
        await heard(chain)
        await heard(chain)
        assert chain.status()[0].breaker is State.OPEN
        first._failure = None
        await asyncio.sleep(6)
        assert chain.status()[0].breaker is State.HALF_OPEN
        await heard(chain)

        assert chain.status()[0].breaker is State.CLOSED
        assert chain.failing == []


@in_virtual_time
async def test_when_all_fail_the_caller_is_asked_to_hold_and_the_last_failure_raised() -> None:
    async with Chain([failing(Failure.QUOTA), failing(Failure.AUTH, name="second")]) as chain:
        frames = b""
        with pytest.raises(ProviderError) as failure:
            async with aclosing(chain.render("Hello.")) as rendering:
                async for frame in rendering:
                    frames += frame

    assert (failure.value.provider, failure.value.kind) == ("second", "auth")
    assert frames == trouble()


async def test_a_program_is_told_of_the_failure_and_not_asked_to_hold() -> None:
    async with Chain([failing(Failure.QUOTA)]) as chain:
        frames = chain.render("Hello.", rank=Rank.BATCH)
        with pytest.raises(ProviderError):
            await anext(frames)


@in_virtual_time
async def test_the_last_voice_is_asked_whatever_its_breaker_says() -> None:
    last = failing(Failure.QUOTA)
    async with Chain([last]) as chain:
        for _ in range(3):
            with pytest.raises(ProviderError):
                await heard(chain)

        assert len(last.said) == 3


@pytest.mark.parametrize("leave", ["close", "cancel"])
@in_virtual_time
async def test_leaving_in_mid_sentence_frees_the_voice_at_once_and_its_permit_when_the_vendor_may_know(
    leave: str,
) -> None:
    voice, places = ToneVoice(seconds=5, gap_s=0.05), Places(1)
    async with Chain([voice], permits={"tone": places}) as chain:
        begun = asyncio.Event()

        async def listen() -> None:
            async with aclosing(chain.render("Hello.")) as frames:
                async for _ in frames:
                    begun.set()
                    if leave == "close":
                        return

        async with asyncio.TaskGroup() as group:
            task = group.create_task(listen())
            await begun.wait()
            task.cancel()

        assert (voice.speaking, places.held) == (0, 1)
        await asyncio.sleep(LEFT_S - 0.01)
        assert places.held == 1
        await asyncio.sleep(0.02)
        assert places.held == 0
        assert not chain._background._tasks


@in_virtual_time
async def test_a_chain_that_is_closed_keeps_no_permit() -> None:
    places = Places(1)
    async with (
        Chain([ToneVoice(seconds=5, gap_s=0.05)], permits={"tone": places}) as chain,
        aclosing(chain.render("Hello.")) as frames,
    ):
        await anext(frames)

    assert places.held == 0


@in_virtual_time
async def test_a_permit_is_held_while_the_voice_speaks_and_not_while_it_is_played() -> None:
    places = Places(1)
    async with Chain([ToneVoice(seconds=20)], permits={"tone": places}) as chain:
        async with aclosing(chain.render("Hello.", rank=Rank.GREETING)) as frames:
            await anext(frames)
            await asyncio.sleep(1)

            assert places.held == 0
        assert [rank for rank, _ in places.asked] == [Rank.GREETING]
        assert places.allowed == [None]


@in_virtual_time
async def test_without_a_permit_in_time_the_next_voice_speaks_and_nobody_is_blamed() -> None:
    first, second, places = ToneVoice(name="first"), ToneVoice(name="second", hertz=880), Places(1)
    async with Chain([first, second], permits={"first": places}) as chain:
        async with places.permit(Rank.TURN, wait_s=1):
            began = clock.now()
            assert await heard(chain) == tone(880, 1.0)
            assert clock.now() - began == pytest.approx(USUAL.permit_wait_s)

        assert first.said == []
        assert chain.failing == []


@in_virtual_time
async def test_a_phrase_that_is_ready_needs_no_voice_and_no_permit() -> None:
    shelf, voice, places = Shelf(), ToneVoice(), Places(1)
    shelf.keep("Hello.", voice.fingerprint, tone(300, 1.5))
    async with Chain([voice], cache=shelf, permits={"tone": places}) as chain:
        assert await heard(chain, "Hello. ") == tone(300, 1.5)

    assert (voice.said, places.asked) == ([], [])


@in_virtual_time
async def test_a_phrase_of_a_lesser_voice_is_used_only_while_the_better_is_away() -> None:
    shelf = Shelf()
    first, second = failing(Failure.QUOTA), ToneVoice(name="second", hertz=880)
    shelf.keep("Hello.", second.fingerprint, tone(300, 1.0))
    async with Chain([first, second], cache=shelf) as chain:
        assert await heard(chain) == tone(880, 1.0)
        assert await heard(chain) == tone(300, 1.0)


@in_virtual_time
async def test_what_is_made_for_a_caller_is_not_kept_and_what_is_prepared_is() -> None:
    shelf, voice = Shelf(), ToneVoice()
    async with Chain([voice], cache=shelf) as chain:
        await heard(chain, "For you alone.")
        assert shelf.kept == {}
        chain.prepare(["One. Two."])
        await asyncio.sleep(1)

    assert [text for text, _ in shelf.kept] == ["One.", "Two."]


async def test_blank_text_is_silence_and_no_failure() -> None:
    voice = ToneVoice()
    async with Chain([voice]) as chain:
        for text in (" ", "", "...", "\u2014"):
            assert await heard(chain, text) == b""

    assert voice.said == []


async def test_a_voice_that_cannot_start_is_left_out_loudly() -> None:
    with capture_logs() as events:
        async with Chain([Unstartable(name="first"), ToneVoice(name="second")]) as chain:
            assert chain.names == ["second"]
            assert await heard(chain)

    assert events[0]["event"] == "speech.provider_left_out"
    assert (events[0]["log_level"], events[0]["reason"]) == ("error", "the library is missing")


async def test_without_any_voice_the_operator_is_told_all_reasons() -> None:
    with pytest.raises(ConfigError) as failure:
        await Chain([Unstartable(name="first"), Unstartable(name="second")]).__aenter__()

    assert failure.value.faults == (
        "voice first: the library is missing",
        "voice second: the library is missing",
    )
    with pytest.raises(ConfigError, match="no voice is configured"):
        await Chain([]).__aenter__()


async def test_a_chain_that_is_closed_in_mid_sentence_says_so_to_its_listener() -> None:
    chain = Chain([ToneVoice(seconds=5, gap_s=0.01)])
    async with chain:
        frames = chain.render("Hello.")
        await anext(frames)
    with pytest.raises(ProviderError, match="closed"):
        async for _ in frames:
            pass
    with pytest.raises(ProviderError, match="not open"):
        await anext(chain.render("Hello."))


async def test_warming_and_forgetting_reach_every_voice() -> None:
    warm, spelled = ToneVoice(name="first"), SpelledVoice("second", aligned=True)
    async with Chain([warm, spelled]) as chain:
        chain.warm()
        chain.forget("CA1")

    assert (warm.warmed, spelled.forgotten) == (1, ["CA1"])


async def test_ping_says_what_is_wrong_with_each_voice() -> None:
    async with Chain([failing(Failure.AUTH), ToneVoice(name="second")]) as chain:
        found = await chain.ping()

    assert [(name, fault.kind if fault else None) for name, fault in found.items()] == [
        ("first", "auth"),
        ("second", None),
    ]
