"""What can be rendered before anybody calls."""

from app.conversation.script_file import DEFAULT, load_script
from app.conversation.script_ready import ready_texts


def test_the_scripts_own_words_are_ready_with_every_value_they_can_have() -> None:
    script = load_script(DEFAULT)
    ready = ready_texts(script)

    assert len(ready) == len(set(ready))
    assert any("press one for" in text for text in ready)
    assert all("{" not in text for text in ready)


def test_what_waits_for_the_callers_own_words_is_left_out() -> None:
    script = load_script(DEFAULT)
    ready = " ".join(ready_texts(script))

    assert "Did you mean" not in ready
