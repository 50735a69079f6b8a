"""Runs one input in virtual time: an hour of waiting costs nothing, and a deadlock is found."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.fuzz.rules import Broken
from tests.virtual_time import VirtualLoop


def played(scene: Callable[[], Awaitable[None]]) -> None:
    """Play a scene to its end.

    Raises:
        Broken: it did not end in its time.
    """

    async def whole() -> None:
        try:
            await scene()
        except TimeoutError as error:
            raise Broken("it does not end") from error

    with asyncio.Runner(debug=False, loop_factory=VirtualLoop) as runner:
        runner.run(whole())
