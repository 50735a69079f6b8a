"""Lines of tables and keys."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.conversation.script_file import DEFAULT
from app.conversation.script_places import Path, Places

TOML = '''\
name = "x"
"quoted key" = 1

[menu.main]  # a menu
say = """
[not.a.table]
key = 1 " and ' and \\""
"""
again = [
  "one [",   # ]
  'two',
]
help.short = "dotted"
choices = [{ to = "a" }, { to = "b" }]
late = 1

[[everywhere]]
to = "a"

[[everywhere]]
to = "b"

[everywhere.inner]
deep = 1

["odd.name".x]
y = \'\'\'
[no]\'\'\'
z = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("name",), 1),
        (("quoted key",), 2),
        (("menu", "main"), 4),
        (("menu", "main", "say"), 5),
        (("menu", "main", "again"), 9),
        (("menu", "main", "again", 1), 9),
        (("menu", "main", "help"), 13),
        (("menu", "main", "help", "short"), 13),
        (("menu", "main", "choices", 1, "to"), 14),
        (("menu", "main", "late"), 15),
        (("everywhere", 0), 17),
        (("everywhere", 0, "to"), 18),
        (("everywhere", 1), 20),
        (("everywhere", 1, "to"), 21),
        (("everywhere", 1, "inner", "deep"), 24),
        (("odd.name", "x", "y"), 27),
        (("odd.name", "x", "z"), 29),
        (("menu", "main", "missing"), 4),
        (("menu", "missing"), 4),
        (("missing",), 1),
        ((), 1),
    ],
)
def test_every_key_is_found_on_its_line_and_what_is_missing_at_its_table(path: Path, line: int) -> None:
    tomllib.loads(TOML)

    assert Places(TOML).line(path) == line


def test_every_key_of_the_script_that_ships_is_on_the_line_that_names_it() -> None:
    toml = DEFAULT.read_text("utf-8")
    places, lines = Places(toml), toml.splitlines()

    def walk(path: Path, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                assert key in lines[places.line((*path, key)) - 1]
                walk((*path, key), inner)
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                walk((*path, at), inner)

    walk((), tomllib.loads(toml))


@given(st.text(alphabet="ab[]{}=.\"'#\n\\ 1"))
def test_any_text_can_be_read(toml: str) -> None:
    assert Places(toml).line(("a", "b", 0)) >= 1
