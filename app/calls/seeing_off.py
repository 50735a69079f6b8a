"""Asks the live calls to leave, as far as the drain has come."""

import asyncio

from app import clock
from app.calls.drain import Drain, Phase
from app.calls.registry import Registry
from app.log import log

LOOK_S = 0.1  # seconds between two looks
NOTICE = "One moment please, we will be right back."


async def see_off(drain: Drain, registry: Registry) -> None:
    """Run until cancelled."""
    told = Phase.SERVING
    while True:
        phase = drain.phase(clock.now())
        if phase is not told:
            told = phase
            log.info("server.drain", phase=phase.value, calls=len(registry.live))
        for call in registry.live:
            if call.leaver is not None and phase is Phase.HANDING_OVER:
                call.leaver.leave()
            elif call.leaver is not None and phase is Phase.CLOSING:
                call.leaver.part(NOTICE)
        await asyncio.sleep(LOOK_S)
