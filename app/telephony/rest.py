"""Twilio's REST API, as far as a live call needs it.

Source: https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
"""

import asyncio
from typing import Self
from urllib.parse import quote

import httpx

from app import clock
from app.log import log

BASE_URL = "https://api.twilio.com"
WITHIN_S = 1.5  # seconds; the caller has heard the goodbye and listens to silence meanwhile
OF_THE_ACCOUNT = ("status 401", "status 403", "status 429")
LEFT_ALONE_S = 60.0  # seconds without asking after a failure: each call's end would wait for nothing


class Account:
    """One account, entered once for the life of the process; several tokens during a rotation."""

    def __init__(self, account_sid: str, token: str, *, base_url: str = BASE_URL) -> None:
        self._account = f"/2010-04-01/Accounts/{account_sid}"
        self._http = httpx.AsyncClient(
            base_url=base_url,
            auth=(account_sid, token),
            timeout=WITHIN_S,
            follow_redirects=False,  # the token is for this host alone
        )
        self._asked_again_at = 0.0
        self._has_answered = False
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._asking = self._group.create_task(self._knock())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._asking.cancel()
        await self._group.__aexit__(None, None, None)
        await self._http.aclose()

    @property
    def answers(self) -> bool:
        """Whether it is worth asking now."""
        return clock.now() >= self._asked_again_at

    @property
    def can_be_relied_on(self) -> bool:
        """Whether it has answered, and not failed since: until then no caller is to depend on it."""
        return self.answers and self._has_answered

    async def hang_up(self, call_sid: str) -> bool:
        """End a live call; False when it was not ended so, and the stream's close must do it."""
        return await self._update(call_sid, {"Status": "completed"}, "call.hang_up_failed")

    async def redirect(self, call_sid: str, url: str) -> bool:
        """Have Twilio leave what it plays and ask `url` what follows; False when it does not."""
        return await self._update(call_sid, {"Url": url, "Method": "POST"}, "call.redirect_failed")

    async def _update(self, call_sid: str, change: dict[str, str], failed: str) -> bool:
        if not self.answers:
            return False
        fault = await self._ask("POST", f"/Calls/{quote(call_sid, safe='')}.json", change)
        if fault:
            log.warning(failed, call_sid=call_sid, fault=fault)
        return not fault

    async def delete_recording(self, recording_sid: str) -> bool:
        """Delete what Twilio has recorded; True when it is not there any more.

        While the API does not answer it is not asked: of a thousand that are due each would wait for nothing.
        """
        if not self.answers:
            return False
        fault = await self._ask("DELETE", f"/Recordings/{quote(recording_sid, safe='')}.json")
        return fault in ("", "status 404")

    async def _knock(self) -> None:
        """See whether the API can be reached at all, and the token is right; nothing is given up for it."""
        told = False
        while True:
            if not self._has_answered:
                fault = await self._send("GET", ".json")
                met = not fault or (fault.startswith("status") and fault not in OF_THE_ACCOUNT)
                self._has_answered = self._has_answered or met
                if not self._has_answered and not told:
                    log.warning("twilio.not_reached", fault=fault)
                told = not self._has_answered
            await asyncio.sleep(LEFT_ALONE_S)

    async def _ask(self, method: str, path: str, form: dict[str, str] | None = None) -> str:
        """Why it was not done; nothing where it was."""
        fault = await self._send(method, path, form)
        # What this call, or this question, is refused says nothing of the next.
        self._has_answered = not fault or (fault.startswith("status 4") and fault not in OF_THE_ACCOUNT)
        if not self._has_answered:
            self._asked_again_at = clock.now() + LEFT_ALONE_S
        return fault

    async def _send(self, method: str, path: str, form: dict[str, str] | None = None) -> str:
        """What went wrong: `status 404`, or the kind of the network's fault."""
        try:
            answer = await self._http.request(method, f"{self._account}{path}", data=form)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "" if answer.is_success else f"status {answer.status_code}"
