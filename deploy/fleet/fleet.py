"""A fleet on this machine: replicas, the balancer in front of them, and a store if there is one."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from deploy.fleet.balancer import Backend, Balancer
from deploy.fleet.ports import free_port
from deploy.fleet.replica import Replica

LOOK_S = 0.5  # seconds between two looks at `/readyz`; HAND_OVER_SECONDS must be longer than one
STOP_WITHIN_S = 15.0  # seconds after the hurry


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """What is to run."""

    folder: Path
    """DATA_DIR of all replicas, or of each a folder in it; and their logs under `logs`."""
    replicas: int = 2
    port: int = 0
    """Of the balancer; 0 takes a free one."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Of every replica; with a REDIS_URL they share that store, and nothing else."""

    @property
    def has_store(self) -> bool:
        return bool(self.environ.get("REDIS_URL"))


class Fleet:
    """Runs while it is entered.

    Raises:
        NotStarted: a replica did not become ready.
    """

    def __init__(self, plan: FleetPlan, tell: Callable[[str], None] = lambda _line: None) -> None:
        self.replicas: list[Replica] = []
        self._plan = plan
        self._tell = tell
        self._backends: list[Backend] = []
        self._balancer = Balancer(self._backends, port=plan.port, every_s=LOOK_S, tell=tell)
        self._started = 0

    @property
    def url(self) -> str:
        """What callers and operators ask."""
        return f"http://127.0.0.1:{self._balancer.port}"

    async def __aenter__(self) -> Self:
        (self._plan.folder / "logs").mkdir(parents=True, exist_ok=True)
        await self._balancer.__aenter__()
        try:
            self.replicas = [await self.launch() for _ in range(self._plan.replicas)]
            for replica in self.replicas:
                await replica.until_ready()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(*(_end(replica) for replica in self.replicas))
        await self._balancer.__aexit__(*exc)

    async def launch(self, port: int | None = None) -> Replica:
        """Start one more process, behind the balancer as soon as it is ready."""
        self._started += 1
        backend = Backend(f"r{self._started}", port or free_port())
        log = self._plan.folder / "logs" / f"{backend.name}.log"
        replica = Replica(backend, self._environ_of(backend.name), log)
        await replica.start()
        self._backends.append(backend)
        self._tell(f"{backend.name} on port {backend.port}, pid {replica.pid}, log {replica.log}")
        return replica

    def _environ_of(self, name: str) -> dict[str, str]:
        environ = {
            "HAND_OVER_SECONDS": "2",
            "PUBLIC_URL": self.url,
            **self._plan.environ,
            "HOST": "127.0.0.1",
        }
        if self._plan.has_store:  # any replica can take any webhook and any socket
            return environ | {"DATA_DIR": str(self._plan.folder / name)}
        # Stream tokens are each replica's own: the path brings a socket back. The folder holds the records.
        return environ | {"DATA_DIR": str(self._plan.folder), "PUBLIC_URL": f"{self.url}/{name}"}

    async def replace(self, replica: Replica) -> int:
        """A new process takes the place of `replica`, whose calls leave it; gives its exit code."""
        successor = await self.launch()
        self.replicas.append(successor)
        await successor.until_ready()
        return await self.retire(replica)

    async def retire(self, replica: Replica) -> int:
        """Tell a replica to go, and wait until it has gone."""
        replica.send(signal.SIGTERM)
        code = await replica.wait()
        self.forget(replica)
        self._tell(f"{replica.backend.name} has gone, exit code {code}")
        return code

    def forget(self, replica: Replica) -> None:
        """A replica that is no more."""
        self.replicas.remove(replica)
        self._backends.remove(replica.backend)

    async def roll(self) -> list[int]:
        """Replace all, one after another; gives their exit codes."""
        return [await self.replace(replica) for replica in tuple(self.replicas)]


async def _end(replica: Replica) -> None:
    """In order, and at once: callers are told."""
    replica.send(signal.SIGINT)
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await replica.wait()
    except TimeoutError:
        replica.send(signal.SIGKILL)
        await replica.wait()
