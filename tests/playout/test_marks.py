"""What became of each sentence."""

from app.playout.marks import Fate, Marks


def test_every_sentence_has_its_own_name_even_when_it_is_said_twice() -> None:
    marks = Marks[str]()

    assert len({marks.name("Hello.") for _ in range(3)}) == 3
    assert marks.outstanding == 3


def test_a_sentence_is_settled_once() -> None:
    marks = Marks[str]()
    name = marks.name("Hello.")

    assert marks.settle(name, played=True) == "Hello."
    assert marks.settle(name, played=False) is None
    assert marks.fates() == [("Hello.", Fate.PLAYED)]
    assert marks.outstanding == 0


def test_an_interrupted_reply_is_known_sentence_by_sentence() -> None:
    marks = Marks[str]()
    first, second, _ = marks.name("One."), marks.name("Two."), marks.name("Three.")
    marks.settle(first, played=True)
    marks.settle(second, played=False)

    assert marks.fates() == [
        ("One.", Fate.PLAYED),
        ("Two.", Fate.CLEARED),
        ("Three.", Fate.OUTSTANDING),
    ]
    assert marks.outstanding == 1


def test_an_unknown_mark_settles_nothing() -> None:
    assert Marks[str]().settle("s1", played=True) is None


def test_a_long_call_does_not_grow_the_ledger() -> None:
    marks = Marks[int](kept=3)
    names = [marks.name(number) for number in range(10)]

    assert [sentence for sentence, _ in marks.fates()] == [7, 8, 9]
    assert len(set(names)) == 10
    assert marks.settle(names[0], played=True) is None
    assert marks.settle(names[9], played=True) == 9


def test_a_sentence_may_be_empty() -> None:
    marks = Marks[str]()

    assert marks.settle(marks.name(""), played=True) == ""
