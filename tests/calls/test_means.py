"""What every call shares."""

from app.calls.means import Limits


def test_limits_are_an_operators_and_have_a_usual_value() -> None:
    usual = Limits()

    assert usual.session_timeout_s == 1800.0
    assert usual.turns.silence_s > 0
