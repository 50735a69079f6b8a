"""Frames are voiced one by one, and mean something together."""

import pytest

from app.hearing.activity import Activity, Sensitivity


def heard(pattern: str, activity: Activity | None = None) -> Activity:
    """`x` is a voiced frame, `.` one that is not."""
    activity = activity or Activity()
    for frame in pattern:
        activity.hear(0.9 if frame == "x" else 0.0)
    return activity


def test_a_voiced_frame_stays_voiced_down_to_the_lower_threshold() -> None:
    activity = Activity()

    assert [activity.hear(p) for p in (0.49, 0.5, 0.36, 0.35, 0.34, 0.49)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("pattern", "started"),
    [("xxxxx", False), ("xxxxxx", True), ("xx.xx.xx", True), ("x..xx.xx", False), ("xxxxx...x", False)],
)
def test_six_voiced_frames_of_eight_are_a_start(pattern: str, started: bool) -> None:
    assert heard(pattern).started is started


@pytest.mark.parametrize(
    ("pattern", "resumed"), [("..xx", False), ("xx.x", True), ("xxx", True), ("xx..x", False)]
)
def test_three_of_four_go_on_after_a_pause(pattern: str, resumed: bool) -> None:
    assert heard(pattern).resumed is resumed


@pytest.mark.parametrize(
    ("pattern", "insistent"), [("xxxxxxxxx", False), ("xxxxx..xxxxx", True), ("xxxxx...xxxxx", False)]
)
def test_ten_of_twelve_insist(pattern: str, insistent: bool) -> None:
    assert heard(pattern).insistent is insistent


def test_an_echo_never_counts() -> None:
    activity = Activity()

    for _ in range(20):
        assert not activity.hear(0.99, near=False)

    assert not activity.started


def test_what_is_soft_but_near_goes_on_where_the_echo_was_likely_speech() -> None:
    activity = Activity()
    activity.hear(0.9, near=False)

    assert activity.hear(0.4)


def test_the_beginning_is_that_of_the_first_voiced_frame() -> None:
    assert heard("......xx.xxxx").since_ms == 140
    assert heard("......xx.xxxx").voiced_ms == 120


def test_what_is_forgotten_is_no_part_of_a_start() -> None:
    activity = heard("xxxxx")

    activity.forget()

    assert not activity.voiced
    assert not heard("x", activity).started


def test_the_numbers_are_the_sensitivitys() -> None:
    activity = Activity(Sensitivity(on=0.95, start_frames=2))

    assert [activity.hear(0.9), activity.hear(0.96), activity.hear(0.96)] == [False, True, True]
    assert activity.started
