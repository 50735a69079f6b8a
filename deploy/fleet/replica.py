"""One hotline process on a port of its own."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.fleet.balancer import Backend

READY_WITHIN_S = 60.0  # seconds; importing everything on a cold machine takes several
LOOK_S = 0.1
LAST_WORDS = 2000  # characters of a log that we repeat


class NotStarted(Exception):
    """A replica that did not become ready; with its last words."""


class Replica:
    """A process from its start to its exit; its log is a file."""

    def __init__(self, backend: Backend, environ: Mapping[str, str], log: Path) -> None:
        self.backend = backend
        self.log = log
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.returncode if self._process is not None else None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "app", "serve"),
                env={**self._environ, "PORT": str(self.backend.port), "REPLICA_ID": self.backend.name},
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the fleet's to pass on, in order
            )

    async def until_ready(self) -> None:
        """Wait until the balancer has found it ready.

        Raises:
            NotStarted: it ended instead, or takes too long.
        """
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not self.backend.is_ready:
                    if self.exit_code is not None:
                        break
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            pass
        if not self.backend.is_ready:
            words = self.log.read_text(errors="replace")[-LAST_WORDS:]
            raise NotStarted(f"{self.backend.name} did not start (exit code {self.exit_code}):\n{words}")

    def send(self, sig: signal.Signals) -> None:
        """Signal the process, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(sig)

    async def wait(self) -> int:
        """Its exit code."""
        assert self._process is not None
        return await self._process.wait()
