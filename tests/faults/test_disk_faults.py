"""Fault 61: a disk that is full, or can only be read."""

from pathlib import Path

from app.simulator import voice
from app.simulator.caller import simulate_call
from app.simulator.plan import CallPlan, Patience, Turn
from tests.journeys.conftest import HURRIED, events, hotline


async def test_61_a_disk_that_cannot_be_written_costs_what_is_kept_and_no_call(tmp_path: Path) -> None:
    """A message that cannot be kept is told to the operator; the caller is served to the end."""
    (tmp_path / "full").touch()
    folder = str(tmp_path / "full" / "data")  # below a file there is no folder, whoever asks for it
    message = await voice.spoken("please call me back")
    async with hotline(DATA_DIR=folder, CONVERSATION="script", HEARING_PROVIDERS="none") as url:
        plan = CallPlan(
            url=url + "/voice",
            turns=(Turn(digits="4"), Turn(mulaw=message), Turn(digits="#")),
            patience=Patience(longest_s=30.0, quiet_before_end_ms=4000),
            quirks=HURRIED,
        )
        report = await simulate_call(plan)
        (ended,) = await events(url, event="call.ended")
        told = {event["event"] for event in await events(url, level="error")}

    assert report.all_faults == [] and report.has_heard
    assert (ended["reason"], ended["underruns"]) == ("caller_hung_up", 0)
    assert {"resume.not_written", "message.lost"} <= told
    assert "call.failed" not in told
