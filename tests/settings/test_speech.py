"""The chain of voices."""

import pytest

from app.errors import ConfigError
from app.settings.speech import SpeechSettings
from app.settings.vendors import VendorSettings

KEYED = VendorSettings.read({"ELEVENLABS_API_KEY": "k"})
KEYLESS = VendorSettings.read({})


def test_voices_with_a_key_come_before_the_embedded_one() -> None:
    assert SpeechSettings.read({}).chain(KEYED)[0] == "elevenlabs"
    assert SpeechSettings.read({}).chain(KEYLESS) == ("local",)


def test_a_chosen_voice_without_a_key_is_a_fault() -> None:
    chosen = SpeechSettings.read({"SPEECH_PROVIDERS": "elevenlabs,local"})

    assert chosen.faults(KEYED) == []
    assert chosen.faults(KEYLESS) == ["ELEVENLABS_API_KEY is missing (SPEECH_PROVIDERS names elevenlabs)"]


def test_an_unknown_voice_is_named_with_the_known() -> None:
    with pytest.raises(ConfigError, match="unknown: siren; known: elevenlabs"):
        SpeechSettings.read({"SPEECH_PROVIDERS": "siren"})
