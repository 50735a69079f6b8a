"""Whom we believe to be the hotline when it is dialled by TLS."""

import asyncio
import functools
import ssl


async def trust() -> ssl.SSLContext:
    """The context that checks certificates as Twilio does: a public chain, and the right name."""
    return await asyncio.to_thread(_context)  # the certificates are read from a file


@functools.cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
