"""How soon the next voice is heard when one fails, and how fast voices speak.

The failing vendor is the stand-in for ElevenLabs on loopback, the next voice the embedded one; nothing else
runs. What a caller waits for is the first frame that the chain hands out.
"""

import asyncio
import statistics
from contextlib import aclosing

from app import clock
from app.log import configure
from app.speech.chain import Chain
from app.speech.elevenlabs import ElevenLabs
from app.speech.local import LocalSpeech
from tests.standins.elevenlabs import KEY, VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script

TEXT = "We are open from nine in the morning until half past five, and on Sundays from ten until noon."
OTHERS = (
    "Yes.",
    "Thank you for calling.",
    "Your appointment is on Tuesday the third of March at eleven o'clock.",
    "I am sorry, I did not understand that; would you please say it once more, perhaps a little slower?",
)
ROUNDS = 5
DEAD = {
    "never answers the handshake": Script(hang=True),
    "takes the text and is silent": Script(stall_after=0),
    "refuses: busy": Script(error="system_busy"),
    "refuses: no credit": Script(error="quota_exceeded"),
}


def main() -> None:
    configure(level="error", style="json")
    asyncio.run(_all())


async def _all() -> None:
    async with ElevenLabsStandin(delay_ms=(20, 30)) as vendor:
        print("first frame of the next voice, ms: closed breaker (median, worst), open breaker")
        for name, script in DEAD.items():
            vendor.scripts[VOICE] = script
            closed, opened = await _fall_back(vendor)
            worst = max(closed)
            print(f"  {name:34}{statistics.median(closed):9.0f} {worst:9.0f} {max(opened):9.0f}")
        await _in_mid_sentence(vendor)
    await _paces()


async def _fall_back(vendor: ElevenLabsStandin) -> tuple[list[float], list[float]]:
    """Milliseconds to the first frame while the breaker is closed, and when it is open."""
    closed: list[float] = []
    opened: list[float] = []
    for _ in range(ROUNDS):
        async with Chain([_elevenlabs(vendor), LocalSpeech(processes=1)]) as chain:
            for _ in range(6):
                state = chain.status()[0].breaker.value
                (closed if state == "closed" else opened).append(await _first_frame_ms(chain))
                if len(opened) % 2:
                    break
    return closed, opened


async def _in_mid_sentence(vendor: ElevenLabsStandin) -> None:
    """How long the caller's phone has nothing to play when a vendor stalls after two seconds of audio."""
    vendor.scripts[VOICE] = Script(stall_after=16_000)
    gaps: list[float] = []
    for _ in range(ROUNDS):
        async with Chain([_elevenlabs(vendor), LocalSpeech(processes=1)]) as chain:
            dry_at: float | None = None
            async with aclosing(chain.render(TEXT)) as frames:
                async for mulaw in frames:
                    if dry_at is not None and clock.now() - dry_at > 0:
                        gaps.append((clock.now() - dry_at) * 1000)
                    dry_at = max(dry_at or 0.0, clock.now()) + len(mulaw) / 8000
    print(f"stalled after 2 s of audio: gaps of more than 0 ms in {ROUNDS} sentences: {len(gaps)}")
    if gaps:
        print(f"  the longest {max(gaps):.0f} ms")


async def _paces() -> None:
    async with Chain([LocalSpeech(processes=1)]) as chain:
        for text in (TEXT, *OTHERS):
            async with aclosing(chain.render(text)) as frames:
                heard = sum([len(mulaw) async for mulaw in frames])
            print(f"  {heard / 8 / len(text):6.1f} ms a character, embedded voice, {len(text)} characters")
        print(f"  {chain.status()[0].ms_per_character:6.1f} ms a character, as the chain has learned it")


async def _first_frame_ms(chain: Chain) -> float:
    began = clock.now()
    async with aclosing(chain.render(TEXT)) as frames:
        await anext(frames)
        return (clock.now() - began) * 1000


def _elevenlabs(vendor: ElevenLabsStandin) -> ElevenLabs:
    return ElevenLabs(
        api_key=KEY,
        voice_id=VOICE,
        model_id="eleven_flash_v2_5",
        audio_format="ulaw_8000",
        base_url=vendor.url,
    )
