import re

from app.hearing.language import ALWAYS, BACKGROUND, DIGITS, common_words, plain, understand


def unigrams(arpa: str) -> dict[str, float]:
    section = arpa.split("\\1-grams:")[1].split("\\2-grams:")[0]
    return {word: float(log) for log, word, _ in re.findall(r"^(\S+) (\S+) (\S+)$", section, re.MULTILINE)}


def entries(dictionary: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in dictionary.splitlines())


def test_every_word_that_may_be_said_has_a_pronunciation() -> None:
    language = understand(["tour dates", "the Björk news"])

    spoken = set(unigrams(language.arpa)) - {"<s>", "</s>"}
    assert spoken == {word.partition("(")[0] for word in entries(language.dictionary)}
    assert {"tour", "dates", "björk", *DIGITS} <= spoken


def test_a_word_with_several_pronunciations_keeps_them() -> None:
    known = entries(understand(["tomato"]).dictionary)

    assert {"tomato", "tomato(2)"} <= set(known)
    assert known["tomato"] != known["tomato(2)"]


def test_a_phrase_is_likelier_than_a_common_word() -> None:
    likely = unigrams(understand(["zebra crossing"]).arpa)

    assert likely["zebra"] > likely[common_words()[BACKGROUND - 1]]


def test_common_words_stand_beside_the_phrases() -> None:
    likely = unigrams(understand(["tour"]).arpa)

    assert set(common_words()[:BACKGROUND]) <= set(likely)


def test_yes_and_no_are_always_understood() -> None:
    assert {*ALWAYS, *DIGITS} == set(understand([]).always)


def test_the_same_phrase_twice_counts_once() -> None:
    assert understand(["Tour!", "tour"]).phrases == ("tour",)


def test_script_authors_may_spell_as_they_like() -> None:
    assert plain("  What\u2019s NEW?! ") == "what's new"
    assert plain("Rock & Roll, 24-7") == "rock and roll twenty four seven"
    assert plain("Tour 2026") == "tour two thousand twenty six"
    assert plain("\U0001f3b5 ...") == ""


def test_phrases_without_a_word_are_passed_over() -> None:
    assert understand(["...", "tour"]).phrases == ("tour",)


def test_probabilities_of_the_model_sum_to_one() -> None:
    total = sum(10**log for log in unigrams(understand(["tour dates"]).arpa).values())

    assert 0.49 < total < 0.51  # half of the mass is kept for backing off, as its builder does
