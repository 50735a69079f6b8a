"""What operators are told of one process."""

import json

from app import clock
from app.calls.registry import LiveCall
from app.web.status import status_of
from tests.web.conftest import make_parts


async def test_it_can_be_told_to_others_as_json_and_names_every_scarce_thing() -> None:
    parts = make_parts()
    parts.registry.began(LiveCall("CA1", "MZ1", clock.wall().isoformat()))

    told = json.loads(json.dumps(status_of(parts)))

    assert [call["call_sid"] for call in told["calls"]["list"]] == ["CA1"]
    assert {"calls", "speech", "hearing", "line", "strain", "alarms"} <= set(told)
