"""Assembly: settings -> parts -> Starlette application. The only file that names vendors."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette

from app import clock
from app.audio.prompt import load_prompt
from app.calls.admission import Admission
from app.calls.call import Limits, Means, Script
from app.calls.ear_tick import EarTick
from app.calls.registry import Registry
from app.conversation.announcement import Announcement
from app.conversation.echo import Echo
from app.conversation.immediate import Immediate
from app.conversation.script import ScriptConversation
from app.conversation.script_file import DEFAULT, load_script
from app.conversation.script_model import Script as HotlineScript
from app.conversation.turn_port import BargeIn, TurnLimits
from app.hearing.chain import HearingChain
from app.hearing.ear import Ears
from app.hearing.port import Hearing
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.log import attach, configure, log
from app.observe.ring import Ring
from app.settings import Settings
from app.speech.chain import Chain
from app.speech.port import Speech
from app.web.app import Lifespan, create_app
from app.web.parts import Locks, Parts, Words
from app.web.voice import DEBUG_PATH

HOUSEKEEPING_S = 1.0  # seconds between looks for lapsed reservations
TEST_SENTENCE = (
    "This is the test sentence of the hotline. If you can hear every word of it clearly, "
    "the whole audio path works. One, two, three, four, five. Goodbye."
)


def build(environ: Mapping[str, str] | None = None) -> Starlette:
    """The application for `environ` (the process's own by default), with the event stream set up.

    Raises:
        ConfigError: naming every setting that cannot be used.
    """
    settings = Settings.load(os.environ if environ is None else environ)
    configure(
        level=settings.log_level,
        style=settings.log_format or ("console" if sys.stderr.isatty() else "json"),
        secrets=settings.secrets,
        show_pii=settings.log_pii,
    )
    return assemble(parts_of(settings))


def assemble(parts: Parts) -> Starlette:
    """The application around `parts`; nothing is opened before its lifespan begins."""
    return create_app(parts, _lifespan(parts))


def parts_of(settings: Settings) -> Parts:
    """The rooms, built and wired as the operator chose.

    Raises:
        ConfigError: a script or an audio file cannot be used.
    """
    script = load_script(Path(settings.hotline_script) if settings.hotline_script else DEFAULT)
    return Parts(
        locks=Locks(
            public_url=settings.public_url,
            twilio_tokens=tuple(token.get_secret_value() for token in settings.twilio_auth_tokens),
            account_sid=settings.twilio_account_sid,
            admin_tokens=tuple(token.get_secret_value() for token in settings.admin_token),
            trusts_this_machine=settings.trusts_this_machine,
        ),
        words=Words(busy=settings.busy_message, reject_when_full=settings.when_full == "reject"),
        means=_means(settings, script),
        admission=Admission(
            settings.max_calls, reservation_s=settings.reservation_s, token_s=settings.stream_token_s
        ),
        registry=Registry(),
        ring=Ring(),
        script_for=_scripts(settings, script),
        elevenlabs_configured=settings.elevenlabs_configured,
    )


def _elevenlabs(settings: Settings) -> Speech:
    if settings.elevenlabs_transport == "http":
        # Imported only when chosen: the SDK takes most of a second to import.
        from app.speech.elevenlabs_http import ElevenLabsHttp

        return ElevenLabsHttp(
            api_key=settings.elevenlabs_api_key.get_secret_value(),
            voice_id=settings.elevenlabs_voice_id,
            model_id=settings.elevenlabs_model_id,
            audio_format=settings.elevenlabs_output_format,
            base_url=settings.elevenlabs_base_url,
        )
    from app.speech.elevenlabs import ElevenLabs

    return ElevenLabs(
        api_key=settings.elevenlabs_api_key.get_secret_value(),
        voice_id=settings.elevenlabs_voice_id,
        model_id=settings.elevenlabs_model_id,
        audio_format=settings.elevenlabs_output_format,
        base_url=settings.elevenlabs_base_url,
        prewarm=settings.prewarm_pool_size,
    )


def _local(_settings: Settings) -> Speech:
    from app.speech.local import LocalSpeech

    return LocalSpeech()


def _elevenlabs_ears(settings: Settings, _phrases: Sequence[str]) -> Hearing:
    from app.hearing.elevenlabs import ElevenLabsHearing

    return ElevenLabsHearing(
        api_key=settings.elevenlabs_api_key.get_secret_value(),
        base_url=settings.elevenlabs_base_url,
        language=settings.hearing_language,
    )


def _deepgram_ears(settings: Settings, _phrases: Sequence[str]) -> Hearing:
    from app.hearing.deepgram import DeepgramHearing

    return DeepgramHearing(
        api_key=settings.deepgram_api_key.get_secret_value(),
        base_url=settings.deepgram_base_url,
        language=settings.hearing_language,
    )


def _local_ears(settings: Settings, phrases: Sequence[str]) -> Hearing:
    from app.hearing.local import LocalHearing

    return LocalHearing(phrases, sessions=settings.hearing_pool_size or None)


EARS: dict[str, Callable[[Settings, Sequence[str]], Hearing]] = {
    "elevenlabs": _elevenlabs_ears,
    "deepgram": _deepgram_ears,
    "local": _local_ears,
}
VOICES: dict[str, Callable[[Settings], Speech]] = {"elevenlabs": _elevenlabs, "local": _local}


def _means(settings: Settings, script: HotlineScript) -> Means:
    return Means(
        voice=Chain([VOICES[name](settings) for name in settings.voices]),
        ears=EarTick(Ears(VadBank(Silero.load()))),
        recognisers=HearingChain([EARS[name](settings, script.phrases()) for name in settings.ears]),
        limits=Limits(
            settings.session_timeout_ms / 1000,
            settings.playout_lead_ms / 1000,
            TurnLimits(silence_s=settings.silence_s, barge_in=BargeIn(settings.barge_in)),
        ),
        prompts={path: load_prompt(Path(path)) for path in script.prompts()},
        messages_in=Path(settings.data_dir) / "messages",
    )


def _scripts(settings: Settings, script: HotlineScript) -> Callable[[str], Script]:
    def script_for(path: str) -> Script:
        if path == DEBUG_PATH:
            announcement = Announcement(TEST_SENTENCE, then_hang_up=True)
            return Script(Immediate(announcement), listens=False)
        if settings.conversation == "echo":
            return Script(Immediate(Echo()))
        conversation = ScriptConversation(script, clock.wall(), greeting=settings.greeting)
        return Script(Immediate(conversation), script.phrases())

    return script_for


def _lifespan(parts: Parts) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        detach = attach(parts.ring.read)
        try:
            async with parts.voice, parts.recognisers, asyncio.TaskGroup() as group:
                work = [
                    group.create_task(part) for part in (_keep_house(parts.admission), parts.means.ears.run())
                ]
                _announce(parts)
                yield
                for task in work:
                    task.cancel()
            log.info("server.stopped")
        finally:
            detach()

    return lifespan


def _announce(parts: Parts) -> None:
    locks = parts.locks
    log.info(
        "server.started", public_url=locks.public_url, voices=parts.voice.names, ears=parts.recognisers.names
    )
    if not locks.twilio_tokens:
        log.warning(
            "server.unlocked",
            fault="TWILIO_AUTH_TOKEN is missing (verifies webhooks): only this machine can call",
        )


async def _keep_house(admission: Admission) -> None:
    while True:
        await asyncio.sleep(HOUSEKEEPING_S)
        for call_sid in admission.expire(clock.now()):
            log.warning("call.reservation_lapsed", call_sid=call_sid)
