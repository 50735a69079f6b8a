"""The contract of a voice: text in, audio bytes out as they come.

Every provider, the embedded one too, passes `tests/contract/test_speech.py`.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self


class Speech(Protocol):
    """A provider of speech; entered once for the life of the process, shared by all calls."""

    @property
    def name(self) -> str:
        """Name in logs and in `SPEECH_PROVIDERS`, e.g. `elevenlabs`."""

    @property
    def audio_format(self) -> str:
        """What `speak` yields: `mp3_*`, `pcm_<rate>` or `ulaw_8000`."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def speak(self, text: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Say one sentence: yields chunks of any size, ends when the vendor has sent all.

        Leaving the context, also in mid-sentence or by cancellation, frees what the vendor holds for it.

        Raises:
            ProviderError: on entering or from the iterator; also when the vendor ends without any audio.
        """

    def warm(self) -> None:
        """A call is about to begin: get ready in the background. Returns at once, never raises."""

    async def ping(self) -> None:
        """Prove that the vendor could be used now.

        Raises:
            ProviderError: with what is wrong.
        """
