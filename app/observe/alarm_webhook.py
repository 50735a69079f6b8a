"""Tells alarms to people: posted as Slack-compatible JSON, in the background, again until it is taken."""

import asyncio
from collections.abc import Sequence

from tenacity import (
    AsyncRetrying,
    RetryError,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from app.log import log
from app.observe.outbound import Outbound, OutboundFailed, OutboundRefused

KEPT = 50  # sentences that wait; of more the newest are dropped, the first tell what began
ATTEMPTS = 6
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


class AlarmWebhook:
    """One address that is told; `tell` returns at once, `run` does the posting.

    Args:
        url: where; nothing is told without it.
        allow: hosts, addresses and networks it may lead to although they are not public.
    """

    def __init__(self, url: str, *, allow: Sequence[str] = (), first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._url = url
        self._allow = allow
        self._first_pause_s = first_pause_s
        self._waiting: asyncio.Queue[str] = asyncio.Queue(KEPT)

    def tell(self, text: str) -> None:
        """Have it posted in its turn; without an address nothing happens."""
        if not self._url:
            return
        try:
            self._waiting.put_nowait(text)
        except asyncio.QueueFull:
            log.warning("alarm.webhook_dropped", waiting=KEPT)

    async def run(self) -> None:
        """Post until cancelled; without an address there is nothing to do."""
        if not self._url:
            return
        async with Outbound(self._allow) as outbound:
            while True:
                await self._deliver(outbound, await self._waiting.get())

    async def _deliver(self, outbound: Outbound, text: str) -> None:
        pauses = wait_exponential_jitter(
            multiplier=self._first_pause_s, max=LONGEST_PAUSE_S, jitter=self._first_pause_s
        )
        trying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=pauses,
            retry=retry_if_exception_type(OutboundFailed),
        )
        try:
            async for attempt in trying:
                with attempt:
                    status = await _post(outbound, self._url, text)
        except RetryError as error:
            log.warning("alarm.webhook_failed", attempts=ATTEMPTS, fault=str(error.last_attempt.exception()))
        except OutboundRefused as error:
            log.error("alarm.webhook_refused", fault=str(error))
        else:
            say = log.info if status < 300 else log.warning
            say("alarm.webhook_answered", status=status)


async def _post(outbound: Outbound, url: str, text: str) -> int:
    status = await outbound.post(url, {"text": text})
    if status == 429 or status >= 500:
        raise OutboundFailed(f"status {status}")  # passes by itself, as a lost one does
    return status
