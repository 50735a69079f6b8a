"""One reply: what is said of it, and its figures."""

from app.conversation.llm_port import Budget, Message, Role, ToolCall
from app.conversation.llm_reply import Reply, Round
from app.conversation.port import Say
from app.speech.sentences import SentenceCutter


def reply(longest: int = 100) -> Reply:
    return Reply([], Budget(5.0), longest, began=10.0)


def test_sentences_are_counted_until_the_caller_has_heard_enough() -> None:
    said = reply(longest=12)

    assert said.say("**Hello** there.", 10.5) == Say("Hello there.")
    assert said.say("No more.", 11.0) is None
    assert (said.sentences, said.characters, said.full) == (1, 12, True)


def test_what_cannot_be_said_is_no_sentence() -> None:
    said = reply()

    assert said.say("🎉", 10.5) is None
    assert (said.sentences, said.first_sentence) == (0, None)


def test_figures_count_from_the_fact_that_is_answered() -> None:
    said = reply()
    said.token_came(10.2)
    said.token_came(10.3)
    said.say("Hello.", 10.4)
    said.say("Again.", 10.5)

    figures = said.figures(11.0)

    assert [figures[name] for name in ("first_token_ms", "first_sentence_ms", "total_ms")] == [200, 400, 1000]
    assert reply().figures(10.0)["first_token_ms"] is None


def test_half_a_sentence_is_dropped_when_there_are_whole_ones() -> None:
    begun, bare = Round(SentenceCutter()), Round(SentenceCutter())
    begun.said += begun.feed("All of it. And ha")

    assert begun.said == ["All of it. "]
    assert begun.finish(complete=False) == []
    assert bare.feed("Only ha") == []
    assert bare.finish(complete=False) == ["Only ha"]


def test_beginning_again_forgets_thoughts_and_calls() -> None:
    asked = Round(SentenceCutter())
    asked.feed("<think>hm")
    asked.calls = (ToolCall("1", "hang_up", ""),)

    asked.begin_again(SentenceCutter())

    assert asked.feed("Hello. Again.") == ["Hello. "]
    assert asked.message() == Message(Role.BRIDGE, "")
