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
from app.settings.hearing import HearingSettings
from app.settings.money import MoneySettings
from app.settings.section import Section
from app.settings.server import ServerSettings
from app.settings.speech import SpeechSettings
from app.settings.tuning import TuningSettings
from app.settings.vendors import VendorSettings

SECTIONS: tuple[type[Section], ...] = (
    ServerSettings,
    CallSettings,
    AdmissionSettings,
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
    calls: CallSettings
    admission: AdmissionSettings
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
        given: dict[str, object] = {name: value.strip() for name, value in environ.items() if value.strip()}
        if "RAILWAY_PUBLIC_DOMAIN" in given:
            given.setdefault("PUBLIC_URL", f"https://{given['RAILWAY_PUBLIC_DOMAIN']}")
        given.setdefault("PUBLIC_URL", f"http://localhost:{given.get('PORT', 8000)}")
        faults: list[str] = []
        for section in SECTIONS:
            try:
                section.read(given)
            except ConfigError as error:
                faults += error.faults
        if faults:
            raise ConfigError(*faults)
        settings = cls(
            ServerSettings.read(given),
            CallSettings.read(given),
            AdmissionSettings.read(given),
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
        sections: tuple[Section, ...] = (self.server, self.calls, self.conversation, self.vendors)
        return tuple(sorted((s for section in sections for s in section.secrets()), key=len, reverse=True))

    def _conflicts(self) -> list[str]:
        return [
            *self.speech.faults(self.vendors),
            *self.hearing.faults(self.vendors),
            *self.conversation.faults(),
            *self.money.faults(),
        ]
