"""The fault catalogue where it meets admission, by number: what is lost, and what is not.

48 a hang-up while waiting · 49 a webhook sent twice · 50 a webhook replayed later · 51 status callbacks in
any order · 57 a loop that stood still · 59 memory near its bound · 60 files near theirs
"""

from dataclasses import replace
from itertools import permutations
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from app.calls.strain import Bounds, Sample, Strain
from app.web.parts import Parts
from tests.web.conftest import Knock, desk_with_a_line, knock, make_parts

__all__ = ["knock"]
SIDS = ["CA" + letter * 32 for letter in "abcdef"]
BOUNDS = Bounds(lag_s=0.1, processor=0.85, memory=0.9, files=0.9)


def house(slots: int, strain: Strain | None = None) -> Parts:
    strain = strain or Strain(BOUNDS)
    desk = desk_with_a_line(slots, scarce=lambda: strain.reason)
    return replace(make_parts(strain=strain), desk=desk)


async def ring(http: httpx.AsyncClient, call_sid: str, path: str = "/voice") -> str:
    answer = await http.post(path, data={"CallSid": call_sid, "From": "+1", "To": "+2"})
    assert answer.status_code == 200
    return answer.text


async def tell(http: httpx.AsyncClient, call_sid: str, status: str) -> None:
    answer = await http.post("/voice/status", data={"CallSid": call_sid, "CallStatus": status})
    assert answer.status_code == 204


async def line(http: httpx.AsyncClient) -> list[str]:
    return [each["call_sid"] for each in (await http.get("/status")).json()["line"]["list"]]


def is_connected(document: str) -> bool:
    return ElementTree.fromstring(document)[0].tag == "Connect"


@pytest.mark.parametrize("order", list(permutations(SIDS[1:4])))
async def test_48_who_hangs_up_in_line_is_out_at_once_and_the_order_of_the_others_stays(
    knock: Knock, order: tuple[str, ...]
) -> None:
    async with knock(house(1)) as http:
        for call_sid in SIDS[:5]:
            await ring(http, call_sid)
        expected = SIDS[1:5]
        for gone in order:
            await tell(http, gone, "completed")
            expected = [each for each in expected if each != gone]
            assert await line(http) == expected
        await tell(http, SIDS[0], "completed")

        assert is_connected(await ring(http, SIDS[4], "/voice/queue"))


async def test_49_a_webhook_sent_twice_has_one_slot_or_one_place(knock: Knock) -> None:
    parts = house(1)
    async with knock(parts) as http:
        connected = {await ring(http, SIDS[0]) for _ in range(3)}
        for _ in range(3):
            assert not is_connected(await ring(http, SIDS[1]))

        assert len(connected) == 1
        assert await line(http) == [SIDS[1]]
    assert parts.admission.taken == 1


async def test_50_a_webhook_replayed_after_the_call_takes_no_slot_and_no_place(knock: Knock) -> None:
    parts = house(1)
    async with knock(parts) as http:
        first = await ring(http, SIDS[0])
        await ring(http, SIDS[1])
        for call_sid in SIDS[:2]:
            await tell(http, call_sid, "completed")
        replays = [
            await ring(http, SIDS[0]),
            await ring(http, SIDS[1]),
            await ring(http, SIDS[1], "/voice/queue"),
        ]

        assert replays[0] == first  # the same token, which is used up
        assert [ElementTree.fromstring(each)[0].tag for each in replays[1:]] == ["Hangup"] * 2
        assert await line(http) == []
    assert parts.admission.taken == 0


@pytest.mark.parametrize("statuses", list(permutations(["initiated", "ringing", "completed"])))
async def test_51_status_callbacks_in_any_order_leave_nothing_behind(
    knock: Knock, statuses: tuple[str, ...]
) -> None:
    parts = house(1)
    async with knock(parts) as http:
        await ring(http, SIDS[0])
        await ring(http, SIDS[1])
        for call_sid in SIDS[:3]:  # the third never had a webhook
            for status in statuses:
                await tell(http, call_sid, status)

        assert await line(http) == []
        assert is_connected(await ring(http, SIDS[3]))
    assert parts.admission.taken == 1


@pytest.mark.parametrize(
    ("row", "sample", "reason"),
    [
        (57, Sample(lag_s=2.0), "event loop stood still for 1 s or more"),
        (59, Sample(memory=0.95), "memory at 95%, at most 90%"),
        (60, Sample(files=1.0), "files at 100%, at most 90%"),
    ],
)
async def test_57_59_60_what_runs_out_refuses_new_calls_says_why_and_touches_no_live_one(
    knock: Knock, row: int, sample: Sample, reason: str
) -> None:
    strain = Strain(BOUNDS)
    parts = house(5, strain)
    async with parts.voice, knock(parts) as http:
        await ring(http, SIDS[0])
        strain.note(sample, 0.0)
        answer, ready = await ring(http, SIDS[1]), await http.get("/readyz")
        status: dict[str, Any] = (await http.get("/status")).json()
        strain.note(Sample(), 10.0)
        after, ready_again = await ring(http, SIDS[1], "/voice/queue"), await http.get("/readyz")

    assert not is_connected(answer)
    assert (ready.status_code, ready.text) == (503, f"{reason}\n")
    assert status["strain"]["reason"] == reason
    assert status["calls"]["reserved"] == 1
    assert is_connected(after)
    assert ready_again.status_code == 200
