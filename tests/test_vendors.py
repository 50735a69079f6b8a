"""Which vendors are chosen, and that each can be built."""

import pytest

from app.settings import Settings
from app.settings.hearing import HEARING_NAMES
from app.settings.speech import SPEECH_NAMES
from app.vendors import EARS, VOICES


def test_every_voice_that_settings_know_can_be_built() -> None:
    assert set(VOICES) == set(SPEECH_NAMES)


@pytest.mark.parametrize(
    ("transport", "kind"),
    [("websocket", "ElevenLabs"), ("multi-context", "ElevenLabsContexts"), ("http", "ElevenLabsHttp")],
)
def test_the_vendors_transport_is_the_operators_choice(transport: str, kind: str) -> None:
    settings = Settings.load({"ELEVENLABS_API_KEY": "k", "ELEVENLABS_TRANSPORT": transport})

    voice = VOICES["elevenlabs"](settings)

    assert (voice.name, type(voice).__name__) == ("elevenlabs", kind)
    assert voice.audio_format == "mp3_44100_128"


def test_every_ear_that_settings_know_can_be_built() -> None:
    settings = Settings.load({})

    assert {*EARS, "none"} == set(HEARING_NAMES)
    assert [EARS[name](settings, (), False).name for name in EARS] == list(EARS)
