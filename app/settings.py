"""Every environment variable, read once at start: typed, with its unit, all faults reported at once.

`docs/settings.md` is generated from this file (`hotline config --markdown`) and a test compares them.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails

from app.errors import ConfigError

DEFAULT_VOICE = "21m00Tcm4TlvDq8ikWAM"  # a stock voice that every ElevenLabs account has
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
AUDIO_FORMAT = re.compile(r"(mp3_\d{5}_\d{2,3}|pcm_\d{4,5}|ulaw_8000)")
SPEECH_NAMES = ("elevenlabs", "local")
HEARING_NAMES = ("elevenlabs", "deepgram", "local", "none")


def _env(*names: str, default: Any, doc: str, **limits: float) -> Any:
    """A field read from the first of `names` that is set; `Any`, as pydantic's own `Field` is."""
    return Field(default, validation_alias=AliasChoices(*names), description=doc, **limits)  # type: ignore[call-overload]


class Settings(BaseModel):
    """What the operator chose; frozen, handed to rooms value by value."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    port: int = _env("PORT", default=8000, ge=0, le=65535, doc="TCP port to listen on")
    host: str = _env(
        "HOST", default="", doc="address to listen on; 127.0.0.1, or 0.0.0.0 when the platform gives PORT"
    )
    public_url: str = _env(
        "PUBLIC_URL",
        default="",
        doc="https address that Twilio uses; from RAILWAY_PUBLIC_DOMAIN, else local. "
        "Signatures and the wss url are built from it, never from request headers",
    )
    twilio_account_sid: str = _env(
        "TWILIO_ACCOUNT_SID", default="", doc="account whose webhooks are accepted; empty: any"
    )
    twilio_auth_tokens: tuple[SecretStr, ...] = _env(
        "TWILIO_AUTH_TOKEN",
        default=(),
        doc="verifies webhooks; several, comma separated, in a rotation. Empty: webhooks from loopback only",
    )
    elevenlabs_api_key: SecretStr = _env("ELEVENLABS_API_KEY", default=SecretStr(""), doc="ElevenLabs key")
    elevenlabs_voice_id: str = _env("ELEVENLABS_VOICE_ID", default=DEFAULT_VOICE, doc="voice")
    elevenlabs_model_id: str = _env("ELEVENLABS_MODEL_ID", default="eleven_flash_v2_5", doc="model")
    elevenlabs_output_format: str = _env(
        "ELEVENLABS_OUTPUT_FORMAT",
        default="mp3_44100_128",
        doc="any mp3_*, pcm_* or ulaw_8000 (passed through untouched)",
    )
    elevenlabs_base_url: str = _env(
        "ELEVENLABS_BASE_URL", default="https://api.elevenlabs.io", doc="regional host or stand-in"
    )
    elevenlabs_transport: Literal["websocket", "http"] = _env(
        "ELEVENLABS_TRANSPORT", default="websocket", doc="stream-input socket, or HTTP streaming by the SDK"
    )
    speech_providers: tuple[str, ...] = _env(
        "SPEECH_PROVIDERS", default=(), doc="chain of voices in order; default: what has a key, then local"
    )
    hearing_providers: tuple[str, ...] = _env(
        "HEARING_PROVIDERS", default=(), doc="chain of ears in order; default: what has a key, then local"
    )
    hearing_language: str = _env("HEARING_LANGUAGE", default="en", doc="ISO 639-1, for cloud ears; local: en")
    hearing_pool_size: int = _env(
        "HEARING_POOL_SIZE", default=0, ge=0, le=1000, doc="local recognisers; 0: by memory and cores"
    )
    deepgram_api_key: SecretStr = _env("DEEPGRAM_API_KEY", default=SecretStr(""), doc="Deepgram key")
    deepgram_base_url: str = _env(
        "DEEPGRAM_BASE_URL", default="https://api.deepgram.com", doc="regional host or stand-in"
    )
    conversation: Literal["script", "echo"] = _env(
        "CONVERSATION", default="script", doc="`script`: a hotline script; `echo`: says back what it heard"
    )
    hotline_script: str = _env(
        "HOTLINE_SCRIPT",
        default="",
        doc="TOML file of the conversation; empty: the one that ships",
    )
    greeting: str = _env(
        "GREETING", default="", doc="first sentence said, instead of the script's own greeting"
    )
    silence_s: float = _env(
        "SILENCE_SECONDS",
        default=7.0,
        gt=0,
        le=120,
        doc="seconds of silence until the caller is asked",
    )
    barge_in: Literal["speech", "never"] = _env(
        "BARGE_IN",
        default="speech",
        doc="what interrupts us: `speech`, or `never` (keys always do)",
    )
    data_dir: str = _env("DATA_DIR", default="./data", doc="where callers' messages are kept")
    max_calls: int = _env(
        "MAX_CALLS", "MAX_CONNECTIONS", "MAX_BOTS", default=100, ge=1, doc="calls at once in this process"
    )
    when_full: Literal["say", "reject"] = _env(
        "WHEN_FULL",
        default="say",
        doc="full house: `say` a busy sentence, or `reject` unanswered and unbilled",
    )
    busy_message: str = _env(
        "BUSY_MESSAGE",
        default="All our lines are busy right now. Please call again in a few minutes. Goodbye.",
        doc="what a caller hears when the house is full",
    )
    reservation_s: float = _env(
        "RESERVATION_SECONDS",
        default=15.0,
        gt=0,
        le=60,
        doc="seconds a webhook's slot waits for its socket; Twilio connects within a few",
    )
    stream_token_s: float = _env(
        "STREAM_TOKEN_SECONDS", default=60.0, gt=0, le=600, doc="seconds a stream token can be used"
    )
    session_timeout_ms: int = _env(
        "SESSION_TIMEOUT", default=1_800_000, ge=1000, doc="milliseconds, longest call"
    )
    prewarm_pool_size: int = _env(
        "PREWARM_POOL_SIZE", default=3, ge=0, le=100, doc="provider sockets kept ready"
    )
    playout_lead_ms: int = _env(
        "PLAYOUT_LEAD_MS",
        default=400,
        ge=60,
        le=5000,
        doc="milliseconds of audio sent ahead; more rides out a busy loop, less makes interruption tidier",
    )
    admin_token: tuple[SecretStr, ...] = _env(
        "ADMIN_TOKEN",
        default=(),
        doc="opens operator paths; several, comma separated, during a rotation. "
        "Without it they answer on loopback only",
    )
    log_level: Literal["debug", "info", "warning", "error"] = _env(
        "LOG_LEVEL", default="info", doc="least level that is written"
    )
    log_format: Literal["", "console", "json"] = _env(
        "LOG_FORMAT", default="", doc="`console` on a terminal, else `json`"
    )
    log_pii: bool = _env("LOG_PII", default=False, doc="1 shows callers' words and numbers in the log")

    @field_validator(
        "twilio_auth_tokens", "admin_token", "speech_providers", "hearing_providers", mode="before"
    )
    @classmethod
    def _split(cls, given: object) -> object:
        if isinstance(given, str):
            return tuple(part.strip() for part in given.split(",") if part.strip())
        return given

    @field_validator("speech_providers")
    @classmethod
    def _known_voices(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in SPEECH_NAMES]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(SPEECH_NAMES)}")
        return names

    @field_validator("hearing_providers")
    @classmethod
    def _known_ears(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in HEARING_NAMES]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(HEARING_NAMES)}")
        return names

    @field_validator("elevenlabs_output_format")
    @classmethod
    def _playable(cls, name: str) -> str:
        if not AUDIO_FORMAT.fullmatch(name):
            raise ValueError("expected mp3_<rate>_<kbit>, pcm_<rate> or ulaw_8000")
        return name

    @field_validator("public_url", "elevenlabs_base_url", "deepgram_base_url")
    @classmethod
    def _url(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", url):
            raise ValueError("expected an address such as https://voice.example.com")
        return url.rstrip("/")

    @field_validator(
        "log_level",
        "log_format",
        "when_full",
        "elevenlabs_transport",
        "conversation",
        "barge_in",
        mode="before",
    )
    @classmethod
    def _lower(cls, given: object) -> object:
        return given.lower() if isinstance(given, str) else given

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """Read `environ`; an empty value counts as not set, as platforms' consoles leave them.

        Raises:
            ConfigError: with one line for every value that cannot be used.
        """
        given: dict[str, object] = {name: value.strip() for name, value in environ.items() if value.strip()}
        if "RAILWAY_PUBLIC_DOMAIN" in given:
            given.setdefault("PUBLIC_URL", f"https://{given['RAILWAY_PUBLIC_DOMAIN']}")
        given.setdefault("PUBLIC_URL", f"http://localhost:{given.get('PORT', 8000)}")
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(*(_fault(item, given) for item in error.errors())) from None
        faults = settings._conflicts()
        if faults:
            raise ConfigError(*faults)
        return settings

    def _conflicts(self) -> list[str]:
        faults = []
        if not self.elevenlabs_configured:
            for name, chain in (("SPEECH", self.speech_providers), ("HEARING", self.hearing_providers)):
                if "elevenlabs" in chain:
                    faults.append(f"ELEVENLABS_API_KEY is missing ({name}_PROVIDERS names elevenlabs)")
        if "deepgram" in self.hearing_providers and not self.deepgram_api_key.get_secret_value():
            faults.append("DEEPGRAM_API_KEY is missing (HEARING_PROVIDERS names deepgram)")
        return faults

    @property
    def address(self) -> str:
        """Where to listen: HOST, else everywhere when a platform gave PORT, else this machine only."""
        return self.host or ("0.0.0.0" if "port" in self.model_fields_set else "127.0.0.1")

    @property
    def trusts_this_machine(self) -> bool:
        """Whether programs on this machine are operators without a token: unless HOST opens the door to all.

        PORT alone makes the address public, yet it is also how a developer moves the port, so it does not
        count; what a platform's proxy passes on shows by its peer, its Host and its forwarding headers.
        """
        return not self.host or self.host in LOOPBACK_HOSTS

    @property
    def elevenlabs_configured(self) -> bool:
        return bool(self.elevenlabs_api_key.get_secret_value())

    @property
    def voices(self) -> tuple[str, ...]:
        """The chain of voices in order: as chosen, else what has a key, then the embedded one."""
        if self.speech_providers:
            return self.speech_providers
        return ("elevenlabs", "local") if self.elevenlabs_configured else ("local",)

    @property
    def ears(self) -> tuple[str, ...]:
        """The chain of ears in order: as chosen, else what has a key, then the embedded ones."""
        if self.hearing_providers:
            return tuple(name for name in self.hearing_providers if name != "none")
        keyed = [
            ("deepgram", bool(self.deepgram_api_key.get_secret_value())),
            ("elevenlabs", self.elevenlabs_configured),
        ]
        return (*(name for name, has_key in keyed if has_key), "local")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must never be seen in a log, longest first so that none hides a part of another."""
        hidden = [self.elevenlabs_api_key, self.deepgram_api_key, *self.twilio_auth_tokens, *self.admin_token]
        return tuple(
            sorted((s.get_secret_value() for s in hidden if s.get_secret_value()), key=len, reverse=True)
        )

    def socket_url(self, path: str) -> str:
        """The ws or wss address of `path` as Twilio must dial it."""
        return "ws" + self.public_url.removeprefix("http") + path


def variables() -> list[tuple[str, str, str]]:
    """(names, default, meaning) of every variable; the docs and `hotline config` are made from it."""
    rows = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        names = [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [name]
        rows.append((", ".join(names), _shown(field.default), field.description or ""))
    return rows


def _shown(default: object) -> str:
    if isinstance(default, SecretStr) or default in ("", ()):
        return "-"
    return str(default)


def _fault(item: ErrorDetails, given: Mapping[str, object]) -> str:
    """One line: which variable, what was met (unless secret), what was expected."""
    name = str(item["loc"][0])
    meaning = next((doc for names, _, doc in variables() if name in names.split(", ")), "")
    secret = name.endswith(("_TOKEN", "_KEY"))
    met = "its value" if secret else repr(given.get(name, ""))
    return f"{name}: {met} cannot be used: {item['msg'].removeprefix('Value error, ')} ({meaning})"
