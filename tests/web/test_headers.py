"""The outermost wall: headers on every answer, an end to guessing, and nothing in a WebSocket's way."""

from ipaddress import ip_network

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.web.app import create_app
from app.web.guesses import MOST_GUESSES
from app.web.headers import SecurityHeaders
from app.web.proxies import Proxies
from tests.standins.server import serving
from tests.web.conftest import Knock, _nothing, locked, make_parts

OPERATOR = {"Authorization": "Bearer sesame"}
WRONG = {"Authorization": "Bearer guess"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/livez"),
        ("GET", "/health/streaming"),
        ("GET", "/logs"),
        ("GET", "/metrics"),
        ("POST", "/voice"),
        ("POST", "/v1/audio/speech"),
        ("GET", "/nothing"),
        ("PUT", "/voice"),
    ],
)
async def test_threat_17_every_answer_has_the_headers(knock: Knock, method: str, path: str) -> None:
    async with knock(make_parts(locks=locked())) as http:
        answer = await http.request(method, path)

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_what_serves_is_not_named() -> None:
    async with serving(create_app(make_parts(), _nothing)) as url, httpx.AsyncClient(base_url=url) as http:
        answers = [await http.get(path) for path in ("/livez", "/nothing", "/media-stream")]

    assert not [answer for answer in answers if "server" in answer.headers]
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}


async def test_a_browser_is_bound_to_https_only_where_we_have_it(knock: Knock) -> None:
    async with knock(make_parts()) as http:
        answer = await http.get("/")

    assert "strict-transport-security" not in answer.headers


async def test_the_page_of_an_unexpected_error_has_them_too_and_says_nothing() -> None:
    async def broken(_request: Request) -> Response:
        raise LookupError("sesame")

    app = create_app(make_parts(), _nothing)
    app.router.routes.append(Route("/broken", broken))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get("/broken")

    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_page_that_needs_more_keeps_the_policy_it_brings() -> None:
    async def console(_scope: Scope, _receive: Receive, send: Send) -> None:
        own = [(b"content-security-policy", b"default-src 'none'; script-src 'self'")]
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(SecurityHeaders(console, https=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get("/console")

    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'; script-src 'self'"]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_a_sockets_frames_pass_untouched(kind: str) -> None:
    given: list[object] = []

    async def application(*parts: object) -> None:
        given.extend(parts)

    async def receive() -> Message:
        raise AssertionError

    async def send(_message: Message) -> None:
        raise AssertionError

    scope = {"type": kind}
    await SecurityHeaders(application, https=True)(scope, receive, send)

    assert given[0] is scope and given[1] is receive and given[2] is send


async def test_threat_7_an_address_that_guesses_is_told_to_wait_even_with_the_right_token(
    knock: Knock,
) -> None:
    parts = make_parts(locks=locked(admin_tokens=("sesame",)))
    async with knock(parts, peer="52.1.2.3") as http:
        guesses = [await http.get("/status", headers=WRONG) for _ in range(MOST_GUESSES)]
        late = await http.get("/status", headers=OPERATOR)
        elsewhere = await http.get("/nothing", headers=WRONG)
        probe = await http.get("/livez", headers=OPERATOR)

    assert {answer.status_code for answer in guesses} == {401}
    assert (late.status_code, elsewhere.status_code, probe.status_code) == (429, 429, 200)
    assert 0 < int(late.headers["retry-after"]) <= 60
    assert late.headers["cache-control"] == "no-store"


async def test_threat_6_who_guesses_behind_a_pinned_proxy_does_not_shut_the_operator_out(
    knock: Knock,
) -> None:
    proxies = Proxies([ip_network("100.64.0.0/10")], header="x-real-ip")
    parts = make_parts(locks=locked(admin_tokens=("sesame",), proxies=proxies))
    async with knock(parts, peer="100.64.0.3") as http:
        for _ in range(MOST_GUESSES):
            await http.get("/status", headers={**WRONG, "X-Real-IP": "52.1.2.3"})
        stranger = await http.get("/status", headers={**WRONG, "X-Real-IP": "52.1.2.3"})
        operator = await http.get("/status", headers={**OPERATOR, "X-Real-IP": "34.5.6.7"})

    assert (stranger.status_code, operator.status_code) == (429, 200)


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP"])
@pytest.mark.parametrize("peer", ["52.1.2.3", "10.0.0.2"], ids=["a stranger", "a private neighbour"])
async def test_threat_6_who_guesses_cannot_pretend_to_be_many(knock: Knock, name: str, peer: str) -> None:
    parts = make_parts(locks=locked(admin_tokens=("sesame",)))
    async with knock(parts, peer=peer) as http:
        statuses = [
            (await http.get("/status", headers={**WRONG, name: f"34.5.6.{number}"})).status_code
            for number in range(MOST_GUESSES + 1)
        ]

    assert statuses == [401] * MOST_GUESSES + [429]


async def test_who_brings_no_token_is_not_guessing(knock: Knock) -> None:
    parts = make_parts(locks=locked(admin_tokens=("sesame",)))
    async with knock(parts, peer="52.1.2.3") as http:
        for _ in range(MOST_GUESSES * 2):
            await http.get("/status")
        operator = await http.get("/status", headers=OPERATOR)

    assert operator.status_code == 200
