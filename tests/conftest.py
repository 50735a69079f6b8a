"""What every test begins with."""

import pytest

from app.log import configure


@pytest.fixture(autouse=True)
def event_stream() -> None:
    """The event stream as a server has it: whatever an earlier test made of it is gone."""
    configure(level="debug", style="json")
