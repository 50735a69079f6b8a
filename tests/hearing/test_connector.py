import asyncio
from typing import cast

import pytest
from structlog.testing import capture_logs

from app import clock
from app.errors import Failure, ProviderError
from app.hearing.connector import IDLE_RETRY_S, OVERLOADED_S, STEADY_S, Connector
from app.hearing.link import Link
from tests.virtual_time import in_virtual_time


class Line:
    """A connection that does nothing but stand."""

    provider = "vendor"


class Exchange:
    """Answers the attempts to connect, one after the other, with an error or a line."""

    def __init__(self, *answers: Failure | None) -> None:
        self.answers = list(answers)
        self.tried_at: list[float] = []

    async def open_link(self) -> Link:
        self.tried_at.append(clock.now())
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise fault(answer)
        return cast(Link, Line())

    @property
    def waits(self) -> list[float]:
        return [round(later - self.tried_at[0], 1) for later in self.tried_at[1:]]


def fault(kind: Failure = Failure.NETWORK) -> ProviderError:
    return ProviderError("vendor", kind)


async def given_up(connector: Connector, lost: ProviderError, *, idle: bool = False) -> ProviderError:
    with pytest.raises(ProviderError) as failure:
        await connector.again(lost, answers=0, idle=lambda: idle)
    return failure.value


@in_virtual_time
async def test_the_first_connection_is_tried_once() -> None:
    exchange = Exchange(Failure.BUSY)

    with pytest.raises(ProviderError):
        await Connector(exchange.open_link).first()
    assert len(exchange.tried_at) == 1


@in_virtual_time
async def test_a_lost_connection_is_replaced_at_once_while_the_caller_speaks() -> None:
    exchange = Exchange()
    began = clock.now()

    await Connector(exchange.open_link).again(fault(), answers=0, idle=lambda: False)
    assert exchange.tried_at == [began]


@in_virtual_time
async def test_attempts_are_spread_and_end_with_the_last_error() -> None:
    exchange = Exchange(Failure.NETWORK, Failure.NETWORK, Failure.TIMEOUT, Failure.QUOTA)
    error = await given_up(Connector(exchange.open_link), fault())

    assert error.kind == "timeout"
    first, second = exchange.waits
    assert 0.2 <= first <= 0.4
    assert 1.0 <= second <= 1.6


@in_virtual_time
async def test_an_overloaded_vendor_is_left_in_peace_for_longer() -> None:
    exchange = Exchange()
    began = clock.now()
    await Connector(exchange.open_link).again(fault(Failure.BUSY), answers=0, idle=lambda: False)

    assert exchange.tried_at == [began + OVERLOADED_S]


@pytest.mark.parametrize("kind", [Failure.AUTH, Failure.QUOTA, Failure.BAD_REQUEST])
async def test_where_trying_again_cannot_help_it_is_not_tried(kind: Failure) -> None:
    exchange = Exchange()

    assert (await given_up(Connector(exchange.open_link), fault(kind))).kind == kind
    assert exchange.tried_at == []


@in_virtual_time
async def test_a_message_that_made_no_sense_is_worth_another_connection() -> None:
    exchange = Exchange()
    await Connector(exchange.open_link).again(fault(Failure.GARBAGE), answers=0, idle=lambda: False)

    assert len(exchange.tried_at) == 1


@in_virtual_time
async def test_connections_that_come_to_nothing_count_together() -> None:
    connector = Connector(Exchange().open_link)
    await connector.first()
    for _ in range(3):
        await connector.again(fault(), answers=0, idle=lambda: False)

    await given_up(connector, fault())


@in_virtual_time
async def test_an_answer_or_a_long_life_makes_good_what_was_before() -> None:
    connector = Connector(Exchange().open_link)
    await connector.first()
    for answers in range(1, 10):
        await connector.again(fault(), answers=answers, idle=lambda: False)
    for _ in range(10):
        await asyncio.sleep(STEADY_S)
        await connector.again(fault(), answers=9, idle=lambda: False)


@in_virtual_time
async def test_while_nobody_speaks_an_outage_is_waited_out() -> None:
    exchange = Exchange(*[Failure.NETWORK] * 20)
    await Connector(exchange.open_link).again(fault(), answers=0, idle=lambda: True)

    assert exchange.waits[-1] == 20 * IDLE_RETRY_S


@in_virtual_time
async def test_a_caller_who_begins_to_speak_is_not_kept_waiting() -> None:
    exchange = Exchange(Failure.NETWORK)
    connector = Connector(exchange.open_link)
    began = clock.now()
    asyncio.get_running_loop().call_later(1.0, connector.hurry)
    await connector.again(fault(), answers=0, idle=lambda: True)

    assert exchange.tried_at == [began, began + 1.0]


@in_virtual_time
async def test_losses_and_connections_are_told() -> None:
    with capture_logs() as events:
        connector = Connector(Exchange(None, Failure.BUSY).open_link)
        await connector.first()
        await connector.again(fault(), answers=0, idle=lambda: False)

    assert [(event["event"], event.get("kind")) for event in events] == [
        ("hearing.connected", None),
        ("hearing.connection_lost", "network"),
        ("hearing.connecting_failed", "busy"),
        ("hearing.connected", None),
    ]
