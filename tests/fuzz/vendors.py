"""Everything a vendor may answer: whole chains of voices and ears, with garbage in place of the vendor."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from app.errors import ProviderError
from app.hearing.cloud import CloudHearing
from app.hearing.deepgram import DeepgramHearing
from app.hearing.elevenlabs import ElevenLabsHearing
from app.speech.cartesia import Cartesia
from app.speech.chain import Chain
from app.speech.deepgram import DeepgramSpeech
from app.speech.elevenlabs import ElevenLabs
from app.speech.elevenlabs_contexts import ElevenLabsContexts
from app.speech.inworld import Inworld
from app.speech.port import Speech
from tests.fuzz.rules import few_lines, rule
from tests.fuzz.virtual import played
from tests.fuzz.wire import asked, dialled

KEY = "sk_0123456789abcdef0123456789abcdef"
NOWHERE = "http://vendor.invalid"  # without TLS, whose set-up would take longer than all the rest
TEXT = "The train to Vienna leaves at ten past nine."
FRAME_BYTES = 160
LONGEST_S = 300.0  # virtual seconds until a sentence must be over, one way or the other
MOST_LINES = 40  # of one sentence or one session, however much is sent
# Bytes of mu-law for a byte of anything: MP3 at 8 kbit/s has 8, a WAV file of 1 kHz has 4.
MOST_EXPANSION = 10
MOST_ANSWERS = 6  # times that the chain may ask again


def elevenlabs_voice(given: bytes) -> None:
    """ElevenLabs' `stream-input` socket."""
    _say(given, "elevenlabs_socket", lambda: _elevenlabs(given))


def elevenlabs_contexts_voice(given: bytes) -> None:
    """ElevenLabs' `multi-stream-input` socket."""
    _say(
        given,
        "elevenlabs_multi",
        lambda: ElevenLabsContexts(
            api_key=KEY, voice_id="v", model_id="m", audio_format=_format(given), prewarm=1
        ),
    )


def deepgram_voice(given: bytes) -> None:
    """Deepgram's `speak` socket."""
    _say(given, "deepgram_socket", lambda: DeepgramSpeech(api_key=KEY))


def cartesia_voice(given: bytes) -> None:
    """Cartesia's socket."""
    _say(given, "cartesia_socket", lambda: Cartesia(api_key=KEY))


def inworld_voice(given: bytes) -> None:
    """Inworld's lines over HTTP."""

    async def ask() -> None:
        with asked(given):
            await _sentence(Inworld(api_key=KEY, aligned=True), given)

    played(ask)


def deepgram_ears(given: bytes) -> None:
    """Deepgram's `listen` socket."""
    _listen(given, lambda: DeepgramHearing(api_key=KEY, base_url=NOWHERE))


def elevenlabs_ears(given: bytes) -> None:
    """ElevenLabs' realtime scribe."""
    _listen(given, lambda: ElevenLabsHearing(api_key=KEY, base_url=NOWHERE), greets=True)


def _elevenlabs(given: bytes) -> ElevenLabs:
    return ElevenLabs(api_key=KEY, voice_id="v", model_id="m", audio_format=_format(given), prewarm=1)


def _format(given: bytes) -> str:
    return ("mp3_44100_128", "ulaw_8000", "pcm_16000")[given[0] % 3 if given else 0]


def _say(given: bytes, module: str, make: Callable[[], Speech]) -> None:
    async def ask() -> None:
        with dialled("app.speech.connection", given):
            await _sentence(make(), given)

    played(ask)


async def _sentence(speech: Speech, given: bytes) -> None:
    """One sentence of a call: whole frames or the vendor's failure, in bounded time, with few lines."""
    with few_lines(MOST_LINES):
        heard = 0
        try:
            async with asyncio.timeout(LONGEST_S), Chain([speech]) as chain:
                async with aclosing(chain.render(TEXT, call="CA1")) as frames:
                    async for mulaw in frames:
                        heard += len(mulaw)
                chain.forget("CA1")
        except ProviderError as error:
            rule(KEY[:12] not in str(error), "the key stands in an error")
    rule(heard % FRAME_BYTES == 0, f"{heard} bytes are no whole frames")
    most = MOST_ANSWERS * MOST_EXPANSION * (len(given) + 16_000)
    rule(heard <= most, f"{heard} bytes of audio out of {len(given)}")


def _listen(given: bytes, make: Callable[[], CloudHearing], *, greets: bool = False) -> None:
    async def session() -> None:
        with few_lines(MOST_LINES), dialled("app.hearing.link", given, greets=greets):
            try:
                async with asyncio.timeout(LONGEST_S), make() as ears, ears.listen(["yes"]) as listener:
                    for _ in range(2):
                        listener.begin_utterance()
                        listener.hear(b"\xff" * 4_000)
                        await asyncio.sleep(0.5)
                        listener.end_utterance()
                    due = 2
                    async for transcript in listener.transcripts():
                        due -= transcript.final
                        if not due:
                            break
            except ProviderError as error:
                rule(KEY[:12] not in str(error), "the key stands in an error")

    played(session)
