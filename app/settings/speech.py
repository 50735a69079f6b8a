"""Which voices speak, and how."""

import re
from typing import ClassVar, Literal

from pydantic import field_validator

from app.settings.section import Section, among, env, lower, split
from app.settings.vendors import VendorSettings

DEFAULT_VOICE = "21m00Tcm4TlvDq8ikWAM"  # a stock voice that every ElevenLabs account has
AUDIO_FORMAT = re.compile(r"(mp3_\d{5}_\d{2,3}|pcm_\d{4,5}|ulaw_8000)")
SPEECH_NAMES = ("elevenlabs", "cartesia", "inworld", "deepgram", "openai", "local")


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
    elevenlabs_transport: Literal["websocket", "multi-context", "http"] = env(
        "ELEVENLABS_TRANSPORT",
        default="websocket",
        doc="`websocket`: a socket a sentence; `multi-context`: one socket a call; `http`: the SDK",
    )
    inworld_voice_id: str = env("INWORLD_VOICE_ID", default="Dennis", doc="voice")
    inworld_model_id: str = env("INWORLD_MODEL_ID", default="inworld-tts-2", doc="model")
    inworld_timestamps: bool = env(
        "INWORLD_TIMESTAMPS",
        default=False,
        doc="1: ask for word times, for an exact hand-over in mid-sentence; English only, some 100 ms later",
    )
    cartesia_voice_id: str = env(
        "CARTESIA_VOICE_ID", default="f786b574-daa5-4673-aa0c-cbe3e8534c02", doc="voice"
    )
    cartesia_model_id: str = env("CARTESIA_MODEL_ID", default="sonic-3.5", doc="model")
    cartesia_language: str = env("CARTESIA_LANGUAGE", default="en", doc="ISO 639-1")
    cartesia_timestamps: bool = env(
        "CARTESIA_TIMESTAMPS",
        default=True,
        doc="0: no word times; the hand-over in mid-sentence is estimated",
    )
    deepgram_speech_model: str = env(
        "DEEPGRAM_SPEECH_MODEL", default="aura-2-thalia-en", doc="model, which is the voice too"
    )
    openai_speech_model: str = env(
        "OPENAI_SPEECH_MODEL", default="gpt-4o-mini-tts", doc="model; OpenAI ends it on 2027-01-06"
    )
    openai_speech_voice: str = env("OPENAI_SPEECH_VOICE", default="alloy", doc="voice")
    openai_speech_instructions: str = env(
        "OPENAI_SPEECH_INSTRUCTIONS", default="", doc="how it is to speak; models that can be told so only"
    )
    prepare_phrases: bool = env(
        "PREPARE_PHRASES",
        default=True,
        doc="0: the script's phrases are not rendered ahead, to be said at once",
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
