"""What became of each sentence, and when the phone plays it."""

from app.playout.marks import Fate, Line, Marks


def test_the_mark_before_a_line_tells_when_it_begins_once() -> None:
    marks, line = Marks(), Line("Hello.")
    name = marks.begin(line)

    assert marks.begins(name, 5.0) is line
    assert line.begins_at == 5.0
    assert marks.begins(name, 6.0) is None


def test_the_mark_behind_a_line_settles_it_once() -> None:
    marks, line = Marks(), Line("Hello.")
    marks.begin(line)
    name = marks.end(line)
    marks.leaves(name, 7.0)

    assert marks.sent_ends() == [(name, 7.0)]
    assert marks.settle(name, played=True) is line
    assert marks.settle(name, played=False) is None
    assert (line.fate, marks.outstanding, marks.count(Fate.PLAYED)) == (Fate.PLAYED, 0, 1)


def test_the_mark_behind_a_line_tells_when_its_last_sound_is_played_unless_it_is_taken_back() -> None:
    marks, line = Marks(), Line("Hello.", quiet_ms=250)
    marks.begin(line)
    told = [line.heard_by]
    assert marks.leaves(marks.end(line), 7.0) is line
    for now in (7.0, 6.9):
        told.append(line.heard_by)
        marks.recall(now)
    told.append(line.heard_by)

    assert told == [None, 6.75, 6.75, None]
    assert marks.leaves("another mark", 8.0) is None


def test_every_mark_has_its_own_name_also_when_a_line_is_marked_again() -> None:
    marks, line = Marks(), Line("Hello.")

    assert len({marks.begin(line), marks.end(line), marks.end(line)}) == 3


def test_a_line_taken_back_is_not_settled_by_its_old_name() -> None:
    marks, line = Marks(), Line("Hello.")
    marks.begin(line)
    name = marks.end(line)

    assert marks.take(name) is line
    assert marks.settle(name, played=True) is None
    assert line.fate is Fate.OUTSTANDING


def test_abandoning_clears_what_is_on_its_way_and_nothing_else() -> None:
    marks = Marks()
    heard, lost, coming = Line("One."), Line("Two."), Line("Three.")
    for line in (heard, lost, coming):
        marks.begin(line)
    marks.settle(marks.end(heard), played=True)
    late = marks.end(lost)

    assert marks.abandon() == [lost, coming]
    assert [line.fate for line in (heard, lost, coming)] == [Fate.PLAYED, Fate.CLEARED, Fate.CLEARED]
    assert marks.settle(late, played=True) is None


def test_an_unknown_mark_settles_nothing() -> None:
    assert Marks().settle("s1", played=True) is None
    assert Marks().take("s1") is None


def test_a_long_call_does_not_grow_the_ledger() -> None:
    marks = Marks(kept=3)
    for number in range(10):
        line = Line(f"{number}.")
        marks.begin(line)
        marks.settle(marks.end(line), played=True)

    assert marks.count(Fate.PLAYED) == 3


def test_a_standstill_delays_what_is_being_played_and_nothing_that_was() -> None:
    marks = Marks()
    played, playing, coming = Line("One."), Line("Two."), Line("Three.")
    for line, begins_at in ((played, 1.0), (playing, 2.0)):
        marks.begins(marks.begin(line), begins_at)
    marks.leaves(marks.end(played), 2.0)
    marks.begin(coming)

    marks.stood_still(3.0, 7.5)

    assert (played.begins_at, playing.begins_at, coming.begins_at) == (1.0, 6.5, None)
