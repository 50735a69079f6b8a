"""The line: strict order, who has left, and how fast it moves."""

from hypothesis import given
from hypothesis import strategies as st

from app.calls.waiting import REMEMBERED, LocalLine, Pace, Waiter


def waiter(name: str, since: float = 0.0) -> Waiter:
    return Waiter(name, "+1", "+2", since, expected_by=since + 10)


def names(line: LocalLine) -> list[str]:
    return [each.call_sid for each in line]


def test_who_comes_first_stands_first_and_joining_twice_changes_nothing() -> None:
    line = LocalLine(5)

    joined = [line.join(waiter(name, since)) for name, since in (("a", 0), ("b", 1), ("a", 2), ("c", 2))]

    assert joined == [True] * 4
    assert [line.position(name) for name in "abcd"] == [1, 2, 3, 0]


def test_a_full_line_takes_nobody_else_and_knows_those_in_it() -> None:
    line = LocalLine(1)
    line.join(waiter("a"))

    assert not line.join(waiter("b"))
    assert line.join(waiter("a"))


def test_who_hung_up_is_out_at_once_and_the_others_move_up() -> None:
    line = LocalLine(5)
    for name in "abc":
        line.join(waiter(name))

    assert line.leave("a")
    assert not line.leave("a")
    assert names(line) == ["b", "c"]
    assert line.has_left("a") and not line.has_left("b")


def test_who_was_only_silent_comes_back_to_the_old_place() -> None:
    line = LocalLine(5)
    line.join(waiter("a", 0))
    line.join(waiter("b", 1))
    line.leave("a", for_good=False)

    line.join(waiter("a", 0))

    assert names(line) == ["a", "b"]
    assert not line.has_left("a")


def test_of_those_who_left_only_the_last_are_remembered() -> None:
    line = LocalLine(1)
    for number in range(REMEMBERED + 1):
        line.leave(str(number))

    assert not line.has_left("0")
    assert line.has_left("1")


@given(st.lists(st.tuples(st.sampled_from("jl"), st.sampled_from("abcdefgh"))))
def test_order_is_kept_whatever_happens(steps: list[tuple[str, str]]) -> None:
    line, expected = LocalLine(4), list[str]()
    for at, (step, name) in enumerate(steps):
        if step == "j" and line.join(waiter(name, float(at))) and name not in expected:
            expected.append(name)
        elif step == "l":
            line.leave(name, for_good=False)
            expected = [each for each in expected if each != name]

        assert names(line) == expected
        assert [line.position(each) for each in expected] == list(range(1, len(line) + 1))
        assert len(line) <= 4


def test_nothing_is_said_of_the_time_before_three_calls_have_left() -> None:
    pace = Pace()
    pace.seen(0.0, departed=0, is_full=True)
    for now in (10.0, 30.0):
        pace.seen(now, departed=1, is_full=True)
    assert pace.wait_s(1) is None

    pace.seen(60.0, departed=1, is_full=True)

    assert pace.wait_s(1) == 20.0
    assert pace.wait_s(3) == 60.0


def test_the_time_in_which_the_house_was_not_full_does_not_count() -> None:
    pace = Pace()
    pace.seen(0.0, departed=0, is_full=True)
    pace.seen(10.0, departed=1, is_full=False)
    pace.seen(1000.0, departed=1, is_full=False)
    pace.seen(2000.0, departed=0, is_full=True)
    pace.seen(2020.0, departed=2, is_full=True)

    assert pace.wait_s(1) == 10.0


def test_only_the_last_departures_count() -> None:
    pace = Pace()
    pace.seen(0.0, departed=0, is_full=True)
    pace.seen(1000.0, departed=1, is_full=True)
    for step in range(20):
        pace.seen(1000.0 + 5.0 * (step + 1), departed=1, is_full=True)

    assert pace.wait_s(1) == 5.0
