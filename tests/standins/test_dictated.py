import numpy as np

from app.audio import mulaw
from tests.standins.dictated import LETTER_BYTES, dictated, is_dictated, understood


def test_what_was_dictated_is_understood() -> None:
    assert understood(dictated("what are the tour dates 42")) == "what are the tour dates 42"
    assert understood(dictated("well well")) == "well well"
    assert understood(b"") == ""


def test_lost_audio_is_lost_letters_and_doubled_audio_doubled_ones() -> None:
    audio = dictated("tour dates")

    assert understood(audio[2 * LETTER_BYTES :]) == "ur dates"
    assert understood(audio[: -3 * LETTER_BYTES]) == "tour dat"
    assert understood(audio + audio) == "tour dates tour dates"


def test_silence_between_changes_nothing() -> None:
    silence = b"\xff" * 1000

    assert understood(silence + dictated("tour") + silence + dictated("dates")) == "tour dates"


def test_a_voice_is_not_taken_for_it() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 16_000).astype(np.int16)

    assert not is_dictated(mulaw.encode(noise))
    assert is_dictated(dictated("a"))
