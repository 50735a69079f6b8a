"""Ending a call by Twilio's REST API, over a real socket."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from app.telephony.rest import Account
from tests.standins.server import serving

SID, TOKEN, CALL = "AC" + "0" * 32, "token", "CA" + "1" * 32


class Twilio:
    """The call resource, as far as it is used."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.status = status

    @asynccontextmanager
    async def account(self) -> AsyncIterator[Account]:
        app = Starlette(routes=[Route("/{rest:path}", self._answer, methods=["POST"])])
        async with serving(app) as url, Account(SID, TOKEN, base_url=url) as account:
            yield account

    async def _answer(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        what = form.get("Status") or form["Url"]
        self.asked.append((request.url.path, what[0], request.headers["authorization"]))
        return JSONResponse({}, status_code=self.status)


async def test_a_call_is_completed_with_the_accounts_credentials() -> None:
    twilio = Twilio()
    async with twilio.account() as account:
        assert await account.hang_up(CALL)

    credentials = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    path = f"/2010-04-01/Accounts/{SID}/Calls/{CALL}.json"
    assert twilio.asked == [(path, "completed", f"Basic {credentials}")]


async def test_a_waiting_call_is_sent_to_another_address() -> None:
    twilio = Twilio()
    async with twilio.account() as account:
        assert await account.redirect(CALL, "https://h.example/voice/queue?fetched=1")
        assert account.answers

    assert [what for _, what, _ in twilio.asked] == ["https://h.example/voice/queue?fetched=1"]


async def test_a_call_that_twilio_does_not_know_is_left_to_the_stream() -> None:
    twilio = Twilio(404)
    async with twilio.account() as account:
        assert not await account.hang_up(CALL)
        assert not await account.hang_up(CALL)

    assert len(twilio.asked) == 2


async def test_refused_credentials_are_not_tried_at_the_end_of_every_call() -> None:
    twilio = Twilio(401)
    async with twilio.account() as account:
        assert not await account.hang_up(CALL)
        assert not await account.redirect(CALL, "https://h.example/voice/queue")
        assert not account.answers

    assert len(twilio.asked) == 1


async def test_nobody_at_the_other_end_costs_no_exception() -> None:
    async with Account(SID, TOKEN, base_url="http://127.0.0.1:1") as account:
        assert not await account.hang_up(CALL)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_threat_11_the_accounts_token_follows_no_redirect(status: int) -> None:
    asked: list[str] = []

    async def elsewhere(request: Request) -> Response:
        asked.append(request.headers.get("authorization", ""))
        return JSONResponse({})

    async with serving(Starlette(routes=[Route("/{rest:path}", elsewhere, methods=["GET", "POST"])])) as url:

        async def moved(_request: Request) -> Response:
            return Response(status_code=status, headers={"Location": f"{url}/2010-04-01/"})

        twilio = Starlette(routes=[Route("/{rest:path}", moved, methods=["POST"])])
        async with serving(twilio) as base, Account(SID, TOKEN, base_url=base) as account:
            assert not await account.hang_up(CALL)

    assert asked == []


@pytest.mark.parametrize(
    "call_sid", ["//evil.example/x", "@evil.example", "https://evil.example/", "../../x?y#z"]
)
async def test_threat_11_nothing_in_a_call_makes_the_token_go_elsewhere(call_sid: str) -> None:
    twilio = Twilio()
    async with twilio.account() as account:
        assert await account.hang_up(call_sid)

    ((path, _, _),) = twilio.asked
    assert path.startswith(f"/2010-04-01/Accounts/{SID}/Calls/") and path.endswith(".json")


async def relied_on(account: Account) -> bool:
    """Whether it is, a while after the start."""
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            while not account.can_be_relied_on:  # noqa: ASYNC110 - nothing tells it
                await asyncio.sleep(0.01)
    return account.can_be_relied_on


@pytest.mark.parametrize(
    ("status", "met"), [(200, True), (404, True), (501, True), (401, False), (429, False)]
)
async def test_it_is_looked_for_at_the_start_and_nothing_given_up_when_it_is_not_found(
    status: int, met: bool
) -> None:
    async def answer(_request: Request) -> Response:
        return Response(status_code=status)

    app = Starlette(routes=[Route("/{rest:path}", answer, methods=["GET"])])
    async with serving(app) as url, Account(SID, TOKEN, base_url=url) as account:
        assert not account.can_be_relied_on
        assert await relied_on(account) is met
        assert account.answers


async def test_who_does_not_answer_is_told_of_once_and_not_relied_on() -> None:
    with capture_logs() as events:
        async with Account(SID, TOKEN, base_url="http://127.0.0.1:1") as account:
            assert not await relied_on(account)
            assert account.answers

    assert [event["event"] for event in events] == ["twilio.not_reached"]


@pytest.mark.parametrize(
    ("status", "is_gone", "asked_again"), [(204, True, 2), (404, True, 2), (503, False, 1)]
)
async def test_threat_19_a_recording_is_deleted_and_none_is_asked_for_while_nobody_answers(
    status: int, is_gone: bool, asked_again: int
) -> None:
    asked = []

    async def answer(request: Request) -> Response:
        asked.append(request.url.path)
        return Response(status_code=status)

    app = Starlette(routes=[Route("/{rest:path}", answer, methods=["DELETE"])])
    async with serving(app) as url, Account(SID, TOKEN, base_url=url) as account:
        told = [await account.delete_recording(f"RE{number}") for number in range(2)]

    assert told == [is_gone, is_gone]
    paths = [f"/2010-04-01/Accounts/{SID}/Recordings/RE{number}.json" for number in range(2)]
    assert asked == paths[:asked_again]
