import pytest

from app.hearing.dialect import Heard, Message
from app.hearing.dictation import GROUP_BYTES, GUESSED, MOST_UTTERANCES, Dictation, Waits
from app.hearing.port import Transcript
from tests.hearing.plain import Plain

WAITS = Waits(final_s=2.0, latest_s=5.0, keep_alive_s=4.0)
FRAME = bytes(160)
GROUP = bytes(GROUP_BYTES)


class Session:
    """A dictation with a connection, and what it delivered."""

    def __init__(self, *, connected: bool = True) -> None:
        self.delivered: list[Transcript] = []
        self.dictation = Dictation(self.delivered.append, WAITS)
        if connected:
            self.dictation.connect(Plain(), now=0)

    def say(self, mulaw: bytes = GROUP, *, now: float = 0) -> int:
        """A whole utterance."""
        number = self.dictation.begin(now)
        self.dictation.hear(mulaw)
        self.dictation.end(now)
        return number

    @property
    def finals(self) -> list[tuple[int, str]]:
        return [(heard.utterance, heard.text) for heard in self.delivered if heard.final]


def last_word(text: str, taken_bytes: int = GROUP_BYTES) -> Heard:
    return Heard(text, final=True, taken_bytes=taken_bytes, whole=True)


def sizes(messages: list[Message]) -> list[int | str]:
    return [len(message) if isinstance(message, bytes) else message for message in messages]


def test_an_utterance_is_sent_in_groups_and_the_vendor_asked_for_its_last_word() -> None:
    session = Session()
    session.dictation.begin(0)
    enough = [session.dictation.hear(FRAME) for _ in range(7)]
    before = session.dictation.release(0)
    session.dictation.end(0)

    assert enough == [False, False, False, False, True, True, True]
    assert sizes(before) == [GROUP_BYTES]
    assert sizes(session.dictation.release(0)) == [320, "end"]


def test_the_vendors_words_are_delivered_as_they_come() -> None:
    session = Session()
    number = session.say(GROUP * 3)
    session.dictation.release(0)
    for heard in (
        Heard("what", final=False, confidence=0.5),
        Heard("what", final=False),
        Heard("what are", final=True, taken_bytes=GROUP_BYTES, confidence=0.8),
        Heard("the", final=False, confidence=0.6),
        Heard("the dates", final=True, taken_bytes=3 * GROUP_BYTES, whole=True, confidence=0.7),
    ):
        session.dictation.heard(heard, 0)

    assert session.delivered == [
        Transcript("what", False, number, 0.5),
        Transcript("what are", False, number, 0.8),
        Transcript("what are the", False, number, 0.6),
        Transcript("what are the dates", True, number, 0.7),
    ]
    assert session.dictation.idle


def test_words_about_no_utterance_are_nobodys() -> None:
    session = Session()
    session.dictation.heard(last_word("late"), 0)
    session.dictation.begin(0)
    session.dictation.heard(last_word("later"), 0)

    assert session.delivered == []


def test_the_next_utterance_waits_for_the_last_word_about_the_one_before() -> None:
    session = Session()
    session.say()
    session.say(GROUP * 2)

    assert sizes(session.dictation.release(0)) == [GROUP_BYTES, "end"]
    assert session.dictation.release(0.1) == []
    session.dictation.heard(last_word("one"), 0.3)
    assert sizes(session.dictation.release(0.3)) == [2 * GROUP_BYTES, "end"]
    session.dictation.heard(last_word("two"), 0.6)
    assert session.finals == [(1, "one"), (2, "two")]


def test_an_utterance_without_audio_is_answered_without_the_vendor() -> None:
    session = Session()
    session.say(b"")

    assert session.dictation.release(0) == []
    assert session.delivered == [Transcript("", True, 1, 0.0)]


def test_an_utterance_whose_audio_is_all_confirmed_is_not_asked_for() -> None:
    session = Session()
    session.dictation.begin(0)
    session.dictation.hear(GROUP)
    session.dictation.release(0)
    session.dictation.heard(Heard("yes", final=True, taken_bytes=GROUP_BYTES), 0)
    session.dictation.end(0)

    assert session.dictation.release(0) == []
    assert session.finals == [(1, "yes")]


def test_of_a_cancelled_utterance_nothing_is_told_but_its_audio_is_flushed() -> None:
    session = Session()
    session.dictation.begin(0)
    session.dictation.hear(GROUP + FRAME)
    session.dictation.release(0)
    session.dictation.cancel(0)

    assert session.dictation.release(0) == ["end"]
    session.dictation.heard(Heard("a cough", final=False), 0)
    session.dictation.heard(last_word("a cough"), 0)
    assert session.delivered == []
    assert session.dictation.idle


def test_a_cancelled_utterance_of_which_nothing_was_sent_leaves_no_trace() -> None:
    session = Session()
    session.dictation.begin(0)
    session.dictation.hear(GROUP)
    session.dictation.cancel(0)

    assert session.dictation.release(0) == []
    assert session.delivered == []
    assert session.dictation.idle


def test_a_new_beginning_ends_what_was_not_ended() -> None:
    session = Session()
    session.dictation.begin(0)
    session.dictation.hear(GROUP)
    session.dictation.begin(0)

    assert sizes(session.dictation.release(0)) == [GROUP_BYTES, "end"]


def test_audio_outside_an_utterance_is_not_heard() -> None:
    session = Session()
    session.dictation.hear(GROUP)
    session.say()
    session.dictation.hear(GROUP)
    session.dictation.end(0)
    session.dictation.cancel(0)

    assert sizes(session.dictation.release(0)) == [GROUP_BYTES, "end"]


def test_a_silent_vendor_is_given_up_in_time() -> None:
    session = Session()
    session.say(now=10)
    session.dictation.release(10)

    assert session.dictation.next_release() == 12
    session.dictation.release(11.9)
    assert session.finals == []
    session.dictation.release(12)
    assert session.finals == [(1, "")]


def test_what_is_known_of_an_utterance_is_better_than_nothing() -> None:
    session = Session()
    session.say(GROUP * 2)
    session.dictation.release(0)
    session.dictation.heard(Heard("tour", final=True, taken_bytes=GROUP_BYTES, confidence=0.9), 0)
    session.dictation.heard(Heard("dat", final=False, confidence=0.9), 0)
    session.dictation.release(2)

    assert session.delivered[-1] == Transcript("tour dat", True, 1, GUESSED)


def test_a_connection_that_answers_nothing_is_not_stalled_any_more() -> None:
    session = Session()
    session.say(now=0)
    session.dictation.release(0)
    session.dictation.release(2)
    stalled = [session.dictation.stalled]
    session.say(now=3)
    session.dictation.release(3)
    session.dictation.release(5)
    stalled.append(session.dictation.stalled)
    nothing = session.dictation.release(20)
    session.dictation.disconnect()
    session.dictation.connect(Plain(), 6)
    stalled.append(session.dictation.stalled)

    assert stalled == [False, True, False]
    assert nothing == []


def test_an_answer_restores_trust() -> None:
    session = Session()
    for now in (0, 10, 20):
        session.say(now=now)
        session.dictation.release(now)
        session.dictation.release(now + 2)
        session.say(now=now + 3)
        session.dictation.release(now + 3)
        session.dictation.heard(last_word("yes"), now + 3)

    assert not session.dictation.stalled
    assert session.dictation.answers == 3


def test_a_new_connection_is_told_what_was_not_confirmed() -> None:
    session = Session()
    session.dictation.begin(0)
    session.dictation.hear(bytes([1]) * GROUP_BYTES + bytes([2]) * GROUP_BYTES)
    session.dictation.release(0)
    session.dictation.heard(Heard("one", final=True, taken_bytes=GROUP_BYTES), 0)
    session.dictation.heard(Heard("tw", final=False), 0)

    assert session.dictation.disconnect() == GROUP_BYTES
    session.dictation.hear(bytes([3]) * GROUP_BYTES)
    session.dictation.end(1)
    assert session.dictation.release(1) == []
    session.dictation.connect(Plain(), 1.5)
    again = session.dictation.release(1.5)
    session.dictation.heard(last_word("two three", 2 * GROUP_BYTES), 2)

    assert again == [bytes([2]) * GROUP_BYTES + bytes([3]) * GROUP_BYTES, "end"]
    assert session.finals == [(1, "one two three")]


def test_a_replay_goes_out_in_messages_of_a_second() -> None:
    session = Session(connected=False)
    session.say(bytes(20_000))
    session.dictation.connect(Plain(), 0)

    assert sizes(session.dictation.release(0)) == [8000, 8000, 4000, "end"]


def test_a_replayed_utterance_has_its_time_anew_but_not_for_ever() -> None:
    session = Session()
    session.say(now=0)
    session.dictation.release(0)
    session.dictation.disconnect()
    session.dictation.connect(Plain(), 1.9)
    session.dictation.release(1.9)
    assert session.dictation.next_release() == pytest.approx(3.9)

    session.dictation.disconnect()
    session.dictation.connect(Plain(), 3.5)
    session.dictation.release(3.5)
    assert session.dictation.next_release() == 5.0
    session.dictation.release(5.0)
    assert session.finals == [(1, "")]


def test_without_a_connection_an_utterance_is_given_up_at_the_latest() -> None:
    session = Session(connected=False)
    session.say(now=1)
    session.say(now=2)

    session.dictation.release(6)
    assert session.finals == [(1, "")]
    assert session.dictation.next_release() == 11.0  # it was not the oldest before


def test_a_cancelled_utterance_is_not_replayed() -> None:
    session = Session()
    session.dictation.begin(0)
    session.dictation.hear(GROUP)
    session.dictation.release(0)
    session.dictation.cancel(0)
    session.dictation.disconnect()
    session.dictation.connect(Plain(), 1)

    assert session.dictation.release(1) == []
    assert session.dictation.idle


def test_a_quiet_connection_is_kept_alive_and_a_busy_one_needs_no_help() -> None:
    session = Session()

    assert session.dictation.next_release() == 4
    assert session.dictation.release(3.9) == []
    assert session.dictation.release(4) == ["keep alive"]
    assert session.dictation.next_release() == 8
    session.dictation.begin(7)
    session.dictation.hear(GROUP)
    session.dictation.release(7)
    assert session.dictation.next_release() == 11


def test_the_caller_who_outruns_the_vendor_is_heard_as_far_as_it_goes() -> None:
    session = Session(connected=False)
    for _ in range(MOST_UTTERANCES + 1):
        session.say()

    assert session.finals == [(1, "")]


def test_the_end_of_all_connections_is_the_last_word_about_everything() -> None:
    session = Session()
    session.say()
    session.dictation.begin(0)
    session.dictation.hear(GROUP)
    session.dictation.abandon(0)

    assert session.finals == [(1, ""), (2, "")]
    assert session.say() == 3
    assert session.dictation.idle
    assert session.dictation.next_release() is None


def test_audio_that_no_vendor_was_told_is_counted() -> None:
    session = Session(connected=False)
    session.say(bytes(31 * 8000))
    session.dictation.abandon(0)

    assert session.dictation.dropped_bytes == 8000
