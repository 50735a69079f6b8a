"""Threats 7, 24 and 25: what a stranger is answered on every route there is, and on those there are not."""

from collections.abc import Iterator

import pytest
from starlette.routing import BaseRoute, Route, WebSocketRoute

from app.calls.registry import LiveCall, Registry
from app.web.app import create_app
from app.web.audience import AUDIENCES, Audience, is_operators
from tests.web.conftest import TOKEN, Knock, _nothing, locked, make_parts

STRANGER = "203.0.113.9"
# What surface.md, the contract with operators, promises to everybody.
PUBLIC = {"/", "/livez", "/readyz", "/health/streaming"}


def routes() -> list[BaseRoute]:
    return list(create_app(make_parts(), _nothing).routes)


def http_routes() -> Iterator[tuple[str, str]]:
    for route in routes():
        if isinstance(route, Route) and "{" not in route.path:  # hold music is anybody's
            yield from ((method, route.path) for method in sorted(route.methods or {"GET"}))


def test_threat_7_every_route_is_classified_and_nothing_else_is() -> None:
    paths = {route.path for route in routes() if isinstance(route, Route | WebSocketRoute)}

    assert len(paths) == len({route.path for route in routes() if hasattr(route, "path")})
    assert paths == set(AUDIENCES)


def test_threat_7_the_public_list_is_the_promised_one() -> None:
    assert {path for path, audience in AUDIENCES.items() if audience is Audience.PUBLIC} == PUBLIC


def test_threat_24_no_route_is_there_for_debugging_but_the_test_sentence() -> None:
    debug = {path for path in AUDIENCES if "debug" in path}

    assert debug == {"/debug-websocket-voice", "/test-websocket-debug"}
    assert {AUDIENCES[path] for path in debug} == {Audience.TWILIO}


@pytest.mark.parametrize("admin_tokens", [(), ("sesame",)], ids=["no token is set", "a token is set"])
async def test_threat_7_a_stranger_is_answered_on_public_paths_only(
    knock: Knock, admin_tokens: tuple[str, ...]
) -> None:
    locks = locked(admin_tokens=admin_tokens, trusts_this_machine=False)
    async with knock(make_parts(locks=locks), peer=STRANGER) as http:
        answers = {(method, path): await http.request(method, path) for method, path in http_routes()}

    answered = {path for (_, path), answer in answers.items() if answer.status_code < 400}
    refused = {answer.status_code for (_, path), answer in answers.items() if path not in PUBLIC}
    assert answered == PUBLIC
    assert refused <= {401, 403}


async def test_threat_7_a_viewing_token_opens_what_only_shows_and_an_operating_one_all(knock: Knock) -> None:
    locks = locked(admin_tokens=("operates",), view_tokens=("views",), trusts_this_machine=False)
    asked = [(method, path) for method, path in http_routes() if path != "/logs/stream"]  # it never ends
    asked = [(method, path) for method, path in asked if is_operators(path)]
    async with knock(make_parts(locks=locks), peer=STRANGER) as http:

        async def statuses(token: str) -> dict[tuple[str, str], int]:
            headers = {"Authorization": f"Bearer {token}"}
            return {
                (method, path): (await http.request(method, path, headers=headers)).status_code
                for method, path in asked
            }

        seen, done = await statuses("views"), await statuses("operates")

    assert asked
    assert {where for where, status in seen.items() if status == 200} == {
        (method, path) for method, path in asked if AUDIENCES[path] is Audience.VIEWER
    }
    assert {status for status in seen.values() if status != 200} == {403}
    assert not {status for status in done.values()} & {401, 403}


async def test_threat_25_a_viewer_cannot_tell_what_there_is_to_operate(knock: Knock) -> None:
    locks = locked(admin_tokens=("operates",), view_tokens=("views",))
    asked = [
        ("POST", "/nothing"),
        ("GET", "/recordings/CA1"),
        ("DELETE", "/logs"),
        ("PUT", "/v1/audio/speech"),
    ]
    async with knock(make_parts(locks=locks), peer=STRANGER) as http:
        answers = [
            await http.request(method, path, headers={"Authorization": "Bearer views"})
            for method, path in asked
        ]

    assert {answer.status_code for answer in answers} == {403}
    assert len({(answer.text, str(answer.headers)) for answer in answers}) == 1


async def test_threat_7_public_paths_tell_no_token_number_or_call(knock: Knock) -> None:
    registry = Registry()
    registry.began(LiveCall("CA-secret", "MZ-secret", "2026-01-01T00:00:00+00:00"))
    parts = make_parts(locks=locked(admin_tokens=("sesame",), account_sid="AC-ours"), registry=registry)
    async with knock(parts, peer=STRANGER) as http:
        told = "".join([(await http.get(path)).text for path in sorted(PUBLIC)])

    assert not [secret for secret in ("CA-secret", "MZ-secret", "sesame", TOKEN, "AC-ours") if secret in told]


@pytest.mark.parametrize("admin_tokens", [(), ("sesame",)], ids=["no token is set", "a token is set"])
async def test_threat_25_a_stranger_cannot_tell_what_there_is(
    knock: Knock, admin_tokens: tuple[str, ...]
) -> None:
    registry = Registry()
    registry.began(LiveCall("CA1", "MZ1", "2026-01-01T00:00:00+00:00"))
    locks = locked(admin_tokens=admin_tokens, trusts_this_machine=False)
    asked = ["/status", "/logs", "/logs?call_sid=CA1", "/logs?call_sid=CA2", "/logs?level=wrong", "/nothing"]
    async with knock(make_parts(locks=locks, registry=registry), peer=STRANGER) as http:
        answers = [await http.get(path) for path in asked]
        answers += [await http.delete("/logs"), await http.post("/nothing", content=b"x")]

    assert len({(answer.status_code, answer.text, str(answer.headers)) for answer in answers}) == 1


async def test_threat_25_every_wrong_webhook_is_refused_in_the_same_words(knock: Knock) -> None:
    async with knock(make_parts(locks=locked(account_sid="AC-ours")), peer=STRANGER) as http:
        answers = [
            await http.post(path, data=data, headers=headers)
            for path in ("/voice", "/voice/after", "/voice/status", "/stream/status")
            for data in ({"CallSid": "CA1"}, {"CallSid": "!"}, {"AccountSid": "AC-theirs"})
            for headers in ({}, {"X-Twilio-Signature": "AAAA"})
        ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(403, '{"error":"forbidden"}')}


async def test_an_operator_is_told_what_is_not_there(knock: Knock) -> None:
    async with knock(make_parts(locks=locked(admin_tokens=("sesame",)))) as http:
        headers = {"Authorization": "Bearer sesame"}
        missing, wrong = (
            await http.get("/nothing", headers=headers),
            await http.delete("/logs", headers=headers),
        )

    assert (missing.status_code, missing.json()) == (404, {"error": "not found"})
    assert (wrong.status_code, wrong.json()) == (405, {"error": "method not allowed"})


async def test_threat_6_no_answer_is_built_from_the_host_that_was_asked_for(knock: Knock) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    parts = make_parts(locks=locked(admin_tokens=("sesame",)))
    async with knock(parts, peer=STRANGER) as http:
        answers = [
            await http.request(method, path + slash, headers={**headers, "Authorization": "Bearer sesame"})
            for method, path in http_routes()
            for slash in ("", "/")
            if path != "/logs/stream"
        ]

    assert answers and not [a for a in answers if "evil" in a.text or "evil" in str(a.headers)]
    assert not [answer for answer in answers if answer.is_redirect]
