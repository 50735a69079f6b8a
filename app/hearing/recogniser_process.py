"""One recogniser process, seen from the parent: packets down, packets up, and how long it has been silent."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Self

import app
from app import clock
from app.errors import Failure, ProviderError
from app.hearing.recogniser_wire import HEADER, Kind, Packet, pack
from app.log import log

NAME = "local"  # of the provider
START_TIMEOUT_S = 20.0  # 0.7 s on an idle machine, several when all workers start on a busy one
STOP_TIMEOUT_S = 1.0
STUCK_S = 1.0  # silent for so long while an answer is overdue; at work it answers every 80 ms of audio
MODULE = "app.hearing.recogniser_worker"


class RecogniserProcess:
    """A child process; somebody must read its packets with `receive`."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._down = process.stdin
        self._up = process.stdout
        self.alive = True
        self.resident_kb = 0  # once it was warm
        self.heard_at = clock.now()

    @classmethod
    async def start(cls, setup: dict[str, object]) -> Self:
        """Start a child and wait until it has recognised something.

        Raises:
            ProviderError: it does not come up.
        """
        # Without the working directory in its path, but with the very code that we run.
        paths = [str(Path(app.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", MODULE, stdin=PIPE, stdout=PIPE, env=environment
        )
        child = cls(process)
        child.send(Packet(Kind.SETUP, payload=json.dumps(setup).encode()))
        ready = None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                ready = await child.receive()
        except TimeoutError:
            pass
        finally:
            if ready is None:
                await child.stop()
        if ready is None:
            raise ProviderError(NAME, Failure.CLOSED, "the recogniser process does not start")
        child.resident_kb = int(json.loads(ready.payload)["resident_kb"])
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, packet: Packet) -> None:
        """Queue a packet; one that meets a dead process is lost, which `receive` tells."""
        if self.alive:
            self._down.write(pack(packet))

    async def receive(self) -> Packet | None:
        """The next packet; None: the process has died."""
        try:
            kind, session, utterance, size = HEADER.unpack(await self._up.readexactly(HEADER.size))
            payload = await self._up.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.alive = False
            return None
        self.heard_at = clock.now()
        return Packet(kind, session, utterance, payload)

    def suspect(self) -> None:
        """An answer is overdue: if the process has told nobody anything meanwhile it is stuck, and killed."""
        silent_s = clock.now() - self.heard_at
        if silent_s >= STUCK_S:
            log.error("hearing.worker_stuck", pid=self.pid, silent_s=round(silent_s, 1))
            self.kill()

    def kill(self) -> None:
        """End it at once; `receive` sees it."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self) -> None:
        """End the process: politely, by the end of its input, else by force."""
        self.alive = False
        self._down.close()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                while await self._up.read(65536):
                    pass
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
