"""What several replicas share, and how they find each other."""

from typing import ClassVar

from pydantic import SecretStr, field_validator

from app.settings.section import Section, env

SCHEMES = ("redis://", "rediss://", "unix://")


class FleetSettings(Section):
    """The store between replicas."""

    title: ClassVar[str] = "A fleet"

    redis_url: SecretStr = env(
        "REDIS_URL",
        default=SecretStr(""),
        doc="Redis or Valkey that all replicas share, such as `rediss://user:password@host:6380/0`. "
        "Empty: all is kept in this process",
    )
    redis_prefix: str = env(
        "REDIS_PREFIX",
        default="hotline",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        doc="begins every key and channel, where another application shares the server",
    )
    replicas: int = env(
        "REPLICAS",
        default=1,
        ge=1,
        le=1000,
        doc="replicas to reckon with until the store was reached once: permits are shared among so many",
    )

    @field_validator("redis_url")
    @classmethod
    def _reachable(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not url.get_secret_value().startswith(SCHEMES):
            raise ValueError(f"expected an address that begins with {', '.join(SCHEMES)}")
        return url
