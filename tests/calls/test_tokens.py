"""Stream tokens of one process."""

import asyncio

import pytest

from app.calls.tokens import REMEMBERED, LocalTokens, Refusal, TokenRefused, Tokens
from tests.virtual_time import in_virtual_time


async def refusal_of(tokens: Tokens, token: str, call_sid: str) -> Refusal:
    with pytest.raises(TokenRefused) as caught:
        await tokens.consume(token, call_sid)
    return caught.value.refusal


async def test_a_repeated_webhook_gets_the_same_token_and_another_call_another_one() -> None:
    tokens = LocalTokens()

    assert len({await tokens.issue("CA1") for _ in range(3)}) == 1
    assert await tokens.issue("CA2") != await tokens.issue("CA1")


@in_virtual_time
async def test_each_wrong_token_is_refused_for_its_own_reason() -> None:
    tokens = LocalTokens(life_s=60)
    one, two = await tokens.issue("CA1"), await tokens.issue("CA2")

    assert await refusal_of(tokens, "", "CA1") is Refusal.MISSING
    assert await refusal_of(tokens, one[:-1], "CA1") is Refusal.UNKNOWN
    assert await refusal_of(tokens, two, "CA1") is Refusal.OTHER_CALL
    await tokens.consume(two, "CA2")
    assert await refusal_of(tokens, two, "CA2") is Refusal.USED
    await asyncio.sleep(60)
    assert await refusal_of(tokens, one, "CA1") is Refusal.EXPIRED


async def test_a_used_token_stays_used_when_the_webhook_is_played_again() -> None:
    tokens = LocalTokens()
    token = await tokens.issue("CA1")
    await tokens.consume(token, "CA1")

    assert await tokens.issue("CA1") == token
    assert await refusal_of(tokens, token, "CA1") is Refusal.USED


async def test_a_call_that_goes_on_gets_a_new_token() -> None:
    tokens = LocalTokens()
    first = await tokens.issue("CA1")
    await tokens.consume(first, "CA1")

    second = await tokens.issue("CA1", again=True)

    await tokens.consume(second, "CA1")
    assert await tokens.issue("CA1") == second


@in_virtual_time
async def test_a_webhook_that_is_played_again_gets_no_new_token_for_one_that_expired() -> None:
    tokens = LocalTokens(life_s=60)
    old = await tokens.issue("CA1")
    await asyncio.sleep(61)

    assert await tokens.issue("CA1") == old
    with pytest.raises(TokenRefused, match="expired"):
        await tokens.consume(old, "CA1")


async def test_a_token_asked_for_by_hand_serves_the_first_call_only() -> None:
    tokens = LocalTokens()
    token = await tokens.issue("")

    await tokens.consume(token, "CA7")

    assert await refusal_of(tokens, token, "CA8") is Refusal.USED


async def test_a_caller_gone_before_the_socket_spends_the_token() -> None:
    tokens = LocalTokens()
    token = await tokens.issue("CA1")

    await tokens.spend("CA1")
    await tokens.spend("CA-unknown")

    assert await refusal_of(tokens, token, "CA1") is Refusal.USED


async def test_what_is_remembered_is_bounded() -> None:
    tokens = LocalTokens()
    first = await tokens.issue("CA-first")
    for number in range(REMEMBERED):
        await tokens.issue(f"CA{number}")

    assert await refusal_of(tokens, first, "CA-first") is Refusal.UNKNOWN
    assert await tokens.issue("CA-first") != first
