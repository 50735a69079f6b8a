"""Tokens that prove by themselves that one of us made them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.seal import TOLERANCE_S, Seal

SEAL = Seal(b"the same on all replicas")


def test_a_token_proves_itself_to_whoever_has_the_secret() -> None:
    token = SEAL.token("CA1", 1000.0)

    assert Seal(b"the same on all replicas").proves(token, "CA1", 999.0)
    assert not Seal(b"another one").proves(token, "CA1", 999.0)
    assert not SEAL.proves(token, "CA2", 999.0)


def test_a_token_ends_with_a_tolerance_for_another_servers_clock() -> None:
    token = SEAL.token("CA1", 1000.0)

    assert SEAL.proves(token, "CA1", 1000.0 + TOLERANCE_S)
    assert not SEAL.proves(token, "CA1", 1001.0 + TOLERANCE_S)


def test_a_token_for_no_call_in_particular_serves_any() -> None:
    assert SEAL.proves(SEAL.token("", 1000.0), "CA9", 0.0)


def test_no_two_tokens_are_alike() -> None:
    assert len({SEAL.token("CA1", 1000.0) for _ in range(100)}) == 100


def test_without_a_secret_nothing_is_proved() -> None:
    bare = Seal(b"")

    assert not bare.proves(bare.token("CA1", 1000.0), "CA1", 0.0)
    assert not bare.proves(SEAL.token("CA1", 1000.0), "CA1", 0.0)


@given(st.text())
def test_a_strangers_words_prove_nothing(text: str) -> None:
    assert not SEAL.proves(text, "CA1", 0.0)


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_a_token_that_was_changed_proves_nothing(place: int) -> None:
    token = SEAL.token("CA1", 1000.0)
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]

    assert not SEAL.proves(changed, "CA1", 0.0)
