"""What is unsafe or missing in an environment that starts, with the cure.

Pure: what the machine says comes in as facts.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from app.settings import SECTIONS, Settings

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", ""})
EXAMPLE = re.compile(r"(^|\.)example\.(com|org|net)$")
SHORTEST_TOKEN = 24  # characters; `openssl rand -hex 32` gives 64
FEWEST_LETTERS = 8  # different ones in a token that was not drawn by lot
TWILIO_TOKEN = re.compile(r"[0-9a-f]{32}")
TWILIO_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
LONGEST_STREAM_TOKEN_S = 60.0
LEAST_FREE_BYTES = 1 << 30  # a day of messages and records, and room to act in
FILES_A_CALL = 6  # its socket, its voice's, its ears', and what goes on between two sentences
FILES_OF_OUR_OWN = 128
SPARE_S = 15  # seconds between the last call's end and the platform's patience
LIKENESS = 0.88  # of a variable's name to one of ours
EXTRAS = {"espeakng_loader": "local-voice", "pocketsphinx": "local-hearing"}


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that should be otherwise: `warning` is unsafe or will fail, `info` is worth knowing."""

    level: Literal["warning", "info"]
    setting: str
    found: str
    cure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the machine says; the defaults are a machine on which all is well."""

    environ: Mapping[str, str] = field(default_factory=dict)
    data_dir_fault: str = ""
    """Why nothing can be written there."""
    free_bytes: int = 1 << 40
    file_limit: int = 1 << 20
    missing: frozenset[str] = frozenset()
    """Modules of `EXTRAS` that are not installed."""
    is_root: bool = False


Check = Callable[[Settings, Surroundings], Iterator[Advice]]


def advise(settings: Settings, surroundings: Surroundings) -> list[Advice]:
    """Everything that is found, warnings first."""
    found = [advice for check in CHECKS for advice in check(settings, surroundings)]
    return sorted(found, key=lambda advice: advice.level == "info")


def is_public(settings: Settings) -> bool:
    """Whether strangers can knock: by the address we listen on, or the one that is told to Twilio."""
    return _host(settings.server.public_url) not in LOCAL or settings.server.address not in LOCAL


def _address(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    url = settings.server.public_url
    if not is_public(settings):
        return
    if _host(url) in LOCAL:
        yield _warning(
            "PUBLIC_URL",
            f"{url} is this machine, yet HOST or PORT opens the server to others; Twilio cannot reach it",
            "set PUBLIC_URL to the https address of this server",
        )
    elif not url.startswith("https://"):
        yield _warning("PUBLIC_URL", f"{url} is not https", "put TLS in front and set the https address")
    if EXAMPLE.search(_host(url)):
        yield _warning("PUBLIC_URL", f"{url} is an example", "set the address of this server")


def _webhooks(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    tokens = [token.get_secret_value() for token in settings.calls.twilio_auth_tokens]
    account = settings.calls.twilio_account_sid
    if is_public(settings) and not tokens:
        yield _warning(
            "TWILIO_AUTH_TOKEN",
            "missing: webhooks cannot be told from forged ones, so only this machine can call",
            "set the account's primary auth token (Twilio console, API keys & tokens)",
        )
    if any(not TWILIO_TOKEN.fullmatch(token) for token in tokens):
        yield _warning(
            "TWILIO_AUTH_TOKEN",
            "not 32 hexadecimal digits: no webhook of Twilio's will match",
            "copy it anew",
        )
    if account and not TWILIO_ACCOUNT.fullmatch(account):
        yield _warning("TWILIO_ACCOUNT_SID", "not AC and 32 hexadecimal digits", "copy it anew")
    if tokens and not account:
        yield _info(
            "TWILIO_ACCOUNT_SID",
            "missing: goodbyes end by closing the stream, webhooks of any account are taken",
            "set the account's SID",
        )
    if settings.calls.stream_token_s > LONGEST_STREAM_TOKEN_S:
        yield _warning("STREAM_TOKEN_SECONDS", "a token lives for over a minute", "set 60 or less")


def _operators(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    roles = {"ADMIN_TOKEN": settings.server.admin_token, "VIEW_TOKEN": settings.safety.view_token}
    if is_public(settings) and not settings.server.admin_token:
        yield _warning(
            "ADMIN_TOKEN",
            "missing: nobody outside can operate, nor look without a VIEW_TOKEN",
            "set one: openssl rand -hex 32",
        )
    for name, secrets in roles.items():
        tokens = [token.get_secret_value() for token in secrets]
        if any(len(token) < SHORTEST_TOKEN or len(set(token)) < FEWEST_LETTERS for token in tokens):
            yield _warning(
                name, f"shorter than {SHORTEST_TOKEN} characters or easily guessed", "openssl rand -hex 32"
            )
        if len(tokens) > 2:
            yield _info(name, f"{len(tokens)} are valid at once", "end the rotation: keep the newest")


def _proxies(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    if any(network.prefixlen == 0 for network in settings.safety.proxies):
        yield _warning(
            "TRUSTED_PROXIES",
            "everybody is believed about whose request it is: guessing tokens is not slowed down",
            "name the addresses of your proxies",
        )


def _secrets_apart(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    others = [*settings.calls.secrets(), *settings.conversation.secrets(), *settings.vendors.secrets()]
    for name, section in (("ADMIN_TOKEN", settings.server), ("VIEW_TOKEN", settings.safety)):
        if set(section.secrets()) & set(others):
            yield _warning(
                name,
                "the same secret opens something else as well",
                "give each its own: openssl rand -hex 32",
            )


def _privacy(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    if settings.server.log_pii:
        yield _warning("LOG_PII", "callers' words and numbers are written to the log", "unset it")
    if not settings.safety.retention_days:
        yield _info(
            "RETENTION_DAYS", "0: messages that a script takes are dropped", "set the days they are for"
        )
    if settings.server.log_level == "debug" and is_public(settings):
        yield _info("LOG_LEVEL", "debug on a public server writes much", "set info")


def _disk(settings: Settings, around: Surroundings) -> Iterator[Advice]:
    folder = settings.server.data_dir
    if around.data_dir_fault:
        yield _warning(
            "DATA_DIR",
            f"{folder}: {around.data_dir_fault}; messages and records are lost",
            "name a folder that this user can write, on a volume that stays",
        )
    elif around.free_bytes < LEAST_FREE_BYTES:
        yield _warning(
            "DATA_DIR",
            f"{folder}: only {around.free_bytes >> 20} MB are free",
            "make room, or name a larger disk",
        )
    if _on_railway(around) and not around.environ.get("RAILWAY_VOLUME_MOUNT_PATH"):
        yield _info("DATA_DIR", "no volume is mounted: a deployment loses messages", "mount a volume there")


def _voices(settings: Settings, around: Surroundings) -> Iterator[Advice]:
    if settings.voices == ("local",):
        yield _info(
            "ELEVENLABS_API_KEY", "no vendor's key is set: the embedded voice speaks", "set a key of a vendor"
        )
    if not settings.ears:
        yield _info("HEARING_PROVIDERS", "none: callers are understood by keys only", "unset it")
    if not settings.speech.prepare_phrases:
        yield _info("PREPARE_PHRASES", "off: greetings are made while the caller waits", "unset it")
    needed = {"espeakng_loader": "local" in settings.voices, "pocketsphinx": "local" in settings.ears}
    for module in sorted(around.missing):
        if needed[module]:
            yield _warning(
                "SPEECH_PROVIDERS" if module == "espeakng_loader" else "HEARING_PROVIDERS",
                f"names local, but {module} is not installed",
                f"pip install 'hotline-bridge[{EXTRAS[module]}]', or leave local out",
            )


def _model(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    talk = settings.conversation
    if (
        talk.conversation == "llm"
        and not talk.llm_api_key.get_secret_value()
        and not _is_local(talk.llm_base_url)
    ):
        yield _warning(
            "LLM_API_KEY", f"missing: {_host(talk.llm_base_url)} will refuse us", "set the model's key"
        )
    if talk.conversation in ("echo", "parrot") and is_public(settings):
        yield _warning("CONVERSATION", f"{talk.conversation} is for testing a line", "set script or llm")


def _money(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    money = settings.money
    if is_public(settings) and not money.is_bounded:
        yield _warning(
            "BUDGET_PER_DAY",
            "no limit and no budget: callers can spend without end",
            "set one, or LIMITS_PER_NUMBER and LIMITS_OVERALL (docs/money.md)",
        )
    free = [voice for voice in settings.voices if voice != "local" and not money.characters.get(voice)]
    if any(money.budgets) and free:
        yield _warning(
            "PRICE_PER_1000_CHARACTERS",
            f"no price for {', '.join(free)}: what they say is not paid from the budget",
            "add what the vendor's plan says",
        )
    if money.closed:
        yield _info("HOTLINE_CLOSED", "every new call is turned away", "unset it to open")


def _in_the_clear(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    """Addresses to which a key is sent, or an alarm, and which anybody on the way can read."""
    addresses = {
        "TWILIO_BASE_URL": settings.calls.twilio_base_url,
        "LLM_BASE_URL": settings.conversation.llm_base_url,
    }
    for vendor in ("elevenlabs", "deepgram", "inworld", "cartesia", "openai"):
        addresses[f"{vendor.upper()}_BASE_URL"] = getattr(settings.vendors, f"{vendor}_base_url")
    addresses["ALARM_WEBHOOK_URL"] = settings.server.alarm_webhook_url.get_secret_value()
    for name, url in addresses.items():
        if url.startswith("http://") and not _is_local(url):
            yield _warning(
                name, "not https: what is sent there can be read on the way", "use an https address"
            )


def _alarms(settings: Settings, _: Surroundings) -> Iterator[Advice]:
    url = settings.server.alarm_webhook_url.get_secret_value()
    if url and _is_local(url) and not settings.safety.outbound_allow:
        yield _warning(
            "ALARM_WEBHOOK_URL",
            "on this machine, where no request of ours may go: alarms are not posted",
            "OUTBOUND_ALLOW=127.0.0.0/8",
        )


def _leaving(settings: Settings, around: Surroundings) -> Iterator[Advice]:
    calls = settings.calls
    if calls.hand_over_s >= calls.drain_s > 0:
        yield _warning(
            "HAND_OVER_SECONDS",
            "not below DRAIN_SECONDS: calls are told to end before they are handed over",
            "set it lower",
        )
    if not _on_railway(around):
        return
    patience = around.environ.get("RAILWAY_DEPLOYMENT_DRAINING_SECONDS", "0")
    if not patience.isdecimal() or int(patience) < calls.drain_s + SPARE_S:
        yield _warning(
            "DRAIN_SECONDS",
            f"calls may go on for {calls.drain_s:.0f} s, the platform kills the process after {patience} s",
            f"set RAILWAY_DEPLOYMENT_DRAINING_SECONDS to {calls.drain_s + SPARE_S:.0f} or more",
        )


def _store(settings: Settings, _around: Surroundings) -> Iterator[Advice]:
    url = settings.fleet.redis_url.get_secret_value()
    if not url or _is_local(url) or url.startswith("unix:"):
        return
    if not urlsplit(url).password:
        yield _warning(
            "REDIS_URL", "no password: whoever reaches the port reads and ends calls", "set an ACL user"
        )
    private = _host(url).endswith((".internal", ".local")) or "." not in _host(url)
    if not url.startswith("rediss:") and not private:
        yield _warning("REDIS_URL", "no TLS on a host that is not private", "use rediss://")


def _machine(settings: Settings, around: Surroundings) -> Iterator[Advice]:
    needed = settings.calls.max_calls * FILES_A_CALL + FILES_OF_OUR_OWN
    if around.file_limit < needed:
        yield _warning(
            "MAX_CALLS",
            f"so many calls need some {needed} open files, the limit is {around.file_limit}",
            f"ulimit -n {needed}, or fewer calls",
        )
    if around.is_root and is_public(settings):
        yield _info(
            "USER", "the server runs as root", "run it as a user of its own, as deploy/Dockerfile does"
        )


def _misspelled(_settings: Settings, around: Surroundings) -> Iterator[Advice]:
    known = {
        name for section in SECTIONS for names, _, _ in section.variables() for name in names.split(", ")
    }
    for name in sorted(set(around.environ) - known):
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=LIKENESS)
        if near and len(name) > 5:
            yield _warning(name, "no setting of this name", f"did you mean {near[0]}?")


CHECKS: tuple[Check, ...] = (
    _address,
    _webhooks,
    _operators,
    _proxies,
    _secrets_apart,
    _privacy,
    _disk,
    _voices,
    _model,
    _money,
    _in_the_clear,
    _alarms,
    _leaving,
    _store,
    _machine,
    _misspelled,
)


def _warning(setting: str, found: str, cure: str) -> Advice:
    return Advice("warning", setting, found, cure)


def _info(setting: str, found: str, cure: str) -> Advice:
    return Advice("info", setting, found, cure)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _is_local(url: str) -> bool:
    return _host(url) in LOCAL


def _on_railway(around: Surroundings) -> bool:
    return any(name.startswith("RAILWAY_") for name in around.environ)
