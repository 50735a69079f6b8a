"""Assembly: settings -> parts -> Starlette application."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from starlette.applications import Starlette

from app import clock
from app.audio import hold
from app.audio.prompt import load_prompt
from app.calls.admission import Admission
from app.calls.budget import PERIODS, Budget, Prices
from app.calls.drain import Drain
from app.calls.drain import Patience as DrainPatience
from app.calls.ear_tick import EarTick
from app.calls.load_gauge import gauge
from app.calls.means import Limits, Means
from app.calls.notes import Notes
from app.calls.registry import Registry
from app.calls.retention import Retention, keep_no_longer
from app.calls.seeing_off import see_off
from app.calls.shared_desk import SharedDesk
from app.calls.spending import Allowance
from app.calls.stall_watch import stall_watch
from app.calls.usher import Fetch, usher
from app.calls.vigil import Patience
from app.calls.welcome import Numbers, Welcome
from app.capacity.port import PermitStatus
from app.casting import Cast, cast
from app.conversation.turn_port import BargeIn, TurnLimits
from app.errors import ConfigError
from app.hearing.activity import Sensitivity
from app.hearing.chain import HearingChain
from app.hearing.ear import Ears, Tuning
from app.hearing.echo import Margins
from app.hearing.endpointing import Timing
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from app.log import Reader, attach, configure, log
from app.observe.money import Money
from app.observe.ring import Ring
from app.settings import Settings
from app.settings.money import limits
from app.settings.tuning import TuningSettings
from app.sharing import Shared, desk_of, share, strain_of
from app.speech.cache import SpeechCache
from app.speech.chain import Chain
from app.telephony.rest import Account
from app.vendors import EARS, VOICES
from app.web.app import Lifespan, create_app
from app.web.line_answers import QUEUE_PATH
from app.web.parts import Locks, Observers, Parts, Waiting, Words
from app.web.proxies import Proxies
from app.web.status import status_of

HOUSEKEEPING_S = 1.0  # seconds between looks for lapsed reservations


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
    answering = cast(settings)
    cache = SpeechCache(Path(settings.server.data_dir) / "speech")
    admission = Admission(settings.calls.max_calls, reservation_s=settings.calls.reservation_s)
    shared = share(settings, admission)
    means = _means(settings, answering, cache, shared)
    strain, money = strain_of(settings), _money(settings, shared)
    drain = Drain(DrainPatience(hand_over_s=settings.calls.hand_over_s, deadline_s=settings.calls.drain_s))
    desk = desk_of(settings, admission, shared, strain, means, drain, money.gate)
    together = [desk] if isinstance(desk, SharedDesk) else []
    return Parts(
        locks=_locks(settings),
        words=_words(settings),
        means=means,
        desk=desk,
        tokens=shared.tokens,
        strain=strain,
        waiting=_waiting(settings),
        registry=Registry(),
        ring=Ring(),
        retention=Retention(Path(settings.server.data_dir), settings.safety.retention_days),
        script_for=answering.script_for,
        elevenlabs_configured=settings.vendors.has_key("elevenlabs"),
        account=_account(settings),
        opened=(*shared.opened, *together, *answering.opened, cache, money),
        money=money,
        ready=(*answering.ready, *settings.conversation.fillers) if settings.speech.prepare_phrases else (),
        speech_input_max=settings.speech.speech_input_max,
        shows_words=settings.server.log_pii,
        observers=Observers(
            settings.server.alarm_webhook_url.get_secret_value(), settings.safety.outbound_allow
        ),
        drain=drain,
        fleet=shared.fleet,
        events=shared.events,
        patience=shared.patience,
    )


def _locks(settings: Settings) -> Locks:
    return Locks(
        public_url=settings.server.public_url,
        twilio_tokens=tuple(token.get_secret_value() for token in settings.calls.twilio_auth_tokens),
        account_sid=settings.calls.twilio_account_sid,
        admin_tokens=tuple(token.get_secret_value() for token in settings.server.admin_token),
        trusts_this_machine=settings.server.trusts_this_machine,
        view_tokens=tuple(token.get_secret_value() for token in settings.safety.view_token),
        proxies=Proxies(settings.safety.proxies, header=settings.safety.proxy_header),
        unlogged=Numbers.of(settings.safety.unlogged),
    )


def _words(settings: Settings) -> Words:
    return Words(
        busy=settings.calls.busy_message,
        reject_when_full=settings.calls.when_full == "reject",
        closed=settings.money.closed_message,
        limit=settings.money.limit_message,
    )


def _money(settings: Settings, shared: Shared) -> Money:
    chosen = settings.money
    day, month = chosen.budgets
    allowance = Allowance(
        per_number=limits(chosen.per_number),
        withheld=limits(chosen.withheld),
        per_called=limits(chosen.per_called),
        overall=limits(chosen.overall),
        budget=Budget(chosen.currency, day, month),
    )
    return Money(
        allowance,
        Prices(chosen.minute, chosen.characters),
        welcome=Welcome(Numbers.of(chosen.allow), Numbers.of(chosen.deny)),
        folder=Path(settings.server.data_dir),
        closed=chosen.closed,
        others=shared.spending,
        switch=shared.switch,
    )


def _waiting(settings: Settings) -> Waiting:
    if settings.calls.when_full != "queue":
        return Waiting()
    chosen = settings.admission
    audio = load_prompt(Path(chosen.hold_audio)) if chosen.hold_audio else hold.shipped()
    offers = chosen.offers if settings.safety.retention_days else ()
    brief = hold.pieces(audio, hold.BRIEF_S)
    return Waiting(hold.pieces(audio), brief, offers, Notes(Path(settings.server.data_dir)))


def _fetch(parts: Parts) -> Fetch | None:
    account = parts.account
    if account is None:
        return None
    url = f"{parts.locks.public_url}{QUEUE_PATH}?fetched=1"
    return lambda call_sid: account.redirect(call_sid, url)


def _tuning(tuning: TuningSettings) -> Tuning:
    try:
        return Tuning(
            Timing(**tuning.of("timing")),
            Sensitivity(**tuning.of("sensitivity")),
            Margins(**tuning.of("margins")),
        )
    except ValueError as error:
        raise ConfigError(f"{error} (fine tuning of the ears: docs/settings.md)") from None


def _account(settings: Settings) -> Account | None:
    calls = settings.calls
    if not (calls.twilio_account_sid and calls.twilio_auth_tokens):
        return None
    token = calls.twilio_auth_tokens[0].get_secret_value()
    return Account(calls.twilio_account_sid, token, base_url=calls.twilio_base_url)


def _means(settings: Settings, answering: Cast, cache: SpeechCache, shared: Shared) -> Means:
    talk = settings.conversation
    return Means(
        voice=Chain(
            [VOICES[name](settings) for name in settings.voices],
            permits=shared.permits,
            cache=cache,
        ),
        ears=EarTick(Ears(VadBank(Silero.load()), _tuning(settings.tuning))),
        recognisers=HearingChain(
            [EARS[name](settings, answering.phrases, answering.dictation) for name in settings.ears]
        ),
        limits=Limits(
            settings.calls.session_timeout_ms / 1000,
            settings.calls.playout_lead_ms / 1000,
            TurnLimits(
                silence_s=talk.silence_s,
                false_start_s=talk.false_start_ms / 1000,
                transcript_s=talk.transcript_ms / 1000,
                noise_up_to_ms=talk.noise_up_to_ms,
                filler_after_s=talk.filler_after_ms / 1000,
                message_silence_s=talk.message_silence_s,
                barge_in=BargeIn(talk.barge_in),
                least_words=talk.barge_in_words,
                fillers=talk.fillers,
            ),
            Patience(settings.calls.first_media_s, settings.calls.media_silence_s),
        ),
        prompts={path: load_prompt(Path(path)) for path in answering.prompts},
        messages_in=Path(settings.server.data_dir) / "messages" if settings.safety.retention_days else None,
        records=shared.records,
        replica=settings.server.replica,
    )


def _lifespan(parts: Parts) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Parts]]:
        async with AsyncExitStack() as stack:
            for read in (parts.ring.read, *parts.observers.readers(), *_shared_readers(parts)):
                stack.callback(attach(read))
            if parts.fleet is not None:
                parts.fleet.describe = lambda: status_of(parts)
            for part in (*parts.opened, *([parts.account] if parts.account else [])):
                await stack.enter_async_context(part)
            await stack.enter_async_context(parts.voice)
            parts.voice.prepare(parts.ready)
            await stack.enter_async_context(parts.recognisers)
            parts.observers.metrics.show_permits(lambda: _permits(parts))
            await stack.enter_async_context(stall_watch())
            for period in PERIODS:
                show = partial(parts.money.purse.spent, period)
                parts.observers.metrics.show(f"spent_{period}", f"Money spent in this {period}", show)
            async with asyncio.TaskGroup() as group:
                leaving = see_off(parts.drain, parts.registry)
                house = _keep_house(parts.admission)
                running = (
                    house,
                    leaving,
                    parts.means.ears.run(),
                    usher(parts.desk, _fetch(parts)),
                    gauge(parts.strain),
                    keep_no_longer(
                        parts.retention,
                        parts.ring.forget_before,
                        parts.account.delete_recording if parts.account is not None else None,
                    ),
                    *parts.observers.work(),
                )
                work = [group.create_task(part) for part in running]
                _announce(parts)
                yield {"parts": parts}
                for task in work:
                    task.cancel()
            log.info("server.stopped")

    return lifespan


def _shared_readers(parts: Parts) -> list[Reader]:
    return [parts.events.read] if parts.events is not None else []


def _permits(parts: Parts) -> dict[str, PermitStatus]:
    return {voice.name: voice.permits for voice in parts.voice.status() if voice.permits is not None}


def _announce(parts: Parts) -> None:
    locks = parts.locks
    log.info(
        "server.started", public_url=locks.public_url, voices=parts.voice.names, ears=parts.recognisers.names
    )
    if not locks.trusts_this_machine and not locks.admin_tokens:
        log.warning(
            "server.operators_locked_out",
            fault="ADMIN_TOKEN is missing and HOST is public: operator paths stay closed",
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
