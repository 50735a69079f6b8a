"""Scripts as files."""

import json
import re
from pathlib import Path

import pytest

from app.conversation.script_file import DEFAULT, SCHEMA, Fault, dotted, load_script, read_script, schema
from app.errors import ConfigError

SOUND = """\
[greeting]
play = "hello.mp3"
then = "bye"

[goodbye.bye]
say = "Bye."
"""


def faults(toml: str, folder: Path) -> list[Fault]:
    return read_script(toml, folder)[1]


def test_the_script_that_ships_is_sound() -> None:
    script = load_script()

    assert {"news", "tour", "music", "message", "person"} <= script.steps().keys()


def test_prompts_become_paths_that_can_be_opened_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "hello.mp3").write_bytes(b"x")

    script, found = read_script(SOUND, tmp_path)

    assert found == []
    assert script is not None
    assert script.prompts() == [str(tmp_path.resolve() / "hello.mp3")]


def test_every_fault_of_every_sort_is_told_with_its_line(tmp_path: Path) -> None:
    toml = (
        SOUND
        + 'colour = "red"\n\n[menu.main]\nsay = "Hi {nme}."\n[[menu.main.choices]]\nto = "nowhere"\nkey = 5\n'
    )

    assert faults(toml, tmp_path) == [
        Fault(2, "greeting.play: there is no file 'hello.mp3' beside the script"),
        Fault(7, "goodbye.bye.colour: is not known here"),
        Fault(10, "menu.main.say[1]: nothing is kept as 'nme'"),
        Fault(12, "menu.main.choices[1].to: there is no step 'nowhere'"),
        Fault(13, "menu.main.choices[1].key: expected a text in quotes"),
    ]


def test_faults_that_hide_the_rest_are_told_alone(tmp_path: Path) -> None:
    toml = SOUND + "[[everywhere]]\nto = 5\ndo = 'help'\n"

    assert faults(toml, tmp_path) == [Fault(8, "everywhere[1].to: expected a text in quotes")]


@pytest.mark.parametrize(
    ("toml", "line"), [("a = 1\nb =\n", 2), ("[a\n", 1), ('a = """\nb', 2), ("a = 1\na = 2", 2), ("=", 1)]
)
def test_what_is_no_toml_is_told_with_its_line(toml: str, line: int, tmp_path: Path) -> None:
    [fault] = faults(toml, tmp_path)

    assert fault.line == line
    assert fault.reason.startswith("no TOML: ")
    assert "line" not in fault.reason


def test_an_unknown_time_zone_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "hello.mp3").write_bytes(b"x")

    assert faults('zone = "Mars/Base"\n' + SOUND, tmp_path) == [
        Fault(1, "zone: there is no time zone 'Mars/Base' on this machine")
    ]


def test_loading_names_the_file_and_line_of_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SOUND)

    with pytest.raises(ConfigError) as caught:
        load_script(path)

    assert caught.value.faults == (
        f"{path}:2: greeting.play: there is no file 'hello.mp3' beside the script",
    )


def test_a_file_that_cannot_be_read_is_the_operators_fault(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')

    for name, reason in [
        ("none.toml", "no such file"),
        ("latin.toml", "expected UTF-8"),
        ("", "is a directory"),
    ]:
        with pytest.raises(ConfigError, match=reason):
            load_script(tmp_path / name)


def test_elements_count_from_one() -> None:
    assert dotted(("menu", "main", "choices", 0, "to")) == "menu.main.choices[1].to"


def test_the_scripts_of_the_docs_are_sound(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "scripts.md"
    scripts = re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)

    assert len(scripts) == 2
    assert [faults(toml, tmp_path) for toml in scripts] == [[], []]


def test_the_schema_that_ships_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text("utf-8")) == schema(), (
        "hotline script schema > app/conversation/script.schema.json"
    )


def test_the_schema_knows_what_a_script_may_contain() -> None:
    whole = schema()

    assert whole["additionalProperties"] is False
    assert whole["required"] == ["greeting"]
    assert {"menu", "answer", "question", "message", "transfer", "hours", "goodbye"} <= whole[
        "properties"
    ].keys()
    assert DEFAULT.is_file()


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("a = " + "[" * 3_000, "no TOML: tables or lists nested too deeply"),
        ("a = " + "1" * 5_000, "no TOML: a number of too many digits"),
        (".".join(["a"] * 2_000) + " = 1", "no TOML: tables or lists nested too deeply"),
        (
            "a = 1\nb={ " + " . ".join(['"a"', "'b'", "c-d"] * 50) + " = 1}",
            "no TOML: tables or lists nested too deeply",
        ),
    ],
    ids=["nested", "digits", "dotted", "dotted in a table"],
)
def test_what_the_parser_itself_stumbles_over_is_a_fault_like_any_other(
    toml: str, reason: str, tmp_path: Path
) -> None:
    assert [fault.reason for fault in faults(toml, tmp_path)] == [reason]


def test_a_prompt_whose_name_is_longer_than_any_files_is_not_there(tmp_path: Path) -> None:
    (fault,) = faults(SOUND.replace("hello", "h" * 300), tmp_path)

    assert "there is no file" in fault.reason
