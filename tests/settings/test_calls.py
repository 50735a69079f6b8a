"""The telephone side."""

import pytest

from app.errors import ConfigError
from app.settings.calls import CallSettings


def test_a_choice_is_taken_in_any_case() -> None:
    assert CallSettings.read({"WHEN_FULL": "Reject"}).when_full == "reject"


@pytest.mark.parametrize("name", ["RESERVATION_SECONDS", "STREAM_TOKEN_SECONDS", "SESSION_TIMEOUT"])
def test_no_patience_can_be_nothing(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        CallSettings.read({name: "0"})
