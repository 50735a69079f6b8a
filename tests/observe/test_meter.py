"""From events to amounts: calls, minutes and characters, each to whose they are."""

import asyncio

import pytest

from app.calls.budget import Prices
from app.calls.reception import Caller
from app.calls.spending import Party
from app.calls.usage import Used
from app.observe import meter as meter_module
from app.observe.meter import Meter
from tests.virtual_time import in_virtual_time

ANNA = Caller("CA1", "+15550100", "+15550199")
HERS = Party("+15550100", "+15550199")
PRICES = Prices(minute=10, thousand_characters={"tone": 1000})


class Book:
    """Takes down what is noted."""

    def __init__(self) -> None:
        self.noted: list[tuple[Party | None, Used, int, float | None]] = []

    def note(self, party: Party | None, used: Used, *, cost: int = 0, at: float | None = None) -> float:
        self.noted.append((party, used, cost, at))
        return 7.0

    def sums(self, party: Party | None) -> Used:
        total = Used()
        for whose, used, _, _ in self.noted:
            if whose == party:
                total.add(used)
        return total

    @property
    def cost(self) -> int:
        return sum(cost for _, _, cost, _ in self.noted)


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def meter(book: Book) -> Meter:
    return Meter(book, PRICES)


def test_a_call_that_passes_the_gate_counts_once_however_often_it_is_asked_about(
    meter: Meter, book: Book
) -> None:
    for _ in range(3):
        meter.count(ANNA)
        meter.read({"event": "call.admitted", "call_sid": "CA1"})

    assert book.noted == [(HERS, Used(calls=1), 0, None)]


@pytest.mark.parametrize("event", ["call.refused", "line.left"])
def test_a_caller_who_does_not_come_in_is_given_back_when_they_asked(
    meter: Meter, book: Book, event: str
) -> None:
    meter.count(ANNA)
    for _ in range(2):
        meter.read({"event": event, "call_sid": "CA1"})

    assert book.noted == [(HERS, Used(calls=1), 0, None), (HERS, Used(calls=-1), 0, 7.0)]


def test_a_call_that_was_let_in_is_never_given_back(meter: Meter, book: Book) -> None:
    meter.count(ANNA)
    meter.read({"event": "call.admitted", "call_sid": "CA1"})
    meter.read({"event": "line.left", "call_sid": "CA1"})

    assert book.sums(HERS).calls == 1


@in_virtual_time
async def test_minutes_are_charged_while_the_call_goes_on_and_to_its_end() -> None:
    book = Book()
    meter = Meter(book, PRICES)
    meter.count(ANNA)
    meter.read({"event": "stream.started", "call_sid": "CA1"})
    running = asyncio.create_task(meter.run())

    await asyncio.sleep(30.5)
    assert (book.sums(HERS).ms, book.cost) == (30_000, 10)

    await asyncio.sleep(30.25)
    meter.read({"event": "call.ended", "call_sid": "CA1"})
    meter.read({"event": "call.failed", "call_sid": "CA1"})
    await asyncio.sleep(60)
    running.cancel()

    assert (book.sums(HERS).ms, book.cost) == (60_750, 20)


@in_virtual_time
async def test_a_call_that_fails_stops_costing() -> None:
    book = Book()
    meter = Meter(book, PRICES)
    meter.read({"event": "stream.started", "call_sid": "CA1"})
    await asyncio.sleep(1)
    meter.read({"event": "call.failed", "call_sid": "CA1"})
    running = asyncio.create_task(meter.run())
    await asyncio.sleep(10)
    running.cancel()

    assert book.sums(None).ms == 1000


def test_characters_are_the_calls_in_which_a_voice_was_asked(meter: Meter, book: Book) -> None:
    meter.count(ANNA)
    for name in ("speech.rendered", "speech.left"):
        meter.read({"event": name, "call_sid": "CA1", "provider": "tone", "characters": 50})
    meter.read({"event": "speech.rendered", "provider": "tone", "characters": 9})
    meter.read({"event": "speech.was_ready", "call_sid": "CA1"})

    assert book.sums(HERS).characters == 100
    assert book.sums(None).characters == 9
    assert book.cost == 109


def test_the_embedded_voice_is_nobodys_bill(meter: Meter, book: Book) -> None:
    meter.read({"event": "speech.rendered", "provider": "local", "characters": 50})

    assert book.noted == []


def test_the_test_sentence_counts_for_all_and_a_twiml_asked_for_by_hand_not_at_all(
    meter: Meter, book: Book
) -> None:
    for call_sid in ("CA9", "CA9", ""):
        meter.read({"event": "call.admitted", "call_sid": call_sid})

    assert book.noted == [(None, Used(calls=1), 0, None)]


@in_virtual_time
async def test_a_long_call_is_its_callers_though_many_came_after_it() -> None:
    book = Book()
    meter = Meter(book, PRICES)
    meter.count(ANNA)
    meter.read({"event": "stream.started", "call_sid": "CA1"})
    for number in range(meter_module.REMEMBERED + 5):
        meter.count(Caller(f"CB{number}", "+1", "+2"))
    meter.read({"event": "speech.rendered", "call_sid": "CA1", "provider": "tone", "characters": 5})

    assert book.sums(HERS).characters == 5
