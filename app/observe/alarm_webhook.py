"""Tells alarms to people: posted as Slack-compatible JSON, in the background, again until it is taken."""

import asyncio

import httpx
from tenacity import (
    AsyncRetrying,
    RetryError,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from app.log import log

KEPT = 50  # sentences that wait; of more the newest are dropped, the first tell what began
ATTEMPTS = 6
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
ANSWER_WITHIN_S = 10.0


class AlarmWebhook:
    """One address that is told; `tell` returns at once, `run` does the posting."""

    def __init__(self, url: str, *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._url = url
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
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S) as http:
            while True:
                await self._deliver(http, await self._waiting.get())

    async def _deliver(self, http: httpx.AsyncClient, text: str) -> None:
        pauses = wait_exponential_jitter(
            multiplier=self._first_pause_s, max=LONGEST_PAUSE_S, jitter=self._first_pause_s
        )
        trying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=pauses,
            retry=retry_if_exception_type(httpx.TransportError),
        )
        try:
            async for attempt in trying:
                with attempt:
                    status = await _post(http, self._url, text)
        except (RetryError, httpx.HTTPError, httpx.InvalidURL) as error:
            # Only what kind of error: its words may hold the address, which is as good as a key.
            log.warning("alarm.webhook_failed", attempts=ATTEMPTS, fault=type(error).__name__)
        else:
            say = log.info if status < 300 else log.warning
            say("alarm.webhook_answered", status=status)


async def _post(http: httpx.AsyncClient, url: str, text: str) -> int:
    answer = await http.post(url, json={"text": text})
    if answer.status_code == 429 or answer.status_code >= 500:
        raise httpx.RemoteProtocolError(
            f"status {answer.status_code}"
        )  # passes by itself, as a lost one does
    return answer.status_code
