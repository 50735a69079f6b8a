"""Twilio's requests to the hotline, over real HTTP."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.responses import RedirectResponse, Response
from twilio.request_validator import RequestValidator

from app.simulator.exchange import Exchange
from app.simulator.orders import Fault
from app.simulator.plan import Account, CallPlan, Quirks
from app.simulator.twiml import Verb
from app.simulator.webhook import Unreachable, Webhooks
from tests.simulator.bridge import Bridge, serving, twiml

FORM = {"CallSid": "CA1", "FromCity": "", "From": "+1 5", "Z": "ü"}
HANG_UP = "<Response><Hangup/></Response>"


@asynccontextmanager
async def asking(
    *, token: str = "", public_url: str = "", **answers: Response
) -> AsyncIterator[tuple[Bridge, Webhooks]]:
    """A bridge with those answers, and one call's webhooks to it."""
    async with (
        serving(answers={f"/{path}": answer for path, answer in answers.items()}) as bridge,
        Exchange() as exchange,
        Webhooks(
            bridge.plan(account=Account(auth_token=token), public_url=public_url), exchange.transport
        ) as webhooks,
    ):
        yield bridge, webhooks


async def test_a_webhook_is_a_form_from_twilios_proxy() -> None:
    async with asking() as (bridge, webhooks):
        document = await webhooks.fetch(f"{bridge.url}/next", FORM)

    path, form, headers = bridge.webhooks[0]
    assert (path, form) == ("/next", FORM)
    assert headers["user-agent"] == "TwilioProxy/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert "x-twilio-signature" not in headers
    assert document.url == f"{bridge.url}/next"


async def test_with_a_token_it_is_signed_for_the_public_address_as_twilios_library_would() -> None:
    async with asking(token="12345", public_url="https://voice.example.com") as (bridge, webhooks):
        await webhooks.fetch("https://voice.example.com/voice?a=1", FORM)
        await webhooks.fetch("https://voice.example.com/voice?a=1#rc=2", FORM, "GET")

    validator = RequestValidator("12345")
    posted, got = (headers["x-twilio-signature"] for _, _, headers in bridge.webhooks)
    assert validator.validate("https://voice.example.com/voice?a=1", FORM, posted)
    query = str(httpx.QueryParams(FORM))
    assert validator.validate(f"https://voice.example.com/voice?a=1&{query}", {}, got)
    assert FORM.items() <= bridge.webhooks[1][1].items()


async def test_a_redirect_is_followed_with_a_signature_of_its_own() -> None:
    moved = RedirectResponse("/new", 307)
    async with asking(token="1", voice=moved, new=twiml(HANG_UP)) as (bridge, webhooks):
        document = await webhooks.fetch(f"{bridge.url}/voice", FORM)

    assert document.verbs == (Verb("Hangup"),)
    assert document.url == f"{bridge.url}/new"
    assert [path for path, _, _ in bridge.webhooks] == ["/voice", "/new"]
    given = bridge.webhooks[1][2]["x-twilio-signature"]
    assert RequestValidator("1").validate(f"{bridge.url}/new", FORM, given)


async def test_cookies_are_kept_for_the_call_and_not_for_the_next_one() -> None:
    answer = twiml(HANG_UP)
    answer.set_cookie("seen", "1")
    async with serving(answers={"/voice": answer}) as bridge, Exchange() as exchange:
        for _ in range(2):
            async with Webhooks(bridge.plan(), exchange.transport) as webhooks:
                await webhooks.fetch(f"{bridge.url}/voice", FORM)
                await webhooks.fetch(f"{bridge.url}/voice", FORM)

    assert [headers.get("cookie") for _, _, headers in bridge.webhooks] == [None, "seen=1", None, "seen=1"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Response("no", 500), "11200 answer 500"),
        (Response("no", 404), "11200 answer 404"),
        (Response("no", 403), "TWILIO_AUTH_TOKEN"),
        (twiml("{}", "application/json"), "12300"),
        (twiml(HANG_UP, ""), "11200"),
        (RedirectResponse("/voice", 307), "11215"),
    ],
)
async def test_an_answer_that_is_no_twiml_is_a_fault(answer: Response, told: str) -> None:
    async with asking(voice=answer) as (bridge, webhooks):
        with pytest.raises(Fault, match=told):
            await webhooks.fetch(f"{bridge.url}/voice", FORM)


async def test_a_refused_connection_is_tried_twice_and_then_unreachable(unused_tcp_port: int) -> None:
    tries: list[dict[str, str]] = []

    class Refusing(httpx.AsyncHTTPTransport):
        """The real one, with a tally."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            tries.append(dict(request.headers))
            return await super().handle_async_request(request)

    url = f"http://127.0.0.1:{unused_tcp_port}/voice"
    async with Webhooks(CallPlan(url=url), Refusing()) as webhooks:
        with pytest.raises(Unreachable, match="11200"):
            await webhooks.fetch(url, FORM)

    assert ["i-twilio-idempotency-token" in headers for headers in tries] == [False, True]


@pytest.mark.parametrize("url", ["http://[", "ftp://localhost/voice"])
async def test_what_cannot_be_asked_is_unreachable(url: str) -> None:
    async with Exchange() as exchange, Webhooks(CallPlan(url=url), exchange.transport) as webhooks:
        with pytest.raises(Unreachable):
            await webhooks.fetch(url, FORM)


async def test_a_server_that_hangs_up_is_unreachable_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        async with Exchange() as exchange, Webhooks(CallPlan(url=url), exchange.transport) as webhooks:
            silent.close()
            with pytest.raises(Unreachable):
                await webhooks.fetch(url, FORM)


async def test_news_is_taken_with_any_2xx_and_else_it_is_15003() -> None:
    async with asking(broken=Response("", 500)) as (bridge, webhooks):
        taken = await webhooks.notify(f"{bridge.url}/stream/status", FORM)
        refused = await webhooks.notify(f"{bridge.url}/broken", FORM)
        lost = await webhooks.notify("http://127.0.0.1:1/gone", FORM)

    assert taken is None
    assert refused is not None and refused.code == 15003
    assert lost is not None and lost.code == 11200


async def test_a_file_to_play_is_downloaded() -> None:
    async with asking(hold=Response(b"mp3"), x=Response("", 404)) as (bridge, webhooks):
        assert await webhooks.download(f"{bridge.url}/hold") == b"mp3"
        with pytest.raises(Fault, match="11200 answer 404"):
            await webhooks.download(f"{bridge.url}/x")


async def test_the_number_of_tries_can_be_chosen(unused_tcp_port: int) -> None:
    tried: list[httpx.Request] = []

    async def refuse(request: httpx.Request) -> httpx.Response:
        tried.append(request)
        raise httpx.ConnectError("refused")

    url = f"http://127.0.0.1:{unused_tcp_port}/voice"
    plan = CallPlan(url=url, quirks=Quirks(webhook_tries=4))
    async with Webhooks(plan, httpx.MockTransport(refuse)) as webhooks:
        with pytest.raises(Unreachable):
            await webhooks.fetch(url, {})

    tokens = [request.headers.get("I-Twilio-Idempotency-Token") for request in tried]
    assert len(tried) == 4 and tokens[0] is None
    assert len(set(tokens[1:])) == 1 and tokens[1]
