"""A call's record is kept up to date."""

import asyncio

from app import clock
from app.calls.journal import REFRESH_S, Heading, Journal
from app.calls.registry import Ending
from app.calls.resume import Nowhere, Record, Unheard
from app.conversation.stateless import Stateless
from app.playout.marks import Line
from tests.virtual_time import in_virtual_time


class Kept(Nowhere):
    """Remembers what was saved."""

    def __init__(self) -> None:
        self.saved: list[Record] = []

    def save(self, record: Record) -> None:
        self.saved.append(record)


def journal(records: Kept, lines: list[Line]) -> Journal:
    return Journal(records, Heading("CA1", "script", 2, "a"), Stateless(), lambda: lines)


@in_virtual_time
async def test_all_changes_of_one_moment_are_written_once() -> None:
    records, lines = Kept(), [Line("A reply.")]
    told = journal(records, lines)
    told.note()
    told.note()
    await asyncio.sleep(0.1)

    assert [(each.unheard, each.streams, each.replica, each.ending) for each in records.saved] == [
        ((Unheard("A reply."),), 2, "a", "")
    ]


@in_virtual_time
async def test_a_call_on_which_nothing_happens_is_written_again_and_again() -> None:
    records = Kept()
    running = asyncio.ensure_future(journal(records, []).run())
    await asyncio.sleep(2.5 * REFRESH_S)
    running.cancel()

    assert len(records.saved) == 3


@in_virtual_time
async def test_the_end_is_the_last_word() -> None:
    records = Kept()
    told = journal(records, [])
    told.note()
    told.close(Ending.TRANSFERRED, transfer_to="+15550123")
    await asyncio.sleep(0.1)

    assert [(each.ending, each.transfer_to) for each in records.saved] == [("transferred", "+15550123")]


@in_virtual_time
async def test_what_is_said_after_the_freeze_is_not_for_the_next_server() -> None:
    records, lines = Kept(), [Line("A reply.")]
    told = journal(records, lines)
    told.freeze()
    lines[:] = [Line("We will be right back.")]
    told.close(Ending.HANDED_OVER)

    assert records.saved[-1].unheard == (Unheard("A reply."),)
    assert records.saved[-1].ending == "handed_over"


@in_virtual_time
async def test_a_sentence_that_was_in_the_phones_buffer_at_the_freeze_is_for_the_next_server() -> None:
    records, lines = (
        Kept(),
        [Line("Played.", ends_at=clock.now() - 1), Line("Cut.", ends_at=clock.now() + 0.3)],
    )
    told = journal(records, lines)
    told.freeze()
    await asyncio.sleep(5.0)
    told.close(Ending.HANDED_OVER)

    assert records.saved[-1].unheard == (Unheard("Cut."),)
    assert records.saved[-1].heard == ("Played.",)
