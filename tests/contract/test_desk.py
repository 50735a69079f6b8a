"""What every desk promises, of one process and of a fleet: nobody passes anybody, nobody gets two slots."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from app.calls.admission import Admission
from app.calls.desk import Desk, Left, LocalDesk
from app.calls.reception import Caller, LetIn, Policy, Reception, TurnAway, Wait
from app.calls.shares import Shares
from app.calls.waiting import LocalLine
from app.errors import AtCapacity
from tests.standins.desks import MOST_WAITING, fleet_desk
from tests.standins.redis import RedisServer, needs_redis

Open = Callable[..., AbstractAsyncContextManager[Desk]]


@asynccontextmanager
async def local(slots: int, shares: Shares | None = None) -> AsyncIterator[Desk]:
    admission = Admission(slots)
    policy = Policy(shares or Shares())
    yield LocalDesk(Reception(admission, line=LocalLine(MOST_WAITING), policy=policy), admission)


@asynccontextmanager
async def shared(slots: int, shares: Shares | None = None) -> AsyncIterator[Desk]:
    async with RedisServer() as server, fleet_desk(server, "a", slots, shares) as desk:
        yield desk


every = pytest.mark.parametrize(
    "opened",
    [pytest.param(local, id="local"), pytest.param(shared, id="shared", marks=needs_redis)],
)


async def ask(desk: Desk, call_sid: str, *, called: str = "+2", number: str = "") -> str:
    """`in`, the position, or why not."""
    verdict = await desk.receive(Caller(call_sid, number or f"+1555{call_sid}", called))
    match verdict:
        case LetIn():
            return "in"
        case Wait(_, position):
            await desk.expect(call_sid, 60.0)
            return str(position)
        case TurnAway(why):
            return why.value


@every
async def test_all_move_up_in_order_and_a_free_slot_is_the_firsts(opened: Open) -> None:
    async with opened(2) as desk:
        assert [await ask(desk, name) for name in "abcde"] == ["in", "in", "1", "2", "3"]
        assert await desk.leave("a") is Left.NEVER_WAITED

        assert await ask(desk, "new") == "4"
        assert [await ask(desk, name) for name in "edc"] == ["3", "2", "in"]
        assert [await ask(desk, name) for name in "de"] == ["1", "2"]


@every
async def test_a_repeated_question_keeps_one_slot_and_one_place(opened: Open) -> None:
    async with opened(1) as desk:
        assert [await ask(desk, "a") for _ in range(3)] == ["in"] * 3
        assert [await ask(desk, "b") for _ in range(3)] == ["1"] * 3
        await desk.leave("a")

        assert await ask(desk, "b") == "in"


@every
async def test_who_left_is_out_at_once_and_a_replay_does_not_bring_them_back(opened: Open) -> None:
    async with opened(1) as desk:
        for name in "abc":
            await ask(desk, name)

        assert await desk.leave("b") is Left.NOW
        assert await desk.leave("b") is Left.BEFORE

        assert await ask(desk, "c") == "1"
        assert await ask(desk, "b") == "has_left"


@every
async def test_a_call_takes_its_slot_from_the_webhook_to_the_end_and_no_longer(opened: Open) -> None:
    async with opened(1) as desk:
        await ask(desk, "a")
        await desk.adopt("a")
        assert await ask(desk, "b") == "1"

        desk.release("a")
        await settled(desk)

        assert await ask(desk, "b") == "in"
        assert await ask(desk, "a") == "in"  # a replayed webhook: its token is used up, and it takes no slot
        assert desk.reception.slots.calls() == {"b"}


@every
async def test_a_call_that_goes_on_comes_back_before_anybody_else_gets_its_slot(opened: Open) -> None:
    async with opened(1) as desk:
        await ask(desk, "a")
        await desk.adopt("a")
        await ask(desk, "b")
        desk.release("a", goes_on=True)
        await settled(desk)

        assert await ask(desk, "b") == "1"
        await desk.take("a", again=True)
        await desk.adopt("a")
        assert await ask(desk, "b") == "1"


@every
async def test_a_full_house_has_no_slot_for_whoever_does_not_stand_in_line(opened: Open) -> None:
    async with opened(1) as desk:
        await ask(desk, "a")

        with pytest.raises(AtCapacity):
            await desk.take("b")
        await desk.take("a", again=True)
        await desk.take("")  # asked for by hand: a slot is taken when a socket comes


@every
async def test_a_full_line_takes_nobody_else(opened: Open) -> None:
    async with opened(1) as desk:
        told = [await ask(desk, str(number)) for number in range(MOST_WAITING + 2)]

    assert told == ["in", *(str(place) for place in range(1, MOST_WAITING + 1)), "line_full"]


@every
async def test_one_number_cannot_fill_the_house_and_withheld_ones_are_one_group(opened: Open) -> None:
    async with opened(4, Shares(per_number=1, withheld=2)) as desk:
        assert await ask(desk, "a", number="+15550100") == "in"
        assert await ask(desk, "b", number="+15550100") == "number_share"
        assert [await ask(desk, name, number="anonymous") for name in "cde"] == ["in", "in", "number_share"]


@every
async def test_a_called_number_at_its_bound_waits_and_others_pass(opened: Open) -> None:
    async with opened(2, Shares(per_called={"+100": 1})) as desk:
        assert await ask(desk, "a", called="+100") == "in"
        assert await ask(desk, "b", called="+100") == "1"
        assert await ask(desk, "c", called="+200") == "in"
        assert await ask(desk, "d", called="+200") == "2"
        await desk.leave("a")
        assert await ask(desk, "b", called="+100") == "in"


@every
async def test_the_first_in_line_is_named_once_when_there_is_a_slot(opened: Open) -> None:
    async with opened(1) as desk:
        for name in "abc":
            await ask(desk, name)
        assert await desk.due() == []
        await desk.leave("a")
        await desk.look()

        assert await desk.due() == ["b"]
        assert await desk.due() == []
        assert await ask(desk, "b") == "1"  # the order and this question have crossed
        assert isinstance(await desk.receive(Caller("b"), fetched=True), LetIn)


async def settled(desk: Desk) -> None:
    """What the desk tells the store in the background has arrived."""
    flush = getattr(desk, "_tell_ended", None)
    if flush is not None:
        await flush()
