"""What one replica holds, and its own line while the store is away."""

from app.capacity.leases import MOST_LEAVING, Lease, Leases
from app.capacity.port import Rank


def asked(leases: Leases, *ranks: Rank) -> list[Lease]:
    made = [Lease(f"me|{number}|{rank.value}", rank, 0.0) for number, rank in enumerate(ranks)]
    for lease in made:
        leases.ask(lease)
    return made


def test_a_share_goes_to_whoever_is_first_by_rank_and_arrival() -> None:
    leases = Leases()
    batch, turn, greeting, late = asked(leases, Rank.BATCH, Rank.TURN, Rank.GREETING, Rank.TURN)

    assert leases.serve(2) == [turn, late]
    leases.give_back(turn)
    assert leases.serve(2) == [greeting]
    leases.give_back(late)
    assert leases.serve(2) == [batch]
    assert [lease.granted.is_set() for lease in (batch, turn, greeting, late)] == [True] * 4


def test_what_nobody_waits_for_leaves_a_part_of_the_share_free() -> None:
    leases = Leases()
    asked(leases, *[Rank.BATCH] * 5)

    assert len(leases.serve(4)) == 2
    assert len(leases.waiting) == 3


def test_what_is_held_counts_against_the_share_and_is_never_taken_away() -> None:
    leases = Leases()
    asked(leases, *[Rank.TURN] * 4)
    leases.serve(3)

    assert leases.serve(1) == []
    assert (leases.in_use, leases.in_line) == (3, 1)


def test_when_the_store_has_only_just_gone_whoever_stood_in_its_line_waits_on_and_nobody_overtakes() -> None:
    leases = Leases()
    (first,) = asked(leases, Rank.TURN)
    assert leases.serve(1, hastily=True) == [first]

    leases.ask(Lease("me|7|0", Rank.TURN, 0.0, place="12"))
    leases.ask(Lease("me|8|0", Rank.TURN, 0.0))

    assert leases.serve(5, hastily=True) == []
    assert [lease.id for lease in leases.serve(5)] == ["me|7|0", "me|8|0"]


def test_a_grant_for_one_who_has_gone_is_no_grant() -> None:
    leases = Leases()
    (lease,) = asked(leases, Rank.TURN)
    leases.give_back(lease)

    assert leases.grant(lease.id) is None
    assert leases.grant("of another life") is None
    assert (leases.held, leases.waiting, leases.leaving) == ({}, {}, {lease.id})


def test_the_others_are_counted_until_the_store_goes_away() -> None:
    leases = Leases()
    leases.note_others(3, 2)
    assert (leases.in_use, leases.in_line) == (3, 2)

    leases.forget_others()

    assert (leases.in_use, leases.in_line) == (0, 0)


def test_departures_wait_for_the_store_in_bounds() -> None:
    leases = Leases()
    for number in range(MOST_LEAVING + 10):
        leases.give_back(Lease(f"me|{number}|0", Rank.TURN, 0.0))
    assert len(leases.leaving) == 10

    leases.left(list(leases.leaving))

    assert leases.leaving == set()
