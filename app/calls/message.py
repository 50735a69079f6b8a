"""A message a caller leaves: kept as a WAV file under the operator's data directory."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Lock

from app.audio.frame import SAMPLE_RATE
from app.calls.listening import Listening
from app.calls.message_file import MessageFile
from app.log import log

Outcome = Callable[[], None]  # tells it: readers of events expect them on the loop
PIECE_S = 1.0  # seconds of a message that are written at once: what the death of the process costs


class Mailbox:
    """Takes one caller's messages, through the call's listening; threads write them while they are left.

    Args:
        folder: None: nothing is kept.
    """

    def __init__(self, listening: Listening, folder: Path | None, call_sid: str) -> None:
        self._listening = listening
        self._folder = folder
        self._call_sid = call_sid
        self._file: MessageFile | None = None
        self._bytes = 0  # of the message that is being left
        self._bell = asyncio.Event()
        self._writer = _Writer()

    def open(self) -> None:
        """Keep what the caller says from now on; no recogniser hears it."""
        self._listening.recorded = bytearray()
        self._file = None if self._folder is None else MessageFile(self._folder, self._call_sid)
        self._bytes = 0
        self._bell.set()

    def close(self, *, keep: bool) -> None:
        """The message is over."""
        self._take()
        file, self._file = self._file, None
        recorded, self._listening.recorded = self._listening.recorded, None
        if file is None:
            if recorded:
                log.warning("message.dropped", reason="RETENTION_DAYS is 0")
            return
        if keep and self._bytes:
            self._writer.order(partial(_finish, file, self._bytes / SAMPLE_RATE))
        else:
            self._writer.order(file.discard)
            log.info("message.dropped", reason="nothing was said")
        self._bell.set()

    async def run(self) -> None:
        """Bring messages to disk while they are left, until the call cancels this."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if self._file is None else PIECE_S):
                    await self._bell.wait()
            self._bell.clear()
            self._take()
            await self._writer.write()

    async def settle(self) -> None:
        """Return when all that was closed is on disk."""
        await self._writer.write()

    def _take(self) -> None:
        recorded = self._listening.recorded
        if self._file is not None and recorded:
            self._bytes += len(recorded)
            self._writer.order(partial(self._file.append, bytes(recorded)))
            recorded.clear()


class _Writer:
    """Orders are carried out one after the other, by whichever thread comes first.

    Whoever waits for a thread may be cancelled; the thread still finishes, and what it did is told later.
    """

    def __init__(self) -> None:
        self._orders: deque[Callable[[], Outcome | None]] = deque()
        self._outcomes: deque[Outcome] = deque()
        self._turn = Lock()
        self._used = False  # most calls leave no message, and wait for no thread

    def order(self, work: Callable[[], Outcome | None]) -> None:
        self._orders.append(work)
        self._used = True

    async def write(self) -> None:
        """Return when all that was ordered is done."""
        if self._used:
            await asyncio.to_thread(self._carry_out)
        while self._outcomes:
            self._outcomes.popleft()()

    def _carry_out(self) -> None:
        with self._turn:
            while self._orders:
                if outcome := self._orders.popleft()():
                    self._outcomes.append(outcome)


def _finish(file: MessageFile, duration_s: float) -> Outcome:
    try:
        path = file.finish()
    except OSError as error:
        return partial(log.error, "message.lost", fault=str(error))
    return partial(log.info, "message.taken", path=str(path), duration_s=round(duration_s, 1))
