"""Requests of other programs: one event each, the recent ones kept."""

from collections.abc import Iterator

import pytest

from app.log import Event, attach, log
from app.observe.requests import Requests


@pytest.fixture
def book() -> Iterator[Requests]:
    requests = Requests(kept=3)
    detach = attach(requests.read)
    yield requests
    detach()


async def test_a_request_is_one_event_with_who_spoke(book: Requests) -> None:
    events: list[Event] = []
    detach = attach(lambda event: events.append(dict(event)))
    with book.account("req_1") as account:
        log.info("speech.rendered", provider="first")
        log.info("speech.rendered", provider="second")
        account.sent_first_byte()
        account.outcome, account.status, account.characters, account.audio_ms = "complete", 200, 12, 480.4
        assert book.status()["open"] == 1
    detach()

    [event] = [event for event in events if event["event"] == "speech_api.answered"]
    assert (event["request_id"], event["provider"], event["audio_ms"]) == ("req_1", "first,second", 480)
    assert event["ttfa_ms"] >= 0 and event["level"] == "info"
    assert book.status()["recent"][0]["characters"] == 12


async def test_a_request_that_dies_is_reported_as_failed(book: Requests) -> None:
    with pytest.raises(RuntimeError), book.account("req_1"):
        raise RuntimeError

    status = book.status()
    assert status["outcomes"] == {"failed": 1}
    assert (status["recent"][0]["status"], status["recent"][0]["ttfa_ms"], status["open"]) == (500, None, 0)


async def test_the_oldest_are_dropped_and_still_counted(book: Requests) -> None:
    for number in range(5):
        with book.account(f"req_{number}") as account:
            account.outcome, account.characters, account.audio_ms = "complete", 10, 100

    status = book.status()
    assert [one["request_id"] for one in status["recent"]] == ["req_2", "req_3", "req_4"]
    assert (status["total"], status["characters"], status["audio_ms"]) == (5, 50, 500)


async def test_others_sentences_are_not_counted_as_this_requests(book: Requests) -> None:
    with book.account("req_1") as account:
        book.read({"event": "speech.rendered", "provider": "tone", "request_id": "req_2"})
        book.read({"event": "speech.rendered", "provider": "tone", "call_sid": "CA1"})
        book.read({"event": "speech.was_ready", "request_id": "req_1"})

    assert account.providers == ["cache"]
