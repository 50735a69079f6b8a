"""The embedded ears as a provider: no account, no key, no network; English, a hotline's own phrases."""

import importlib.util
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from app.errors import ConfigError, Failure, ProviderError
from app.hearing.machine import free_memory_kb, usable_cores
from app.hearing.pool import WAIT_S, Pool, Size
from app.hearing.port import Listener, OnPosition
from app.hearing.recogniser_process import NAME


class LocalHearing:
    """Recognises by PocketSphinx, in worker processes.

    `phrases` are what the hotline's callers are expected to say; anything else is rejected, with an empty
    final transcript. With `dictation` every word of the language is taken, at some ten times the cost.
    """

    name = NAME

    def __init__(
        self,
        phrases: Sequence[str] = (),
        *,
        sessions: int | None = None,
        dictation: bool = False,
        wait_s: float = WAIT_S,
    ) -> None:
        cores = usable_cores()
        size = (
            Size.of_machine(cores=cores, free_kb=free_memory_kb(), full=dictation)
            if sessions is None
            else Size.of(sessions, cores=cores, full=dictation)
        )
        self._pool = Pool(phrases=phrases, size=size, full=dictation, wait_s=wait_s)

    async def __aenter__(self) -> Self:
        """Start the recognisers.

        Raises:
            ConfigError: the library is not installed.
            ProviderError: it does not start.
        """
        if importlib.util.find_spec("pocketsphinx") is None:
            raise ConfigError(
                "pocketsphinx is missing (embedded ears); it comes with the extra local-hearing"
            )
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._pool.__aexit__(*exc)

    @asynccontextmanager
    async def listen(
        self, phrases: Sequence[str] = (), *, on_position: OnPosition | None = None
    ) -> AsyncIterator[Listener]:
        """A call's session; `phrases` stand in place of the hotline's, none leave those.

        `on_position` hears the place in line, from 1, while every recogniser is taken, and 0 at its turn.
        """
        async with self._pool.session(phrases, on_position=on_position) as session:
            yield session

    def status(self) -> dict[str, object]:
        """Capacity, allocated, free, waiting, recycled, health, and the same of each worker."""
        return self._pool.status()

    async def ping(self) -> None:
        if self._pool.status()["health"] == "down":
            raise ProviderError(NAME, Failure.CLOSED, "no recogniser process runs")
