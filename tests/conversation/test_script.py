"""Whole calls through scripts, played as lists of facts."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.conversation import port
from app.conversation.port import (
    CallStarted,
    Expect,
    Fact,
    GatherKeys,
    GiveUp,
    HangUp,
    HearingLost,
    KeysEntered,
    MessageTaken,
    NotUnderstood,
    Order,
    PlayPrompt,
    Say,
    SilenceLasted,
    SpeechFailed,
    TakeMessage,
    Transfer,
    TransferFailed,
    UtteranceHeard,
)
from app.conversation.script import ScriptConversation
from app.conversation.script_file import load_script
from app.conversation.script_model import Script

WEDNESDAY_NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 8, 12, tzinfo=UTC)
DEFAULT = load_script()
STARTED = CallStarted("CA1")

SMALL = Script.model_validate(
    {
        "names": {"band": "The Boats"},
        "greeting": {
            "say": "Hello from {band}.",
            "play": "/jingle.mp3",
            "interruptible": False,
            "then": "main",
        },
        "menu": {
            "main": {
                "say": "Main.",
                "again": "What else?",
                "choices": [
                    {"to": "news", "words": ["news"], "key": "1"},
                    {"to": "music", "words": ["music"], "key": "2", "label": "the music"},
                    {"to": "city", "words": ["city"], "key": "3"},
                    {"to": "code", "words": ["code"], "key": "4"},
                    {"to": "note", "words": ["message"], "key": "5"},
                    {"to": "boss", "words": ["boss"], "key": "6"},
                    {"to": "office", "words": ["office"], "key": "7"},
                ],
            },
        },
        "answer": {
            "news": {"say": "News."},
            "music": {"say": ["One.", "Two.", "Three."]},
            "city_kept": {"say": "{city} is nice, {band} thinks.", "then": "main"},
            "code_kept": {"say": "Code {code}."},
            "code_missed": {"say": "No code."},
            "noted": {"say": "Noted."},
            "nothing": {"say": "Nothing."},
            "away": {"say": "Away."},
        },
        "question": {
            "city": {"say": "Which city?", "keep": "city", "phrases": ["berlin"], "then": "city_kept"},
            "code": {
                "say": "Your code?",
                "keep": "code",
                "answer": "digits",
                "most": 4,
                "then": "code_kept",
                "otherwise": "code_missed",
            },
        },
        "message": {"note": {"say": "Speak.", "longest_s": 30, "then": "noted", "empty": "nothing"}},
        "transfer": {"boss": {"say": "One moment.", "number": "+15551234567", "otherwise": "away"}},
        "hours": {"office": {"open": "boss", "closed": "away", "wed": "09:00-17:00"}},
        "goodbye": {"bye": {"say": "Bye."}},
        "help": "Help: {keys}.",
        "everywhere": [
            {"words": ["repeat"], "key": "*", "do": "repeat"},
            {"words": ["help"], "key": "9", "do": "help"},
            {"words": ["main menu"], "key": "#", "to": "main"},
            {"words": ["goodbye"], "to": "bye"},
        ],
        "silence": {"prompt": "There?", "second": "Still there?", "goodbye": "Gone."},
        "not_understood": {
            "first": "Pardon?",
            "second": "Once more?",
            "keys": "Keys: {keys}.",
            "which": "{choices}?",
            "goodbye": "Sorry, bye.",
        },
    }
)


class Caller:
    """Plays facts to a conversation and hears what is said."""

    def __init__(self, script: Script = SMALL, moment: datetime = WEDNESDAY_NOON, **more: Any) -> None:
        self.conversation = ScriptConversation(script, moment, **more)
        self.orders: list[Order] = self.conversation.handle(STARTED)

    def hear(self, *facts: Fact) -> list[str]:
        """What is said on the last of `facts`."""
        for fact in facts:
            self.orders = self.conversation.handle(fact)
        return [order.text for order in self.orders if isinstance(order, Say)]

    def say(self, *texts: str) -> list[str]:
        return self.hear(*(UtteranceHeard(text) for text in texts))

    def press(self, digits: str) -> list[str]:
        return self.hear(KeysEntered(digits))


def test_the_greeting_then_the_menu_then_what_can_follow() -> None:
    orders = Caller().orders

    assert orders[:3] == [
        PlayPrompt("/jingle.mp3", interruptible=False),
        Say("Hello from The Boats.", interruptible=False),
        Say("Main."),
    ]
    assert orders[3] == GatherKeys(most=1, terminator="")
    assert isinstance(orders[4], Expect)
    assert {"news", "one", "repeat", "star", "main menu"} <= set(orders[4].phrases)


def test_an_operators_greeting_takes_the_place_of_the_scripts() -> None:
    assert Caller(greeting="Welcome.").orders[:2] == [Say("Welcome.", interruptible=False), Say("Main.")]


@pytest.mark.parametrize(
    "ask", [UtteranceHeard("the news please"), KeysEntered("1"), UtteranceHeard("number one")]
)
def test_a_choice_by_word_key_or_number_is_answered_and_the_menu_returns_short(ask: Fact) -> None:
    assert Caller().hear(ask) == ["News.", "What else?"]


def test_variants_never_come_twice_in_a_row() -> None:
    caller = Caller()

    said = [caller.say("music")[0] for _ in range(30)]

    assert set(said) == {"One.", "Two.", "Three."}
    assert all(first != second for first, second in pairwise(said))


def test_two_choices_are_asked_back_once() -> None:
    caller = Caller()

    assert caller.say("news or music") == ["news or the music?"]
    assert isinstance(caller.orders[-1], Expect) and "boss" not in caller.orders[-1].phrases
    assert caller.say("news and music") == ["Pardon?"]
    assert caller.say("the music")[0] in {"One.", "Two.", "Three."}


def test_answers_that_are_kept_are_used_in_later_texts() -> None:
    caller = Caller()

    assert caller.say("city") == ["Which city?"]
    assert caller.orders[1:] == [
        GatherKeys(most=1, terminator=""),
        Expect(("berlin", "repeat", "star", "help", "nine", "main menu", "pound", "goodbye")),
    ]
    assert caller.say("it's Leipzig") == ["Leipzig is nice, The Boats thinks.", "What else?"]
    assert caller.conversation.kept == {"city": "Leipzig"}


def test_words_that_work_everywhere_are_no_answer_but_may_be_a_part_of_one() -> None:
    caller = Caller()
    caller.say("city")

    assert caller.say("Main menu!") == ["What else?"]
    caller.say("city")
    assert caller.say("Goodbye City")[0] == "Goodbye City is nice, The Boats thinks."


@pytest.mark.parametrize(
    "answer", [UtteranceHeard("four two oh double one"), KeysEntered("42011"), KeysEntered("")]
)
def test_too_many_or_no_digits_are_not_understood(answer: Fact) -> None:
    caller = Caller()
    caller.say("code")

    assert caller.hear(answer) == ["Pardon?"]


@pytest.mark.parametrize("answer", [UtteranceHeard("four two oh one"), KeysEntered("4201")])
def test_digits_are_kept_and_said_one_by_one(answer: Fact) -> None:
    caller = Caller()
    caller.say("code")
    assert caller.orders[1] == GatherKeys(most=4, terminator="#")
    assert isinstance(caller.orders[2], Expect) and caller.orders[2].digits

    assert caller.hear(answer) == ["Code 4 2 0 1.", "What else?"]


def test_a_key_of_the_menu_is_a_digit_while_digits_are_asked_for() -> None:
    caller = Caller()
    caller.say("code")

    assert caller.press("9")[0] == "Code 9."
    caller.say("code")
    assert caller.press("*") == ["Your code?"]


def test_a_question_is_given_up_after_three_misses() -> None:
    caller = Caller()
    caller.say("code")
    missed = [caller.say("hm well")[0] for _ in range(3)]

    assert missed == ["Pardon?", "Once more?", "No code."]

    caller.say("city")
    assert caller.hear(NotUnderstood(), NotUnderstood(), NotUnderstood()) == ["What else?"]


def test_misses_change_the_wording_then_offer_keys_then_end_the_call() -> None:
    caller = Caller()
    missed = [caller.hear(NotUnderstood()) for _ in range(4)]
    keys = "Keys: press one for news, two for the music, three for city, four for code, five for message, "
    keys += "six for boss or seven for office."

    assert missed == [["Pardon?"], ["Once more?"], [keys], [keys]]
    assert caller.hear(NotUnderstood()) == ["Sorry, bye."]
    assert caller.orders[-1] == HangUp()


def test_misses_are_counted_anew_after_an_answer() -> None:
    caller = Caller()
    caller.hear(NotUnderstood(), NotUnderstood())
    caller.say("news")

    assert caller.hear(NotUnderstood()) == ["Pardon?"]


def test_a_key_without_meaning_is_not_understood() -> None:
    assert Caller().press("8") == ["Pardon?"]


def test_repeat_says_the_last_answer_again_or_the_menu() -> None:
    caller = Caller()
    assert caller.say("repeat") == ["Main."]

    caller.say("news")
    assert caller.press("*") == ["News.", "What else?"]
    caller.say("main menu")
    assert caller.say("repeat") == ["Main."]
    caller.say("city")
    assert caller.say("repeat") == ["Which city?"]


def test_help_works_everywhere() -> None:
    caller = Caller()
    assert caller.say("help")[0].startswith("Help: press one for news")
    assert isinstance(caller.orders[-1], Expect)

    caller.say("city")
    assert caller.say("help") == ["Help:."]


def test_a_message_is_taken_and_what_follows_depends_on_whether_there_is_one() -> None:
    caller = Caller()

    assert caller.say("message") == ["Speak."]
    assert caller.orders == [Say("Speak.", interruptible=False), TakeMessage(30.0)]
    assert caller.hear(MessageTaken(4.2)) == ["Noted.", "What else?"]
    caller.press("5")
    assert caller.hear(MessageTaken(0.0)) == ["Nothing.", "What else?"]


def test_a_key_skips_to_the_tone() -> None:
    caller = Caller()
    caller.say("message")
    caller.press("5")

    assert caller.orders == [TakeMessage(30.0)]


def test_words_over_the_start_of_a_message_start_it_again() -> None:
    caller = Caller()
    caller.say("message")

    assert caller.say("hello there") == ["Speak."]
    assert caller.orders[-1] == TakeMessage(30.0)


def test_a_caller_who_is_being_handed_over_is_asked_nothing() -> None:
    caller = Caller()
    caller.say("boss")

    for fact in (UtteranceHeard("news"), KeysEntered("*")):
        assert caller.hear(fact) == []
    caller.hear(SilenceLasted(1))
    assert caller.orders == [Say("There?")]


def test_a_transfer_and_its_failure() -> None:
    caller = Caller()

    caller.say("boss")
    assert caller.orders == [Say("One moment."), Transfer("+15551234567")]
    assert caller.hear(TransferFailed("+15551234567")) == ["Away.", "What else?"]


def test_without_a_number_nobody_is_there() -> None:
    boss = SMALL.transfer["boss"].model_copy(update={"number": ""})
    caller = Caller(SMALL.model_copy(update={"transfer": {"boss": boss}}))

    assert caller.say("boss") == ["Away.", "What else?"]


def test_opening_hours_decide_the_way() -> None:
    assert Caller().say("office") == ["One moment."]
    assert Caller(moment=SUNDAY).say("office") == ["Away.", "What else?"]


def test_a_goodbye_ends_the_call() -> None:
    caller = Caller()

    assert caller.say("okay goodbye") == ["Bye."]
    assert caller.orders[-1] == HangUp()


def test_silence_is_broken_twice_then_the_call_ends() -> None:
    caller = Caller()

    assert caller.hear(SilenceLasted(1)) == ["There?"]
    assert len(caller.orders) == 3  # it listens again
    assert caller.hear(SilenceLasted(2)) == ["Still there?"]
    assert caller.hear(SilenceLasted(3)) == ["Gone."]
    assert caller.orders[-1] == HangUp()


def test_without_ears_the_keys_are_read_out() -> None:
    caller = Caller()

    assert caller.hear(HearingLost())[0].startswith("Keys: press one for news")
    assert caller.press("1") == ["News.", "What else?"]


def test_without_a_voice_it_gives_up() -> None:
    assert ScriptConversation(SMALL, SUNDAY).handle(SpeechFailed("x")) == [GiveUp()]


@pytest.mark.parametrize(
    "fact",
    [port.SentenceHeard("Main."), port.Interrupted("Ma", "in."), MessageTaken(1.0), TransferFailed("+1")],
)
def test_what_needs_no_answer_gets_none(fact: Fact) -> None:
    caller = Caller()
    caller.hear(fact)

    assert caller.orders == []


def test_a_menu_without_again_is_said_in_full() -> None:
    main = SMALL.menu["main"].model_copy(update={"again": ()})

    assert Caller(SMALL.model_copy(update={"menu": {"main": main}})).say("news") == ["News.", "Main."]


# ── the script that ships ───────────────────────────────────────────────────────────────────────────


def test_the_first_words_are_brief() -> None:
    words = " ".join(order.text for order in Caller(DEFAULT).orders if isinstance(order, Say)).split()

    assert 15 <= len(words) <= 24  # some eight seconds, of which the greeting takes three


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        ("what are the tour dates", "Hamburg"),
        ("any news", "Small Hours"),
        ("play me some music", "Kettle Song"),
        ("can I talk to a person", "rehearsal"),
    ],
)
def test_the_shipped_hotline_answers(ask: str, told: str) -> None:
    assert told in Caller(DEFAULT).say(ask)[0]


def test_the_shipped_hotline_takes_a_message_and_a_number_to_call_back() -> None:
    caller = Caller(DEFAULT)

    assert caller.press("4") == [
        "Mara Lind listens to these herself. Speak after the tone, and press any key when you are done."
    ]
    assert "call you back" in caller.hear(MessageTaken(9.0))[0]
    assert "number" in caller.say("yes please")[0]
    assert caller.say("oh three oh, one two three")[0] == "I have 0 3 0 1 2 3. Somebody will call you back."


def test_the_shipped_hotline_is_closed_on_sundays() -> None:
    assert "closed" in Caller(DEFAULT, SUNDAY).press("0")[0]


FACTS = st.one_of(
    st.builds(UtteranceHeard, st.one_of(st.sampled_from(DEFAULT.phrases()), st.text(max_size=20))),
    st.builds(KeysEntered, st.text("0123456789*#", max_size=3)),
    st.builds(SilenceLasted, st.integers(1, 4)),
    st.builds(MessageTaken, st.sampled_from([0.0, 5.0])),
    st.sampled_from([NotUnderstood(), HearingLost(), TransferFailed("+1"), port.SentenceHeard("x")]),
)


@given(st.lists(FACTS, max_size=30), st.sampled_from([DEFAULT, SMALL]))
@settings(deadline=None)
def test_any_call_gets_an_answer_to_all_it_asks_until_it_ends(facts: list[Fact], script: Script) -> None:
    caller = Caller(script)
    for fact in facts:
        caller.hear(fact)
        if any(isinstance(order, HangUp | Transfer) for order in caller.orders):
            return
        if not isinstance(fact, port.SentenceHeard | MessageTaken | TransferFailed):
            assert isinstance(caller.orders[-1], Expect | TakeMessage)
        for text in (order.text for order in caller.orders if isinstance(order, Say)):
            assert text.strip()
