"""Looks after a voice that is not asked any more, so that it is found well before a caller has to try it."""

import asyncio

from app import clock
from app.capacity.breaker import State
from app.errors import ProviderError
from app.log import log
from app.speech.voice import Voice

LOOK_EVERY_S = 5.0  # a look is a handshake and costs nothing
LOOK_S = 5.0  # for one look
SOONEST_S = 0.1  # clocks are rounded: a pause of nothing would never end


async def recover(voice: Voice) -> None:
    """Look at the vendor until it is well, or its breaker lets a sentence probe it."""
    while voice.breaker.state(clock.now()) is State.OPEN:
        await asyncio.sleep(max(SOONEST_S, min(LOOK_EVERY_S, voice.breaker.opens_in(clock.now()))))
        if not voice.breaker.may_recover(clock.now()):
            continue
        try:
            async with asyncio.timeout(LOOK_S):
                await voice.speech.ping()
        except (ProviderError, TimeoutError):
            continue
        voice.breaker.recovered(clock.now())
        log.info("provider.recovered", provider=voice.name)
