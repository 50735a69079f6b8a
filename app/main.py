"""Assembly: settings -> parts -> Starlette application."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
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
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.log import attach, configure, log
from app.observe.ring import Ring
from app.settings import Settings
from app.speech.chain import Chain
from app.vendors import EARS, VOICES
from app.web.app import Lifespan, create_app
from app.web.parts import Locks, Observers, Parts, Words
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
        level=settings.server.log_level,
        style=settings.server.log_format or ("console" if sys.stderr.isatty() else "json"),
        secrets=settings.secrets,
        show_pii=settings.server.log_pii,
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
    script = load_script(
        Path(settings.conversation.hotline_script) if settings.conversation.hotline_script else DEFAULT
    )
    return Parts(
        locks=Locks(
            public_url=settings.server.public_url,
            twilio_tokens=tuple(token.get_secret_value() for token in settings.calls.twilio_auth_tokens),
            account_sid=settings.calls.twilio_account_sid,
            admin_tokens=tuple(token.get_secret_value() for token in settings.server.admin_token),
            trusts_this_machine=settings.server.trusts_this_machine,
        ),
        words=Words(busy=settings.calls.busy_message, reject_when_full=settings.calls.when_full == "reject"),
        means=_means(settings, script),
        admission=Admission(
            settings.calls.max_calls,
            reservation_s=settings.calls.reservation_s,
            token_s=settings.calls.stream_token_s,
        ),
        registry=Registry(),
        ring=Ring(),
        script_for=_scripts(settings, script),
        elevenlabs_configured=settings.vendors.has_key("elevenlabs"),
        speech_input_max=settings.speech.speech_input_max,
        observers=Observers(settings.server.alarm_webhook_url.get_secret_value()),
    )


def _means(settings: Settings, script: HotlineScript) -> Means:
    return Means(
        voice=Chain([VOICES[name](settings) for name in settings.voices]),
        ears=EarTick(Ears(VadBank(Silero.load()))),
        recognisers=HearingChain([EARS[name](settings, script.phrases()) for name in settings.ears]),
        limits=Limits(
            settings.calls.session_timeout_ms / 1000,
            settings.calls.playout_lead_ms / 1000,
            TurnLimits(
                silence_s=settings.conversation.silence_s, barge_in=BargeIn(settings.conversation.barge_in)
            ),
        ),
        prompts={path: load_prompt(Path(path)) for path in script.prompts()},
        messages_in=Path(settings.server.data_dir) / "messages",
    )


def _scripts(settings: Settings, script: HotlineScript) -> Callable[[str], Script]:
    def script_for(path: str) -> Script:
        if path == DEBUG_PATH:
            announcement = Announcement(TEST_SENTENCE, then_hang_up=True)
            return Script(Immediate(announcement), listens=False)
        if settings.conversation.conversation == "echo":
            return Script(Immediate(Echo()))
        conversation = ScriptConversation(script, clock.wall(), greeting=settings.conversation.greeting)
        return Script(Immediate(conversation), script.phrases())

    return script_for


def _lifespan(parts: Parts) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        with ExitStack() as attached:
            for read in (parts.ring.read, *parts.observers.readers()):
                attached.callback(attach(read))
            async with parts.voice, parts.recognisers, asyncio.TaskGroup() as group:
                running = (_keep_house(parts.admission), parts.means.ears.run(), *parts.observers.work())
                work = [group.create_task(part) for part in running]
                _announce(parts)
                yield
                for task in work:
                    task.cancel()
            log.info("server.stopped")

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
