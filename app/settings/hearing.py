"""Which ears listen, and how."""

from typing import ClassVar, Literal

from pydantic import field_validator

from app.settings.section import Section, among, env, lower, split
from app.settings.vendors import VendorSettings

HEARING_NAMES = ("deepgram", "elevenlabs", "local", "none")


class HearingSettings(Section):
    """What is made of the caller's audio."""

    title: ClassVar[str] = "Ears"

    hearing_providers: tuple[str, ...] = env(
        "HEARING_PROVIDERS",
        default=(),
        doc="chain of ears in order, or `none` (keys only); default: what has a key, then local",
    )
    hearing_language: str = env("HEARING_LANGUAGE", default="en", doc="ISO 639-1, for cloud ears; local: en")
    hearing_pool_size: int = env(
        "HEARING_POOL_SIZE", default=0, ge=0, le=1000, doc="local recognisers; 0: by memory and cores"
    )

    hearing_dictation: Literal["auto", "on", "off"] = env(
        "HEARING_DICTATION",
        default="auto",
        doc="local ears take any words (`on`), at ten times the cost, or the hotline's own phrases (`off`); "
        "`auto`: any words for the conversations llm and echo",
    )

    _lower = field_validator("hearing_dictation", mode="before")(lower)
    _split = field_validator("hearing_providers", mode="before")(split)

    @field_validator("hearing_providers")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return among(names, HEARING_NAMES)

    def chain(self, vendors: VendorSettings) -> tuple[str, ...]:
        """The ears in order: as chosen, else what has a key, then the embedded ones."""
        chosen = self.hearing_providers or tuple(name for name in HEARING_NAMES if vendors.has_key(name))
        return tuple(name for name in chosen if name != "none")

    def faults(self, vendors: VendorSettings) -> list[str]:
        """What was chosen and cannot be used without a key."""
        return [
            f"{name.upper()}_API_KEY is missing (HEARING_PROVIDERS names {name})"
            for name in self.hearing_providers
            if not vendors.has_key(name)
        ]
