"""The parts of the operator's money play together."""

from pathlib import Path

from app.calls.budget import Budget, Prices
from app.calls.closing import FILE
from app.calls.reception import Caller, No
from app.calls.spending import Allowance
from app.calls.welcome import Numbers, Welcome
from app.log import log
from app.observe.money import Money
from tests.virtual_time import in_virtual_time


def caller(call_sid: str, number: str = "+15550100") -> Caller:
    return Caller(call_sid, number, "+15550199")


async def test_what_is_said_in_the_event_stream_is_counted_until_it_is_left(tmp_path: Path) -> None:
    allowance = Allowance(budget=Budget(day=100))
    async with Money(allowance, Prices(thousand_characters={"tone": 1000}), folder=tmp_path) as money:
        assert money.gate(caller("CA1")) is None
        log.info("speech.rendered", call_sid="CA1", provider="tone", characters=100)
        no = money.gate(caller("CA2"))
    log.info("speech.rendered", call_sid="CA1", provider="tone", characters=100)

    assert no is not None and no.why is No.BUDGET
    assert money.status()["money"] == {
        "day": {"spent": "0.00", "budget": "0.00"},
        "month": {"spent": "0.00", "budget": "0.00"},
    }
    assert money.purse.spent("day") == 0.0001


async def test_the_switch_is_found_at_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    async with Money(folder=tmp_path) as money:
        no = money.gate(caller("CA1"))

    assert no is not None and no.why is No.CLOSED
    assert money.status()["closed"] == "closed by the operator"


@in_virtual_time
async def test_threat_13_a_burst_of_one_number_passes_no_limit_though_none_has_a_stream_yet() -> None:
    async with Money(Allowance(per_number={("calls", "hour"): 10})) as money:
        passed = [money.gate(caller(f"CA{number}")) is None for number in range(20)]
        others = money.gate(caller("CB1", "+15550101"))

    assert passed == [True] * 10 + [False] * 10
    assert others is None


async def test_without_arguments_everybody_passes() -> None:
    money = Money()

    assert money.gate(caller("CA1", "anonymous")) is None and money.gate.reason == ""


async def test_an_allow_list_lets_no_withheld_number_in() -> None:
    money = Money(welcome=Welcome(allowed=Numbers.of(("+1555*",))))

    assert money.gate(caller("CA1")) is None
    assert money.gate(caller("CA2", "anonymous")) is not None
