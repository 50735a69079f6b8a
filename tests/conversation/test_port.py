"""Facts and orders are values."""

from app.conversation.port import CallStarted, HangUp, Say


def test_facts_and_orders_compare_by_what_they_say() -> None:
    assert Say("a") == Say("a") != Say("b")
    assert CallStarted("CA1") == CallStarted("CA1", {})
    assert HangUp() == HangUp()
