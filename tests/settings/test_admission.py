"""A full house: shares, bounds, the line."""

import pytest

from app.errors import ConfigError
from app.settings.admission import AdmissionSettings


def test_bounds_of_called_numbers_are_calls_or_parts_of_all() -> None:
    settings = AdmissionSettings.read({"MAX_CALLS_BY_CALLED_NUMBER": "+1=20, +2=33%,+3 = 0"})

    assert settings.by_called(10) == {"+1": 20, "+2": 4, "+3": 0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_CALLS_BY_CALLED_NUMBER", "+1"),
        ("MAX_CALLS_BY_CALLED_NUMBER", "+1=many"),
        ("MAX_CALLS_BY_CALLED_NUMBER", "=3"),
        ("LINE_OFFERS", "message,pizza"),
        ("MAX_WAIT_S", "0"),
        ("MAX_CPU_PERCENT", "101"),
        ("MAX_CALLS_PER_NUMBER", "-1"),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        AdmissionSettings.read({name: value})


def test_offers_can_be_none() -> None:
    assert AdmissionSettings.read({"LINE_OFFERS": ","}).offers == ()
