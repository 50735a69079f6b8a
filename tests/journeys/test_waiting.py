"""A full house: callers wait in line, move up in order, and are let in; real sockets, a signed account."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs
from xml.etree import ElementTree

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.simulator.caller import simulate_call
from app.simulator.plan import Account, CallPlan, Patience
from app.simulator.report import CallReport
from app.telephony.signature import sign
from tests.journeys.conftest import HURRIED, events, hotline
from tests.standins.server import serving

TOKEN, ACCOUNT = "12345", "AC" + "1" * 32
SIDS = [f"CA{number}{'0' * 31}" for number in range(5)]


def caller(url: str, number: int, *, stays: bool = False, **plan: object) -> CallPlan:
    """The n-th caller, who hangs up after the greeting, or stays until the test takes them away."""
    given: dict[str, object] = {
        "url": f"{url}/voice",
        "account": Account(call_sid=SIDS[number], caller_number=f"+1500555010{number}"),
        "patience": Patience(
            longest_s=60.0, quiet_before_end_ms=None if stays else 300, reply_within_ms=60_000
        ),
        "quirks": HURRIED,
        "status_url": f"{url}/voice/status",
    }
    return CallPlan(**{**given, **plan})  # type: ignore[arg-type]


async def status(url: str) -> dict[str, object]:
    async with httpx.AsyncClient(base_url=url) as http:
        body: dict[str, object] = (await http.get("/status")).json()
    return body


async def until_waiting(url: str, count: int) -> list[dict[str, object]]:
    """The line, as soon as so many stand in it."""
    async with asyncio.timeout(20):
        while True:
            line = (await status(url))["line"]
            assert isinstance(line, dict)
            if line["waiting"] == count:
                found: list[dict[str, object]] = line["list"]
                return found
            await asyncio.sleep(0.05)


async def until_inside(url: str, count: int) -> None:
    async with asyncio.timeout(20):
        while True:
            calls = (await status(url))["calls"]
            assert isinstance(calls, dict)
            if calls["live"] >= count:
                return
            await asyncio.sleep(0.05)


async def until_told(url: str, event: str, count: int) -> list[dict[str, object]]:
    """These events, the oldest first, as soon as there are so many."""
    async with asyncio.timeout(20):
        while True:
            found = await events(url, event=event)
            if len(found) >= count:
                return sorted(found, key=lambda each: str(each["timestamp"]))
            await asyncio.sleep(0.05)


def positions(report: CallReport) -> list[str]:
    """What the caller heard of their place, in order."""
    told = [said for said in report.said if "in line" in said]
    return ["1" if "You are next" in said else said.split("number ")[1].split()[0] for said in told]


async def test_two_talk_and_three_wait_move_up_in_order_and_are_let_in(tmp_path: Path) -> None:
    async with hotline(DATA_DIR=str(tmp_path), MAX_CALLS="2") as url, asyncio.TaskGroup() as group:
        callers = [group.create_task(simulate_call(caller(url, n, stays=True))) for n in (0, 1)]
        await until_inside(url, 2)
        for number in (2, 3, 4):
            plan = caller(url, number, stays=number < 4)
            callers.append(group.create_task(simulate_call(plan)))
            line = await until_waiting(url, number - 1)
        for leaves, all_told in ((0, 3), (1, 5), (2, 6)):
            told = await until_told(url, "line.position_told", all_told)
            callers[leaves].cancel()
            admitted = await until_told(url, "call.admitted", 3 + leaves)
        report = await callers[4]
        for still_talks in callers:
            still_talks.cancel()

    assert [(each["call_sid"], each["position"]) for each in line] == list(
        zip(SIDS[2:], (1, 2, 3), strict=True)
    )
    assert "+1500" not in json.dumps(line)
    assert {each["call_sid"] for each in admitted[:2]} == set(SIDS[:2])
    assert [each["call_sid"] for each in admitted[2:]] == SIDS[2:]
    moves = {sid: [each["position"] for each in told if each["call_sid"] == sid] for sid in SIDS[2:]}
    assert list(moves.values()) == [[1], [2, 1], [3, 2, 1]]
    assert positions(report) == ["3", "2", "1"]
    assert report.has_heard and len(report.streams) == 1
    assert report.all_faults == []


class Twilio:
    """Twilio's side in plain requests: signed webhooks, and the REST API that sends a caller elsewhere."""

    def __init__(self) -> None:
        self.url = ""
        self.sent: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    @asynccontextmanager
    async def rest(self) -> AsyncIterator[str]:
        app = Starlette(routes=[Route("/{rest:path}", self._update, methods=["POST"])])
        async with serving(app) as url:
            yield url

    async def ask(self, call_sid: str, address: str, **fields: str) -> str:
        form = {"CallSid": call_sid, "AccountSid": ACCOUNT, "From": f"+1{call_sid[2]}", "To": "+2", **fields}
        headers = {"X-Twilio-Signature": sign(TOKEN, address, form.items())}
        async with httpx.AsyncClient() as http:
            answer = await http.post(address, data=form, headers=headers)
        assert answer.status_code in (200, 204), answer.text
        return answer.text

    async def _update(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        if "Url" in form:
            self.sent.put_nowait((request.url.path.split("/")[-1].removesuffix(".json"), form["Url"][0]))
        return JSONResponse({})


async def test_with_an_account_callers_hear_audio_and_are_fetched_out_of_it(tmp_path: Path) -> None:
    twilio = Twilio()
    async with twilio.rest() as rest:
        environ = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_BASE_URL": rest}
        async with hotline(DATA_DIR=str(tmp_path), MAX_CALLS="1", **environ) as url:
            first = await twilio.ask(SIDS[0], f"{url}/voice")
            held = [await twilio.ask(sid, f"{url}/voice") for sid in SIDS[1:3]]
            audio = ElementTree.fromstring(held[0]).findtext(".//Play") or ""
            async with httpx.AsyncClient() as http:
                piece = await http.get(audio)
            await twilio.ask(SIDS[0], f"{url}/voice/status", CallStatus="completed")
            async with asyncio.timeout(10):
                call_sid, address = await twilio.sent.get()
            crossing = await twilio.ask(call_sid, f"{url}/voice/queue?heard=1")
            let_in = await twilio.ask(call_sid, address)

    assert "<Connect" in first and "<Connect" in let_in
    assert "<Connect" not in crossing
    assert piece.content.startswith(b"RIFF") and piece.headers["content-type"] == "audio/wav"
    assert (call_sid, address) == (SIDS[1], f"{url}/voice/queue?fetched=1")
    assert twilio.sent.empty()


async def test_callers_in_line_can_leave_a_message_or_be_called_back(tmp_path: Path) -> None:
    async with hotline(DATA_DIR=str(tmp_path), MAX_CALLS="1") as url, asyncio.TaskGroup() as group:
        talking = group.create_task(simulate_call(caller(url, 0, stays=True)))
        await until_inside(url, 1)
        message = await simulate_call(caller(url, 1, menu_keys={1: "1"}))
        called_back = await simulate_call(caller(url, 2, menu_keys={2: "2"}))
        line = await until_waiting(url, 0)
        talking.cancel()

    assert "leave your message" in message.said[0] and "Thank you" in message.said[1]
    assert "We will call you back" in called_back.said[-1]
    assert line == [] and message.streams == called_back.streams == []
    assert message.all_faults == called_back.all_faults == []
    notes = list((tmp_path / "messages").glob("*.json"))
    assert [json.loads(note.read_text())["call_sid"] for note in notes] == [SIDS[1]]
    (wish,) = (tmp_path / "callbacks.jsonl").read_text().splitlines()
    assert json.loads(wish)["number"] == "+15005550102"


async def test_who_waited_too_long_hears_a_kind_goodbye(tmp_path: Path) -> None:
    async with (
        hotline(DATA_DIR=str(tmp_path), MAX_CALLS="1", MAX_WAIT_S="1") as url,
        asyncio.TaskGroup() as group,
    ):
        talking = group.create_task(simulate_call(caller(url, 0, stays=True)))
        await until_inside(url, 1)
        report = await simulate_call(caller(url, 1))
        talking.cancel()

    assert "Thank you for waiting" in report.said[-1]
    assert report.streams == [] and report.all_faults == []


async def test_one_number_cannot_fill_the_house(tmp_path: Path) -> None:
    same = Account(call_sid=SIDS[1], caller_number="+15005550100")
    async with (
        hotline(DATA_DIR=str(tmp_path), MAX_CALLS="3", MAX_CALLS_PER_NUMBER="1") as url,
        asyncio.TaskGroup() as group,
    ):
        talking = group.create_task(simulate_call(caller(url, 0, stays=True)))
        await until_inside(url, 1)
        refused = await simulate_call(caller(url, 1, account=same))
        other = await simulate_call(caller(url, 2))
        talking.cancel()

    assert refused.streams == [] and "busy" in refused.said[0]
    assert other.has_heard
