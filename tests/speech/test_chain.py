from contextlib import aclosing

import pytest
from structlog.testing import capture_logs

from app.errors import ConfigError, Failure, ProviderError
from app.speech.chain import Chain
from tests.standins.voice import ToneVoice, tone


def failing(kind: Failure, *, name: str = "first", fail_after: int = 0) -> ToneVoice:
    return ToneVoice(name=name, failure=ProviderError(name, kind, "so it is"), fail_after=fail_after)


class Unstartable(ToneVoice):
    """A voice whose library is missing."""

    async def __aenter__(self) -> "Unstartable":
        raise ConfigError("the library is missing")


async def heard(chain: Chain, text: str = "Hello.") -> bytes:
    async with aclosing(chain.render(text)) as frames:
        return b"".join([frame async for frame in frames])


async def test_the_first_voice_speaks() -> None:
    first, second = ToneVoice(name="first", hertz=440), ToneVoice(name="second", hertz=880)
    async with Chain([first, second]) as chain:
        assert await heard(chain) == tone(440, 1.0)

    assert second.said == []


@pytest.mark.parametrize(
    "kind", [Failure.QUOTA, Failure.AUTH, Failure.NETWORK, Failure.OVER_LIMIT, Failure.GARBAGE]
)
async def test_a_voice_that_cannot_begin_is_left_for_the_next(kind: Failure) -> None:
    first, second = failing(kind), ToneVoice(name="second", hertz=880)
    with capture_logs() as events:
        async with Chain([first, second]) as chain:
            assert await heard(chain) == tone(880, 1.0)

    assert first.said == second.said == ["Hello."]
    facts = [(event["event"], event["provider"]) for event in events if event["log_level"] == "warning"]
    assert facts == [("provider.failed", "first"), ("speech.fell_back", "second")]


async def test_each_sentence_begins_with_the_first_voice_again() -> None:
    first, second = failing(Failure.BUSY), ToneVoice(name="second")
    async with Chain([first, second]) as chain:
        await heard(chain, "One.")
        await heard(chain, "Two.")

    assert first.said == ["One.", "Two."]


async def test_a_session_that_was_over_is_tried_once_again() -> None:
    first, second = failing(Failure.CLOSED), ToneVoice(name="second", hertz=880)
    async with Chain([first, second]) as chain:
        assert await heard(chain) == tone(880, 1.0)

    assert first.said == ["Hello.", "Hello."]


async def test_a_failure_in_mid_sentence_ends_it_where_it_stands() -> None:
    first, second = failing(Failure.CLOSED, fail_after=3), ToneVoice(name="second")
    frames = b""
    async with Chain([first, second]) as chain:
        with pytest.raises(ProviderError):
            async with aclosing(chain.render("Hello.")) as rendering:
                async for frame in rendering:
                    frames += frame

    assert frames == tone(440, 1.0)[:2880]  # whole frames of three pieces of 1000 bytes
    assert first.said == ["Hello."]
    assert second.said == []


async def test_when_all_fail_the_last_failure_is_raised() -> None:
    async with Chain([failing(Failure.QUOTA), failing(Failure.AUTH, name="second")]) as chain:
        with pytest.raises(ProviderError) as failure:
            await heard(chain)

    assert (failure.value.provider, failure.value.kind) == ("second", "auth")


async def test_leaving_in_mid_sentence_frees_the_voice() -> None:
    voice = ToneVoice(seconds=5)
    async with Chain([voice]) as chain:
        async with aclosing(chain.render("Hello.")) as frames:
            await anext(frames)

        assert voice.speaking == 0


async def test_blank_text_is_silence_and_no_failure() -> None:
    async with Chain([ToneVoice()]) as chain:
        assert await heard(chain, " ") == b""


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


async def test_warming_reaches_every_voice() -> None:
    voices = [ToneVoice(name="first"), ToneVoice(name="second")]
    async with Chain(voices) as chain:
        chain.warm()

    assert [voice.warmed for voice in voices] == [1, 1]


async def test_ping_says_what_is_wrong_with_each_voice() -> None:
    async with Chain([failing(Failure.AUTH), ToneVoice(name="second")]) as chain:
        found = await chain.ping()

    assert [(name, fault.kind if fault else None) for name, fault in found.items()] == [
        ("first", "auth"),
        ("second", None),
    ]
