"""The contract of a voice: text in, audio bytes out as they come.

Every provider, the embedded one too, passes `tests/contract/test_speech.py`.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol, Self


class Spoken(NamedTuple):
    """Alignment: the audio up to `until_ms` says the first `characters` of the text, and no more of it.

    `until_ms` counts from the sentence's first sample, as the vendor decodes it. Neither ever goes back.
    """

    characters: int
    until_ms: float


Piece = bytes | Spoken


class Speech(Protocol):
    """A provider of speech; entered once for the life of the process, shared by all calls."""

    @property
    def name(self) -> str:
        """Name in logs and in `SPEECH_PROVIDERS`, e.g. `elevenlabs`."""

    @property
    def audio_format(self) -> str:
        """What `speak` yields: `mp3_*`, `pcm_<rate>` or `ulaw_8000`."""

    @property
    def fingerprint(self) -> str:
        """Everything that shapes the sound: name, voice, model, settings. Equal ones sound alike."""

    @property
    def aligned(self) -> bool:
        """Whether `speak` tells by `Spoken` how far it has come in the text."""

    @property
    def maximum_concurrent(self) -> int | None:
        """Generations in flight that the vendor last said it allows the workspace; None: it has not said."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def speak(self, text: str, *, call: str = "") -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        """Say one sentence: yields chunks of any size, ends when the vendor has sent all.

        `call` tells whose sentence it is, in no words of the caller's: a provider may keep a connection for
        the sentences of one call, never for those of two. Empty: nobody's.

        Leaving the context, also in mid-sentence or by cancellation, frees what the vendor holds for it.

        Raises:
            ProviderError: on entering or from the iterator; also when the vendor ends without any audio.
        """

    def forget(self, call: str) -> None:
        """The call is over: what was kept for it is closed in the background. Never raises."""

    def warm(self) -> None:
        """A call is about to begin: get ready in the background. Returns at once, never raises."""

    async def ping(self) -> None:
        """Prove that the vendor could be used now.

        Raises:
            ProviderError: with what is wrong.
        """
