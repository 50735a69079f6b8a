"""The contract of ears: a caller's audio in, transcripts out as they come.

Every provider, the embedded one too, passes `tests/contract/test_hearing.py`.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, Self

OnPosition = Callable[[int], None]
"""Told a waiting call's place in line, from 1, at once and whenever it changes; 0: its turn has come."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What an utterance says, as far as it is known; a final one replaces all interim ones before it."""

    text: str  # lower case words; empty: nothing was understood
    final: bool
    utterance: int  # as numbered by `begin_utterance`
    confidence: float = 1.0  # 0..1


class Listener(Protocol):
    """One call's ears. No method blocks; what is too much is dropped, oldest first, and counted."""

    def begin_utterance(self) -> int:
        """The caller has begun to speak; returns the utterance's number, from 1."""

    def hear(self, mulaw: bytes) -> None:
        """Audio of the utterance that has begun, its pre-roll first: mu-law, 8 kHz, any length."""

    def end_utterance(self) -> None:
        """The caller has stopped: a final transcript follows within some 2 s, an empty one if need be."""

    def cancel_utterance(self) -> None:
        """It was no speech after all: no transcript follows."""

    def transcripts(self) -> AsyncIterator[Transcript]:
        """What was understood, until the session is left.

        Raises (from the iterator):
            ProviderError: the ears are lost; the call can go on with keys.
        """


class Hearing(Protocol):
    """A provider of ears; entered once for the life of the process, shared by all calls."""

    @property
    def name(self) -> str:
        """Name in logs and settings, e.g. `local`."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def listen(
        self, phrases: Sequence[str] = (), *, on_position: OnPosition | None = None
    ) -> AbstractAsyncContextManager[Listener]:
        """Open a call's session; `phrases` are what is likely to be said.

        Where recognisers are scarce, entering waits for one, and tells the place in line by `on_position`.

        Raises:
            AtCapacity: every recogniser is taken, and none became free in time.
            ProviderError: the provider cannot be used now.
        """

    async def ping(self) -> None:
        """Prove that the provider could be used now.

        Raises:
            ProviderError: with what is wrong.
        """
