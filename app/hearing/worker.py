"""A place in the pool: one recogniser process and its sessions, which outlive it when it is replaced."""

import asyncio
import json
from collections.abc import Callable
from typing import Final

from app import clock
from app.errors import ProviderError
from app.hearing.recogniser_process import RecogniserProcess
from app.hearing.recogniser_wire import Kind, Packet
from app.hearing.session import Session
from app.log import log

HEARTBEAT_S: Final = 5.0  # an idle process is asked so often, and has as long to answer
RESTART_PAUSE_S: Final = 0.5  # after a failed start, doubled each time, so that a broken one cannot spin
LONGEST_PAUSE_S: Final = 10.0
MOST_UTTERANCES: Final = 5000  # of one process, half a day of a busy line: what leaks leaks slowly
MOST_GROWTH: Final = 2.0  # times the memory that it should hold with all its sessions
RETIRING: Final = ("utterances", "memory")  # reasons with which a process still serves until it is succeeded
SESSION_KB: Final = 12_000  # of a session's decoder; 7 to 9 MB measured (`bench/hearing_asr.py`)


class Worker:
    """Keeps a process alive; `keep` is to be run in the pool's task group, and reports the first start."""

    def __init__(
        self,
        setup: dict[str, object],
        slots: int,
        *,
        most_utterances: int = MOST_UTTERANCES,
        orphaned: Callable[["Worker"], None] = lambda _worker: None,
    ) -> None:
        self.slots = slots
        self.replaced = 0
        self.failing = False  # the last start did not succeed
        self._orphaned = orphaned  # told when the process has died, its sessions still here
        self._setup = setup
        self._most_utterances = most_utterances
        self._sessions: dict[int, Session] = {}
        self._process: RecogniserProcess | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.alive

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def taken(self) -> int:
        return len(self._sessions)

    @property
    def sessions(self) -> tuple[Session, ...]:
        return tuple(self._sessions.values())

    def admit(self, session: Session) -> None:
        """A call begins here, or goes on."""
        self._sessions[session.number] = session
        if self._process is not None and self._process.alive:
            session.attach(self._process)

    def release(self, session: Session) -> None:
        """The call goes on elsewhere."""
        del self._sessions[session.number]

    def dismiss(self, session: Session) -> None:
        """The call is over; nothing that it said is kept."""
        del self._sessions[session.number]
        session.close()

    async def keep(self, started: "asyncio.Queue[ProviderError | None]") -> None:
        """Serve for ever, with one process after the other."""
        try:
            self._process = await self._start(started)
            while True:
                process = self._process
                self._welcome(process)
                reason = await self._serve(process)
                log.warning("hearing.worker_replaced", pid=process.pid, reason=reason, sessions=self.taken)
                self.replaced += 1
                if process.alive and reason in RETIRING:
                    self._process = await self._succeeded(process, started)
                else:
                    await self._buried(process)
                    self._process = await self._start(started)
        finally:
            if self._process is not None:
                await self._process.stop()

    def _welcome(self, process: RecogniserProcess) -> None:
        for session in self._sessions.values():
            session.attach(process)

    async def _buried(self, process: RecogniserProcess) -> None:
        """What is left of a process that serves nobody any more; its calls go where there is room."""
        process.alive = False
        self._orphaned(self)
        process.kill()
        await process.stop()

    async def _succeeded(
        self, old: RecogniserProcess, started: "asyncio.Queue[ProviderError | None]"
    ) -> RecogniserProcess:
        """A successor, warmed up while the old one goes on serving."""
        async with asyncio.TaskGroup() as group:
            still = group.create_task(self._serve_out(old))
            try:
                successor = await self._start(started)
            finally:
                still.cancel()
        await old.stop()
        return successor

    async def _start(self, started: "asyncio.Queue[ProviderError | None]") -> RecogniserProcess:
        pause_s = RESTART_PAUSE_S
        while True:
            try:
                process = await RecogniserProcess.start(self._setup)
            except ProviderError as error:
                self.failing = True
                started.put_nowait(error)
                log.error("hearing.worker_not_started", reason=error.message, next_try_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            else:
                self.failing = False
                started.put_nowait(None)
                return process

    async def _serve_out(self, process: RecogniserProcess) -> None:
        while (packet := await process.receive()) is not None:
            self._hand_out(packet)

    async def _serve(self, process: RecogniserProcess) -> str:
        """Hand out what the process says, until it has to be replaced; returns why."""
        answered = 0
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    packet = await process.receive()
            except TimeoutError:
                if clock.now() - process.heard_at >= 2 * HEARTBEAT_S:
                    return "stuck"
                process.send(Packet(Kind.PING))
                continue
            if packet is None:
                return "died"
            self._hand_out(packet)
            answered += packet.kind == Kind.FINAL
            reports = packet.kind in (Kind.FINAL, Kind.PONG)
            if reports and (reason := self._overripe(process, answered, packet)):
                return reason

    def _hand_out(self, packet: Packet) -> None:
        if session := self._sessions.get(packet.session):
            session.take(packet)

    def _overripe(self, process: RecogniserProcess, answered: int, report: Packet) -> str | None:
        if answered >= self._most_utterances:
            return "utterances"
        allowed_kb = MOST_GROWTH * (process.resident_kb + self.slots * SESSION_KB)
        return "memory" if json.loads(report.payload)["resident_kb"] > allowed_kb else None
