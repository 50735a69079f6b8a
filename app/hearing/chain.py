"""Several ears, one behind the other: a call whose recogniser cannot be had gets the next one's."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from app.errors import AtCapacity, ConfigError, ProviderError
from app.hearing.port import Hearing, Listener, OnPosition
from app.log import log


class HearingChain:
    """The providers of ears of one process in order of preference; entered once, shared by all calls.

    With none, or none that starts, calls go on with keys.
    """

    def __init__(self, providers: Sequence[Hearing]) -> None:
        self._providers = list(providers)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Enter every provider; one that cannot start is left out, loudly."""
        started: list[Hearing] = []
        for provider in self._providers:
            try:
                started.append(await self._open.enter_async_context(provider))
            except (ConfigError, ProviderError) as error:
                log.error("hearing.provider_left_out", provider=provider.name, reason=str(error))
        self._providers = started
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    @property
    def names(self) -> list[str]:
        """The providers that can be used, in order."""
        return [provider.name for provider in self._providers]

    def status(self) -> dict[str, object]:
        """What each provider tells of itself, by name."""
        return {
            provider.name: provider.status() if hasattr(provider, "status") else {"health": "unknown"}
            for provider in self._providers
        }

    @asynccontextmanager
    async def listen(
        self, phrases: Sequence[str] = (), *, on_position: OnPosition | None = None
    ) -> AsyncIterator[Listener]:
        """A call's session with the first provider that gives one.

        While it waits in a provider's line, `on_position` hears its place, and 0 when its turn has come.

        Raises:
            AtCapacity, ProviderError: the last one's, when none does.
        """
        async with AsyncExitStack() as stack:
            yield await self._first(stack, phrases, on_position)

    async def _first(
        self, stack: AsyncExitStack, phrases: Sequence[str], on_position: OnPosition | None
    ) -> Listener:
        failure: AtCapacity | ProviderError = AtCapacity("no ears are configured")
        for provider in self._providers:
            try:
                listener = await stack.enter_async_context(provider.listen(phrases, on_position=on_position))
            except (AtCapacity, ProviderError) as error:
                log.warning("hearing.fell_back", provider=provider.name, reason=str(error))
                failure = error
            else:
                log.info("hearing.session_begun", provider=provider.name)
                return listener
        raise failure
