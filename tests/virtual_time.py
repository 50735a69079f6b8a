"""An event loop whose clock jumps to the next timer when there is nothing else to do.

    @in_virtual_time
    async def test_an_hour_of_silence_ends_the_call() -> None:
        await asyncio.sleep(3600)

Ten minutes run in as long as their work takes, always in the same order, and `loop.time()` is exact. When
nothing could ever happen any more `Deadlock` is raised at once, in place of a test that hangs.

Threads (`asyncio.to_thread`) and sockets are real, and take real time: the clock stands still while a
thread of the loop's works, and does not wait for bytes from elsewhere as long as there is a timer.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

START_S = 1000.0  # not zero, which programs like to take for "never"
PATIENCE_S = 5.0  # real seconds for threads and sockets, before we call it a deadlock


class Deadlock(AssertionError):
    """Nothing is ready, no timer runs, and nobody from outside can wake the loop."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; `run` or `in_virtual_time` make one for you."""

    def __init__(self) -> None:
        self._now = START_S
        self._threads = 0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; the selector does, when the loop would wait."""
        self._now += seconds

    def waits_for_threads(self) -> bool:
        return self._threads > 0

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        self._threads += 1  # it waits for a thread that `run_in_executor` never saw
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._threads -= 1

    def _thread_done(self, _future: object) -> None:
        self._threads -= 1


class _Jumping(selectors.DefaultSelector):
    """Looks whether anything is ready; if not, makes time jump in place of waiting."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if not self._loop.waits_for_threads() and timeout is not None:
            self._loop.advance(timeout)
            return ready
        others = len(self.get_map()) > 1  # one is the loop's own pipe
        ready = super().select(PATIENCE_S) if others or self._loop.waits_for_threads() else []
        if not ready:
            raise Deadlock("nothing is ready and no timer runs: this would wait for ever")
        return ready


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in virtual time, with asyncio's debug mode on."""
    with asyncio.Runner(debug=True, loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run this test in virtual time. It may use fixtures, save those that are `async` themselves."""

    @functools.wraps(test)
    def started(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(test(*args, **kwargs))

    return started
