"""A persona, from its file or from the setting itself."""

from pathlib import Path

import pytest

from app.conversation.llm_tools import Toolbox
from app.conversation.persona import load_persona
from app.errors import ConfigError


def test_the_persona_that_ships_can_be_used() -> None:
    persona = load_persona()

    assert "Mara Lind" in persona.character
    assert [tool.name for tool in Toolbox(persona).tools] == ["take_message", "look_up", "hang_up"]
    assert persona.phrases


def test_a_text_is_the_character_itself() -> None:
    assert load_persona("You are a pirate.").character == "You are a pirate."
    assert load_persona("You answer.\nAsk for notes.txt").facts == ""


def test_a_text_file_holds_the_character(tmp_path: Path) -> None:
    (path := tmp_path / "pirate.md").write_text("You are a pirate.\n")

    assert load_persona(str(path)).character == "You are a pirate.\n"


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    (path := tmp_path / "persona.toml").write_text(
        """character = "You answer."
mood = "good"

[transfer.office]
number = "555"

[message]
longest_s = 1

[table."a/b"]
rows = { Hamburg = "3 October" }
"""
    )

    with pytest.raises(ConfigError) as raised:
        load_persona(str(path))

    lines = [fault.removeprefix(str(path)) for fault in raised.value.faults]
    assert [line.split(" ")[0] for line in sorted(lines)] == [":10:", ":2:", ":5:", ":8:"]
    assert ":2: mood: is not known here" in lines


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.toml", b"character = ", ":1: no TOML"),
        ("a.toml", b"", "character"),
        ("a.txt", b" \n", "is empty"),
        ("a.txt", b"\xff", "expected UTF-8"),
        ("a.txt", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=reason):
        load_persona(str(path))


@pytest.mark.parametrize("toml", ["a = " + "[" * 3_000, "a = " + "1" * 5_000], ids=["nested", "digits"])
def test_what_the_parser_itself_stumbles_over_is_a_fault_like_any_other(toml: str, tmp_path: Path) -> None:
    (path := tmp_path / "persona.toml").write_text(toml)

    with pytest.raises(ConfigError, match=r"persona\.toml:1: no TOML: "):
        load_persona(str(path))
