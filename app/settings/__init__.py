"""Every environment variable, read once at start: typed, with its unit, all faults reported at once.

`docs/settings.md` is generated from these files (`hotline config --markdown`) and a test compares them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from app.errors import ConfigError
from app.settings.admission import AdmissionSettings
from app.settings.calls import CallSettings
from app.settings.conversation import ConversationSettings
from app.settings.fleet import FleetSettings
from app.settings.hearing import HearingSettings
from app.settings.money import MoneySettings
from app.settings.safety import RAILWAYS_PROXIES, SafetySettings
from app.settings.section import Section
from app.settings.server import ServerSettings
from app.settings.speech import SpeechSettings
from app.settings.tuning import TuningSettings
from app.settings.vendors import VendorSettings

SECTIONS: tuple[type[Section], ...] = (
    ServerSettings,
    SafetySettings,
    CallSettings,
    AdmissionSettings,
    FleetSettings,
    MoneySettings,
    ConversationSettings,
    SpeechSettings,
    HearingSettings,
    VendorSettings,
    TuningSettings,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose; frozen, handed to rooms value by value."""

    server: ServerSettings
    safety: SafetySettings
    calls: CallSettings
    admission: AdmissionSettings
    fleet: FleetSettings
    money: MoneySettings
    conversation: ConversationSettings
    speech: SpeechSettings
    hearing: HearingSettings
    vendors: VendorSettings
    tuning: TuningSettings

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """Read `environ`; an empty value counts as not set, as platforms' consoles leave them.

        Raises:
            ConfigError: with one line for every value that cannot be used.
        """
        read = {name: value.strip() for name, value in environ.items() if value.strip()}
        given: dict[str, object] = {name: value for name, value in read.items() if _is_text(value)}
        if "RAILWAY_PUBLIC_DOMAIN" in given:
            given.setdefault("PUBLIC_URL", f"https://{given['RAILWAY_PUBLIC_DOMAIN']}")
            given = {**RAILWAYS_PROXIES, **given}
        given.setdefault("PUBLIC_URL", f"http://localhost:{given.get('PORT', 8000)}")
        faults = [f"{name}: its value is no UTF-8" for name in _known() & (read.keys() - given.keys())]
        for section in SECTIONS:
            try:
                section.read(given)
            except ConfigError as error:
                faults += error.faults
        if faults:
            raise ConfigError(*faults)
        settings = cls(
            ServerSettings.read(given),
            SafetySettings.read(given),
            CallSettings.read(given),
            AdmissionSettings.read(given),
            FleetSettings.read(given),
            MoneySettings.read(given),
            ConversationSettings.read(given),
            SpeechSettings.read(given),
            HearingSettings.read(given),
            VendorSettings.read(given),
            TuningSettings.read(given),
        )
        if faults := settings._conflicts():
            raise ConfigError(*faults)
        return settings

    @property
    def voices(self) -> tuple[str, ...]:
        """The chain of voices in order."""
        return self.speech.chain(self.vendors)

    @property
    def ears(self) -> tuple[str, ...]:
        """The chain of ears in order."""
        return self.hearing.chain(self.vendors)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must never be seen in a log, longest first so that none hides a part of another."""
        sections: tuple[Section, ...] = (
            self.server,
            self.safety,
            self.calls,
            self.fleet,
            self.conversation,
            self.vendors,
        )
        return tuple(sorted((s for section in sections for s in section.secrets()), key=len, reverse=True))

    def _conflicts(self) -> list[str]:
        return [
            *self.safety.faults(self.server),
            *self.speech.faults(self.vendors),
            *self.hearing.faults(self.vendors),
            *self.conversation.faults(),
            *self.money.faults(),
        ]


def _known() -> set[str]:
    return {name for section in SECTIONS for names, _, _ in section.variables() for name in names.split(", ")}


def _is_text(value: str) -> bool:
    """Whether it was UTF-8: other bytes of the environment stand in it as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in value)
