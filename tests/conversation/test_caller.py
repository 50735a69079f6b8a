"""The caller's side of the turns."""

from app.conversation.caller import Caller
from app.conversation.port import UtteranceHeard
from app.conversation.turn_port import CallerBegan, CallerStopped


def test_an_utterance_lasts_from_its_begin_to_its_stop() -> None:
    caller = Caller()
    caller.note(CallerBegan(1000), recorded=False)
    spoke = caller.speaking

    caller.note(CallerStopped(1800), recorded=False)

    assert (spoke, caller.speaking) == (True, False)
    assert caller.lasted_ms == 800


def test_words_of_one_turn_are_joined_with_the_least_confidence() -> None:
    caller = Caller()
    for heard in (UtteranceHeard("i would like", 0.9), UtteranceHeard("", 0.0), UtteranceHeard("news", 0.5)):
        caller.add(heard)

    assert caller.take_said() == UtteranceHeard("i would like news", 0.5)
    assert caller.take_said() is None
