"""Sliding windows: never too lenient, bounded, and the same after a restart."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.calls.usage import LENGTHS_S, MOST_KEYS, STEPS_S, Span, Steps, Usage, Used, index_of

NOW = 1_790_000_000.0
SPANS = st.sampled_from(["hour", "day"])


AGES = st.floats(0, 1.3)  # in windows


@given(SPANS, st.floats(0, 100_000), st.lists(st.tuples(AGES, st.integers(0, 50)), max_size=40))
def test_nothing_within_the_window_is_forgotten_and_nothing_a_step_older_is_counted(
    span: Span, now: float, noted: list[tuple[float, int]]
) -> None:
    usage, now = Usage(span), NOW + now
    ages = [(age * LENGTHS_S[span], calls) for age, calls in noted]
    for age, calls in ages:
        usage.note(["all"], Used(calls=calls), now - age)

    least = sum(calls for age, calls in ages if age < LENGTHS_S[span])
    most = sum(calls for age, calls in ages if age <= LENGTHS_S[span] + STEPS_S[span])
    assert least <= usage.sum("all", now).calls <= most


@given(SPANS, st.integers(0, 4000))
def test_the_oldest_moment_of_the_window_counts_at_every_second_of_a_step(span: Span, second: int) -> None:
    usage, now = Usage(span), NOW + second
    usage.note(["all"], Used(calls=1), now - LENGTHS_S[span] + 1)
    usage.note(["all"], Used(calls=10), now - LENGTHS_S[span] - STEPS_S[span] - 1)

    assert usage.sum("all", now).calls == 1


@given(SPANS, st.lists(st.tuples(AGES, st.sampled_from("abc"), st.integers(0, 50)), max_size=40))
def test_forgetting_and_a_restart_change_no_sum(span: Span, noted: list[tuple[float, str, int]]) -> None:
    usage = Usage(span)
    for age, key, characters in noted:
        usage.note([key], Used(characters=characters), NOW - age * LENGTHS_S[span])
    before = [usage.sum(key, NOW) for key in "abc"]

    usage.forget(NOW)
    kept = msgspec.json.decode(msgspec.json.encode(usage.steps), type=Steps)

    assert [Usage(span, kept).sum(key, NOW) for key in "abc"] == before
    assert len(kept) <= LENGTHS_S[span] // STEPS_S[span] + 2


def test_what_is_given_back_leaves_the_step_it_was_noted_in() -> None:
    usage = Usage("hour")
    usage.note(["all"], Used(calls=1), NOW, stranger="from:+1")
    usage.note(["all"], Used(calls=-1), NOW, stranger="from:+1")

    assert usage.sum("all", NOW + 3000) == usage.sum("from:+1", NOW + 3000) == Used()


def test_threat_13_invented_numbers_fill_no_memory_and_hide_nothing_of_the_sums() -> None:
    usage = Usage("hour")
    for number in range(MOST_KEYS + 100):
        usage.note(["all", "to:+2"], Used(calls=1), NOW, stranger=f"from:+1555{number}")
    usage.note(["all", "to:+3"], Used(calls=1), NOW, stranger="from:+1555")

    assert len(usage.steps[index_of("hour", NOW)]) == MOST_KEYS + 1
    assert usage.sum("all", NOW).calls == MOST_KEYS + 101
    assert usage.sum("to:+3", NOW).calls == 1
    assert usage.sum("from:+15550", NOW).calls == 1


def test_a_clock_that_was_far_ahead_and_was_set_back_binds_nobody() -> None:
    usage = Usage("day")
    usage.note(["all"], Used(calls=5), NOW + 365 * 86_400)

    assert usage.sum("all", NOW) == Used()
    assert usage.forget(NOW) and usage.steps == {}
    assert not usage.forget(NOW)
