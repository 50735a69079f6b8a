from app.speech.budgets import USUAL


def test_with_all_of_a_budget_used_up_the_next_voice_begins_within_two_seconds() -> None:
    assert USUAL.start_s(is_last=False) < 2
    assert USUAL.turn_s < 2
    assert USUAL.gap_s <= 1.5


def test_the_last_voice_may_take_longer_but_nobody_waits_for_five_seconds() -> None:
    assert USUAL.start_s(is_last=False) < USUAL.start_s(is_last=True) < 5
    assert USUAL.permit_wait_s < 5
