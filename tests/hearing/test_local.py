import importlib.util

import pytest

from app.errors import AtCapacity, ConfigError
from app.hearing.local import LocalHearing
from tests.hearing.callers import ELSEWHERE, HOTLINE, ask, spoken


@pytest.fixture(scope="module")
def said() -> dict[str, bytes]:
    return spoken(("what are the tour dates", "goodbye", ELSEWHERE))


async def test_what_the_hotline_expects_is_understood_and_the_rest_rejected(said: dict[str, bytes]) -> None:
    async with LocalHearing(HOTLINE, sessions=1) as hearing, hearing.listen() as listener:
        assert (await ask(listener, said["what are the tour dates"])).text == "what are the tour dates"
        assert (await ask(listener, said[ELSEWHERE])).text == ""


async def test_a_call_may_expect_other_phrases_than_the_hotline(said: dict[str, bytes]) -> None:
    async with LocalHearing(HOTLINE, sessions=1) as hearing:
        async with hearing.listen(["goodbye", "exercise"]) as listener:
            other = [
                (await ask(listener, said[text])).text for text in ("what are the tour dates", "goodbye")
            ]
        async with hearing.listen() as listener:
            own = (await ask(listener, said["what are the tour dates"])).text

    assert other == ["", "goodbye"]
    assert own == "what are the tour dates"


async def test_the_place_in_line_is_told() -> None:
    positions: list[int] = []
    async with LocalHearing(HOTLINE, sessions=1, wait_s=0.01) as hearing, hearing.listen():
        with pytest.raises(AtCapacity):
            async with hearing.listen(on_position=positions.append):
                pass

    assert positions == [1]


async def test_the_pool_is_as_large_as_it_was_asked_to_be() -> None:
    async with LocalHearing(HOTLINE, sessions=3) as hearing:
        assert hearing.status()["capacity"] == 3


def test_without_a_wish_the_pool_fits_the_machine() -> None:
    capacity = LocalHearing(HOTLINE).status()["capacity"]

    assert isinstance(capacity, int)
    assert capacity >= 1


async def test_without_the_library_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(ConfigError, match="pocketsphinx is missing"):
        async with LocalHearing(HOTLINE, sessions=1):
            pass
