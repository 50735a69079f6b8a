from collections.abc import Callable, Iterator

import pytest

from app.hearing.front_end import Network
from app.hearing.language import understand
from app.hearing.recogniser import Heard, Lexicon, Recogniser
from app.speech.espeak import Voice
from tests.hearing.callers import ELSEWHERE, HOTLINE, spoken

SAYINGS = ("what are the tour dates", "leave a message please", "news", "talk to a person", "goodbye")
NOTHING = Heard("", 0.0)


@pytest.fixture(scope="module")
def said() -> dict[str, bytes]:
    return spoken((*SAYINGS, ELSEWHERE, "yes please"))


@pytest.fixture
def made() -> Iterator[Callable[..., Lexicon]]:
    lexicons: list[Lexicon] = []

    def make(*phrases: str) -> Lexicon:
        lexicons.append(Lexicon(understand(phrases) if phrases else None))
        return lexicons[-1]

    yield make
    for lexicon in lexicons:
        lexicon.close()


@pytest.fixture
def lexicon(made: Callable[..., Lexicon]) -> Lexicon:
    return made(*HOTLINE)


@pytest.fixture
def recogniser(lexicon: Lexicon) -> Recogniser:
    return Recogniser(lexicon, Network())


def heard(recogniser: Recogniser, mulaw: bytes) -> Heard:
    recogniser.begin()
    for at in range(0, len(mulaw), 640):
        recogniser.hear(mulaw[at : at + 640])
    return recogniser.end()


@pytest.mark.parametrize("text", SAYINGS)
def test_the_embedded_voice_is_understood(recogniser: Recogniser, said: dict[str, bytes], text: str) -> None:
    words, confidence = heard(recogniser, said[text])

    assert words == text
    assert 0.5 <= confidence <= 1


def test_another_speaker_is_understood(recogniser: Recogniser) -> None:
    woman = spoken(["tell me about the tour dates"], Voice("en-us+f2", pitch=60))

    assert "tour dates" in heard(recogniser, woman["tell me about the tour dates"]).text


def test_talk_about_something_else_is_rejected(recogniser: Recogniser, said: dict[str, bytes]) -> None:
    assert heard(recogniser, said[ELSEWHERE]) == NOTHING


def test_silence_is_nothing(recogniser: Recogniser) -> None:
    assert heard(recogniser, b"\xff" * 16_000) == NOTHING


def test_no_audio_is_nothing(recogniser: Recogniser) -> None:
    recogniser.begin()

    assert recogniser.end() == NOTHING


def test_words_come_while_the_caller_still_speaks(recogniser: Recogniser, said: dict[str, bytes]) -> None:
    mulaw = said["leave a message please"]

    recogniser.begin()
    so_far = [words for at in range(0, len(mulaw), 640) if (words := recogniser.hear(mulaw[at : at + 640]))]

    assert so_far[0].startswith("leave a message")
    assert len(so_far) == len(set(so_far))


def test_a_cancelled_utterance_leaves_nothing_behind(recogniser: Recogniser, said: dict[str, bytes]) -> None:
    recogniser.begin()
    recogniser.hear(said["goodbye"])
    recogniser.cancel()

    assert heard(recogniser, said["yes please"]).text == "yes please"


def test_a_beginning_forgets_what_was_not_ended(recogniser: Recogniser, said: dict[str, bytes]) -> None:
    recogniser.begin()
    recogniser.hear(said["goodbye"])

    assert heard(recogniser, said["yes please"]).text == "yes please"


def test_audio_outside_an_utterance_is_not_heard(recogniser: Recogniser, said: dict[str, bytes]) -> None:
    assert recogniser.hear(said["goodbye"]) is None
    assert recogniser.end() == NOTHING


def test_nothing_of_one_caller_is_left_for_the_next(lexicon: Lexicon, said: dict[str, bytes]) -> None:
    network = Network()
    alone = heard(Recogniser(lexicon, network), said["news"])

    before = Recogniser(lexicon, network)
    for text in SAYINGS:
        heard(before, said[text])
    after = heard(Recogniser(lexicon, network), said["news"])

    assert after == alone  # to the last digit of the confidence


def test_a_name_that_no_dictionary_has_is_understood(made: Callable[..., Lexicon]) -> None:
    name = "zorvane quintrell"
    recogniser = Recogniser(made(name, "news", "tickets"), Network())

    assert heard(recogniser, spoken([name])[name]).text == name


@pytest.mark.slow
def test_dictation_takes_any_words(made: Callable[..., Lexicon], said: dict[str, bytes]) -> None:
    dictation = Recogniser(made(), Network())

    words = heard(dictation, said[ELSEWHERE]).text.split()

    assert len(set(words) & set(ELSEWHERE.split())) >= 4


def test_a_closed_lexicon_leaves_no_files(lexicon: Lexicon) -> None:
    folder = lexicon.folder
    assert folder.exists()

    lexicon.close()

    assert not folder.exists()
