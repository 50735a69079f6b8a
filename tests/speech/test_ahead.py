import asyncio
from collections.abc import Sequence

from structlog.testing import capture_logs

from app.capacity.port import Rank
from app.errors import Failure, ProviderError
from app.speech.ahead import Ahead
from app.speech.background import Background
from app.speech.budgets import USUAL
from app.speech.voice import Voice
from tests.standins.permits import Places
from tests.standins.voice import ToneVoice, tone
from tests.virtual_time import in_virtual_time


class Shelf:
    """A cache of a test."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}

    def find(self, text: str, fingerprints: Sequence[str]) -> bytes | None:
        return next((self.kept[text, one] for one in fingerprints if (text, one) in self.kept), None)

    def keep(self, text: str, fingerprint: str, mulaw: bytes) -> None:
        self.kept[text, fingerprint] = mulaw


def voice_of(speech: ToneVoice, places: Places | None = None) -> Voice:
    return Voice(speech, places, USUAL, opened=lambda _voice: None, background=Background)


@in_virtual_time
async def test_every_sentence_of_every_text_is_rendered_once_behind_everybody() -> None:
    shelf, speech, places = Shelf(), ToneVoice(seconds=50), Places(1)
    with capture_logs() as events:
        await Ahead([voice_of(speech, places)], shelf).render(["One. Two.", "Two.", " ", "..."])

    assert speech.said == ["One.", "Two."]
    assert shelf.kept["One.", speech.fingerprint] == tone(440, 50)
    assert {rank for rank, _ in places.asked} == {Rank.BATCH}
    assert events[-1]["phrases"] == 2


@in_virtual_time
async def test_what_is_there_is_not_rendered_again() -> None:
    shelf, speech = Shelf(), ToneVoice()
    shelf.keep("One.", speech.fingerprint, b"")
    await Ahead([voice_of(speech)], shelf).render(["One."])

    assert speech.said == []


@in_virtual_time
async def test_what_the_first_voice_cannot_say_the_next_says_until_it_can() -> None:
    shelf = Shelf()
    first = ToneVoice(name="first", failure=ProviderError("first", Failure.BUSY))
    second = ToneVoice(name="second", hertz=880)
    async with asyncio.TaskGroup() as group:
        group.create_task(Ahead([voice_of(first), voice_of(second)], shelf).render(["One."]))
        await asyncio.sleep(30)
        assert list(shelf.kept) == [("One.", second.fingerprint)]
        first._failure = None

    assert set(shelf.kept) == {("One.", first.fingerprint), ("One.", second.fingerprint)}
    assert second.said == ["One."]
