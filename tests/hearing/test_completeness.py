"""A transcript sounds finished, unfinished, or leaves it open."""

import pytest

from app.hearing.completeness import Completeness, completeness

PHRASES = ("tour dates", "leave a message", "two", "seven one two three", "and")


@pytest.mark.parametrize(
    "text",
    [
        "What are the tour dates?",
        "I am calling from Leipzig.",
        "stop",
        "um yes",
        "okay thanks",
        "tour dates",
        "TOUR DATES",
        "I'd like the tour dates",
        "two",
        "seven one two three",
        "my number is five five five one two three four.",
    ],
)
def test_finished(text: str) -> None:
    assert completeness(text, PHRASES) is Completeness.FINISHED


@pytest.mark.parametrize(
    "text",
    [
        "I would like to talk to you and",
        "and",
        "um",
        "well",
        "what are the",
        "I\N{RIGHT SINGLE QUOTATION MARK}d",
        "I want tickets because",
        "there are three things,",
        "so I thought...",
        "so I thought\N{HORIZONTAL ELLIPSIS}",
        "The.",
        "my number is five five five",
        "five five",
        "oh one seven two.",
        "my number is 5 5 5",
        "twenty",
        "two hundred",
        "my number",
        "three point",
    ],
)
def test_unfinished(text: str) -> None:
    assert completeness(text, PHRASES) is Completeness.UNFINISHED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "?",
        "I am calling from Leipzig",
        "the two dates",
        "three",
        "in 2024",
        "call 0301234567 0",
        "tattoo",
    ],
)
def test_nothing_tells(text: str) -> None:
    assert completeness(text, PHRASES) is Completeness.OPEN


def test_a_phrase_is_known_only_as_whole_words() -> None:
    assert completeness("updates", ("dates",)) is Completeness.OPEN
    assert completeness("anything", ("",)) is Completeness.OPEN
