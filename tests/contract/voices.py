"""Every voice there is: how its vendor is stood up, how it is built, and what it is able to do."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from app.speech.cartesia import Cartesia
from app.speech.connection import Patience
from app.speech.deepgram import DeepgramSpeech
from app.speech.elevenlabs import ElevenLabs
from app.speech.elevenlabs_contexts import ElevenLabsContexts
from app.speech.elevenlabs_http import ElevenLabsHttp
from app.speech.inworld import Inworld
from app.speech.local import LocalSpeech
from app.speech.openai import OpenAiSpeech
from app.speech.port import Speech
from tests.standins import (
    cartesia,
    cartesia_script,
    deepgram_voice,
    elevenlabs,
    elevenlabs_script,
    inworld,
    openai_voice,
    voice_house,
)
from tests.standins.elevenlabs_multi import MultiVoice
from tests.standins.standin import SpeakingStandin
from tests.standins.voice_house import VoiceHouse

CALM = Patience(connect_s=20.0, first_audio_s=20.0, gap_s=20.0)
IMPATIENT = Patience(connect_s=0.4, first_audio_s=0.4, gap_s=0.3)
DOCUMENT = b'{"error": "out of credits, come back later"}' * 3
SOME = "aura-2-some-en"  # a voice, by a name that every vendor here takes
OTHER = "aura-2-other-en"
NOBODY = "nobody"
MODEL = "eleven_flash_v2_5"

Build = Callable[[Any, str, str, Patience], Speech]  # of the stand-in, the key, the voice and the patience


@dataclass(frozen=True)
class Fault:
    """What a vendor does wrong, and what that is to be called."""

    kind: str
    script: object = None
    voice: str = SOME


@dataclass(frozen=True)
class Voice:
    """One row of the table."""

    build: Build
    standin: Callable[..., SpeakingStandin] = SpeakingStandin
    key: str = ""
    faults: Mapping[str, Fault] = field(default_factory=dict)
    slow: object = None  # a script that generates for a while
    places: bool = False  # tells where it is in the text
    confirmed: bool = False  # and only when the audio of it has come
    too_many: str = "over_limit"  # how a generation more than the workspace is allowed is refused
    leaves: bool = False  # the vendor stops, or is told to, when a sentence is left

    @property
    def is_local(self) -> bool:
        return not self.key

    @asynccontextmanager
    async def opened(
        self,
        script: object = None,
        *,
        key: str = "",
        voice: str = SOME,
        patience: Patience = CALM,
        limit: int | None = None,
    ) -> AsyncIterator[tuple[Speech, Any]]:
        """The voice and its vendor, who says everything by the script."""
        async with self.standin(**({} if limit is None else {"limit": limit})) as vendor:
            follow(vendor, script)
            async with self.build(vendor, key or self.key, voice, patience) as speech:
                yield speech, vendor


def follow(vendor: Any, script: object) -> None:
    """From now on every sentence goes by the script; None: nothing goes wrong."""
    if isinstance(vendor, VoiceHouse):
        vendor.script = script or voice_house.Script()  # type: ignore[assignment]
    elif script is not None:
        vendor.scripts[SOME] = script
    elif hasattr(vendor, "scripts"):
        vendor.scripts.pop(SOME, None)


def running(vendor: Any) -> int:
    """Generations that the vendor is at."""
    number: int = (vendor.generations if isinstance(vendor, VoiceHouse) else vendor.slots).running
    return number


def peak(vendor: Any) -> int:
    """The most that it ever was at."""
    number: int = (vendor.generations if isinstance(vendor, VoiceHouse) else vendor.slots).peak
    return number


def left(vendor: Any) -> int:
    """Sentences whose end the vendor knows nobody waits for."""
    if isinstance(vendor, VoiceHouse):
        return vendor.generations.cancelled
    return sum(getattr(seen, "cancelled", False) or seen.gone for seen in vendor.seen)


def _built(kind: Callable[..., Speech], audio_format: str, **given: object) -> Build:
    return lambda vendor, key, voice, patience: kind(
        api_key=key,
        voice_id=voice,
        audio_format=audio_format,
        base_url=vendor.url,
        patience=patience,
        **given,
    )


def _deepgram(vendor: Any, key: str, voice: str, patience: Patience) -> Speech:
    return DeepgramSpeech(api_key=key, model=voice, base_url=vendor.url, patience=patience)


def _openai(vendor: Any, key: str, voice: str, patience: Patience) -> Speech:
    return OpenAiSpeech(api_key=key, voice=voice, base_url=vendor.base_url, patience=patience)


def _named(scripts: Mapping[str, object], *, too_many: str) -> dict[str, Fault]:
    kinds = {"stall": "timeout", "dead": "timeout", "hang": "timeout", "cut": "network", "500": "busy"}
    kinds |= {"silent": "garbage", "429": too_many}
    faults = {
        name: Fault(kind, scripts[f"fault-{name}"])
        for name, kind in kinds.items()
        if f"fault-{name}" in scripts
    }
    return faults | {"unknown voice": Fault("bad_request", voice=NOBODY)}


OF_ELEVENLABS = _named(elevenlabs_script.NAMED, too_many="busy") | {
    "document": Fault("garbage", elevenlabs_script.Script(body=DOCUMENT)),
}
OF_INWORLD = _named(inworld.NAMED, too_many="over_limit") | {
    "document": Fault("garbage", inworld.Script(body=DOCUMENT)),
}
OF_CARTESIA = _named(cartesia_script.NAMED, too_many="over_limit") | {
    "document": Fault("garbage", cartesia_script.Script(body=DOCUMENT)),
}
SLOW_HOUSE = voice_house.Script(gap_s=0.005)
OF_HOUSES = {
    "stall": Fault("timeout", voice_house.Script(stall_after=4004)),
    "dead": Fault("timeout", voice_house.Script(stall_after=0)),
    "cut": Fault("network", voice_house.Script(cut_after=4004)),
    "silent": Fault("garbage", voice_house.Script(silent=True)),
    "document": Fault("garbage", voice_house.Script(body=DOCUMENT)),
}


def _by_elevenlabs(kind: Callable[..., Speech], audio_format: str, *, places: bool) -> Voice:
    return Voice(
        _built(kind, audio_format, model_id=MODEL),
        lambda **given: elevenlabs.ElevenLabsStandin(delay_ms=(10, 20), **given),
        elevenlabs.KEY,
        OF_ELEVENLABS,
        slow=elevenlabs_script.Script(trickle=True),
        places=places,
    )


def _by_contexts(audio_format: str, *, places: bool) -> Voice:
    return Voice(
        _built(ElevenLabsContexts, audio_format, model_id=MODEL),
        MultiVoice,
        elevenlabs.KEY,
        OF_HOUSES,
        slow=SLOW_HOUSE,
        places=places,
    )


def _by_inworld(audio_format: str, *, aligned: bool) -> Voice:
    return Voice(
        _built(Inworld, audio_format, aligned=aligned),
        inworld.InworldStandin,
        inworld.KEY,
        OF_INWORLD,
        slow=inworld.Script(pause_s=0.1),
        places=aligned,
        confirmed=aligned,
        leaves=True,
    )


def _by_cartesia(audio_format: str, *, aligned: bool) -> Voice:
    return Voice(
        _built(Cartesia, audio_format, aligned=aligned),
        cartesia.CartesiaStandin,
        cartesia.KEY,
        OF_CARTESIA,
        slow=cartesia_script.Script(pause_s=0.02),
        places=aligned,
        confirmed=aligned,
        leaves=True,
    )


VOICES = {
    "local": Voice(lambda *_: LocalSpeech(processes=1)),
    "elevenlabs-socket-mp3": _by_elevenlabs(ElevenLabs, "mp3_44100_128", places=True),
    "elevenlabs-socket-pcm": _by_elevenlabs(ElevenLabs, "pcm_16000", places=True),
    "elevenlabs-socket-ulaw": _by_elevenlabs(ElevenLabs, "ulaw_8000", places=True),
    "elevenlabs-http-mp3": _by_elevenlabs(ElevenLabsHttp, "mp3_44100_128", places=False),
    "elevenlabs-http-ulaw": _by_elevenlabs(ElevenLabsHttp, "ulaw_8000", places=False),
    "elevenlabs-contexts-mp3": _by_contexts("mp3_44100_128", places=False),  # the stand-in times mu-law alone
    "elevenlabs-contexts-ulaw": _by_contexts("ulaw_8000", places=True),
    "inworld-ulaw": _by_inworld("ulaw_8000", aligned=False),
    "inworld-ulaw-words": _by_inworld("ulaw_8000", aligned=True),
    "inworld-pcm-words": _by_inworld("pcm_16000", aligned=True),
    "cartesia-ulaw": _by_cartesia("ulaw_8000", aligned=False),
    "cartesia-ulaw-words": _by_cartesia("ulaw_8000", aligned=True),
    "cartesia-pcm-words": _by_cartesia("pcm_16000", aligned=True),
    "deepgram": Voice(
        _deepgram, deepgram_voice.DeepgramVoice, deepgram_voice.KEY, OF_HOUSES, slow=SLOW_HOUSE, leaves=True
    ),
    "openai": Voice(
        _openai,
        openai_voice.OpenAiVoice,
        openai_voice.KEY,
        OF_HOUSES,
        slow=SLOW_HOUSE,
        too_many="busy",  # the vendor counts requests a minute, and what is at once does not matter
        leaves=True,
    ),
}
