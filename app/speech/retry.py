"""What follows from each kind of failure: whether the same voice is asked again, what its breaker is told."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from app.errors import Failure, ProviderError

LONGEST_PAUSE_S = 1.0  # seconds between two askings; a caller waits
ALWAYS = 1_000  # askings: the wait budget ends it


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of failure."""

    again: int = 0
    """How often the same voice is asked again, time permitting."""
    counts: bool = False
    """Towards its breaker."""
    for_good: bool = False
    """It cannot pass by itself: the breaker opens at once."""
    pause_s: float = 0.1
    """Seconds before the first repetition, doubled before each further one, with as much jitter on top."""


RULES: dict[Failure, Rule] = {
    Failure.OVER_LIMIT: Rule(again=ALWAYS),
    Failure.BUSY: Rule(again=1, counts=True),
    Failure.NETWORK: Rule(again=1, counts=True),
    Failure.TIMEOUT: Rule(again=1, counts=True),
    Failure.CLOSED: Rule(again=1, counts=True, pause_s=0.0),  # a fresh session helps at once
    Failure.AUTH_SUSPECT: Rule(again=1, counts=True, pause_s=0.4),
    Failure.AUTH: Rule(counts=True, for_good=True),
    Failure.QUOTA: Rule(counts=True, for_good=True),
    Failure.BAD_REQUEST: Rule(),
    Failure.GARBAGE: Rule(counts=True),
}


def pause_s(error: ProviderError, attempt: int, chance: float) -> float:
    """Seconds before asking again after the n-th asking failed (from 1); `chance` is 0 to 1."""
    base = RULES[error.kind].pause_s * float(2 ** min(attempt - 1, 10))
    return max(min(base * (1 + chance), LONGEST_PAUSE_S), error.retry_after_s)


def asking(may_ask_again: Callable[[ProviderError, float], bool]) -> AsyncRetrying:
    """The askings of one voice for one sentence, by the rules.

    `may_ask_again` is told the failure and the pause that would follow, and knows the time that is left.
    """

    def wait(state: RetryCallState) -> float:
        return pause_s(_error(state), state.attempt_number, random.random())  # no secret depends on it

    def stop(state: RetryCallState) -> bool:
        error = _error(state)
        return state.attempt_number > RULES[error.kind].again or not may_ask_again(
            error, state.upcoming_sleep
        )

    return AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, ProviderError)),
        wait=wait,
        stop=stop,
        reraise=True,
    )


def _error(state: RetryCallState) -> ProviderError:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, ProviderError)
    return error
