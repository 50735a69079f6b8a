"""Leave in turn."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capacity.line import Line, Ticket
from app.capacity.port import Rank
from app.errors import AtCapacity


def test_the_first_come_is_the_first_served() -> None:
    line = Line()
    first, second, third = (line.join(Rank.TURN) for _ in range(3))

    assert line.grant(2) == [first, second]
    assert line.grant(2) == []
    line.leave(first)
    assert line.grant(2) == [third]


def test_a_turn_goes_before_a_greeting_and_that_before_a_batch() -> None:
    line = Line()
    batch, greeting, turn = line.join(Rank.BATCH), line.join(Rank.GREETING), line.join(Rank.TURN)

    assert line.grant(3) == [turn, greeting, batch]


def test_batches_leave_room_for_callers_but_one_may_always_run() -> None:
    line = Line()
    for _ in range(10):
        line.join(Rank.BATCH)

    assert len(line.grant(10)) == 7
    turn = line.join(Rank.TURN)
    assert line.grant(10) == [turn]
    alone = Line()
    assert alone.join(Rank.BATCH) in alone.grant(1)


def test_a_lower_limit_takes_nothing_away() -> None:
    line = Line()
    tickets = [line.join(Rank.TURN) for _ in range(3)]
    line.grant(3)

    assert line.grant(1) == []
    assert line.in_use == 3
    line.leave(tickets[0])
    line.leave(tickets[0])
    assert line.in_use == 2


def test_a_full_line_takes_nobody() -> None:
    line = Line(most_waiting=1)
    line.join(Rank.TURN)

    with pytest.raises(AtCapacity):
        line.join(Rank.TURN)


STEPS = st.lists(st.tuples(st.sampled_from(["join", "leave"]), st.sampled_from(Rank), st.integers(0, 30)))


@given(STEPS, st.integers(1, 5))
def test_nobody_is_lost_overtaken_or_let_in_beyond_the_limit(
    steps: list[tuple[str, Rank, int]], limit: int
) -> None:
    line, here, order = Line(), list[Ticket](), {rank: list[Ticket]() for rank in Rank}
    for what, rank, which in steps:
        if what == "join":
            ticket = line.join(rank)
            here.append(ticket)
            order[rank].append(ticket)
        elif here:
            ticket = here.pop(which % len(here))
            line.leave(ticket)
            order[ticket.rank].remove(ticket)
        line.grant(limit)

        held = [ticket for ticket in here if ticket.held]
        assert line.in_use == len(held) <= limit
        assert line.waiting == len(here) - len(held)
        for queue in order.values():
            flags = [ticket.held for ticket in queue]
            assert flags == sorted(flags, reverse=True)  # held ones first: nobody overtook
        if line.waiting and line.in_use < limit:
            assert all(ticket.held for ticket in here if ticket.rank is not Rank.BATCH)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["join", "leave"]), st.sampled_from(Rank), st.integers(0, 30), st.integers(1, 6)
        )
    )
)
def test_a_limit_that_moves_revokes_nothing_and_lets_in_as_soon_as_it_may(
    steps: list[tuple[str, Rank, int, int]],
) -> None:
    line, here = Line(most_waiting=8), list[Ticket]()
    for what, rank, which, limit in steps:
        if what == "leave" and here:
            line.leave(here.pop(which % len(here)))
        elif line.waiting < 8:
            here.append(line.join(rank))
        before = {id(ticket) for ticket in here if ticket.held}
        granted = line.grant(limit)

        assert line.in_use == len(before) + len(granted) <= max(limit, len(before))
        assert all(ticket.held for ticket in here if id(ticket) in before)
        assert line.grant(limit) == []  # nothing was left for a second ring of the bell
        if line.in_use < limit:
            assert all(ticket.held for ticket in here if ticket.rank is not Rank.BATCH)


def test_ten_thousand_grants_starve_nobody_and_let_in_by_arrival() -> None:
    pace, line, limit = random.Random(4), Line(), 3
    held, asked, served = (
        list[Ticket](),
        {rank: list[Ticket]() for rank in Rank},
        {rank: list[Ticket]() for rank in Rank},
    )
    while sum(map(len, asked.values())) < 10_000 or line.waiting:
        if sum(map(len, asked.values())) < 10_000 and line.waiting < 50 and pace.random() < 0.5:
            rank = pace.choices(list(Rank), (6, 1, 1))[0]
            asked[rank].append(line.join(rank))
        elif held:
            line.leave(held.pop(pace.randrange(len(held))))
        for ticket in line.grant(limit):
            held.append(ticket)
            served[ticket.rank].append(ticket)
        assert len(held) <= limit

    assert served == asked
    assert sum(map(len, served.values())) == 10_000
