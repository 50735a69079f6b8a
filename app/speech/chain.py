"""Several voices, one behind the other: a sentence that the first cannot begin is begun by the next."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Self

from app.errors import ConfigError, Failure, ProviderError
from app.log import log
from app.speech.port import Speech
from app.speech.render import render


class Chain:
    """The providers of one process in order of preference; entered once, shared by all calls."""

    def __init__(self, providers: Sequence[Speech]) -> None:
        self._providers = list(providers)
        self._open = AsyncExitStack()
        self._failing: dict[str, Failure] = {}  # providers whose last sentence failed

    async def __aenter__(self) -> Self:
        """Enter every provider; one that cannot start is left out, loudly.

        Raises:
            ConfigError: none can start.
        """
        started: list[Speech] = []
        faults: list[str] = []
        for provider in self._providers:
            try:
                started.append(await self._open.enter_async_context(provider))
            except (ConfigError, ProviderError) as error:
                faults.append(f"voice {provider.name}: {error}")
                log.error("speech.provider_left_out", provider=provider.name, reason=str(error))
        if not started:
            raise ConfigError(*(faults or ["no voice is configured"]))
        self._providers = started
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    @property
    def names(self) -> list[str]:
        """The providers that can be used, in order."""
        return [provider.name for provider in self._providers]

    @property
    def failing(self) -> list[str]:
        """The providers that failed when they were last asked."""
        return list(self._failing)

    def warm(self) -> None:
        """A call is about to begin: let every provider get ready."""
        for provider in self._providers:
            provider.warm()

    async def ping(self) -> dict[str, ProviderError | None]:
        """Try every provider: what is wrong with each, None where nothing is."""
        return {provider.name: await _ping(provider) for provider in self._providers}

    async def render(self, text: str) -> AsyncGenerator[bytes, None]:
        """Say one sentence as mu-law frames; to be used inside `contextlib.aclosing`.

        A provider that fails before its first frame is left for the next. One that fails later ends the
        sentence where it stands: what was handed out has been heard, and nobody else can go on from there.

        Raises:
            ProviderError: the last one's, when all failed; or that of a sentence which had begun.
        """
        failure: ProviderError | None = None
        for provider in self._providers:
            if failure is not None:
                log.warning("speech.fell_back", provider=provider.name, kind=failure.kind.value)
            begun = False
            try:
                async with aclosing(_render_afresh(provider, text)) as frames:
                    async for mulaw in frames:
                        begun = True
                        yield mulaw
                self._failing.pop(provider.name, None)
                return
            except ProviderError as error:
                self._failing[provider.name] = error.kind
                if begun:
                    raise
                failure = error
        assert failure is not None, "a chain is entered before it speaks"
        raise failure


async def _render_afresh(provider: Speech, text: str) -> AsyncGenerator[bytes, None]:
    """Render, once again where only the session was over: a fresh one helps at once."""
    begun = False
    try:
        async with aclosing(render(provider, text)) as frames:
            async for mulaw in frames:
                begun = True
                yield mulaw
        return
    except ProviderError as error:
        if begun or error.kind is not Failure.CLOSED:
            raise
    async with aclosing(render(provider, text)) as frames:
        async for mulaw in frames:
            yield mulaw


async def _ping(provider: Speech) -> ProviderError | None:
    try:
        await provider.ping()
    except ProviderError as error:
        return error
    return None
