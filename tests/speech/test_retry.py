import pytest

from app.errors import RETRYABLE, Failure, ProviderError
from app.speech.retry import LONGEST_PAUSE_S, RULES, asking, pause_s
from tests.virtual_time import in_virtual_time


def error(kind: Failure, retry_after_s: float = 0.0) -> ProviderError:
    return ProviderError("tone", kind, retry_after_s=retry_after_s)


async def times_asked(kind: Failure, *, again: bool = True, works_at: int = 10) -> tuple[int, list[float]]:
    """How often a voice is asked that always fails so, and the pauses between."""
    count, pauses = 0, list[float]()

    def may_ask_again(_error: ProviderError, pause: float) -> bool:
        pauses.append(pause)
        return again

    try:
        async for attempt in asking(may_ask_again):
            with attempt:
                count += 1
                if count < works_at:
                    raise error(kind)
    except ProviderError as last:
        assert last.kind is kind
    return count, pauses


def test_every_kind_has_its_rule_and_what_passes_by_itself_is_asked_again() -> None:
    assert set(RULES) == set(Failure)
    assert {kind for kind, rule in RULES.items() if rule.again} == RETRYABLE
    assert {kind for kind, rule in RULES.items() if rule.for_good} == {Failure.AUTH, Failure.QUOTA}
    assert {kind for kind, rule in RULES.items() if not rule.counts} == {
        Failure.OVER_LIMIT,
        Failure.BAD_REQUEST,
    }


@pytest.mark.parametrize(
    ("kind", "times"), [(Failure.BUSY, 2), (Failure.TIMEOUT, 2), (Failure.QUOTA, 1), (Failure.GARBAGE, 1)]
)
@in_virtual_time
async def test_a_voice_is_asked_as_often_as_its_rule_says(kind: Failure, times: int) -> None:
    assert (await times_asked(kind))[0] == times


@in_virtual_time
async def test_over_the_limit_it_is_asked_for_as_long_as_there_is_time() -> None:
    count, pauses = await times_asked(Failure.OVER_LIMIT)

    assert count == 10
    assert 0.1 <= pauses[0] <= 0.2 and max(pauses) == LONGEST_PAUSE_S


@in_virtual_time
async def test_without_time_left_it_is_not_asked_again() -> None:
    assert (await times_asked(Failure.BUSY, again=False))[0] == 1


@in_virtual_time
async def test_what_is_not_a_vendors_error_is_nobody_to_ask_again() -> None:
    with pytest.raises(ZeroDivisionError):
        async for attempt in asking(lambda *_: True):
            with attempt:
                raise ZeroDivisionError


def test_pauses_double_with_jitter_up_to_a_limit() -> None:
    busy = error(Failure.BUSY)

    assert [pause_s(busy, attempt, 0.0) for attempt in (1, 2, 3, 9)] == [0.1, 0.2, 0.4, 1.0]
    assert pause_s(busy, 1, 1.0) == 0.2
    assert pause_s(error(Failure.CLOSED), 1, 0.5) == 0.0
    assert pause_s(error(Failure.BUSY, retry_after_s=7.0), 1, 0.5) == 7.0
