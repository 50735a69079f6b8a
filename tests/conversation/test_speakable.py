"""What a model writes is made fit to be said, whatever pieces it comes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversation.speakable import Unwrapped, speakable

WRAPPED = [
    ("plain", "Hello. How are you?", "Hello. How are you?"),
    ("thoughts", "<think>They greet. {x}</think>Hello.", "Hello."),
    ("thoughts with a name in capitals", "<THINKING >no</Thinking >Hello.", "Hello."),
    ("a tool call", 'One moment. <tool_call>{"name": "hang_up"}</tool_call>', "One moment. "),
    ("json", 'Sure. {"name": "transfer", "arguments": {"to": "a } \\" b"}} Done.', "Sure.  Done."),
    ("json that never ends", 'Sure. {"name": "transfer"', "Sure. "),
    ("a fence", "Look: ```json\n{}\n``` Done.", "Look:  Done."),
    ("code in a line", "Say `hello` now.", "Say hello now."),
    ("a tag of speech markup", 'Wait <break time="1s"/>here.', "Wait here."),
    ("a tag around words", "It is <b>new</b>.", "It is new."),
    ("a special token", "Hello.<|im_end|>", "Hello."),
    ("less than", "It is 3 < 5, and a <- b.", "It is 3 < 5, and a <- b."),
    ("no tags", "a </ b> c <1> d", "a </ b> c <1> d"),
    ("a letter that grows in lower case", "<think>İİİİ</think>Hello.", "Hello."),
    ("a heart", "I <3 you.", "I <3 you."),
    ("two in a row", "a<think>b</think>c<think>d</think>e", "ace"),
    ("thoughts without an end", "Hello. <think>and on and on", "Hello. "),
    ("a tag without an end", "Hello. <br", "Hello. "),
]


@pytest.mark.parametrize(("text", "kept"), [case[1:] for case in WRAPPED], ids=[case[0] for case in WRAPPED])
def test_what_is_not_for_the_caller_is_left_out(text: str, kept: str) -> None:
    assert Unwrapped().feed(text) == kept


@given(st.sampled_from([case[1] for case in WRAPPED]), st.lists(st.integers(1, 9), min_size=1))
def test_pieces_of_any_size_give_the_same(text: str, sizes: list[int]) -> None:
    unwrapped, kept, at, turn = Unwrapped(), "", 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        kept += unwrapped.feed(text[at : at + size])
        at, turn = at + size, turn + 1

    assert kept == Unwrapped().feed(text)


@given(st.text(alphabet='<>`{}"\\/!|ab thinkİ', max_size=60))
def test_no_text_makes_it_stumble_and_no_brace_gets_through(text: str) -> None:
    whole = Unwrapped().feed(text)
    unwrapped = Unwrapped()

    assert "".join(unwrapped.feed(char) for char in text) == whole
    assert "{" not in whole
    assert "`" not in whole


@pytest.mark.parametrize("length", [500, 5000])
def test_a_bracket_that_is_no_tag_does_not_hold_the_text_back(length: int) -> None:
    assert len(Unwrapped().feed("<a" + "b" * length)) == length + 2


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Just this.", "Just this."),
        ("**Bold** and _italic_ and ~~gone~~.", "Bold and italic and gone."),
        ("# Tour dates", "Tour dates"),
        ("- Hamburg, on the third.\n", "Hamburg, on the third."),
        ("> - quoted", "quoted"),
        ("2. Berlin", "2. Berlin"),
        ("See [the site](https://example.com/a_(b)) now.", "See the site now."),
        ("![cover](https://example.com/c.png)", "cover"),
        ("Go to https://www.example.com/tour?x=1.", "Go to example dot com."),
        ("Go to www.example.co.uk, please", "Go to example dot co dot uk, please"),
        ("Write to me@example.com.", "Write to me at example.com."),
        ("Great 🎉👍🏽 news ❤️!", "Great news!"),
        ("Press 1️⃣ now", "Press 1 now"),
        ("[laughs] Hello there.", "Hello there."),
        ("It is so【4:1†source】.", "It is so."),
        ("| Hamburg | 3 October |", "Hamburg, 3 October"),
        ("|---|:--:|", ""),
        ("---", ""),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        (
            "It is 20°C; 5 * 3 is 15; #1 in the charts.",
            "It is 20°C; 5 times 3 is 15; number 1 in the charts.",
        ),
        ("Berlin → Hamburg", "Berlin, Hamburg"),
        ("snake_case", "snake case"),
        ("bell\x07\u200b\u202egone", "bellgone"),
        ("Grüße, Zoë! 今日は。", "Grüße, Zoë! 今日は。"),
        ("What's “that”, then — really?", "What's “that”, then — really?"),
        ("...", ""),
        ("🎉", ""),
    ],
)
def test_a_sentence_as_it_is_said(written: str, said: str) -> None:
    assert speakable(written) == said


@given(st.text(max_size=80))
def test_what_is_said_is_one_line_without_markup(text: str) -> None:
    said = speakable(text)

    assert said == " ".join(said.split())
    assert not set("<>{}[]|`*\\") & set(said)
