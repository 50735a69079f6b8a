"""Named instants."""

from app.conversation.alarms import Alarm, Alarms


def test_the_soonest_is_next_and_the_longest_overdue_rings_first() -> None:
    alarms = Alarms()
    assert alarms.next() is None
    alarms.set(Alarm.SILENCE, 9.0)
    alarms.set(Alarm.KEYS, 5.0)

    assert alarms.next() == 5.0
    assert alarms.due(4.9) == []
    assert alarms.due(9.0) == [Alarm.KEYS, Alarm.SILENCE]


def test_an_alarm_rings_once() -> None:
    alarms = Alarms()
    alarms.set(Alarm.KEYS, 5.0)

    assert not alarms.take(Alarm.KEYS, 4.9)
    assert alarms.take(Alarm.KEYS, 5.0)
    assert not alarms.take(Alarm.KEYS, 5.0)


def test_what_is_moved_or_cancelled_does_not_ring() -> None:
    alarms = Alarms()
    alarms.set(Alarm.KEYS, 5.0)
    alarms.set(Alarm.SILENCE, 5.0)
    due = alarms.due(5.0)
    alarms.set(Alarm.KEYS, 6.0)
    alarms.cancel(Alarm.SILENCE, Alarm.FILLER)

    assert [alarm for alarm in due if alarms.take(alarm, 5.0)] == []
    assert Alarm.KEYS in alarms
    assert Alarm.SILENCE not in alarms

    alarms.clear()
    assert alarms.next() is None
