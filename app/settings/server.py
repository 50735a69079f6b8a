"""Where the server listens, how it is reached, who operates it, and what it writes."""

import re
from typing import ClassVar, Literal

from pydantic import SecretStr, field_validator

from app.settings.section import Section, address, env, lower, split

WEBHOOK = re.compile(r"https?://[^/\s]+(/\S*)?")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class ServerSettings(Section):
    """The process and its operator."""

    title: ClassVar[str] = "The server"

    port: int = env("PORT", default=8000, ge=0, le=65535, doc="TCP port to listen on")
    host: str = env(
        "HOST", default="", doc="address to listen on; 127.0.0.1, or 0.0.0.0 when the platform gives PORT"
    )
    public_url: str = env(
        "PUBLIC_URL",
        default="",
        doc="https address that Twilio uses; from RAILWAY_PUBLIC_DOMAIN, else local. "
        "Signatures and the wss url are built from it, never from request headers",
    )
    admin_token: tuple[SecretStr, ...] = env(
        "ADMIN_TOKEN",
        default=(),
        doc="opens operator paths; several, comma separated, during a rotation. "
        "Without it they answer on loopback only",
    )
    data_dir: str = env("DATA_DIR", default="./data", doc="where what must survive the process is kept")
    replica: str = env(
        "REPLICA_ID",
        "RAILWAY_REPLICA_ID",
        "HOSTNAME",
        default="",
        doc="name of this process in records and in the fleet's answers",
    )
    log_level: Literal["debug", "info", "warning", "error"] = env(
        "LOG_LEVEL", default="info", doc="least level that is written"
    )
    log_format: Literal["", "console", "json"] = env(
        "LOG_FORMAT", default="", doc="`console` on a terminal, else `json`"
    )
    log_pii: bool = env("LOG_PII", default=False, doc="1 shows callers' words and numbers in the log")

    alarm_webhook_url: SecretStr = env(
        "ALARM_WEBHOOK_URL",
        default=SecretStr(""),
        doc="where alarms are posted as Slack-compatible JSON; its path is as good as a key",
    )

    _split = field_validator("admin_token", mode="before")(split)
    _url = field_validator("public_url")(address)
    _lower = field_validator("log_level", "log_format", mode="before")(lower)

    @field_validator("alarm_webhook_url")
    @classmethod
    def _postable(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not WEBHOOK.fullmatch(url.get_secret_value()):
            raise ValueError("expected an address such as https://hooks.example.com/alarms")
        return url

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

    def socket_url(self, path: str) -> str:
        """The ws or wss address of `path` as Twilio must dial it."""
        return "ws" + self.public_url.removeprefix("http") + path
