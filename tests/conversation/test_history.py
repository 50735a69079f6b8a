"""What was heard, to the word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversation.history import Entry, History, Speaker, split_heard

SENTENCE = "We play in Hamburg, on the third of October."


def test_a_word_half_said_was_not_heard() -> None:
    places = [(2, 200.0), (5, 500.0)]

    assert split_heard("ab cd", 499, 600, places) == ("ab", " cd")
    assert split_heard("ab cd", 200, 600, places) == ("ab", " cd")
    assert split_heard("ab cd", 199, 600, places) == ("", "ab cd")
    assert split_heard("ab cd", 500, 600, places) == ("ab cd", "")


def test_a_long_pause_is_where_the_vendor_says_it_is() -> None:
    text = "One moment please, I am looking."
    places = [(17, 1000.0), (18, 6000.0), (20, 6200.0), (23, 6400.0), (32, 7000.0)]

    assert split_heard(text, 4000, 7000)[0] == "One moment please, I"
    assert split_heard(text, 999, 7000, places)[0] == "One moment"
    assert split_heard(text, 1000, 7000, places)[0] == "One moment please,"
    assert split_heard(text, 6100, 7000, places)[0] == "One moment please,"
    assert split_heard(text, 6400, None, places)[0] == "One moment please, I am"


def test_between_two_places_and_behind_the_last_the_time_is_estimated() -> None:
    text = "aa bb cc dd"  # a voice that told nothing went on behind `aa`

    assert split_heard(text, 1500, None, [(2, 1000.0), (8, 2000.0)])[0] == "aa bb"
    assert split_heard(text, 1600, 2000, [(2, 1000.0)])[0] == "aa bb"
    assert split_heard(text, 1000 + 3 * 65, None, [(2, 1000.0)])[0] == "aa bb"
    assert split_heard(text, 1000 + 3 * 65 - 1, None, [(2, 1000.0)])[0] == "aa"


def test_places_that_make_no_sense_are_passed_over() -> None:
    text = "aa bb cc dd"

    assert split_heard(text, 1500, 2000, [(5, 1500.0), (8, 100.0), (3, 1600.0)])[0] == "aa bb"
    assert split_heard(text, 700, 2000, [(5, 500.0), (400, 900.0)])[0] == "aa bb cc"


def test_without_places_the_share_of_the_time_decides() -> None:
    heard, unheard = split_heard(SENTENCE, 800, 2600)

    assert heard == "We play in"
    assert heard + unheard == SENTENCE


def test_a_sentence_still_being_made_is_measured_by_an_estimate() -> None:
    heard, unheard = split_heard(SENTENCE, 1500)

    assert heard and unheard
    assert split_heard(SENTENCE, 60_000) == (SENTENCE, "")


def test_digits_take_longer_than_letters() -> None:
    assert split_heard("5551234 is it", 1300, 2600)[0] == ""
    assert split_heard("abcdefg is it", 1900, 2600)[0] == "abcdefg"


places = st.lists(st.tuples(st.integers(0, 90), st.floats(0, 5000)), max_size=5)


@given(st.text(max_size=80), st.floats(0, 5000), st.floats(0, 5000), st.none() | st.floats(1, 5000), places)
def test_the_parts_joined_are_the_text_and_more_time_never_means_less_heard(
    text: str, played_ms: float, more_ms: float, total_ms: float | None, places: list[tuple[int, float]]
) -> None:
    heard, unheard = split_heard(text, played_ms, total_ms, places)
    later, _ = split_heard(text, played_ms + more_ms, total_ms, places)

    assert heard + unheard == text
    assert later.startswith(heard)
    assert not heard or heard == text or not heard[-1].isspace()


def test_a_cut_reply_is_kept_as_far_as_it_was_heard_with_a_sign() -> None:
    history = History()
    history.bridge_said("Hello.")
    history.bridge_was_cut("We play in ")
    history.caller_said("stop")

    assert history.entries() == [
        Entry(Speaker.BRIDGE, "Hello."),
        Entry(Speaker.BRIDGE, "We play in", cut=True),
        Entry(Speaker.CALLER, "stop"),
    ]
    assert history.messages() == [
        {"role": "assistant", "content": "Hello. We play in —"},
        {"role": "user", "content": "stop"},
    ]


def test_a_cut_before_the_first_word_marks_the_sentence_before() -> None:
    history = History()
    history.bridge_said("Hello.")
    history.bridge_was_cut("")

    assert history.entries() == [Entry(Speaker.BRIDGE, "Hello.", cut=True)]


def test_nothing_said_leaves_no_entry() -> None:
    history = History()
    history.bridge_was_cut("")
    history.bridge_said(" ")
    history.caller_said("")

    assert history.entries() == []
    assert history.messages() == []


@pytest.mark.parametrize(("digits", "text"), [("12", "[pressed 12]"), ("", "[pressed #]")])
def test_keys_are_what_the_caller_said(digits: str, text: str) -> None:
    history = History()
    history.caller_pressed(digits)

    assert history.messages() == [{"role": "user", "content": text}]


def test_only_the_newest_entries_are_kept() -> None:
    history = History(kept=3)
    for number in range(10):
        history.caller_said(str(number))

    assert [entry.text for entry in history.entries()] == ["7", "8", "9"]
