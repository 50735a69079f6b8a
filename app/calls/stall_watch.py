"""Tells what the event loop was doing when it stood still: afterwards nobody knows.

A thread looks on, for the loop itself cannot, and takes the stack of what blocks; the loop logs it when it
goes on. Of a loop that does not go on the thread itself writes, once. Leases need nothing of this: they live
in the store for five seconds without a word; and that no new call is taken meanwhile is `strain.py`'s.
"""

import asyncio
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app import clock
from app.log import log

STALL_S = 0.1  # seconds without a beat: five frames of every live call
HANG_S = 5.0  # as long as a lease lives
BEAT_S = 0.02
AWAKE_S = (
    0.07  # between two looks; longer, and the thread did not run either: the machine stands, not our loop
)
FRAMES = 12  # of the stack, the innermost: what blocks, and who asked for it


class StallWatch:
    """The loop beats, the thread looks; instants are of any monotonic clock that both know.

    Args:
        stack: what the loop is doing, asked in the thread, once a stall.
        tell: of a loop that hangs, called in the thread with the stack, once a stall.
    """

    def __init__(self, stack: Callable[[], str], tell: Callable[[str], None], now: float) -> None:
        self._stack = stack
        self._tell = tell
        self._beat_at = self._looked_at = now
        self._taken = ""
        self._is_told = False

    def beat(self, now: float) -> tuple[float, str]:
        """The loop runs; gives the seconds since it last did, and the stack if that was a stall."""
        stood_s, taken = now - self._beat_at, self._taken
        self._beat_at, self._taken, self._is_told = now, "", False
        return stood_s, taken

    def look(self, now: float) -> None:
        """The thread's look."""
        stood_s, is_awake = now - self._beat_at, now - self._looked_at < AWAKE_S
        self._looked_at = now
        if is_awake and stood_s >= STALL_S and not self._taken:
            self._taken = self._stack()
        if self._taken and stood_s >= HANG_S and not self._is_told:
            self._is_told = True
            self._tell(self._taken)


@asynccontextmanager
async def stall_watch() -> AsyncIterator[None]:
    """While it is entered, every stall of this loop is logged as `loop.stalled`, with its stack."""
    watched, over = threading.get_ident(), threading.Event()
    watch = StallWatch(lambda: stack_of(watched), _write, clock.steady())

    def look_on() -> None:
        while not over.wait(BEAT_S):
            watch.look(clock.steady())

    thread = threading.Thread(target=look_on, name="stall-watch", daemon=True)
    thread.start()
    try:
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(_beat(watch))
            yield
            beating.cancel()
    finally:
        over.set()
        thread.join()


async def _beat(watch: StallWatch) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        stood_s, stack = watch.beat(clock.steady())
        if stack:
            log.warning("loop.stalled", stood_ms=round(1000 * stood_s), stack=stack)


def _write(stack: str) -> None:
    """Past the event stream, whose readers are the loop's."""
    sys.stderr.write(f"hotline: the event loop hangs for {HANG_S:g} s: {stack}\n")


def stack_of(thread: int) -> str:
    """What a thread is doing, the innermost call last."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return ""
    calls = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=FRAMES, lookup_lines=False)
    told = [f"{'/'.join(each.filename.rsplit('/', 2)[-2:])}:{each.lineno} {each.name}" for each in calls]
    return " > ".join(reversed(told))
