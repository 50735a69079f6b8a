"""Keys and addresses of the vendors."""

from typing import ClassVar

from pydantic import SecretStr, field_validator

from app.settings.section import Section, address, env


class VendorSettings(Section):
    """One account per vendor, whatever it is used for."""

    title: ClassVar[str] = "Vendors"

    elevenlabs_api_key: SecretStr = env("ELEVENLABS_API_KEY", default=SecretStr(""), doc="ElevenLabs key")
    elevenlabs_base_url: str = env(
        "ELEVENLABS_BASE_URL", default="https://api.elevenlabs.io", doc="regional host or stand-in"
    )
    deepgram_api_key: SecretStr = env("DEEPGRAM_API_KEY", default=SecretStr(""), doc="Deepgram key")
    deepgram_base_url: str = env(
        "DEEPGRAM_BASE_URL", default="https://api.deepgram.com", doc="regional host or stand-in"
    )

    inworld_api_key: SecretStr = env(
        "INWORLD_API_KEY", default=SecretStr(""), doc="Inworld key, as its portal gives it"
    )
    inworld_base_url: str = env(
        "INWORLD_BASE_URL", default="https://api.inworld.ai", doc="regional host or stand-in"
    )
    cartesia_api_key: SecretStr = env("CARTESIA_API_KEY", default=SecretStr(""), doc="Cartesia key")
    cartesia_base_url: str = env(
        "CARTESIA_BASE_URL", default="https://api.cartesia.ai", doc="regional host or stand-in"
    )

    openai_api_key: SecretStr = env("OPENAI_API_KEY", default=SecretStr(""), doc="OpenAI key, for its voice")
    openai_base_url: str = env(
        "OPENAI_BASE_URL", default="https://api.openai.com/v1", doc="any compatible /audio/speech endpoint"
    )

    elevenlabs_max_concurrent: int = env(
        "ELEVENLABS_MAX_CONCURRENT",
        default=0,
        ge=0,
        le=1000,
        doc="sentences in the making at once; 0: as the vendor says, else 5",
    )
    cartesia_max_concurrent: int = env(
        "CARTESIA_MAX_CONCURRENT",
        default=0,
        ge=0,
        le=1000,
        doc="sentences in the making at once; 0: as the vendor says, else 5",
    )
    inworld_max_concurrent: int = env(
        "INWORLD_MAX_CONCURRENT",
        default=0,
        ge=0,
        le=1000,
        doc="sentences in the making at once; 0: as the vendor says, else 5",
    )
    deepgram_max_concurrent: int = env(
        "DEEPGRAM_MAX_CONCURRENT",
        default=0,
        ge=0,
        le=1000,
        doc="sentences in the making at once; 0: as the vendor says, else 5",
    )
    openai_max_concurrent: int = env(
        "OPENAI_MAX_CONCURRENT",
        default=0,
        ge=0,
        le=1000,
        doc="sentences in the making at once; 0: as the vendor says, else 5",
    )
    _url = field_validator(
        "openai_base_url", "elevenlabs_base_url", "deepgram_base_url", "inworld_base_url", "cartesia_base_url"
    )(address)

    def max_concurrent(self, vendor: str) -> int | None:
        """Generations in flight that the operator allows; None: as the vendor says."""
        return getattr(self, f"{vendor}_max_concurrent", 0) or None

    def has_key(self, vendor: str) -> bool:
        """Whether there is an account at `vendor`; what needs none always has one."""
        key = getattr(self, f"{vendor}_api_key", None)
        return key is None or bool(key.get_secret_value())
