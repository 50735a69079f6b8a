"""One provider as the chain sees it: with its breaker, its permits, its pace, and how it has done."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field

from app import clock
from app.capacity.breaker import Breaker, State
from app.capacity.port import Permits, PermitStatus, Rank
from app.errors import AtCapacity, Failure, ProviderError
from app.log import log
from app.speech.background import Background
from app.speech.budgets import Budgets
from app.speech.port import Speech, Spoken
from app.speech.progress import Pace, Progress
from app.speech.render import Order, render_aligned
from app.speech.retry import RULES, asking
from app.speech.telling import Telling
from app.speech.words import is_said

# Seconds that a permit is kept when a sentence is left in its midst: a vendor does not see at once that
# nobody listens any more, and its slot is in use for as long. Whoever came in its place would be refused.
LEFT_S = 0.3
KEY_TRUSTED_S = 600.0  # a key that was accepted so recently is not believed to be wrong


class NoPermit(ProviderError):
    """We asked ourselves, and the line was too long: nothing is the vendor's fault."""


@dataclass(slots=True)
class Record:
    """How one provider has done since the start."""

    sentences: int = 0
    failures: int = 0
    last_failure: Failure | None = None
    is_failing: bool = False
    worked_at: float | None = None
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class VoiceStatus:
    """One provider, for the operator."""

    name: str
    breaker: State
    opens_in_s: float
    sentences: int
    failures: int
    last_failure: Failure | None
    ms_per_character: float
    permits: PermitStatus | None
    """None where nothing is counted."""


class Voice:
    """Asked for a sentence it speaks what it can of it, and keeps its own record."""

    def __init__(
        self,
        speech: Speech,
        permits: Permits | None,
        limits: Budgets,
        *,
        opened: Callable[["Voice"], None],
        background: Callable[[], Background],
    ) -> None:
        """`opened` is told when the breaker has opened; `background` does what nobody waits for."""
        self.speech = speech
        self.breaker = Breaker()
        self.record = Record()
        self._permits = permits
        self._limits = limits
        self._opened = opened
        self._background = background

    @property
    def name(self) -> str:
        return self.speech.name

    def status(self) -> VoiceStatus:
        now, record = clock.now(), self.record
        return VoiceStatus(
            name=self.name,
            breaker=self.breaker.state(now),
            opens_in_s=round(self.breaker.opens_in(now), 1),
            sentences=record.sentences,
            failures=record.failures,
            last_failure=record.last_failure,
            ms_per_character=round(record.pace.ms_per_character, 1),
            permits=self._permits.status() if self._permits is not None else None,
        )

    async def tell(self, telling: Telling, *, is_last: bool) -> None:
        """Say what is left of the sentence, asking again where that can help and there is time.

        Raises:
            ProviderError: `telling.rest` is for somebody else to say.
        """
        limits, rank = self._limits, telling.rank
        patience = limits.last_voice if is_last else 1.0
        wait_s = limits.last_permit_wait_s if is_last else limits.permit_wait_s
        if rank is Rank.BATCH:
            wait_s = limits.batch_wait_s
        in_line_until = clock.now() + wait_s

        def quiet_until() -> float:
            return telling.dry_at + limits.turn_s * patience

        def may_ask_again(error: ProviderError, pause_s: float) -> bool:
            then = clock.now() + pause_s
            if error.kind is Failure.OVER_LIMIT:
                return then < in_line_until and not isinstance(error, NoPermit)
            return then + limits.first_byte_s <= quiet_until()

        probes = self.breaker.state(clock.now()) is State.HALF_OPEN
        try:
            async for attempt in asking(may_ask_again):
                with attempt:
                    start_s = limits.start_s(is_last=is_last)
                    if attempt.retry_state.attempt_number > 1:
                        start_s = max(limits.first_byte_s, min(start_s, quiet_until() - clock.now()))
                    async with self._permitted(rank, in_line_until - clock.now()) as waited_s:
                        await self._speak(telling, start_s, waited_s)
        finally:
            if probes:
                self.breaker.left()

    @asynccontextmanager
    async def _permitted(self, rank: Rank, wait_s: float) -> AsyncIterator[float]:
        """Hold a permit, if they are counted; yields the seconds waited for it."""
        if self._permits is None:
            yield 0.0
            return
        async with AsyncExitStack() as held:
            try:
                permit = self._permits.permit(rank, wait_s=max(0.0, wait_s))
                granted = await held.enter_async_context(permit)
            except AtCapacity as error:
                log.info(
                    "speech.permit_refused", provider=self.name, rank=rank.name.lower(), reason=str(error)
                )
                raise NoPermit(self.name, Failure.OVER_LIMIT, "no permit in time") from error
            try:
                yield granted.waited_s
            except (asyncio.CancelledError, GeneratorExit):
                background = self._background()
                if background.running:
                    background.start(_linger(held.pop_all()))
                raise

    async def _speak(self, telling: Telling, start_s: float, waited_s: float) -> None:
        limits, text = self._limits, telling.rest
        order = Order(text, telling.call, waited_s, start_s, limits.gap_s, limits.sentence_s)
        progress = Progress(text, self.speech.aligned, self.record.pace.ms_per_character)
        telling.go_on()
        try:
            async with aclosing(render_aligned(self.speech, order, judge=self._judge)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Spoken):
                        telling.spoken(piece)
                        mulaw = progress.spoken(piece)
                    else:
                        mulaw = progress.made(piece)
                        self.record.worked_at = clock.now()
                    await telling.hand(mulaw, self.name)
            await telling.hand(progress.finish(), self.name)
        except ProviderError as error:
            cut = progress.cut()
            await telling.hand(cut.mulaw, self.name)
            telling.rest = cut.rest
            self._failed(error, begun=progress.heard_ms > 0)
            if is_said(cut.rest):
                raise
            return  # all of it was said, and only the end was not told
        self._succeeded()
        telling.rest = ""
        self.record.pace.learn(text, progress.heard_ms)

    def _judge(self, error: ProviderError) -> ProviderError:
        """A key that worked minutes ago is refused: vendors say so too when they are asked for too much."""
        worked_at = self.record.worked_at
        if error.kind is not Failure.AUTH or worked_at is None or clock.now() - worked_at > KEY_TRUSTED_S:
            return error
        log.error("provider.key_doubted", provider=self.name, worked_s_ago=round(clock.now() - worked_at, 1))
        return ProviderError(
            error.provider, Failure.AUTH_SUSPECT, error.message, retry_after_s=error.retry_after_s
        )

    def _succeeded(self) -> None:
        self.record.sentences += 1
        self.record.is_failing = False
        self.breaker.succeeded()
        self._hear_of_limits()

    def _failed(self, error: ProviderError, *, begun: bool) -> None:
        record, rule = self.record, RULES[error.kind]
        is_stale = error.kind is Failure.CLOSED and not begun  # the session was over before it was asked
        record.failures += 1
        record.last_failure = error.kind
        record.is_failing = True
        if error.kind is Failure.OVER_LIMIT and self._permits is not None:
            self._permits.vendor_refused()
        self._hear_of_limits()
        if not rule.counts or is_stale:
            return
        if self.breaker.failed(clock.now(), for_good=rule.for_good, retry_after_s=error.retry_after_s):
            log.warning("provider.breaker_opened", provider=self.name, kind=error.kind.value)
            self._opened(self)

    def _hear_of_limits(self) -> None:
        if self._permits is not None:
            self._permits.vendor_allows(self.speech.maximum_concurrent)


async def _linger(held: AsyncExitStack) -> None:
    async with held:
        await asyncio.sleep(LEFT_S)
