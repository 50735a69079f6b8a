"""Frames onto the socket in time, marks, `clear` before everything, and going on where it was cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app import clock
from app.audio.frame import SILENCE
from app.calls.player import LONGEST_QUEUE_MS, Player
from app.playout.marks import Fate, Line
from app.speech.port import Spoken
from tests.standins.phone import Phone
from tests.virtual_time import in_virtual_time

SECOND = b"".join(bytes([number]) * 160 for number in range(50))  # mu-law; 50 frames that tell their number


class Ears:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.plays_at: list[float] = []
        self.left: list[Line] = []

    def line_began(self, line: Line) -> None:
        self.told.append(f"began {line.text}")

    def line_heard(self, line: Line) -> None:
        self.told.append(f"heard {line.text}")

    def line_left(self, line: Line) -> None:
        self.left.append(line)

    def silenced(self) -> None: ...

    def frames_left(self, mulaw: bytes, plays_at: float) -> None:
        self.plays_at.append(plays_at)


@asynccontextmanager
async def playing(phone: Phone, ears: Ears | None = None) -> AsyncIterator[Player]:
    stream, _ = phone.stream()
    player = Player(stream, phone, ears or Ears(), lead_s=0.4)

    async def listen() -> None:
        while (text := await phone.receive()) is not None:
            event = stream.receive(text)
            player.returned(event.name, played=event.played)  # type: ignore[union-attr]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(player.run()), group.create_task(listen())]
        yield player
        for task in tasks:
            task.cancel()


TEN = "one two three four five six seven eight nine ten"


async def say(player: Player, text: str, mulaw: bytes = SECOND) -> Line:
    line = Line(text)
    await player.begin(line)
    await player.put(mulaw)
    await player.finish(line)
    return line


@in_virtual_time
async def test_the_lead_leaves_at_once_and_the_rest_in_its_time() -> None:
    phone = Phone()
    async with playing(phone) as player:
        await player.put(SECOND)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert 0.38 <= len(phone.heard) / 8000 <= 0.42
        await asyncio.sleep(0.7)
        assert phone.heard == SECOND
        assert max(len(message["media"]["payload"]) for message in phone.sent) == 640


@in_virtual_time
async def test_a_sentence_is_heard_when_its_mark_is_back() -> None:
    phone, ears = Phone(), Ears()
    async with playing(phone, ears) as player:
        line = await say(player, "Hello.")
        await asyncio.sleep(0.9)
        assert ears.told == ["began Hello."]
        await player.heard_all()
        assert (line.fate, ears.told) == (Fate.PLAYED, ["began Hello.", "heard Hello."])
        assert not player.is_speaking


@in_virtual_time
async def test_waiting_for_a_lost_mark_ends() -> None:
    phone = Phone(returns_marks=False)
    async with playing(phone) as player:
        await say(player, "Hello.")
        began = clock.now()
        await player.heard_all()
        assert 3.0 < clock.now() - began < 5.0


@in_virtual_time
async def test_the_provider_waits_while_a_minute_of_audio_is_queued() -> None:
    phone = Phone()
    async with playing(phone) as player:
        began = clock.now()
        for _ in range(65):
            await player.put(SECOND)
        assert player.pacer.queued_ms <= LONGEST_QUEUE_MS + 1000
        assert 3.0 < clock.now() - began < 6.0


@in_virtual_time
async def test_nothing_old_follows_a_clear_even_when_the_socket_is_slow() -> None:
    phone = Phone()
    async with playing(phone) as player:
        phone.reads.clear()
        line = await say(player, "Old.")
        await asyncio.sleep(0.01)  # a release of seven messages is in hand, the first of them on its way
        player.hold()
        player.abandon()
        phone.reads.set()
        await asyncio.sleep(1.0)

        assert phone.names() == ["media", "clear"]
        assert len(phone.sent) == 2
        assert line.fate is Fate.CLEARED


@in_virtual_time
async def test_marks_of_cleared_audio_are_not_heard_though_they_come_back() -> None:
    phone, ears = Phone(), Ears()
    async with playing(phone, ears) as player:
        await say(player, "Cleared.", SECOND[:1600])
        await asyncio.sleep(0.05)
        player.hold()
        player.abandon()
        await asyncio.sleep(0.1)

        assert ears.told == ["began Cleared."]


@in_virtual_time
async def test_a_false_interruption_goes_on_where_the_phone_fell_silent() -> None:
    phone, ears = Phone(), Ears()
    async with playing(phone, ears) as player:
        await say(player, "One.")
        await say(player, "Two.")
        await asyncio.sleep(0.605)
        player.hold()
        await asyncio.sleep(2.0)
        before = len(phone.heard)
        player.resume()
        await player.heard_all()

        again = bytes(phone.heard[before:])
        assert again == (SECOND + SECOND)[len(SECOND + SECOND) - len(again) :]
        # 605 ms were played: the frame that was cut is played again, and nothing else.
        assert len(again) == (100 - 30) * 160
        assert ears.told == ["began One.", "began Two.", "heard One.", "heard Two."]


@in_virtual_time
async def test_what_is_put_while_held_waits_for_the_decision() -> None:
    phone = Phone()
    async with playing(phone) as player, asyncio.TaskGroup() as group:
        await say(player, "One.")
        await asyncio.sleep(0.5)
        player.hold()
        putting = group.create_task(player.put(SECOND))
        await asyncio.sleep(1.0)
        assert not putting.done()
        player.resume()
        await putting
        await player.heard_all()

        assert bytes(phone.heard[-16000:]).endswith(SECOND)


@in_virtual_time
async def test_an_abandoned_sentence_is_told_to_the_word() -> None:
    phone = Phone()
    async with playing(phone) as player:
        await say(player, TEN, SECOND * 5)
        await asyncio.sleep(2.5)
        player.hold()
        await asyncio.sleep(1.0)
        heard, unheard = player.abandon()

        assert f"{heard} {unheard}" == TEN
        assert heard.split()[-1] == "five"


@in_virtual_time
async def test_where_the_voice_told_its_places_these_decide_how_far_it_was_heard() -> None:
    phone = Phone()
    async with playing(phone) as player:
        line = await say(player, TEN, SECOND * 5)
        line.places += [Spoken(3, 300), Spoken(7, 2600)]
        await asyncio.sleep(2.5)
        player.hold()

        assert player.abandon() == ("one", TEN.removeprefix("one "))


@in_virtual_time
async def test_the_time_in_which_a_sentence_was_held_is_no_time_in_which_it_was_heard() -> None:
    phone = Phone()
    async with playing(phone) as player:
        await say(player, TEN, SECOND * 5)
        await asyncio.sleep(1.0)
        player.hold()
        await asyncio.sleep(20.0)
        player.resume()
        await asyncio.sleep(1.5)
        player.hold()

        assert player.abandon()[0].split()[-1] == "five"


@in_virtual_time
async def test_the_time_in_which_the_voice_was_late_is_no_time_in_which_it_was_heard() -> None:
    phone = Phone()
    async with playing(phone) as player:
        line = Line(TEN)
        await player.begin(line)
        await player.put(SECOND)
        await asyncio.sleep(10.0)
        await player.put(SECOND * 4)
        await player.finish(line)
        await asyncio.sleep(1.5)
        player.hold()

        assert player.abandon()[0].split()[-1] == "five"


@in_virtual_time
async def test_listeners_are_told_when_the_phone_plays_each_frame() -> None:
    phone, ears = Phone(), Ears()
    async with playing(phone, ears) as player:
        began = clock.now()
        await player.put(SECOND)
        await asyncio.sleep(1.5)

        assert [round(at - began, 3) for at in ears.plays_at[:3]] == [0.0, 0.06, 0.12]


@in_virtual_time
async def test_it_ends_when_the_socket_is_gone() -> None:
    phone = Phone()
    stream, _ = phone.stream()
    player = Player(stream, phone, Ears(), lead_s=0.4)
    await phone.close(1000, "")
    await player.put(SECOND)

    await player.run()

    assert phone.sent == []


@in_virtual_time
async def test_when_a_sentence_has_left_it_is_known_by_when_its_last_sound_is_played() -> None:
    phone, ears = Phone(), Ears()
    quiet = SILENCE * 160 * 15
    async with playing(phone, ears) as player:
        began = clock.now()
        line = Line("Hello.")
        await player.begin(line)
        for mulaw in (SECOND, quiet[:800], quiet[800:]):
            await player.put(mulaw)
        await player.finish(line)
        await asyncio.sleep(0.85)
        assert ears.left == []
        await asyncio.sleep(0.1)

        assert ears.left == [line]
        assert line.heard_by == pytest.approx(began + 1.0, abs=0.01)


@in_virtual_time
async def test_what_is_taken_back_from_the_phone_is_not_going_to_be_heard() -> None:
    phone, ears = Phone(), Ears()
    async with playing(phone, ears) as player:
        line = await say(player, "Hello.")
        await asyncio.sleep(0.7)
        assert ears.left == [line]
        player.hold()
        assert line.heard_by is None
        player.resume()
        await player.heard_all()

        assert ears.left == [line, line]
