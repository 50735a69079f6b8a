"""What every test begins with."""

import logging

import pytest

from app.log import configure


@pytest.fixture(autouse=True)
def event_stream() -> None:
    """The event stream as a server has it: whatever an earlier test made of it is gone."""
    configure(level="debug", style="json")
    # In debug mode asyncio tells of every step over 100 ms: on a busy machine that says nothing of us.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
