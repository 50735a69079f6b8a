"""The table of threats keeps to the truth: every threat has its line, and every test it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.*?) ?\| (.*?) ?\| (.+?) \|$", re.MULTILINE)
ROWS = [match.groups() for match in ROW.finditer((ROOT / "docs" / "security.md").read_text())]
THREATS = 27


def test_every_threat_has_its_line() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, THREATS + 1))


@pytest.mark.parametrize(
    ("number", "_threat", "mitigation", "tests", "state"), ROWS, ids=lambda part: part[:24]
)
def test_each_line_says_how_it_stands_and_what_holds_it(
    number: str, _threat: str, mitigation: str, tests: str, state: str
) -> None:
    stands = re.match(r"done\b|partly: |open: |not yet there\b", state)

    assert stands, state
    if stands.group() in ("done", "partly: "):
        assert mitigation and tests, number


@pytest.mark.parametrize("named", sorted({name for row in ROWS for name in re.findall(r"`([^`]+)`", row[3])}))
def test_every_test_that_is_named_is_there(named: str) -> None:
    module, _, name = named.partition("::")
    path = ROOT / "tests" / f"{module}.py"

    assert path.exists()
    assert re.search(rf"^(async )?def {name}\(", path.read_text(), re.MULTILINE)
