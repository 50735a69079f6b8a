"""Wordings in turn."""

from itertools import pairwise

from app.conversation.variants import Variants

WORDINGS = ("one", "two", "three")


def test_the_same_wording_never_comes_twice_in_a_row() -> None:
    variants = Variants("CA1")

    said = [variants.choose(WORDINGS) for _ in range(200)]

    assert set(said) == set(WORDINGS)
    assert all(first != second for first, second in pairwise(said))


def test_a_single_wording_is_said_again() -> None:
    variants = Variants()

    assert [variants.choose(["only"]), variants.choose(["only"])] == ["only", "only"]


def test_groups_do_not_disturb_each_other() -> None:
    variants = Variants("CA1")

    said = [(variants.choose(("a", "b")), variants.choose(("c", "d"))) for _ in range(6)]

    assert all(first[0] != second[0] and first[1] != second[1] for first, second in pairwise(said))


def test_one_call_can_be_repeated_and_calls_differ() -> None:
    def said(seed: str) -> list[str]:
        variants = Variants(seed)
        return [variants.choose(WORDINGS) for _ in range(20)]

    assert said("CA1") == said("CA1")
    assert len({tuple(said(f"CA{number}")) for number in range(10)}) > 1
