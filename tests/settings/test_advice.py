"""What is unsafe or missing: each misconfiguration is found, and a good environment is left alone."""

from dataclasses import replace

import pytest

from app.settings import Settings
from app.settings.advice import Surroundings, advise, is_public

TOKEN = "f3a9c1e07b5d48826e1c0da94b7f5a2d6c88e01b93f47d5a"
PRODUCTION = {
    "PORT": "8000",
    "PUBLIC_URL": "https://voice.artist.fm",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0123456789abcdef" * 2,
    "ELEVENLABS_API_KEY": "sk_0123456789abcdef",
    "ADMIN_TOKEN": TOKEN,
    "ALARM_WEBHOOK_URL": "https://hooks.artist.fm/T0/B0",
    "DATA_DIR": "/data",
    "LIMITS_OVERALL": "minutes/day=600",
}
RAILWAY = {"RAILWAY_PUBLIC_DOMAIN": "voice.artist.fm", "RAILWAY_VOLUME_MOUNT_PATH": "/data"}
WELL = Surroundings()


def found(changes: dict[str, str], around: Surroundings = WELL) -> set[tuple[str, str]]:
    environ = {**PRODUCTION, **changes}
    advice = advise(Settings.load(environ), replace(around, environ=environ))
    assert all(one.found and one.cure for one in advice)
    return {(one.level, one.setting) for one in advice}


def test_a_good_production_environment_is_left_alone() -> None:
    assert found({}) == set()
    assert found({**RAILWAY, "RAILWAY_DEPLOYMENT_DRAINING_SECONDS": "915"}) == set()
    assert found({"REDIS_URL": "redis://hotline:secret@redis.railway.internal:6379/0"}) == set()


def test_a_developers_machine_is_told_one_thing_only() -> None:
    advice = advise(Settings.load({}), WELL)

    assert [(one.level, one.setting) for one in advice] == [("info", "ELEVENLABS_API_KEY")]


WARNED: list[tuple[str, dict[str, str]]] = [
    ("TWILIO_AUTH_TOKEN", {"TWILIO_AUTH_TOKEN": ""}),
    ("TWILIO_AUTH_TOKEN", {"TWILIO_AUTH_TOKEN": "token"}),
    ("TWILIO_ACCOUNT_SID", {"TWILIO_ACCOUNT_SID": "mine"}),
    ("STREAM_TOKEN_SECONDS", {"STREAM_TOKEN_SECONDS": "600"}),
    ("ADMIN_TOKEN", {"ADMIN_TOKEN": ""}),
    ("ADMIN_TOKEN", {"ADMIN_TOKEN": "sesame"}),
    ("ADMIN_TOKEN", {"ADMIN_TOKEN": "a" * 40}),
    ("ADMIN_TOKEN", {"ADMIN_TOKEN": f"{TOKEN},changeme"}),
    ("ADMIN_TOKEN", {"ADMIN_TOKEN": "0123456789abcdef" * 2}),  # Twilio's
    ("VIEW_TOKEN", {"VIEW_TOKEN": "sesame"}),
    ("VIEW_TOKEN", {"VIEW_TOKEN": "0123456789abcdef" * 2}),  # Twilio's
    ("TRUSTED_PROXIES", {"TRUSTED_PROXIES": "10.0.0.1,0.0.0.0/0"}),
    ("PUBLIC_URL", {"PUBLIC_URL": "http://voice.artist.fm"}),
    ("PUBLIC_URL", {"PUBLIC_URL": ""}),
    ("PUBLIC_URL", {"PUBLIC_URL": "https://voice.example.com"}),
    ("LOG_PII", {"LOG_PII": "1"}),
    ("ALARM_WEBHOOK_URL", {"ALARM_WEBHOOK_URL": "http://hooks.artist.fm/T0"}),
    ("ALARM_WEBHOOK_URL", {"ALARM_WEBHOOK_URL": "https://localhost/T0"}),
    ("ELEVENLABS_BASE_URL", {"ELEVENLABS_BASE_URL": "http://api.elevenlabs.io"}),
    ("TWILIO_BASE_URL", {"TWILIO_BASE_URL": "http://api.twilio.com"}),
    ("LLM_API_KEY", {"CONVERSATION": "llm", "LLM_MODEL": "m"}),
    ("LLM_BASE_URL", {"CONVERSATION": "llm", "LLM_MODEL": "m", "LLM_BASE_URL": "http://llm.artist.fm"}),
    ("CONVERSATION", {"CONVERSATION": "parrot"}),
    ("BUDGET_PER_DAY", {"LIMITS_OVERALL": ""}),
    ("PRICE_PER_1000_CHARACTERS", {"BUDGET_PER_MONTH": "100", "PRICE_PER_MINUTE": "0.01"}),
    ("HAND_OVER_SECONDS", {"HAND_OVER_SECONDS": "900"}),
    ("DRAIN_SECONDS", {**RAILWAY, "RAILWAY_DEPLOYMENT_DRAINING_SECONDS": "30"}),
    ("DRAIN_SECONDS", RAILWAY),
    ("REDIS_URL", {"REDIS_URL": "redis://redis.railway.internal:6379"}),
    ("REDIS_URL", {"REDIS_URL": "redis://u:secret@redis.artist.fm:6379"}),
    ("ELEVENLABS_API_KYE", {"ELEVENLABS_API_KYE": "x"}),
]


@pytest.mark.parametrize(("setting", "changes"), WARNED, ids=[f"{s} {i}" for i, (s, _) in enumerate(WARNED)])
def test_what_is_unsafe_is_named(setting: str, changes: dict[str, str]) -> None:
    assert ("warning", setting) in found(changes)


@pytest.mark.parametrize(
    ("setting", "around"),
    [
        ("DATA_DIR", Surroundings(data_dir_fault="read-only file system")),
        ("DATA_DIR", Surroundings(free_bytes=50 << 20)),
        ("MAX_CALLS", Surroundings(file_limit=256)),
        ("SPEECH_PROVIDERS", Surroundings(missing=frozenset({"espeakng_loader"}))),
        ("HEARING_PROVIDERS", Surroundings(missing=frozenset({"pocketsphinx"}))),
    ],
)
def test_a_machine_that_will_not_do_is_named(setting: str, around: Surroundings) -> None:
    assert found({}, around) == {("warning", setting)}


@pytest.mark.parametrize(
    ("setting", "changes"),
    [
        ("ELEVENLABS_API_KEY", {"ELEVENLABS_API_KEY": ""}),
        ("TWILIO_ACCOUNT_SID", {"TWILIO_ACCOUNT_SID": ""}),
        ("HEARING_PROVIDERS", {"HEARING_PROVIDERS": "none"}),
        ("PREPARE_PHRASES", {"PREPARE_PHRASES": "0"}),
        ("HOTLINE_CLOSED", {"HOTLINE_CLOSED": "1"}),
        ("LOG_LEVEL", {"LOG_LEVEL": "debug"}),
        ("RETENTION_DAYS", {"RETENTION_DAYS": "0"}),
        ("ADMIN_TOKEN", {"ADMIN_TOKEN": f"{TOKEN},{TOKEN}b,{TOKEN}c"}),
        ("DATA_DIR", {"RAILWAY_PUBLIC_DOMAIN": "x.fm", "RAILWAY_DEPLOYMENT_DRAINING_SECONDS": "915"}),
    ],
)
def test_what_is_worth_knowing_is_no_warning(setting: str, changes: dict[str, str]) -> None:
    assert found(changes) == {("info", setting)}


def test_an_alarm_on_this_machine_that_was_allowed_is_left_alone() -> None:
    changes = {"ALARM_WEBHOOK_URL": "http://127.0.0.1:9000/T0", "OUTBOUND_ALLOW": "127.0.0.0/8"}

    assert found(changes) == set()


def test_warnings_come_first() -> None:
    advice = advise(Settings.load({**PRODUCTION, "HEARING_PROVIDERS": "none", "LOG_PII": "1"}), WELL)

    assert [one.level for one in advice] == ["warning", "info"]


def test_no_advice_repeats_a_secret() -> None:
    environ = {**PRODUCTION, "ADMIN_TOKEN": "canary", "TWILIO_AUTH_TOKEN": "canary", "LOG_PII": "1"}
    environ["ALARM_WEBHOOK_URL"] = "http://hooks.artist.fm/canary"
    environ["REDIS_URL"] = "redis://u:canary@redis.artist.fm"
    advice = advise(Settings.load(environ), Surroundings(environ=environ))

    assert len(advice) >= 5 and "canary" not in str(advice)


@pytest.mark.parametrize(
    ("environ", "public"),
    [
        ({}, False),
        ({"HOST": "127.0.0.1", "PORT": "9000"}, False),
        ({"PORT": "9000"}, True),
        ({"HOST": "0.0.0.0"}, True),
        ({"PUBLIC_URL": "https://tunnel.artist.fm"}, True),
    ],
)
def test_a_server_is_public_by_its_address_or_by_its_name(environ: dict[str, str], public: bool) -> None:
    assert is_public(Settings.load(environ)) is public
