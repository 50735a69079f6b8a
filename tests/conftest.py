"""What every test begins with."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.log import attach, configure
from tests.canaries import Watch


@pytest.fixture(autouse=True)
def event_stream() -> None:
    """The event stream as a server has it: whatever an earlier test made of it is gone."""
    configure(level="debug", style="json")
    # In debug mode asyncio tells of every step over 100 ms: on a busy machine that says nothing of us.
    logging.getLogger("asyncio").setLevel(logging.ERROR)


@pytest.fixture(autouse=True)
def nothing_leaks(event_stream: None) -> Iterator[Watch]:
    """Threats 8 and 9: no test's events hold a secret, or a caller's words and number outside of `pii.*`."""
    watch = Watch()
    watch.put_before_masking()
    detach = attach(watch.after_masking)
    yield watch
    detach()
    assert watch.leaks() == []


# Whole calls in real time, over real sockets, and processes that have two seconds to answer: they run apart
# from the rest, which would starve them, and once more when they fail, since a neighbour can starve them too.
REAL_TIME = ("journeys", "faults", "test_pool")
# Of those, who fill the machine by themselves run one after the other.
CROWDED = ("test_deploys_and_deaths", "test_fleet", "test_fleet_shared", "test_haproxy", "test_overload")
MAKEFILE = Path(__file__).parent.parent / "Makefile"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    (named,) = re.findall(r"^test: REALTIME = (.*)$", MAKEFILE.read_text(), re.MULTILINE)
    for item in items:
        path = Path(item.path)
        if path.parent.name in REAL_TIME or path.stem in REAL_TIME:
            item.add_marker(pytest.mark.realtime)
        if item.get_closest_marker("realtime"):
            if not item.nodeid.startswith(tuple(named.split())):
                raise pytest.UsageError(f"{item.nodeid}: `make test` looks for no test in real time there")
            if path.stem in CROWDED:
                item.add_marker(pytest.mark.xdist_group("crowded"))
