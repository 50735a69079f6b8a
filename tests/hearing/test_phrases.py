import pytest

from app.hearing.phrases import Match, find, match

PHRASES = ("tour dates", "tour", "news", "leave a message", "yes")


@pytest.mark.parametrize(
    ("said", "phrase"),
    [
        ("tour dates", "tour dates"),
        ("what are the tour dates please", "tour dates"),
        ("tour", "tour"),
        ("yes leave a message", "leave a message"),
        ("news of the tour", "news"),
    ],
)
def test_the_longest_phrase_is_found_then_the_first(said: str, phrase: str) -> None:
    met = find(said.split(), PHRASES)

    assert met == Match(phrase, 1.0)


@pytest.mark.parametrize(
    "said", ["", "dates", "leave message", "a message leave", "tours", "please what are the"]
)
def test_a_phrase_has_to_be_there_word_for_word(said: str) -> None:
    assert find(said.split(), PHRASES) is None


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ("the capital tour", 0.5),
        ("hospital tour chicago brother", 0.25),
        ("i would like to hear about the tour", 1.0),
        ("tour dates capital", 2 / 3),
        ("news tour capital", 2 / 3),  # every phrase counts, not only the one that won
    ],
)
def test_strange_words_lower_the_share_and_polite_ones_do_not(said: str, share: float) -> None:
    met = find(said.split(), PHRASES)

    assert met is not None
    assert met.share == pytest.approx(share)


def test_a_phrase_of_polite_words_only_is_all_ours() -> None:
    assert find(["thank", "you"], ("thank you",)) == Match("thank you", 1.0)


def test_without_phrases_nothing_is_found() -> None:
    assert find(["tour"], ()) is None


@pytest.mark.parametrize("said", ["tour", "the capital tour", "yes tour dates please", "oh hello what tour"])
def test_a_phrase_among_no_more_strange_words_is_understood(said: str) -> None:
    met = match(said.split(), PHRASES[:-1], ("yes", "oh", "what", "hello"))

    assert met is not None
    assert met.phrase.startswith("tour")


@pytest.mark.parametrize(
    "said", ["hospital tour chicago brother", "what page", "yes hospital", "please the", ""]
)
def test_strange_talk_is_not(said: str) -> None:
    assert match(said.split(), PHRASES[:-1], ("yes", "what")) is None


@pytest.mark.parametrize("said", ["yes", "yes please", "one two three", "okay yes"])
def test_what_is_always_understood_stands_alone(said: str) -> None:
    assert match(said.split(), PHRASES[:-1], ("yes", "one", "two", "three", "okay")) is not None
