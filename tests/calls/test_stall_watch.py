"""What the loop was doing when it stood still."""

import asyncio
import threading
import time

from structlog.testing import capture_logs

from app.calls.stall_watch import BEAT_S, HANG_S, STALL_S, StallWatch, stack_of, stall_watch


class Asked:
    """Gives a stack, and notes what it is told."""

    def __init__(self) -> None:
        self.times = 0
        self.told: list[str] = []

    def stack(self) -> str:
        self.times += 1
        return f"stack {self.times}"


def looks(watch: StallWatch, begin: float, end: float) -> None:
    """The thread runs as it should."""
    for number in range(round((end - begin) / BEAT_S) + 1):
        watch.look(begin + number * BEAT_S)


def test_the_stack_is_taken_once_a_stall_and_given_to_the_loop_when_it_goes_on() -> None:
    asked = Asked()
    watch = StallWatch(asked.stack, asked.told.append, 0.0)
    looks(watch, 0.0, 1.0)

    assert watch.beat(1.0) == (1.0, "stack 1")
    assert watch.beat(1.02)[1] == ""
    looks(watch, 1.02, 1.02 + STALL_S + BEAT_S)
    assert watch.beat(1.2)[1] == "stack 2"
    assert asked.told == []


def test_a_loop_that_runs_is_not_asked_what_it_does() -> None:
    asked = Asked()
    watch = StallWatch(asked.stack, asked.told.append, 0.0)
    for number in range(100):
        watch.beat(number * BEAT_S)
        watch.look(number * BEAT_S + 0.05)

    assert asked.times == 0


def test_a_machine_that_stood_is_no_fault_of_the_loop() -> None:
    asked = Asked()
    watch = StallWatch(asked.stack, asked.told.append, 0.0)
    watch.look(3.0)
    watch.beat(3.01)
    looks(watch, 3.02, 3.05)

    assert asked.times == 0


def test_a_loop_that_hangs_is_told_of_once_while_it_does() -> None:
    asked = Asked()
    watch = StallWatch(asked.stack, asked.told.append, 0.0)
    looks(watch, 0.0, HANG_S - 0.1)
    assert asked.told == []
    looks(watch, HANG_S, 3 * HANG_S)

    assert asked.told == ["stack 1"]


async def test_what_blocks_the_loop_is_named_in_the_log() -> None:
    with capture_logs() as events:
        async with stall_watch():
            spin_for(1.0)
            async with asyncio.timeout(20):
                while not events:  # noqa: ASYNC110 - the loop's next beat
                    await asyncio.sleep(BEAT_S)

    (stalled,) = [event for event in events if "spin_for" in str(event.get("stack"))]
    assert stalled["event"] == "loop.stalled" and stalled["log_level"] == "warning"
    assert stalled["stood_ms"] >= 900
    assert "stall-watch" not in {thread.name for thread in threading.enumerate()}


def spin_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_a_thread_that_is_gone_does_nothing() -> None:
    assert stack_of(-1) == ""
