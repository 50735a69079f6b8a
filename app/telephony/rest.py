"""Twilio's REST API, as far as a live call needs it.

Source: https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
"""

from typing import Self
from urllib.parse import quote

import httpx

from app import clock
from app.log import log

BASE_URL = "https://api.twilio.com"
WITHIN_S = 1.5  # seconds; the caller has heard the goodbye and listens to silence meanwhile
LEFT_ALONE_S = 60.0  # seconds without asking after a failure: each call's end would wait for nothing


class Account:
    """One account, entered once for the life of the process; several tokens during a rotation."""

    def __init__(self, account_sid: str, token: str, *, base_url: str = BASE_URL) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{base_url}/2010-04-01/Accounts/{account_sid}",
            auth=(account_sid, token),
            timeout=WITHIN_S,
            follow_redirects=False,  # the token is for this host alone
        )
        self._asked_again_at = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.aclose()

    @property
    def answers(self) -> bool:
        """Whether it is worth asking now."""
        return clock.now() >= self._asked_again_at

    async def hang_up(self, call_sid: str) -> bool:
        """End a live call; False when it was not ended so, and the stream's close must do it."""
        return await self._update(call_sid, {"Status": "completed"}, "call.hang_up_failed")

    async def redirect(self, call_sid: str, url: str) -> bool:
        """Have Twilio leave what it plays and ask `url` what follows; False when it does not."""
        return await self._update(call_sid, {"Url": url, "Method": "POST"}, "call.redirect_failed")

    async def _update(self, call_sid: str, change: dict[str, str], failed: str) -> bool:
        if not self.answers:
            return False
        try:
            answer = await self._http.post(f"/Calls/{quote(call_sid, safe='')}.json", data=change)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            fault = type(error).__name__
            if isinstance(error, httpx.HTTPStatusError):
                fault = f"status {error.response.status_code}"
            if not fault.startswith("status 4") or fault in ("status 401", "status 403", "status 429"):
                self._asked_again_at = clock.now() + LEFT_ALONE_S
            log.warning(failed, call_sid=call_sid, fault=fault)
            return False
        return True
