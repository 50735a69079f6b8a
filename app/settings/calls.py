"""Twilio's account, how many calls are taken, and how long they may last."""

from typing import ClassVar, Literal

from pydantic import SecretStr, field_validator

from app.settings.section import Section, address, env, lower, split


class CallSettings(Section):
    """The telephone side."""

    title: ClassVar[str] = "Telephone and calls"

    twilio_account_sid: str = env(
        "TWILIO_ACCOUNT_SID", default="", doc="account whose webhooks are accepted; empty: any"
    )
    twilio_auth_tokens: tuple[SecretStr, ...] = env(
        "TWILIO_AUTH_TOKEN",
        default=(),
        doc="verifies webhooks; several, comma separated, in a rotation. Empty: webhooks from loopback only",
    )
    twilio_base_url: str = env(
        "TWILIO_BASE_URL", default="https://api.twilio.com", doc="REST API: a region's host, or a stand-in"
    )
    max_calls: int = env(
        "MAX_CALLS", "MAX_CONNECTIONS", "MAX_BOTS", default=100, ge=1, doc="calls at once in this process"
    )
    when_full: Literal["queue", "say", "reject"] = env(
        "WHEN_FULL",
        default="queue",
        doc="full house: `queue` callers, `say` a busy sentence, or `reject` unanswered and unbilled",
    )
    busy_message: str = env(
        "BUSY_MESSAGE",
        default="All our lines are busy right now. Please call again in a few minutes. Goodbye.",
        doc="what a caller hears when the house is full",
    )
    reservation_s: float = env(
        "RESERVATION_SECONDS",
        default=15.0,
        gt=0,
        le=60,
        doc="seconds a webhook's slot waits for its socket; Twilio connects within a few",
    )
    stream_token_s: float = env(
        "STREAM_TOKEN_SECONDS", default=60.0, gt=0, le=600, doc="seconds a stream token can be used"
    )
    session_timeout_ms: int = env(
        "SESSION_TIMEOUT", default=1_800_000, ge=1000, doc="milliseconds, longest call"
    )
    first_media_s: float = env(
        "FIRST_MEDIA_SECONDS",
        default=30.0,
        ge=0,
        le=3600,
        doc="seconds a stream may take to its first audio, then it is given up. 0: no bound",
    )
    media_silence_s: float = env(
        "MEDIA_SILENCE_SECONDS",
        default=15.0,
        ge=0,
        le=3600,
        doc="seconds in which nothing at all comes from Twilio, then the stream is given up. 0: no bound",
    )
    drain_s: float = env(
        "DRAIN_SECONDS",
        default=900.0,
        ge=0,
        le=86_400,
        doc="seconds from SIGTERM until calls that go on are told, and end; the platform must wait longer",
    )
    hand_over_s: float = env(
        "HAND_OVER_SECONDS",
        default=30.0,
        ge=0,
        le=86_400,
        doc="seconds from SIGTERM until calls are handed to another server at their next silence",
    )
    playout_lead_ms: int = env(
        "PLAYOUT_LEAD_MS",
        default=400,
        ge=60,
        le=5000,
        doc="milliseconds of audio sent ahead; more rides out a busy loop, less makes interruption tidier",
    )

    _split = field_validator("twilio_auth_tokens", mode="before")(split)
    _url = field_validator("twilio_base_url")(address)
    _lower = field_validator("when_full", mode="before")(lower)
