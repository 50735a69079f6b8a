"""When failures become an alarm, in time that comes in."""

from app.observe.alarms import LEAST_STANDING_S, WINDOW_S, Alarms, Cleared, Raised


def told(alarms: Alarms, *outcomes: bool, now: float, subject: str = "tone") -> None:
    """One generation for each; True failed."""
    for failed in outcomes:
        alarms.happened("generations", subject, now, failed=failed)


def test_more_than_a_tenth_of_at_least_five_raises_once() -> None:
    alarms = Alarms()
    told(alarms, True, True, False, False, now=1000)
    assert alarms.judge(1000) == []

    told(alarms, False, now=1001)
    [raised] = alarms.judge(1001)

    assert isinstance(raised, Raised)
    assert raised.alarm.reason == "2 of 5 generations failed within 300 s"
    assert alarms.judge(1002) == []
    assert alarms.active == [raised.alarm]


def test_a_level_of_a_budget_stands_until_the_budget_is_renewed() -> None:
    alarms = Alarms()
    alarms.budget_reached("day 50 %", "half is spent")
    [raised] = alarms.judge(1000)
    assert alarms.judge(90_000) == []

    alarms.budget_renewed("day 50 %")
    alarms.budget_renewed("day 80 %")  # of before a restart: nobody has heard of it here

    assert alarms.judge(90_001) == [Cleared(raised.alarm, 89_001)]
    assert alarms.active == [] and alarms.judge(90_002) == []


def test_a_tenth_is_not_more_than_a_tenth() -> None:
    alarms = Alarms()
    told(alarms, True, *[False] * 9, now=1000)

    assert alarms.judge(1000) == []


def test_it_stands_until_failures_are_rare_and_somebody_can_have_seen_it() -> None:
    alarms = Alarms()
    told(alarms, *[True] * 5, now=1000)
    alarms.judge(1000)
    told(alarms, *[False] * 45, now=1010)
    assert alarms.judge(1010 + LEAST_STANDING_S) == []  # 10 % still: less than raises, more than clears

    told(alarms, *[False] * 50, now=1015)
    assert alarms.judge(1020) == []  # 5 %, but too soon
    [cleared] = alarms.judge(1000 + LEAST_STANDING_S)

    assert isinstance(cleared, Cleared) and cleared.stood_s == LEAST_STANDING_S
    assert alarms.active == []


def test_what_is_older_than_the_window_is_forgotten() -> None:
    alarms = Alarms()
    told(alarms, *[True] * 5, now=1000)
    alarms.judge(1000)
    assert alarms.judge(1000 + WINDOW_S - 20) == []

    assert isinstance(alarms.judge(1000 + WINDOW_S + 20)[0], Cleared)
    assert alarms.rates(1000 + WINDOW_S + 20)[0]["happened"] == 0


def test_subjects_are_apart() -> None:
    alarms = Alarms()
    told(alarms, *[True] * 5, now=1000, subject="dead")
    told(alarms, *[False] * 100, now=1000, subject="well")

    assert [change.alarm.subject for change in alarms.judge(1000)] == ["dead"]


def test_a_refused_key_is_an_alarm_at_once_until_it_works() -> None:
    alarms = Alarms()
    alarms.key_refused("auth", "tone", 1000)

    assert [type(change) for change in alarms.judge(1000)] == [Raised]
    assert alarms.judge(1000 + 10 * WINDOW_S) == []
    alarms.key_worked("other")
    assert alarms.judge(1000 + 10 * WINDOW_S) == []
    alarms.key_worked("tone")
    assert [type(change) for change in alarms.judge(1001 + 10 * WINDOW_S)] == [Cleared]


def test_a_doubted_key_that_is_not_refused_again_is_forgotten() -> None:
    alarms = Alarms()
    alarms.key_refused("auth_suspect", "tone", 1000)
    alarms.judge(1000)

    assert alarms.judge(1000 + WINDOW_S - 1) == []
    assert [type(change) for change in alarms.judge(1000 + WINDOW_S)] == [Cleared]


def test_windows_stay_small_under_any_traffic() -> None:
    alarms = Alarms()
    for second in range(2000):
        told(alarms, False, False, now=float(second))
        alarms.judge(float(second))

    assert len(alarms._windows["generations", "tone"].steps) <= 32
