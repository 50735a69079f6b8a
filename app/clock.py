"""The one reader of clocks; everything else is given `now`.

Two clocks are never mixed: media time is counted in samples, and `now` is monotonic seconds. Inside
the event loop `now` is the loop's own clock, so that a test's loop can make time jump.
"""

import asyncio
import time
from datetime import UTC, datetime


def now() -> float:
    """Monotonic seconds of the running event loop."""
    return asyncio.get_running_loop().time()


def steady() -> float:
    """Monotonic seconds that go on while the event loop stands still, for a thread that looks at it."""
    return time.monotonic()


def wall() -> datetime:
    """The date and time in UTC, for people and logs; never for measuring."""
    return datetime.now(UTC)


def cpu() -> float:
    """Processor seconds this thread has used, to account what a piece of work cost."""
    return time.thread_time()
