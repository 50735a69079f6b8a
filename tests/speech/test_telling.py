import asyncio

from app import clock
from app.capacity.port import Rank
from app.speech.port import Spoken
from app.speech.telling import Telling
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_it_knows_when_its_listener_has_heard_all() -> None:
    began = clock.now()
    telling = Telling(" Hello.", Rank.TURN)
    assert (telling.rest, telling.dry_at) == ("Hello.", began)

    await asyncio.sleep(1)
    await telling.hand(b"\x01" * 16_000, "one")
    await telling.hand(b"\x01" * 8_000, "one")
    assert telling.dry_at == began + 4

    await asyncio.sleep(5)  # the listener has heard nothing for two seconds
    await telling.hand(b"\x01" * 8_000, "other")
    assert telling.dry_at == began + 7
    assert telling.voices == ["one", "other"]


@in_virtual_time
async def test_nothing_is_not_handed_out() -> None:
    telling = Telling("Hello.", Rank.TURN)
    await telling.hand(b"", "one")
    telling.reel.end()

    assert telling.voices == []
    assert [mulaw async for mulaw in telling.reel.frames()] == []


async def test_places_are_told_with_the_audio_that_they_are_of() -> None:
    places: list[Spoken] = []
    telling = Telling(" One two three", Rank.TURN, places=places)
    telling.go_on()
    for place in (Spoken(3, 100.0), Spoken(7, 200.0), Spoken(13, 300.0)):
        telling.spoken(place)
    assert places == []

    await telling.hand(b"\x01" * 199 * 8, "one")
    assert places == [Spoken(4, 100.0)]
    await telling.hand(b"\x01" * 1 * 8, "one")
    assert places == [Spoken(4, 100.0), Spoken(8, 200.0)]


async def test_places_of_the_next_voice_count_on_behind_what_was_handed_out() -> None:
    places: list[Spoken] = []
    telling = Telling("One two three", Rank.TURN, places=places)
    telling.go_on()
    telling.spoken(Spoken(3, 100.0))
    telling.spoken(Spoken(7, 200.0))  # which is withheld when it fails
    await telling.hand(b"\x01" * 120 * 8, "one")
    telling.rest = "two three"
    telling.go_on()
    telling.spoken(Spoken(3, 50.0))
    await telling.hand(b"\x01" * 100 * 8, "other")

    assert places == [Spoken(3, 100.0), Spoken(4, 120.0), Spoken(7, 170.0)]
