"""The desk of a fleet: slots and line are in the store, and whichever replica is asked decides alike.

Each decision is made over the newest view of the store, and then holds only if the store, at once, finds it
true. While the store is away every replica decides over its own calls and a line of its own; callers bring
their place in it along, and it is the fleet's again when the store is back.
"""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from typing import Self

from app import clock
from app.calls.admission import SET_ASIDE_S, Admission
from app.calls.desk import Left, LocalDesk
from app.calls.desk_ledger import DeskLedger, Kept
from app.calls.fleet_view import FleetView, numbers_of
from app.calls.reception import Caller, Gate, LetIn, No, Policy, Reception, TurnAway, Verdict, Wait
from app.calls.shares import WITHHELD, group_of
from app.calls.waiting import Waiter
from app.capacity.store import Store, StoreAway
from app.errors import AtCapacity

ASSERT_S = 1.0  # seconds between two assertions of what is held here; a slot outlives five of them
LOOK_S = 0.2  # seconds between two looks while somebody waits
LIVE_MS = 5000  # of a slot whose call is here
AGAIN_WITHIN_MS = 30_000  # until a caller in line must ask again, before the answer is made that tells
OVERFLOW = 2  # times MAX_CALLS: what one replica takes when a balancer spreads the fleet's calls unevenly
JUST_COME_S = 1.0
ATTEMPTS = 3  # decisions on one question; somebody else was quicker each time
HIDDEN = "#"  # begins what stands for a number
MOST_ENDED = 5000  # streams that have ended while the store was away; it forgets them by itself


@dataclass(frozen=True, slots=True)
class House:
    """What the operator chose, for a fleet."""

    policy: Callable[[int], Policy]
    """By how many calls the fleet takes."""
    max_waiting: int
    """0: there is no line."""
    reservation_s: float
    secret: bytes = b""
    """Hides callers' numbers in the store; the same on all replicas."""


class SharedDesk:
    """Entered once for the life of the process, after the store.

    Args:
        store: of the fleet.
        replica: this server's name.
        local: decides while the store is away, and counts what is here at all times.
    """

    def __init__(self, store: Store, replica: str, local: LocalDesk, house: House) -> None:
        self._ledger = DeskLedger(store, replica)
        self._local = local
        self._house = house
        self._view = FleetView(house.policy, house.max_waiting, local.reception.scarce)
        self._ended: OrderedDict[str, int] = OrderedDict()
        self._bell = asyncio.Event()
        self._life = AsyncExitStack()

    async def __aenter__(self) -> Self:
        with suppress(StoreAway):
            await self._assert(returning=True)
        self._ledger.store.join(self)
        self._life.callback(self._ledger.store.leave, self)
        group = await self._life.enter_async_context(asyncio.TaskGroup())
        self._life.callback(group.create_task(self._run()).cancel)
        return self

    async def __aexit__(self, *exc: object) -> None:
        with suppress(StoreAway):
            await self._tell_ended()
            await self._ledger.sync(0, "")  # its calls go on elsewhere, its room does not
        await self._life.aclose()

    @property
    def reception(self) -> Reception:
        return self._view.reception if self._decides_together else self._local.reception

    @property
    def admission(self) -> Admission:
        return self._local.admission

    async def receive(self, caller: Caller, *, waited_s: float = 0.0, fetched: bool = False) -> Verdict:
        gate = _Once(self._local.reception.gate, caller)
        try:
            for attempt in range(1, ATTEMPTS + 1):
                await self._look()
                if self._view.settling:
                    break
                if attempt == ATTEMPTS:
                    self._view.fill()  # others are quicker: a place in line is certain
                verdict = await self._decide(self._hidden(caller), waited_s, fetched, gate)
                if verdict is not None:
                    self._local.pass_on(caller.call_sid)  # they may have stood in the line of an absence
                    return verdict
        except StoreAway:
            pass
        return await self._local.receive(caller, waited_s=waited_s, fetched=fetched, gate=gate)

    async def expect(self, call_sid: str, within_s: float) -> None:
        await self._local.expect(call_sid, within_s)
        with suppress(StoreAway):
            await self._ledger.expect(call_sid, round(1000 * within_s))

    async def leave(self, call_sid: str) -> Left:
        here = await self._local.leave(call_sid)
        try:
            there = Left(await self._ledger.leave(call_sid))
        except StoreAway:
            return here
        return here if here is Left.NOW else there

    def pass_on(self, call_sid: str) -> None:
        """Their place is the fleet's, but for one given here while the store was away."""
        self._local.pass_on(call_sid)

    async def take(self, call_sid: str, *, again: bool = False) -> None:
        if not call_sid:
            return
        try:
            hold_ms = round(1000 * self._house.reservation_s)
            answer = await self._ledger.enter(call_sid, "", hold_ms, again=True)
        except StoreAway:
            answer = "settling"
        if answer == "settling":
            await self._local.take(call_sid, again=again)
        elif answer != "in":
            raise AtCapacity(f"{self._view.slots.taken} of {self._view.slots.max_calls} calls of the fleet")
        else:
            self._reserve_here(call_sid, again=again)

    def has_room_for(self, call_sid: str) -> bool:
        return not self.is_full_of_live_calls()

    def is_full_of_live_calls(self) -> bool:
        return self.admission.live >= OVERFLOW * self.admission.max_calls

    async def adopt(self, call_sid: str) -> None:
        try:
            answer = await self._ledger.adopt(call_sid)
        except StoreAway:
            answer = "in"  # the token, which is used up by now, says that one of us has let the call in
        if answer != "in":
            raise AtCapacity("the reservation has lapsed, and the fleet is full")
        self.admission.adopt(call_sid, clock.now(), reserved_elsewhere=True)

    def release(self, call_sid: str, *, goes_on: bool = False) -> None:
        # Nothing is kept here for a call that goes on: this process may be waiting for the last one to go.
        self._local.release(call_sid)
        self._ended[call_sid] = round(1000 * SET_ASIDE_S) if goes_on else 0
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)
        self._bell.set()

    async def look(self) -> list[str]:
        gone = await self._local.look()
        if self._view.is_due():
            with suppress(StoreAway):
                await self._look()
        return gone + self._view.taken_lapsed()

    async def due(self) -> list[str]:
        if not self._decides_together:
            return await self._local.due()
        try:
            named = self._view.reception.called(clock.now())
            return await self._ledger.fetch(named) if named else []
        except StoreAway:
            return []

    def went_away(self) -> None:
        """From now on this process decides by itself."""

    async def came_back(self) -> None:
        """Whoever has come meanwhile keeps the place, and in a store that was emptied everybody does."""
        await self._assert(returning=True)
        await self._say_who_waits(self._local.reception.line or (), returning=True)

    @property
    def _decides_together(self) -> bool:
        return self._ledger.store.available and not self._view.settling

    async def _decide(self, caller: Caller, waited_s: float, fetched: bool, gate: Gate) -> Verdict | None:
        """None: it did not hold, and the view is an older one."""
        verdict = self._view.reception.receive(
            caller, clock.now(), waited_s=waited_s, fetched=fetched, gate=gate
        )
        match verdict:
            case LetIn(passing):
                hold_ms = round(1000 * self._house.reservation_s)
                answer = await self._ledger.enter(caller.call_sid, numbers_of(caller), hold_ms, passing)
                if answer == "in":
                    self._reserve_here(caller.call_sid)
                    return verdict
                self._view.reception.forget(caller.call_sid)
            case Wait(waiter):
                answer = await self._join(caller, waiter)
                if answer.isdecimal():
                    return self._view.reception.place(waiter, int(answer))
            case TurnAway(No.WAITED_TOO_LONG):
                await self._ledger.leave(caller.call_sid)
                return verdict
            case TurnAway():
                return verdict
        self._view.is_stale()
        return {"left": TurnAway(No.HAS_LEFT), "full_line": TurnAway(No.LINE_FULL)}.get(answer)

    async def _join(self, caller: Caller, waiter: Waiter) -> str:
        waited_s = clock.now() - waiter.since
        answer = await self._ledger.join(
            caller.call_sid,
            numbers_of(caller),
            # Who has only just come stands behind those who were told their position meanwhile.
            waited_ms=0 if waited_s < JUST_COME_S else round(1000 * waited_s),
            within_ms=AGAIN_WITHIN_MS,
            most=self._house.max_waiting,
            fetched=waiter.fetched_at is not None,
        )
        return "full_line" if answer == "full" else answer

    def _reserve_here(self, call_sid: str, *, again: bool = False) -> None:
        """Count it here until its socket has come, wherever that is; the fleet has room if we have none."""
        reserve = self.admission.reserve_again if again else self.admission.reserve
        with suppress(AtCapacity):
            reserve(call_sid, clock.now())

    async def _look(self) -> None:
        self._view.take(await self._ledger.sync(self._room, self._view.version))

    async def _say_who_waits(self, waiting: Iterable[Waiter], *, returning: bool) -> None:
        for each in waiting:
            await self._ledger.join(
                each.call_sid,
                numbers_of(self._hidden(Caller(each.call_sid, each.caller, each.called))),
                waited_ms=round(1000 * (clock.now() - each.since)),
                within_ms=AGAIN_WITHIN_MS,
                most=self._house.max_waiting,
                fetched=each.fetched_at is not None,
                returning=returning,
            )

    async def _assert(self, *, returning: bool = False) -> None:
        """Say what is held here; to a store that was emptied, all that was known."""
        await self._say_what_is_held(returning=returning)
        if forgotten := self._view.taken_forgotten():
            await self._say_what_is_held(returning=True)
            await self._say_who_waits(forgotten, returning=returning)

    async def _say_what_is_held(self, *, returning: bool) -> None:
        now = clock.now()
        kept = [
            Kept(each.call_sid, "", LIVE_MS if each.live else round(1000 * max(0.0, each.holds_until - now)))
            for each in self.admission.holds()
            if each.call_sid and (each.live or returning)
        ]
        self._view.take(await self._ledger.sync(self._room, self._view.version, kept, returning=returning))

    async def _tell_ended(self) -> None:
        while self._ended:
            told = list(self._ended.items())
            await self._ledger.release(told)
            for call_sid, hold_ms in told:
                if self._ended.get(call_sid) == hold_ms:
                    del self._ended[call_sid]

    async def _run(self) -> None:
        asserted_at = clock.now()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._bell.wait()
            self._bell.clear()
            with suppress(StoreAway):
                await self._tell_ended()
                if clock.now() - asserted_at >= ASSERT_S:
                    asserted_at = clock.now()
                    await self._assert()

    @property
    def _room(self) -> int:
        return self.admission.max_calls if self._local.takes_calls() else 0

    def _hidden(self, caller: Caller) -> Caller:
        """Without the caller's number: in the store it is only to be the same or another one."""
        group = group_of(caller.number)
        if not group or group == WITHHELD or group.startswith(HIDDEN):
            return replace(caller, number=group)
        digest = hmac.digest(self._house.secret, group.encode(errors="replace"), "sha256")
        return replace(caller, number=HIDDEN + digest.hex()[:16])


class _Once:
    """Asks a gate once of one question, however often that is decided, and with the caller's own number."""

    def __init__(self, gate: Gate, caller: Caller) -> None:
        self._gate = gate
        self._caller = caller
        self._verdict: list[TurnAway | None] = []

    def __call__(self, _hidden: Caller) -> TurnAway | None:
        if not self._verdict:
            self._verdict.append(self._gate(self._caller))
        return self._verdict[0]
