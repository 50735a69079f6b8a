"""The chain of ears."""

import pytest

from app.errors import ConfigError
from app.settings.hearing import HearingSettings
from app.settings.vendors import VendorSettings

KEYED = VendorSettings.read({"ELEVENLABS_API_KEY": "k", "DEEPGRAM_API_KEY": "k"})
KEYLESS = VendorSettings.read({})


def test_ears_with_a_key_come_before_the_embedded_ones() -> None:
    assert HearingSettings.read({}).chain(KEYED) == ("deepgram", "elevenlabs", "local")
    assert HearingSettings.read({}).chain(KEYLESS) == ("local",)


def test_none_means_keys_only() -> None:
    assert HearingSettings.read({"HEARING_PROVIDERS": "none"}).chain(KEYED) == ()


def test_chosen_ears_without_a_key_are_a_fault() -> None:
    chosen = HearingSettings.read({"HEARING_PROVIDERS": "deepgram"})

    assert chosen.faults(KEYLESS) == ["DEEPGRAM_API_KEY is missing (HEARING_PROVIDERS names deepgram)"]


def test_an_unknown_ear_is_named_with_the_known() -> None:
    with pytest.raises(ConfigError, match="unknown: horn; known: deepgram"):
        HearingSettings.read({"HEARING_PROVIDERS": "horn"})
