"""Which conversation answers."""

from pathlib import Path

import pytest

from app.casting import CASTS, cast
from app.errors import ConfigError
from app.settings import Settings
from app.settings.conversation import ConversationSettings
from app.web.voice import DEBUG_PATH, MEDIA_PATH

CHOICES = ConversationSettings.model_fields["conversation"].annotation


@pytest.mark.parametrize("name", list(CASTS))
def test_every_conversation_that_settings_know_can_be_held(name: str) -> None:
    settings = Settings.load(
        {"CONVERSATION": name, "LLM_MODEL": "m", "LLM_BASE_URL": "http://127.0.0.1:1/v1"}
    )
    answering = cast(settings)

    first, second = answering.script_for(MEDIA_PATH), answering.script_for(MEDIA_PATH)
    assert first.listens
    assert first.conversation is not second.conversation  # one object a call


def test_settings_know_the_same_names() -> None:
    assert CHOICES is not None
    assert set(CHOICES.__args__) == set(CASTS)


def test_the_debug_path_says_the_test_sentence_whatever_was_chosen() -> None:
    answering = cast(Settings.load({"CONVERSATION": "echo"}))

    assert not answering.script_for(DEBUG_PATH).listens


def test_a_script_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        cast(Settings.load({"HOTLINE_SCRIPT": str(tmp_path / "nowhere.toml")}))


def test_any_words_are_taken_where_any_can_be_answered() -> None:
    assert cast(Settings.load({"CONVERSATION": "echo"})).dictation
    assert not cast(Settings.load({})).dictation
