"""Several ears, one behind the other."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

import pytest

from app.errors import AtCapacity, ConfigError, Failure, ProviderError
from app.hearing.chain import HearingChain
from app.hearing.port import OnPosition
from tests.standins.ears import ScriptedEars, ScriptedListener


class Refusing(ScriptedEars):
    """Ears that do not start, or give no session."""

    name = "refusing"

    def __init__(self, *, start: Exception | None = None, session: Exception | None = None) -> None:
        super().__init__()
        self._start = start
        self._session = session

    async def __aenter__(self) -> Self:
        if self._start is not None:
            raise self._start
        return self

    @asynccontextmanager
    async def listen(
        self, phrases: Sequence[str] = (), *, on_position: OnPosition | None = None
    ) -> AsyncIterator[ScriptedListener]:
        if self._session is not None:
            raise self._session
        async with super().listen(phrases, on_position=on_position) as listener:
            yield listener


BROKEN = ProviderError("refusing", Failure.AUTH)


async def test_the_first_that_gives_a_session_is_listened_to_and_left_with_it() -> None:
    ears = ScriptedEars()
    async with HearingChain([Refusing(session=BROKEN), ears]) as chain:
        async with chain.listen(["music"]) as listener:
            assert listener is ears.sessions[0]
            assert ears.open == 1
        assert ears.open == 0


@pytest.mark.parametrize("failure", [BROKEN, AtCapacity("full")])
async def test_the_last_ones_failure_is_told_when_none_does(failure: Exception) -> None:
    async with HearingChain([Refusing(session=failure)]) as chain:
        with pytest.raises(type(failure)):
            async with chain.listen():
                pass


async def test_no_ears_at_all_is_said_at_each_call() -> None:
    async with HearingChain([]) as chain:
        with pytest.raises(AtCapacity):
            async with chain.listen():
                pass


async def test_ears_that_do_not_start_are_left_out() -> None:
    dead = [Refusing(start=ConfigError("missing")), Refusing(start=BROKEN)]
    async with HearingChain([*dead, ScriptedEars()]) as chain:
        assert chain.names == ["scripted"]
        assert chain.status() == {"scripted": {"health": "unknown"}}


async def test_the_place_in_line_comes_from_the_provider_that_has_one() -> None:
    ears, positions = ScriptedEars(), list[int]()
    ears.line = (2, 1, 0)
    async with HearingChain([Refusing(session=BROKEN), ears]) as chain:
        async with chain.listen(["music"], on_position=positions.append):
            pass
        async with chain.listen(["music"]):  # nobody asks
            pass

    assert positions == [2, 1, 0]
