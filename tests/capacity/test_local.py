"""Permits within one process, under virtual time."""

import asyncio
import itertools
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.capacity.effective import RECOVERY_S
from app.capacity.line import BATCH_SHARE
from app.capacity.local import LocalPermits
from app.capacity.port import Rank
from app.errors import AtCapacity
from app.log import Event, attach
from tests.virtual_time import VirtualLoop, in_virtual_time


@in_virtual_time
async def test_who_waits_is_told_for_how_long() -> None:
    permits = LocalPermits("v", 1)
    waited: list[float] = []

    async def use(seconds: float) -> None:
        async with permits.permit(Rank.TURN, wait_s=60) as held:
            waited.append(held.waited_s)
            await asyncio.sleep(seconds)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(use(2.0))

    assert waited == pytest.approx([0.0, 2.0, 4.0])
    assert (permits.status().granted, permits.status().in_use) == (3, 0)


@in_virtual_time
async def test_a_limit_that_recovers_lets_in_who_waits_without_any_other_event() -> None:
    permits = LocalPermits("v", 2)
    async with permits.permit(Rank.TURN, wait_s=1), permits.permit(Rank.TURN, wait_s=1):
        permits.vendor_refused()
    async with permits.permit(Rank.TURN, wait_s=1), permits.permit(Rank.TURN, wait_s=2 * RECOVERY_S) as held:
        assert held.waited_s == pytest.approx(RECOVERY_S)


@in_virtual_time
async def test_giving_up_and_a_full_line_are_counted() -> None:
    permits = LocalPermits("v", 1, most_waiting=1)
    async with permits.permit(Rank.TURN, wait_s=1):
        with pytest.raises(AtCapacity, match=r"no permit within 0\.5 s"):
            async with permits.permit(Rank.TURN, wait_s=0.5):
                pass
        waiting = asyncio.ensure_future(permits.permit(Rank.TURN, wait_s=9).__aenter__())
        await asyncio.sleep(0)
        with pytest.raises(AtCapacity, match="wait already"):
            async with permits.permit(Rank.TURN, wait_s=9):
                pass
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert permits.status().gave_up == 2
    assert permits.status().waiting == 0


@in_virtual_time
async def test_a_thousand_sentences_of_forty_callers_starve_nobody() -> None:
    permits = LocalPermits("v", 3, most_waiting=40)
    numbers, began = itertools.count(), {rank: list[int]() for rank in Rank}
    out = most = 0

    async def use(pace: random.Random) -> None:
        nonlocal out, most
        for _ in range(25):
            rank = pace.choices(list(Rank), (6, 1, 1))[0]
            number = next(numbers)
            async with permits.permit(rank, wait_s=3600):
                out += 1
                most = max(most, out)
                began[rank].append(number)
                await asyncio.sleep(pace.random())
                out -= 1
            await asyncio.sleep(pace.random() * 15)

    async with asyncio.TaskGroup() as group:
        for seed in range(40):
            group.create_task(use(random.Random(seed)))

    status = permits.status()
    assert (status.granted, status.gave_up, status.in_use, status.waiting) == (1_000, 0, 0, 0)
    assert most == 3
    assert all(order == sorted(order) for order in began.values())  # nobody overtaken within a rank


@pytest.mark.parametrize("others", [0, 1])
@in_virtual_time
async def test_a_permit_granted_to_who_just_left_goes_to_the_next(others: int) -> None:
    permits = LocalPermits("v", 1)
    got: list[str] = []

    async def use(name: str) -> None:
        async with permits.permit(Rank.TURN, wait_s=9):
            got.append(name)

    async with asyncio.TaskGroup() as group:
        async with permits.permit(Rank.TURN, wait_s=9):
            leaving = group.create_task(use("leaving"))
            for _ in range(others):
                group.create_task(use("next"))
            await asyncio.sleep(1)
        leaving.cancel()  # granted by the line above, and not yet awake

    assert got == ["next"] * others
    assert (permits.status().in_use, permits.status().waiting) == (0, 0)


@in_virtual_time
async def test_a_permit_that_comes_in_the_very_moment_of_giving_up_is_used() -> None:
    permits = LocalPermits("v", 1)
    ended: list[str] = []

    async def wait() -> None:
        try:
            async with permits.permit(Rank.TURN, wait_s=1.0):
                ended.append("got")
        except AtCapacity:
            ended.append("gave up")

    async with asyncio.TaskGroup() as group, permits.permit(Rank.TURN, wait_s=9):
        group.create_task(wait())
        await asyncio.sleep(1.0)

    assert ended == ["got"]
    assert (permits.status().in_use, permits.status().gave_up) == (0, 0)


@in_virtual_time
async def test_a_caller_who_hangs_up_in_that_moment_gives_it_back() -> None:
    permits = LocalPermits("v", 1)

    async def wait() -> None:
        async with permits.permit(Rank.TURN, wait_s=1.0):
            raise AssertionError("whoever hung up gets nothing")

    async with asyncio.TaskGroup() as group:
        async with permits.permit(Rank.TURN, wait_s=9):
            waiting = group.create_task(wait())
            await asyncio.sleep(1.0)
        waiting.cancel()

    assert (permits.status().in_use, permits.status().waiting) == (0, 0)


@in_virtual_time
async def test_events_tell_of_waits_of_giving_up_and_of_limits_never_of_grants() -> None:
    told: list[Event] = []
    detach = attach(told.append)
    permits = LocalPermits("v", 2, most_waiting=1)
    for _ in range(20):
        async with permits.permit(Rank.TURN, wait_s=0):
            pass

    async def ask(rank: Rank, wait_s: float) -> None:
        async with permits.permit(rank, wait_s=wait_s):
            pass

    async with (
        asyncio.TaskGroup() as group,
        permits.permit(Rank.TURN, wait_s=0),
        permits.permit(Rank.TURN, wait_s=0),
    ):
        permits.vendor_refused()
        with pytest.raises(AtCapacity):
            await ask(Rank.GREETING, 0.1)
        group.create_task(ask(Rank.TURN, 9))
        await asyncio.sleep(0.4)
        with pytest.raises(AtCapacity):
            await ask(Rank.BATCH, 9)
    detach()

    brief = [(e["event"], e.get("rank"), e.get("waited_ms"), e.get("limit")) for e in told]
    assert brief == [
        ("capacity.limit_changed", None, None, 1),
        ("capacity.gave_up", "greeting", 100, None),
        ("capacity.gave_up", "batch", 0, None),
        ("capacity.waited", "turn", 400, None),
    ]


class Machine(RuleBasedStateMachine):
    """Callers that come, wait, speak, hang up and give up, while the vendor changes its mind."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.permits = LocalPermits("v", 4, most_waiting=6)
        self.done: dict[asyncio.Task[None], asyncio.Event] = {}
        self.speaking = 0
        self.most = 0  # that may speak now: who has leave keeps it when the limit falls
        self.ends: list[str] = []

    def teardown(self) -> None:
        try:
            self.runner.run(self.everybody_goes())
        finally:
            self.runner.close()

    async def everybody_goes(self) -> None:
        for task in self.done:
            task.cancel()
        await asyncio.sleep(0.01)
        status = self.permits.status()
        assert (status.in_use, status.waiting) == (0, 0)
        assert len(self.ends) == len(self.done)
        assert status.gave_up == self.ends.count("gave up")

    @rule(rank=st.sampled_from(Rank), wait_s=st.sampled_from([0.0, 1.0, 30.0]))
    def one_comes(self, rank: Rank, wait_s: float) -> None:
        async def start() -> None:
            done = asyncio.Event()
            self.done[asyncio.ensure_future(self.call(rank, wait_s, done))] = done
            await asyncio.sleep(0)  # it has begun: a task that is cancelled earlier asks for nothing

        self.runner.run(start())

    async def call(self, rank: Rank, wait_s: float, done: asyncio.Event) -> None:
        try:
            async with self.permits.permit(rank, wait_s=wait_s):
                self.speaking += 1
                try:
                    await done.wait()
                finally:
                    self.speaking -= 1
            self.ends.append("served")
        except AtCapacity:
            self.ends.append("gave up")
        except asyncio.CancelledError:
            self.ends.append("cut")

    @rule(which=st.integers(0, 99), cut=st.booleans(), another=st.booleans())
    def one_goes(self, which: int, cut: bool, another: bool) -> None:
        """`another` is cut in the same moment, perhaps the one who was just let in."""
        here = [task for task in self.done if not task.done()]

        async def go() -> None:
            task = here[which % len(here)]
            if cut:
                task.cancel()
            else:
                self.done[task].set()
            await asyncio.sleep(0)
            if another:
                here[(which + 1) % len(here)].cancel()

        if here:
            self.runner.run(go())

    @rule(maximum=st.none() | st.integers(0, 9))
    def the_vendor_speaks(self, maximum: int | None) -> None:
        async def hear() -> None:
            self.permits.vendor_allows(maximum)

        self.runner.run(hear())

    @rule()
    def the_vendor_refuses(self) -> None:
        async def hear() -> None:
            self.permits.vendor_refused()

        self.runner.run(hear())

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.runner.run(asyncio.sleep(seconds))

    @invariant()
    def the_permits_are_all_with_those_who_may_have_them(self) -> None:
        async def look() -> None:
            await asyncio.sleep(0.0001)
            status = self.permits.status()
            self.most = max(status.limit, min(self.most, status.in_use))
            assert status.in_use == self.speaking <= self.most
            assert status.waiting <= 6
            if status.waiting and status.in_use < status.limit:  # then only batches wait, for their share
                assert status.in_use >= max(1, int(status.limit * BATCH_SHARE))

        self.runner.run(look())


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
