"""The patience of the turn machine."""

from dataclasses import fields

from app.conversation.turn_port import Ask, Floor, Interrupt, TurnLimits


def test_every_limit_is_positive() -> None:
    limits = TurnLimits()
    numbers = [getattr(limits, each.name) for each in fields(limits)]

    assert all(number > 0 for number in numbers if isinstance(number, int | float))


def test_orders_compare_by_what_they_say_and_floors_end_in_ing() -> None:
    from app.conversation.port import NotUnderstood

    assert Ask(NotUnderstood()) == Ask(NotUnderstood())
    assert Interrupt() == Interrupt()
    assert all(floor.endswith("ing") for floor in Floor)
