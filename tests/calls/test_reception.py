"""Who is let in, who waits, and who hears a kind no."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.admission import Admission
from app.calls.reception import FETCHED_WITHIN_S, Caller, LetIn, No, Policy, Reception, TurnAway, Wait
from app.calls.shares import Shares
from app.calls.waiting import LocalLine


class House:
    """A reception and its callers, as the door plays them: a caller who is let in takes the slot at once."""

    def __init__(self, slots: int, **given: Any) -> None:
        self.admission = Admission(slots, reservation_s=1e6)
        self.line = LocalLine(given.pop("most", 10))
        self.reception = Reception(self.admission, line=self.line, **given)

    def ask(
        self, call_sid: str, now: float = 0.0, *, called: str = "+2", number: str = "", **how: Any
    ) -> str:
        """`in`, the position, or why not."""
        verdict = self.reception.receive(Caller(call_sid, number or call_sid, called), now, **how)
        match verdict:
            case LetIn():
                self.admission.reserve(call_sid, now)
                return "in"
            case Wait(waiter, position):
                waiter.expected_by = now + 10
                return str(position)
            case TurnAway(why):
                return why.value

    def hang_up(self, call_sid: str) -> None:
        self.admission.withdraw(call_sid)
        self.reception.leave(call_sid)


def test_there_is_a_slot_or_a_place_in_line_and_all_move_up_in_order() -> None:
    house = House(2)
    assert [house.ask(name) for name in "abcde"] == ["in", "in", "1", "2", "3"]

    house.hang_up("a")

    assert [house.ask(name, 1.0) for name in "edc"] == ["3", "2", "in"]
    assert [house.ask(name, 2.0) for name in "de"] == ["1", "2"]


def test_a_freed_slot_belongs_to_the_first_in_line_not_to_whoever_rings_next() -> None:
    house = House(1)
    house.ask("a")
    house.ask("b")
    house.hang_up("a")

    assert house.ask("new", 1.0) == "2"
    assert house.ask("b", 1.0) == "in"


def test_a_replayed_webhook_keeps_one_slot_and_one_place() -> None:
    house = House(1)

    assert [house.ask("a") for _ in range(3)] == ["in"] * 3
    assert [house.ask("b") for _ in range(3)] == ["1"] * 3
    assert (house.admission.taken, len(house.line)) == (1, 1)


def test_a_replayed_webhook_of_a_call_that_is_over_takes_no_slot() -> None:
    house = House(1)
    house.ask("a")
    house.admission.adopt("a", 0.0)
    house.admission.release("a")

    assert house.ask("a", 5.0) == "in"
    assert house.admission.taken == 0


def test_who_hung_up_leaves_at_once_and_a_replay_does_not_bring_them_back() -> None:
    house = House(1)
    for name in "abc":
        house.ask(name)

    house.hang_up("b")

    assert house.ask("c") == "1"
    assert house.ask("b") == No.HAS_LEFT


def test_who_stops_asking_is_gone_and_finds_the_old_place_when_they_ask_again_after_all() -> None:
    house = House(1)
    house.ask("a")
    house.ask("b", 0.0)
    house.ask("c", 8.0)

    assert house.reception.look(10.5) == ["b"]
    assert house.ask("c", 11.0) == "1"
    assert house.ask("b", 12.0, waited_s=12.0) == "1"


def test_nobody_waits_for_longer_than_the_bound_and_no_forged_past_gains_more() -> None:
    house = House(1, policy=Policy(max_wait_s=20.0))
    house.ask("a")
    house.ask("b", 0.0)
    house.ask("b", 9.0)
    assert house.ask("b", 18.0) == "1"

    assert house.ask("b", 20.0) == No.WAITED_TOO_LONG
    assert house.ask("b", 21.0) == No.HAS_LEFT
    assert house.ask("c", 21.0, waited_s=1e9) == "1"


def test_a_full_line_takes_nobody_else() -> None:
    house = House(1, most=1)

    assert [house.ask(name) for name in "abc"] == ["in", "1", No.LINE_FULL]


def test_without_a_line_a_full_house_turns_away() -> None:
    reception = Reception(Admission(0))

    verdict = reception.receive(Caller("a"), 0.0)

    assert verdict == TurnAway(No.HOUSE_FULL, "at capacity: 0 of 0 calls")
    assert not reception.leave("a")
    assert (reception.called(0.0), reception.look(0.0)) == ([], [])


def test_one_number_cannot_fill_the_house_nor_the_line() -> None:
    house = House(2, policy=Policy(Shares(per_number=3)))

    first = [house.ask(name, number="+1555") for name in "abcd"]

    assert first == ["in", "in", "1", No.NUMBER_SHARE]
    assert house.ask("e", number="+1556") == "2"
    house.hang_up("a")
    assert house.ask("d", 1.0, number="+1555") == "3"


def test_a_called_number_at_its_bound_waits_and_others_pass() -> None:
    house = House(3, policy=Policy(Shares(per_called={"+9": 1})))

    assert [house.ask(name, called="+9") for name in "abc"] == ["in", "1", "2"]
    assert house.ask("d", called="+8") == "in"

    house.hang_up("a")
    assert house.ask("c", 1.0, called="+9") == "2"
    assert house.ask("b", 1.0, called="+9") == "in"


def test_whatever_is_scarce_makes_new_callers_wait_and_is_told() -> None:
    scarce = ["processor at 90%"]
    house = House(5, scarce=lambda: scarce[0])

    assert house.ask("a") == "1"
    assert house.reception.full == "processor at 90%"
    scarce[0] = ""
    assert house.ask("a", 1.0) == "in"
    assert house.reception.full == ""


def test_a_house_whose_free_slots_are_spoken_for_says_so() -> None:
    house = House(1)
    house.ask("a")
    assert house.reception.full == "at capacity: 1 of 1 calls"
    house.ask("b")

    house.hang_up("a")

    assert house.reception.full == "at capacity: 1 in line for 1 slots"


def test_the_first_in_line_is_fetched_once_and_comes_by_themselves_if_that_fails() -> None:
    house = House(1)
    for name in "abc":
        house.ask(name)
    assert house.reception.called(0.0) == []
    house.hang_up("a")

    assert house.reception.called(1.0) == ["b"]
    assert house.reception.called(1.5) == []
    assert house.reception.called(9.0) == []
    assert house.ask("b", 1.0 + FETCHED_WITHIN_S) == "in"


def test_who_was_fetched_for_a_slot_that_somebody_else_got_is_fetched_again() -> None:
    house = House(1)
    house.ask("a")
    house.ask("b")
    house.hang_up("a")
    house.reception.called(1.0)
    house.admission.reserve("resumed", 1.1)
    assert house.ask("b", 1.2, fetched=True) == "1"

    house.admission.withdraw("resumed")

    assert house.reception.called(2.0) == ["b"]


def test_who_is_being_fetched_is_not_let_in_by_the_question_that_came_across() -> None:
    house = House(1)
    house.ask("a")
    house.ask("b")
    house.hang_up("a")
    house.reception.called(1.0)

    assert house.ask("b", 1.1) == "1"
    assert house.ask("b", 1.2, fetched=True) == "in"


def test_the_status_tells_places_and_times_and_no_numbers() -> None:
    house = House(1)
    house.ask("a")
    house.ask("b", 10.0, number="+1555")

    told = house.reception.status(15.0)

    assert told == {
        "waiting": 1,
        "list": [{"call_sid": "b", "position": 1, "waited_s": 5.0, "expected_wait_s": None}],
    }


def test_the_expected_wait_is_measured_by_those_who_left_the_full_house() -> None:
    house = House(1)
    for at in range(4):
        house.ask(f"a{at}", 30.0 * at)
        house.reception.look(30.0 * at)
        house.hang_up(f"a{at}")
        house.reception.look(30.0 * at + 20.0)
    house.ask("b", 200.0)
    house.ask("c", 200.0)

    verdict = house.reception.receive(Caller("c"), 201.0)

    assert isinstance(verdict, Wait)
    assert verdict.wait_s == pytest.approx(20.0)


@given(st.lists(st.tuples(st.sampled_from("aaah"), st.integers(0, 9)), max_size=80))
def test_the_cap_holds_and_nobody_passes_anybody(steps: list[tuple[str, int]]) -> None:
    house, arrived, let_in, gone = House(2), list[str](), list[str](), set[str]()
    for at, (step, number) in enumerate(steps):
        name = str(number)
        if step == "h":
            house.hang_up(name)
            gone.add(name)
            continue
        told = house.ask(name, at / 100)
        if name not in arrived and name not in gone:
            arrived.append(name)
        if told == "in" and name not in let_in:
            ahead = [each for each in arrived[: arrived.index(name)] if each not in {*let_in, *gone}]
            assert len(ahead) + house.admission.taken <= 2, "a slot of somebody who came before"
            let_in.append(name)

        assert house.admission.taken <= 2
        assert Counter(each.call_sid for each in house.line).most_common(1) in ([], *_ones(house.line))


def _ones(line: LocalLine) -> list[list[tuple[str, int]]]:
    return [[(each.call_sid, 1)] for each in line]


def test_the_gate_is_asked_once_of_everybody_new_before_there_is_a_slot_or_a_place() -> None:
    asked: list[str] = []

    def gate(caller: Caller) -> TurnAway | None:
        asked.append(caller.call_sid)
        return TurnAway(No.LIMIT) if caller.number == "+1" else None

    house = House(1, gate=gate)

    assert [house.ask("a", number="+1"), house.ask("b"), house.ask("c")] == ["limit", "in", "1"]
    assert [house.ask("b", 1.0), house.ask("c", 1.0)] == ["in", "1"]
    assert asked == ["a", "b", "c"]
