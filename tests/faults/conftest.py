"""A chain of voices over real sockets, each against a stand-in whose audio spells the text it was given."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from app.capacity.port import Permits
from app.errors import ProviderError
from app.speech.budgets import Budgets
from app.speech.chain import Chain
from app.speech.connection import Patience
from app.speech.elevenlabs import ElevenLabs
from app.speech.elevenlabs_http import ElevenLabsHttp
from app.speech.port import Speech
from app.speech.voice import VoiceStatus
from tests.standins.elevenlabs import KEY, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script, Seen
from tests.standins.spelled import SpelledBank

TEXT = "The night train to Vienna leaves at ten past nine from platform four, and it is on time."
# Enough for a machine that is busy with other things; what a test must wait for is hurried below.
USUAL = Budgets(connect_s=5.0, first_byte_s=5.0, gap_s=5.0, permit_wait_s=10.0, turn_s=20.0)
AT_THE_START = Budgets(connect_s=0.2, first_byte_s=0.3, permit_wait_s=0.3, turn_s=0.3)
IN_MID_SENTENCE = Budgets(connect_s=5.0, first_byte_s=5.0, gap_s=0.5, turn_s=0.3)
NEVER = Patience(connect_s=60.0, first_audio_s=60.0, gap_s=60.0)  # the vendor's own: the chain shall notice


@dataclass
class Scene:
    """The chain, and who is behind it."""

    chain: Chain
    vendor: ElevenLabsStandin

    def behaves(self, voice: str, script: Script) -> None:
        self.vendor.scripts[voice] = script

    def asked(self, voice: str) -> list[Seen]:
        """The generations of one voice."""
        return [seen for seen in self.vendor.seen if seen.voice == voice and seen.texts]

    def status(self, voice: str) -> VoiceStatus:
        return next(status for status in self.chain.status() if status.name == voice)

    async def hear(self, text: str = TEXT) -> bytes:
        async with aclosing(self.chain.render(text)) as frames:
            return b"".join([frame async for frame in frames])

    async def hear_until_failure(self, text: str = TEXT) -> tuple[bytes, ProviderError | None]:
        heard = b""
        try:
            async with aclosing(self.chain.render(text)) as frames:
                async for frame in frames:
                    heard += frame
        except ProviderError as error:
            return heard, error
        return heard, None

    async def settled(self) -> None:
        """Until every socket and generation is gone at the vendor."""
        async with asyncio.timeout(10):
            while self.vendor.open_sockets or self.vendor.slots.running:  # noqa: ASYNC110 - it does not signal
                await asyncio.sleep(0.01)


def voice_of(
    vendor: ElevenLabsStandin,
    name: str,
    *,
    transport: str = "websocket",
    key: str = KEY,
    audio_format: str = "ulaw_8000",
    prewarm: int = 0,
) -> Speech:
    """A voice of the stand-in called as the chain knows it."""
    voice: ElevenLabs | ElevenLabsHttp
    if transport == "http":
        voice = ElevenLabsHttp(
            api_key=key,
            voice_id=name,
            model_id="eleven_flash_v2_5",
            audio_format=audio_format,
            base_url=vendor.url,
            patience=NEVER,
        )
    else:
        voice = ElevenLabs(
            api_key=key,
            voice_id=name,
            model_id="eleven_flash_v2_5",
            audio_format=audio_format,
            base_url=vendor.url,
            prewarm=prewarm,
            patience=NEVER,
        )
    voice.name = name
    return voice


@asynccontextmanager
async def scene(
    *scripts: Script,
    limits: Budgets = USUAL,
    permits: Mapping[str, Permits] | None = None,
    limit: int | None = None,
    idle_s: float | None = None,
    **options: str | int,
) -> AsyncIterator[Scene]:
    """Voices `first`, `second`, ... that behave so, over the same vendor; `options` are of the first."""
    bank = SpelledBank()
    async with ElevenLabsStandin(
        delay_ms=(5, 10), limit=limit, queue_ms=5, idle_s=idle_s, bank=bank
    ) as vendor:
        names = ("first", "second", "third")[: len(scripts)]
        vendor.scripts.update(zip(names, scripts, strict=True))
        voices = [
            voice_of(vendor, name, **(options if name == "first" else {}))  # type: ignore[arg-type]
            for name in names
        ]
        slower = {"second": USUAL, "third": USUAL}
        async with Chain(voices, limits=limits, permits=permits, slower=slower) as chain:
            yield Scene(chain, vendor)
