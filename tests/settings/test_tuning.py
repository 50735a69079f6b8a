"""Fine tuning of the ears: the settings know every number, with its usual value."""

from dataclasses import asdict

import pytest

from app.hearing.activity import Sensitivity
from app.hearing.echo import Margins
from app.hearing.endpointing import Timing
from app.settings.tuning import TuningSettings


@pytest.mark.parametrize(
    ("group", "usual"), [("timing", Timing()), ("sensitivity", Sensitivity()), ("margins", Margins())]
)
def test_every_number_of_the_ears_has_its_variable(group: str, usual: Timing | Sensitivity | Margins) -> None:
    assert TuningSettings.read({}).of(group) == asdict(usual)


def test_a_number_is_changed_by_its_variable() -> None:
    assert TuningSettings.read({"ENDPOINT_SILENCE_MS": "700"}).of("timing")["open_ms"] == 700
