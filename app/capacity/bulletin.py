"""Words that replicas publish to each other: quick, and never relied upon."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

LOOK_S = 0.5  # seconds between two looks whether the channels have changed
PAUSE_S = 0.5  # seconds between two attempts to connect

Listener = Callable[[str], None]


class Bulletin:
    """The one connection that listens; opened anew after every absence, since a silent one may be dead."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self._listeners: dict[str, Listener] = {}
        self._stale = False

    def add(self, channel: str, listener: Listener) -> None:
        """Hand every word on `channel` to `listener`, which must not block or raise."""
        self._listeners[channel] = listener
        self._stale = True

    def remove(self, channel: str) -> None:
        self._listeners.pop(channel, None)
        self._stale = True

    def renew(self) -> None:
        """Open a new connection."""
        self._stale = True

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            self._stale = False
            with suppress(RedisError, OSError, TimeoutError):
                await self._follow()
            if not self._stale:
                await asyncio.sleep(PAUSE_S)

    async def _follow(self) -> None:
        if not self._listeners:
            return
        pubsub = self.redis.pubsub(ignore_subscribe_messages=True)
        try:
            await pubsub.subscribe(*self._listeners)
            while not self._stale:
                message = await pubsub.get_message(timeout=LOOK_S)
                listener = self._listeners.get(message["channel"].decode()) if message else None
                if message and listener:
                    listener(message["data"].decode(errors="replace"))
        finally:
            await pubsub.aclose()  # type: ignore[no-untyped-call]
