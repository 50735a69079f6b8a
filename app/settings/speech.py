"""Which voices speak, and how."""

import re
from typing import ClassVar, Literal

from pydantic import field_validator

from app.settings.section import Section, among, env, lower, split
from app.settings.vendors import VendorSettings

DEFAULT_VOICE = "21m00Tcm4TlvDq8ikWAM"  # a stock voice that every ElevenLabs account has
AUDIO_FORMAT = re.compile(r"(mp3_\d{5}_\d{2,3}|pcm_\d{4,5}|ulaw_8000)")
SPEECH_NAMES = ("elevenlabs", "local")


class SpeechSettings(Section):
    """What callers hear."""

    title: ClassVar[str] = "Voices"

    speech_providers: tuple[str, ...] = env(
        "SPEECH_PROVIDERS", default=(), doc="chain of voices in order; default: what has a key, then local"
    )
    elevenlabs_voice_id: str = env("ELEVENLABS_VOICE_ID", default=DEFAULT_VOICE, doc="voice")
    elevenlabs_model_id: str = env("ELEVENLABS_MODEL_ID", default="eleven_flash_v2_5", doc="model")
    elevenlabs_output_format: str = env(
        "ELEVENLABS_OUTPUT_FORMAT",
        default="mp3_44100_128",
        doc="any mp3_*, pcm_* or ulaw_8000 (passed through untouched)",
    )
    elevenlabs_transport: Literal["websocket", "http"] = env(
        "ELEVENLABS_TRANSPORT", default="websocket", doc="stream-input socket, or HTTP streaming by the SDK"
    )
    prewarm_pool_size: int = env(
        "PREWARM_POOL_SIZE", default=3, ge=0, le=100, doc="provider sockets kept ready"
    )
    speech_input_max: int = env(
        "SPEECH_INPUT_MAX",
        default=50_000,
        ge=1,
        le=1_000_000,
        doc="characters of one request to /v1/audio/speech; OpenAI's own limit is 4096",
    )

    _split = field_validator("speech_providers", mode="before")(split)
    _lower = field_validator("elevenlabs_transport", mode="before")(lower)

    @field_validator("speech_providers")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return among(names, SPEECH_NAMES)

    @field_validator("elevenlabs_output_format")
    @classmethod
    def _playable(cls, name: str) -> str:
        if not AUDIO_FORMAT.fullmatch(name):
            raise ValueError("expected mp3_<rate>_<kbit>, pcm_<rate> or ulaw_8000")
        return name

    def chain(self, vendors: VendorSettings) -> tuple[str, ...]:
        """The voices in order: as chosen, else what has a key, then the embedded one."""
        return self.speech_providers or tuple(name for name in SPEECH_NAMES if vendors.has_key(name))

    def faults(self, vendors: VendorSettings) -> list[str]:
        """What was chosen and cannot be used without a key."""
        return [
            f"{name.upper()}_API_KEY is missing (SPEECH_PROVIDERS names {name})"
            for name in self.speech_providers
            if not vendors.has_key(name)
        ]
