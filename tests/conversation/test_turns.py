"""Who has the floor: the table of the module, rule by rule, and what holds for every call."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.conversation import port
from app.conversation.port import (
    CallStarted,
    HearingLost,
    KeyPressed,
    KeysEntered,
    MessageTaken,
    NotUnderstood,
    SilenceLasted,
    TransferFailed,
    UtteranceHeard,
)
from app.conversation.turn_port import (
    Abandon,
    Ask,
    BargeIn,
    CallEnded,
    CallerBargedIn,
    CallerBegan,
    CallerStopped,
    EndMessage,
    Floor,
    Interim,
    Interrupt,
    NoiseHeard,
    PlayFiller,
    Record,
    ReplyHeard,
    Resume,
    SentenceBegan,
    Tick,
    TurnFact,
    TurnLimits,
    TurnOrder,
)
from app.conversation.turns import Turns

STARTED = CallStarted("CA1")
NEWS = UtteranceHeard("news", 0.9)
UNCLEAR = UtteranceHeard("", 0.0)
OKAY = UtteranceHeard("okay")


class Line:
    """A call under a clock of its own; keeps every order and the time it was given."""

    def __init__(self, limits: TurnLimits | None = None) -> None:
        self.turns = Turns(limits, seed="CA1")
        self.now = 100.0
        self.orders: list[TurnOrder] = []
        self.handle(STARTED)

    def handle(self, *facts: TurnFact) -> list[TurnOrder]:
        """The orders that follow from the last of `facts`."""
        given: list[TurnOrder] = []
        for fact in facts:
            given = self.turns.handle(fact, self.now)
            self.orders += given
        return given

    def wait(self, for_s: float) -> list[TurnOrder]:
        """Let time pass, ticking at every deadline as a shell does; all orders of that time."""
        until, given = self.now + for_s, list[TurnOrder]()
        while (deadline := self.turns.next_deadline()) is not None and deadline <= until:
            self.now = deadline
            given += self.handle(Tick())
        self.now = until
        return given

    def speaking(self, *, interruptible: bool = True) -> "Line":
        self.handle(SentenceBegan(interruptible))
        return self

    def listening(self) -> "Line":
        self.speaking().handle(ReplyHeard())
        return self

    def holding(self, at_ms: int = 1000) -> "Line":
        self.speaking().handle(CallerBegan(at_ms), CallerBargedIn(at_ms + 200))
        return self

    @property
    def floor(self) -> Floor:
        return self.turns.floor


def test_a_call_begins_with_a_question_to_the_conversation() -> None:
    line = Line()

    assert line.orders == [Ask(STARTED)]
    assert line.floor is Floor.THINKING


def test_the_reply_is_spoken_then_the_caller_has_the_floor() -> None:
    line = Line()

    floors = []
    for fact in (SentenceBegan(), ReplyHeard()):
        assert line.handle(fact) == []
        floors.append(line.floor)

    assert floors == [Floor.SPEAKING, Floor.LISTENING]


def test_a_reply_without_words_gives_the_floor_back() -> None:
    line = Line()
    line.handle(ReplyHeard())

    assert line.floor is Floor.LISTENING


# ── listening ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("heard", "asked"), [(NEWS, NEWS), (UNCLEAR, NotUnderstood()), (OKAY, OKAY)])
def test_an_utterance_is_asked_when_the_caller_has_stopped(heard: UtteranceHeard, asked: port.Fact) -> None:
    line = Line().listening()

    assert line.handle(CallerBegan(0), Interim("ne"), CallerStopped(800), heard) == [Ask(asked)]
    assert line.floor is Floor.THINKING


def test_nothing_is_answered_while_the_caller_speaks_on_and_the_parts_are_joined() -> None:
    line = Line().listening()

    assert line.handle(CallerBegan(0), CallerStopped(500), CallerBegan(900), UtteranceHeard("i want")) == []
    assert line.handle(CallerStopped(1500), NEWS) == [Ask(UtteranceHeard("i want news", 0.9))]


def test_words_before_a_noise_are_answered_after_it() -> None:
    line = Line().listening()
    line.handle(CallerBegan(0), CallerStopped(500), CallerBegan(900), NEWS)

    assert line.handle(NoiseHeard(1100)) == [Ask(NEWS)]


def test_a_transcript_that_never_comes_counts_as_not_understood() -> None:
    line = Line().listening()
    line.handle(CallerBegan(0), CallerStopped(500))

    assert line.wait(2.4) == []
    assert line.wait(0.2) == [Ask(NotUnderstood())]


def test_silence_is_told_once_twice_thrice_and_counted_anew_after_words() -> None:
    line = Line().listening()
    assert line.wait(6.9) == []

    for times in (1, 2, 3):
        assert line.wait(0.2) == [Ask(SilenceLasted(times))]
        line.listening()
        assert line.wait(6.9) == []
    line.handle(CallerBegan(0), CallerStopped(500), NEWS)
    line.listening()
    assert line.wait(7.0) == [Ask(SilenceLasted(1))]


def test_silence_is_never_told_on_top_of_the_caller() -> None:
    line = Line().listening()
    line.wait(6.9)
    line.handle(CallerBegan(0))

    assert line.wait(60) == []


def test_silence_is_never_told_while_a_reply_is_made_or_played_or_held() -> None:
    assert Line().wait(60) == []
    assert Line().speaking().wait(60) == []
    assert Line().holding().wait(60) == []


def test_silence_begins_anew_after_a_noise() -> None:
    line = Line().listening()
    line.wait(6.0)
    line.handle(CallerBegan(0), NoiseHeard(300))

    assert line.wait(6.9) == []
    assert line.wait(0.1) == [Ask(SilenceLasted(1))]


# ── thinking ────────────────────────────────────────────────────────────────────────────────────────


def test_a_late_reply_is_filled_once_and_never_with_the_same_words_twice_in_a_row() -> None:
    line = Line(TurnLimits(fillers=("One moment.", "Let me see.", "Well.")))
    said = line.wait(60)
    assert len(said) == 1

    for _ in range(20):
        line.listening().handle(CallerBegan(0), CallerStopped(500), NEWS)
        assert line.wait(1.1) == []
        said += line.wait(0.1)

    assert len(said) == 21
    assert all(isinstance(order, PlayFiller) for order in said)
    assert all(first != second for first, second in pairwise(said))


def test_no_filler_when_the_reply_is_in_time_or_the_caller_speaks_or_there_is_none() -> None:
    fillers = TurnLimits(fillers=("Well.",))
    speaking_caller = Line(fillers)
    speaking_caller.handle(CallerBegan(0))

    assert Line(fillers).speaking().wait(60) == []
    assert speaking_caller.wait(60) == []
    assert Line().wait(60) == []


def test_a_caller_who_says_more_before_the_reply_is_asked_anew() -> None:
    line = Line()

    assert line.handle(CallerBegan(0), CallerStopped(500), NEWS) == [Interrupt(), Abandon(), Ask(NEWS)]
    assert line.handle(OKAY) == []
    assert line.handle(UNCLEAR) == []
    assert line.floor is Floor.THINKING


def test_while_we_speak_no_time_is_waited_for() -> None:
    asked, unasked = Line(TurnLimits(fillers=("Well.",))).speaking(), Line().listening().speaking()

    assert asked.turns.next_deadline() is None
    assert unasked.turns.next_deadline() is None


# ── speaking and holding ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("speaking", [True, False])
def test_barge_in_silences_us_at_once_and_words_make_it_final(*, speaking: bool) -> None:
    line = Line().speaking() if speaking else Line()

    assert line.handle(CallerBegan(1000), CallerBargedIn(1200)) == [Interrupt()]
    assert line.handle(CallerStopped(1900), NEWS) == [Abandon(), Ask(NEWS)]
    assert line.floor is Floor.THINKING


def test_interim_words_make_it_final_before_the_caller_has_finished() -> None:
    line = Line().holding()

    assert line.handle(Interim("uh")) == []
    assert line.handle(Interim("uh tell me")) == [Abandon()]
    assert line.floor is Floor.LISTENING
    assert line.handle(CallerStopped(1900), NEWS) == [Ask(NEWS)]


def test_a_cough_resumes_the_reply() -> None:
    line = Line().holding(1000)

    assert line.handle(NoiseHeard(1400)) == [Resume()]
    assert line.floor is Floor.SPEAKING
    assert line.wait(60) == []


def test_a_sound_without_words_resumes_the_reply_when_it_was_short() -> None:
    line = Line().holding(1000)

    assert line.handle(CallerStopped(1900), UNCLEAR) == [Resume()]


def test_a_long_utterance_without_words_is_not_understood() -> None:
    line = Line().holding(1000)

    assert line.handle(CallerStopped(2900), UNCLEAR) == [Abandon(), Ask(NotUnderstood())]


def test_a_backchannel_resumes_the_reply() -> None:
    line = Line().holding()

    assert line.handle(Interim("okay"), CallerStopped(1400), OKAY) == [Resume()]


def test_a_backchannel_that_is_an_expected_answer_takes_the_floor() -> None:
    line = Line()
    line.turns.ordered(port.Expect(("Okay", "no")))
    line.holding()

    assert line.handle(CallerStopped(1400), OKAY) == [Abandon(), Ask(OKAY)]


def test_nothing_within_two_seconds_of_the_sound_resumes_the_reply() -> None:
    line = Line().holding()
    line.handle(CallerStopped(1400))

    assert line.wait(1.9) == []
    assert line.wait(0.1) == [Resume()]


def test_a_tick_before_its_time_does_nothing() -> None:
    line = Line().listening()

    assert line.handle(Tick()) == []
    assert line.wait(7.0) == [Ask(SilenceLasted(1))]


def test_what_is_said_needs_no_word_of_the_turns() -> None:
    line = Line()
    line.turns.ordered(port.Say("Hello."))

    assert line.floor is Floor.THINKING


def test_a_second_sound_keeps_the_reply_held() -> None:
    line = Line().holding()
    line.handle(CallerStopped(1400), CallerBegan(1600))

    assert line.handle(UNCLEAR) == []
    assert line.wait(60) == []
    assert line.handle(CallerStopped(2300), NEWS) == [Abandon(), Ask(NEWS)]


def test_a_reply_cut_behind_its_last_word_leaves_the_floor_to_the_caller() -> None:
    line = Line().holding()

    assert line.handle(ReplyHeard()) == [Resume()]
    assert line.floor is Floor.LISTENING
    assert line.handle(CallerStopped(1400), NEWS) == [Ask(NEWS)]


def test_a_goodbye_that_comes_while_the_reply_is_held_waits_for_what_the_caller_says() -> None:
    cough, words = Line().holding(), Line().holding()
    cough.turns.ordered(port.HangUp())
    words.turns.ordered(port.HangUp())

    assert cough.handle(NoiseHeard(1400)) == [Resume()]
    assert cough.floor is Floor.ENDING
    assert words.handle(CallerStopped(1400), NEWS) == [Abandon(), Ask(NEWS)]
    assert words.floor is Floor.THINKING


def test_words_without_voice_activity_interrupt_too() -> None:
    assert Line().speaking().handle(NEWS) == [Interrupt(), Abandon(), Ask(NEWS)]
    assert Line().speaking().handle(Interim("wait a moment")) == [Interrupt(), Abandon()]
    assert Line().speaking().handle(Interim("mhm")) == []


def test_a_single_word_that_is_not_final_may_be_a_cough() -> None:
    assert Line().speaking().handle(Interim("two")) == []
    held = Line().speaking()
    held.handle(CallerBegan(0), CallerBargedIn(200))

    assert held.handle(Interim("two")) == []
    assert held.handle(NoiseHeard(500)) == [Resume()]
    assert Line().speaking().handle(OKAY) == []


def test_a_sentence_that_is_not_interruptible_is_said_to_its_end_and_the_words_are_kept() -> None:
    line = Line().speaking(interruptible=False)

    assert line.handle(CallerBegan(0), CallerBargedIn(200), Interim("news"), CallerStopped(500), NEWS) == []
    assert line.floor is Floor.SPEAKING
    assert line.handle(ReplyHeard()) == [Ask(NEWS)]


def test_kept_words_take_the_floor_from_the_next_interruptible_sentence() -> None:
    line = Line().speaking(interruptible=False)
    line.handle(NEWS, SentenceBegan(interruptible=False))

    assert line.handle(SentenceBegan(interruptible=True)) == [Interrupt(), Abandon(), Ask(NEWS)]


def test_by_words_only_a_voice_does_not_interrupt() -> None:
    line = Line(TurnLimits(barge_in=BargeIn.WORDS, least_words=2)).speaking()

    assert line.handle(CallerBegan(0), CallerBargedIn(200), Interim("tell")) == []
    assert line.handle(Interim("tell me")) == [Interrupt(), Abandon()]


def test_never_means_only_keys_interrupt() -> None:
    line = Line(TurnLimits(barge_in=BargeIn.NEVER)).speaking()

    assert (
        line.handle(CallerBegan(0), CallerBargedIn(200), Interim("tell me"), CallerStopped(900), NEWS) == []
    )
    assert line.handle(KeyPressed("1")) == [Interrupt(), Abandon(), Ask(KeysEntered("1"))]


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "silencing"),
    [
        (Line(), [Interrupt(), Abandon()]),
        (Line().listening(), []),
        (Line().speaking(interruptible=False), [Interrupt(), Abandon()]),
        (Line().holding(), [Abandon()]),
    ],
    ids=["thinking", "listening", "not interruptible", "holding"],
)
def test_a_key_always_has_the_floor(line: Line, silencing: list[TurnOrder]) -> None:
    assert line.handle(KeyPressed("1")) == [*silencing, Ask(KeysEntered("1"))]


def test_keys_are_gathered_in_order_while_we_speak() -> None:
    line = Line()
    line.turns.ordered(port.GatherKeys(most=10, terminator="#"))
    line.speaking()

    assert line.handle(KeyPressed("4")) == [Interrupt(), Abandon()]
    assert line.floor is Floor.LISTENING
    assert line.handle(KeyPressed("2"), KeyPressed("#")) == [Ask(KeysEntered("42"))]


def test_keys_are_complete_by_time_and_no_silence_is_told_before() -> None:
    line = Line(TurnLimits(silence_s=1.0))
    line.turns.ordered(port.GatherKeys(most=10, within_s=3.0))
    line.listening().handle(KeyPressed("4"))
    assert line.wait(2.9) == []
    line.handle(KeyPressed("2"))

    assert line.wait(2.9) == []
    assert line.wait(0.1) == [Ask(KeysEntered("42"))]


def test_how_keys_are_gathered_holds_for_one_answer() -> None:
    line = Line()
    line.turns.ordered(port.GatherKeys(most=3))
    line.listening().handle(KeyPressed("1"), KeyPressed("2"))

    assert line.handle(KeyPressed("3")) == [Ask(KeysEntered("123"))]
    assert line.handle(KeyPressed("4")) == [Interrupt(), Abandon(), Ask(KeysEntered("4"))]


def test_half_an_entry_silences_a_sentence_that_began_unasked() -> None:
    line = Line()
    line.turns.ordered(port.GatherKeys(most=3, within_s=3.0))
    line.listening().handle(KeyPressed("1"), SentenceBegan())

    assert line.wait(3.0) == [Interrupt(), Abandon(), Ask(KeysEntered("1"))]


# ── messages, transfers, the end ────────────────────────────────────────────────────────────────────


def recording(longest_s: float = 60.0) -> Line:
    line = Line()
    line.turns.ordered(port.TakeMessage(longest_s))
    assert line.speaking(interruptible=False).handle(ReplyHeard()) == [Record()]
    assert line.floor is Floor.RECORDING
    return line


def test_a_message_ends_by_a_key() -> None:
    line = recording()
    line.handle(CallerBegan(0))
    line.wait(12.5)

    assert line.handle(KeyPressed("#")) == [EndMessage(keep=True), Ask(MessageTaken(12.5))]


def test_a_message_ends_by_silence_but_not_by_a_breath() -> None:
    line = recording()
    line.handle(CallerBegan(0), CallerStopped(1000))
    assert line.wait(3.5) == []
    line.handle(CallerBegan(4500), CallerStopped(5500))

    assert line.wait(3.5) == []
    assert line.wait(1.0) == [EndMessage(keep=True), Ask(MessageTaken(7.5))]


def test_a_message_ends_at_its_longest() -> None:
    line = recording(10.0)
    line.handle(CallerBegan(0))

    assert line.wait(9.5) == []
    assert line.wait(0.5) == [EndMessage(keep=True), Ask(MessageTaken(10.0))]


def test_a_message_is_kept_when_the_caller_ends_it_by_hanging_up() -> None:
    line = recording()
    assert line.handle(CallerBegan(0), CallEnded()) == [EndMessage(keep=True)]

    assert recording().handle(CallEnded()) == []


def test_a_message_without_a_voice_is_none() -> None:
    assert recording().wait(7.0) == [EndMessage(keep=False), Ask(MessageTaken(0.0))]


def test_words_of_a_message_are_not_for_the_conversation() -> None:
    line = recording()
    line.handle(CallerBegan(0), KeyPressed("1"))

    assert line.handle(CallerStopped(900), Interim("call me"), UtteranceHeard("call me back")) == []
    assert line.wait(60) == []
    assert line.handle(CallerBegan(1900), CallerStopped(2400), NEWS) == [Interrupt(), Abandon(), Ask(NEWS)]


def test_a_caller_who_speaks_before_the_tone_is_recorded() -> None:
    line = Line()
    line.turns.ordered(port.TakeMessage(60.0))
    line.speaking(interruptible=False).handle(CallerBegan(0), ReplyHeard(), CallerStopped(900))

    assert line.wait(4.0) == [EndMessage(keep=True), Ask(MessageTaken(4.0))]


def test_a_place_in_line_for_a_recogniser_is_told_when_the_reply_has_been_heard() -> None:
    line = Line().speaking()

    assert line.handle(port.EarsAwaited(2), port.EarsAwaited(1)) == []
    assert line.handle(ReplyHeard()) == [Ask(port.EarsAwaited(1))]


def test_a_caller_who_comes_back_from_a_transfer_is_answered_first() -> None:
    failed = TransferFailed("+15551234567")

    assert Turns().handle(failed, 0.0) == [Ask(failed)]


def test_lost_hearing_is_told_when_the_reply_has_been_heard() -> None:
    line = Line().speaking()

    assert line.handle(HearingLost()) == []
    assert line.handle(ReplyHeard()) == [Ask(HearingLost())]
    assert line.handle(ReplyHeard()) == []
    assert line.handle(HearingLost()) == [Ask(HearingLost())]


def test_a_transfer_is_not_disturbed_and_its_failure_is_told() -> None:
    line = Line()
    line.turns.ordered(port.Transfer("+15551234567"))
    line.handle(SentenceBegan(), ReplyHeard(), KeyPressed("1"), CallerBegan(0), CallerBargedIn(200), NEWS)
    assert line.orders == [Ask(STARTED)]

    failed = TransferFailed("+15551234567")
    assert line.handle(failed) == [Ask(failed)]


@pytest.mark.parametrize("order", [port.HangUp(), port.GiveUp()])
def test_a_goodbye_is_said_to_its_end(order: port.Order) -> None:
    line = Line()
    line.turns.ordered(order)
    line.handle(SentenceBegan(), CallerBegan(0), CallerBargedIn(200), NEWS, KeyPressed("1"), ReplyHeard())

    assert line.orders == [Ask(STARTED)]
    assert line.turns.next_deadline() is None


# ── what holds for every call ───────────────────────────────────────────────────────────────────────

TEXTS = st.sampled_from(["", "okay", "news", "tell me more"])
FACTS = st.one_of(
    st.builds(CallerBegan, st.integers(0, 9000)),
    st.builds(CallerBargedIn, st.integers(0, 9000)),
    st.builds(CallerStopped, st.integers(0, 9000)),
    st.builds(NoiseHeard, st.integers(0, 9000)),
    st.builds(Interim, TEXTS),
    st.builds(UtteranceHeard, TEXTS),
    st.builds(KeyPressed, st.sampled_from("12#")),
    st.builds(SentenceBegan, st.booleans()),
    st.sampled_from([ReplyHeard(), HearingLost(), TransferFailed("+15551234567")]),
)


@dataclass(frozen=True)
class Ordered:
    """The conversation orders this."""

    order: port.Order


Step = TurnFact | Ordered | float
ANSWERING = {Floor.THINKING, Floor.SPEAKING, Floor.HOLDING}
ORDERS = st.builds(
    Ordered,
    st.sampled_from(
        [
            port.GatherKeys(most=3),
            port.Expect(("okay",)),
            port.TakeMessage(5.0),
            port.Transfer("+15551234567"),
            port.HangUp(),
            port.GiveUp(),
        ]
    ),
)
STEPS = st.lists(st.one_of(FACTS, ORDERS, st.floats(0.1, 8.0)), max_size=40)
LIMITS = st.builds(
    TurnLimits, barge_in=st.sampled_from(BargeIn), fillers=st.sampled_from([(), ("Well.",), ("Well.", "So.")])
)
CAUSES: dict[type[port.Fact], tuple[type[TurnFact], ...]] = {
    UtteranceHeard: (UtteranceHeard, NoiseHeard, SentenceBegan, ReplyHeard, Tick),
    NotUnderstood: (UtteranceHeard, Tick, NoiseHeard),
    KeysEntered: (KeyPressed, Tick),
    SilenceLasted: (Tick,),
    MessageTaken: (KeyPressed, Tick),
    TransferFailed: (TransferFailed,),
    HearingLost: (HearingLost, ReplyHeard),
}


@dataclass
class Book:
    """Follows a call from outside: what the caller does, and whether a reply is held."""

    line: Line
    held: bool = False
    caller_speaks: bool = False

    def take(self, step: Step) -> None:
        match step:
            case float():
                self.wait(step)
            case Ordered(order):
                if self.line.floor in ANSWERING:  # the conversation orders when it was asked
                    self.line.turns.ordered(order)
            case _:
                self.follow(step)

    def wait(self, for_s: float) -> None:
        until = self.line.now + for_s
        while (deadline := self.line.turns.next_deadline()) is not None and deadline <= until:
            self.line.now = deadline
            self.follow(Tick())
        self.line.now = until

    def follow(self, fact: TurnFact) -> None:
        """Check every order of one fact against what was before."""
        before, ends = self.line.floor, isinstance(fact, CallerStopped | NoiseHeard)
        self.caller_speaks = isinstance(fact, CallerBegan) or (self.caller_speaks and not ends)
        for order in self.line.handle(fact):
            assert before is not Floor.ENDING
            if isinstance(order, Ask):
                self.check_asked(order.fact, fact)
            else:
                self.check_act(order, before)
        assert self.held is (self.line.floor is Floor.HOLDING) or self.line.floor is Floor.ENDING

    def check_asked(self, asked: port.Fact, cause: TurnFact) -> None:
        assert isinstance(cause, CAUSES[type(asked)])
        assert not self.held
        assert self.line.floor is Floor.THINKING
        assert not (isinstance(asked, SilenceLasted) and self.caller_speaks)

    def check_act(self, order: TurnOrder, before: Floor) -> None:
        match order:
            case Interrupt():
                assert not self.held
                self.held = True
            case Resume() | Abandon():
                assert self.held
                self.held = False
            case PlayFiller():
                assert before is Floor.THINKING
                assert not self.caller_speaks
            case Record():
                assert self.line.floor is Floor.RECORDING
            case EndMessage():
                assert before is Floor.RECORDING


@given(LIMITS, STEPS)
@settings(max_examples=400, deadline=None)
def test_every_order_has_its_cause_and_its_floor(limits: TurnLimits, steps: list[Step]) -> None:
    book = Book(Line(limits))

    for step in steps:
        book.take(step)


@given(STEPS)
@settings(deadline=None)
def test_after_the_call_has_ended_nothing_is_ordered_or_waited_for(steps: list[Step]) -> None:
    book = Book(Line(TurnLimits(fillers=("Well.",))).listening())
    book.line.handle(CallEnded())
    book.line.orders.clear()

    for step in steps:
        book.take(step)

    assert book.line.orders == []
    assert book.line.turns.next_deadline() is None


@given(st.lists(st.one_of(FACTS, st.floats(0.1, 8.0)), max_size=40))
@settings(deadline=None)
def test_the_call_always_gets_on(steps: list[Step]) -> None:
    """When the caller falls silent and replies are heard, silence is told at last, whatever was before."""
    book = Book(Line().listening())
    for step in steps:
        book.take(step)
    book.line.handle(CallerStopped(9000))
    for _ in range(2):
        book.line.wait(20)
        book.line.listening()

    assert any(
        isinstance(order, Ask) and isinstance(order.fact, SilenceLasted) for order in book.line.wait(20)
    )
