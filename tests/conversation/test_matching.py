"""What was meant, on the menu of the script that ships."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversation.matching import Option, match_choice, match_key, phrases_of
from app.conversation.script_file import load_script
from app.conversation.wording import SPOKEN

SCRIPT = load_script()
OPTIONS = [Option(choice.to, choice.words, choice.key) for choice in SCRIPT.menu["main"].choices] + [
    Option(each.to or str(each.do), each.words, each.key) for each in SCRIPT.everywhere
]
# What recognisers made of phrases over a telephone, and people's own ways to ask.
MEANT = {
    "what are the tour dates": "tour",
    "two dates": "tour",
    "to our dates please": "tour",
    "the tore dates": "tour",
    "latest tour dates": "tour",
    "when do you play in berlin": "tour",
    "concert": "tour",
    "I'd like to hear the news": "news",
    "the newest news": "news",
    "what is new": "news",
    "play me some music": "music",
    "musik": "music",
    "leave a massage": "message",
    "I want to leave message": "message",
    "operate her": "office",
    "can I talk to a real person": "office",
    "repeat that please": "repeat",
    "can you say that again": "repeat",
    "help": "help",
    "good bye": "bye",
    "okay goodbye": "bye",
    "number two": "tour",
    "one": "news",
    "press zero": "office",
    "star": "repeat",
}
MEANINGLESS = [
    "",
    "what's the weather like",
    "can you tell me a joke",
    "I would like pizza",
    "how old are you",
    "my dog has eaten the remote control",
    "seventeen",
    "it is raining in here",
]


@pytest.mark.parametrize(("heard", "meant"), MEANT.items())
def test_what_callers_say_and_recognisers_write_is_understood(heard: str, meant: str) -> None:
    assert match_choice(heard, OPTIONS).choices == (meant,)


@pytest.mark.parametrize("heard", MEANINGLESS)
def test_talk_that_means_no_choice_is_not_taken_for_one(heard: str) -> None:
    assert match_choice(heard, OPTIONS).choices == ()


def test_two_choices_in_one_breath_are_ambiguous() -> None:
    match = match_choice("news and music", OPTIONS)

    assert not match.sure
    assert match.choices == ("news", "music")


def test_the_longer_phrase_wins_over_a_word_in_it() -> None:
    options = [Option("news", ("news",)), Option("tour news", ("tour news",))]

    assert match_choice("the tour news please", options).choices == ("tour news",)
    assert match_choice("the news", options).choices == ("news",)


def test_of_a_long_speech_the_end_counts() -> None:
    assert match_choice("well " * 5000 + "tour dates", OPTIONS).choices == ("tour",)


def test_short_words_match_exactly_or_not_at_all() -> None:
    options = [Option("yes", ("yes",)), Option("no", ("no",))]

    assert match_choice("now", options).choices == ()
    assert match_choice("no", options).choices == ("no",)
    assert match_choice("yes yes", options).choices == ("yes",)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: str(option.choice))
def test_one_wrong_letter_in_a_long_phrase_is_forgiven(option: Option[str]) -> None:
    for phrase in option.phrases:
        if len(phrase) < 9:
            continue
        for at in range(2, len(phrase) - 1):
            broken = phrase[:at] + "x" + phrase[at + 1 :]
            choices = match_choice(broken, OPTIONS).choices
            assert choices in {(option.choice,), ()} or option.choice in choices, broken


@given(st.text(max_size=60))
def test_any_text_can_be_matched(heard: str) -> None:
    assert set(match_choice(heard, OPTIONS).choices) <= {option.choice for option in OPTIONS}


def test_keys_match_only_themselves() -> None:
    assert match_key("2", OPTIONS) == "tour"
    assert match_key("22", OPTIONS) is None
    assert match_key("", OPTIONS) is None


def test_the_phrases_to_listen_for_are_the_wordings_and_the_names_of_keys_once_each() -> None:
    options = [Option("a", ("news", "new"), "1"), Option("b", ("news",), "*"), Option("c", ("c",))]

    assert phrases_of(options, SPOKEN) == ("news", "new", "one", "star", "c")
