"""Stands between a vendor's bytes and the converter: only audio of the agreed format passes."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing

from app.errors import Failure, ProviderError
from app.speech.port import Piece, Speech, Spoken

HEAD = 12  # bytes that tell a document from samples
LONGEST_BODY = 4096  # bytes of an error text that are worth reading

# A single `{` or `<` can begin honest mu-law or PCM; with what follows it in a document it cannot.
DOCUMENT = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*\{\s*\"|<(?:!|\?xml|html|head|body))", re.IGNORECASE)
# What the converter cannot read; WAV and MP3 it plays by whatever name they come.
CONTAINERS = {b"OggS": "an Ogg stream", b"fLaC": "a FLAC file"}


def only_audio(
    speech: Speech, chunks: AsyncIterator[Piece]
) -> AbstractAsyncContextManager[AsyncGenerator[Piece, None]]:
    """Pass a vendor's chunks on when they are audio, and what it says of its alignment.

    Raises (from the iterator):
        ProviderError: the bytes are another thing than `speech.audio_format`, or there are none.
    """
    return aclosing(_checked(speech.name, speech.audio_format, chunks))


async def _checked(
    provider: str, audio_format: str, chunks: AsyncIterator[Piece]
) -> AsyncGenerator[Piece, None]:
    head: bytes | None = b""
    async for chunk in chunks:
        if head is None or isinstance(chunk, Spoken):
            yield chunk
            continue
        head += chunk
        if len(head) >= HEAD:
            _refuse(provider, audio_format, head)
            yield head
            head = None
    if head is None:
        return
    if not head:
        raise ProviderError(provider, Failure.GARBAGE, "no audio came for the text")
    _refuse(provider, audio_format, head)
    yield head


def _refuse(provider: str, audio_format: str, head: bytes) -> None:
    if found := foreign(head):
        raise ProviderError(provider, Failure.GARBAGE, f"{found} instead of {audio_format}")


def foreign(head: bytes) -> str | None:
    """What else than audio these first bytes are, if they show it."""
    if DOCUMENT.match(head):
        return "a document"
    for magic, what in CONTAINERS.items():
        if head.startswith(magic):
            return what
    return None
