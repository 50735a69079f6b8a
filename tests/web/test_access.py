"""Who is let through the door."""

import pytest

from app.telephony import signature
from tests.web.conftest import PUBLIC, TOKEN, Knock, locked, make_parts

FORM = {"CallSid": "CA" + "0" * 32, "From": "+15550100", "FromCity": "", "CallStatus": "ringing"}


def signed(path: str, form: dict[str, str], token: str = TOKEN) -> dict[str, str]:
    return {"X-Twilio-Signature": signature.sign(token, PUBLIC + path, form.items())}


async def test_a_signed_webhook_is_let_in_whatever_host_the_proxy_says(knock: Knock) -> None:
    async with knock(make_parts(locks=locked()), peer="10.0.0.9") as http:
        answer = await http.post(
            "/voice", data=FORM, headers={**signed("/voice", FORM), "Host": "internal:81"}
        )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        (FORM, {}),
        (FORM, signed("/voice", FORM, "another token")),
        ({**FORM, "From": "+15550101"}, signed("/voice", FORM)),
        ({**FORM, "Extra": ""}, signed("/voice", FORM)),
        (FORM, signed("/voice/", FORM)),
        (FORM, {**signed("/voice", FORM), "X-Twilio-Webhooks-Signature-Settings": "algorithm=HMAC_SHA256"}),
    ],
    ids=["unsigned", "wrong token", "changed value", "added blank", "other path", "unknown algorithm"],
)
async def test_a_wrong_signature_is_refused_without_saying_why(
    knock: Knock, form: dict[str, str], headers: dict[str, str]
) -> None:
    async with knock(make_parts(locks=locked())) as http:
        answer = await http.post("/voice", data=form, headers=headers)

    assert (answer.status_code, answer.json()) == (403, {"error": "forbidden"})


async def test_both_tokens_of_a_rotation_open(knock: Knock) -> None:
    parts = make_parts(locks=locked(twilio_tokens=("new", TOKEN)))
    async with knock(parts) as http:
        answers = [
            await http.post("/voice", data=FORM, headers=signed("/voice", FORM, token))
            for token in ("new", TOKEN)
        ]

    assert [answer.status_code for answer in answers] == [200, 200]


async def test_another_accounts_webhook_is_refused_even_when_signed(knock: Knock) -> None:
    form = {**FORM, "AccountSid": "AC-theirs"}
    async with knock(make_parts(locks=locked(account_sid="AC-ours"))) as http:
        answer = await http.post("/voice", data=form, headers=signed("/voice", form))

    assert answer.status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_without_tokens_a_proxys_request_is_not_this_machines(knock: Knock, header: str) -> None:
    async with knock(make_parts()) as http:
        here = await http.post("/voice", data=FORM)
        forwarded = await http.post("/voice", data=FORM, headers={header: "203.0.113.9"})

    assert (here.status_code, forwarded.status_code) == (200, 403)


async def test_without_tokens_only_this_machine_may_call_and_only_by_its_own_name(knock: Knock) -> None:
    async with knock(make_parts(), peer="203.0.113.9") as http:
        from_outside = await http.post("/voice", data=FORM)
    async with knock(make_parts()) as http:
        rebound = await http.post("/voice", data=FORM, headers={"Host": "evil.example"})
        by_ipv6 = await http.post("/voice", data=FORM, headers={"Host": "[::1]:8000"})

    assert (from_outside.status_code, rebound.status_code, by_ipv6.status_code) == (403, 403, 200)


@pytest.mark.parametrize("path", ["/status", "/pool", "/calls", "/logs", "/logs/streaming", "/logs/stream"])
async def test_operator_paths_need_the_token_once_there_is_one(knock: Knock, path: str) -> None:
    async with knock(make_parts(locks=locked(admin_tokens=("new", "old")))) as http:
        refused = [
            await http.get(path, headers=headers)
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic new"})
        ]
        if path != "/logs/stream":
            let_in = [await http.get(path, headers={"Authorization": f"Bearer {t}"}) for t in ("new", "old")]
            assert [answer.status_code for answer in let_in] == [200, 200]

    assert [answer.status_code for answer in refused] == [401, 401, 401]
    assert refused[0].headers["www-authenticate"] == "Bearer"


async def test_threat_7_a_viewing_token_is_told_that_it_may_only_look(knock: Knock) -> None:
    parts = make_parts(locks=locked(admin_tokens=("sesame",), view_tokens=("new", "old")))
    async with knock(parts) as http:
        looks = [await http.get("/status", headers={"Authorization": f"Bearer {t}"}) for t in ("new", "old")]
        speaks = await http.post("/v1/audio/speech", json={}, headers={"Authorization": "Bearer new"})
        starts = await http.get("/debug-websocket-voice", headers={"Authorization": "Bearer new"})

    assert [answer.status_code for answer in looks] == [200, 200]
    assert (speaks.status_code, starts.status_code) == (403, 403)
    assert "ADMIN_TOKEN" in speaks.text and "ADMIN_TOKEN" in starts.text


async def test_without_a_token_operator_paths_answer_this_machine_only(knock: Knock) -> None:
    async with knock(make_parts()) as http:
        here = await http.get("/status")
    async with knock(make_parts(), peer="203.0.113.9") as http:
        outside = await http.get("/status")
    async with knock(make_parts(locks=locked(trusts_this_machine=False))) as http:
        public = await http.get("/status")

    assert (here.status_code, outside.status_code, public.status_code) == (200, 403, 403)
    assert "ADMIN_TOKEN" in outside.json()["error"]


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/health/streaming"])
async def test_public_paths_answer_anybody(knock: Knock, path: str) -> None:
    async with knock(make_parts(locks=locked(trusts_this_machine=False)), peer="203.0.113.9") as http:
        assert (await http.get(path)).status_code == 200


async def test_a_body_that_is_no_form_is_named_and_refused(knock: Knock) -> None:
    async with knock(make_parts()) as http:
        broken = await http.post("/voice", content=b"\xff\xfe")
        large = await http.post("/voice", content=b"a=" + b"x" * 70_000)
        many = await http.post("/voice", content=b"a=1&" * 600)

    assert [answer.status_code for answer in (broken, large, many)] == [400, 413, 400]
    assert "form" in broken.json()["error"]
