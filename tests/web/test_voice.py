"""What Twilio's webhooks are answered."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from app import clock
from app.calls.admission import Admission
from app.calls.record_files import RecordFiles
from app.calls.registry import Departed, Ending, Registry
from app.calls.resume import MOST_STREAMS, Record, Unheard
from app.observe.money import Money
from app.speech.chain import Chain
from app.web.parts import Parts, Words
from tests.standins.voice import ToneVoice
from tests.web.conftest import PUBLIC, Knock, locked, make_parts

SID = "CA" + "a" * 32


def parameters(document: str) -> dict[str, str]:
    found = ElementTree.fromstring(document).iter("Parameter")
    return {each.get("name", ""): each.get("value", "") for each in found}


def record(**changes: Any) -> Record:
    given = {"call_sid": SID, "conversation": "script", "written_at": clock.wall().timestamp()}
    return Record(**{**given, **changes})


def with_records(records: RecordFiles) -> Parts:
    parts = make_parts()
    return replace(parts, means=replace(parts.means, records=records))


def verbs(document: str) -> list[str]:
    return [verb.tag for verb in ElementTree.fromstring(document)]


async def test_a_call_is_connected_to_the_media_stream_with_its_token(knock: Knock) -> None:
    parts = make_parts()
    async with knock(parts) as http:
        answer = await http.post("/voice", data={"CallSid": SID})

    connect = ElementTree.fromstring(answer.text)[0]
    stream = connect[0]
    assert answer.headers["content-type"].startswith("application/xml")
    assert connect.attrib == {"action": "http://localhost:8000/voice/after", "method": "POST"}
    assert stream.attrib["url"] == "ws://localhost:8000/media-stream"
    assert stream.attrib["statusCallback"] == "http://localhost:8000/stream/status"
    assert (stream[0].attrib["name"], len(stream[0].attrib["value"])) == ("token", 32)
    assert parts.admission.taken == 1


async def test_urls_come_from_the_public_address_only(knock: Knock) -> None:
    async with knock(make_parts(locks=locked(twilio_tokens=()))) as http:
        answer = await http.post("/voice", data={"CallSid": SID})

    assert f'url="{PUBLIC.replace("https", "wss")}/media-stream"' in answer.text
    assert f'action="{PUBLIC}/voice/after"' in answer.text


async def test_a_repeated_webhook_gets_the_same_answer_and_one_slot(knock: Knock) -> None:
    parts = make_parts()
    async with knock(parts) as http:
        answers = {(await http.post("/voice", data={"CallSid": SID})).text for _ in range(3)}

    assert len(answers) == 1
    assert parts.admission.taken == 1


async def test_the_voice_is_warmed_while_the_phone_rings(knock: Knock) -> None:
    voice = ToneVoice()
    chain = Chain([voice])
    async with chain, knock(make_parts(means=replace(make_parts().means, voice=chain))) as http:
        await http.post("/voice", data={"CallSid": SID})

    assert voice.warmed == 1


async def test_a_full_house_says_so_in_words_the_caller_hears(knock: Knock) -> None:
    async with knock(make_parts(admission=Admission(1))) as http:
        await http.post("/voice", data={"CallSid": SID})
        busy = await http.post("/voice", data={"CallSid": SID[:-1] + "b"})

    assert busy.status_code == 200
    assert verbs(busy.text) == ["Say", "Hangup"]
    assert "All lines are busy." in busy.text


async def test_a_full_house_rejects_unanswered_when_told_to(knock: Knock) -> None:
    parts = make_parts(admission=Admission(1), words=Words(busy="", reject_when_full=True))
    async with knock(parts) as http:
        await http.post("/voice", data={"CallSid": SID})
        busy = await http.post("/voice", data={"CallSid": SID[:-1] + "b"})

    assert ElementTree.fromstring(busy.text)[0].attrib == {"reason": "busy"}


@pytest.mark.parametrize("form", [{}, {"CallSid": ""}, {"CallSid": "CA <script>"}, {"CallSid": "x" * 99}])
async def test_a_webhook_without_a_usable_call_sid_is_told_so(knock: Knock, form: dict[str, str]) -> None:
    async with knock(make_parts()) as http:
        answer = await http.post("/voice", data=form)

    assert answer.status_code == 400
    assert "CallSid" in answer.json()["error"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_debug_twiml_opens_the_debug_socket_and_keeps_no_slot(knock: Knock, method: str) -> None:
    parts = make_parts()
    async with knock(parts) as http:
        answer = await http.request(method, "/debug-websocket-voice")

    assert 'url="ws://localhost:8000/test-websocket-debug"' in answer.text
    assert parts.admission.taken == 0


@pytest.mark.parametrize(
    ("ending", "status", "said"),
    [
        (Ending.FINISHED, "in-progress", ["Hangup"]),
        (Ending.CALLER_HUNG_UP, "in-progress", ["Hangup"]),
        (Ending.STREAM_BROKE, "in-progress", ["Say", "Hangup"]),
        (Ending.SPEECH_FAILED, "in-progress", ["Say", "Hangup"]),
        (Ending.TRANSFERRED, "in-progress", ["Dial", "Say", "Hangup"]),
        (Ending.SESSION_TIMEOUT, "in-progress", ["Say", "Hangup"]),
        (None, "in-progress", ["Say", "Hangup"]),
        (None, "completed", ["Hangup"]),
    ],
)
async def test_what_follows_the_stream_depends_on_how_it_ended(
    knock: Knock, ending: Ending | None, status: str, said: list[str]
) -> None:
    registry = Registry()
    if ending is not None:
        registry.ended(SID, Departed(ending, "+15550123" if ending is Ending.TRANSFERRED else ""))
    async with knock(make_parts(registry=registry)) as http:
        answer = await http.post("/voice/after", data={"CallSid": SID, "CallStatus": status})

    assert verbs(answer.text) == said


async def test_a_caller_who_hung_up_while_it_rang_gives_the_slot_back(knock: Knock) -> None:
    parts = make_parts()
    async with knock(parts) as http:
        await http.post("/voice", data={"CallSid": SID})
        told = [
            await http.post("/voice/status", data={"CallSid": SID, "CallStatus": "completed"})
            for _ in range(2)
        ]

    assert [answer.status_code for answer in told] == [204, 204]
    assert parts.admission.taken == 0


@pytest.mark.parametrize("event", ["stream-started", "stream-stopped", "stream-error", "something-new"])
async def test_stream_callbacks_are_taken_in_any_order(knock: Knock, event: str) -> None:
    form = {"CallSid": SID, "StreamSid": "MZ1", "StreamEvent": event, "StreamError": ""}
    async with knock(make_parts()) as http:
        answer = await http.post("/stream/status", data=form)

    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_caller_nobody_took_comes_back_with_a_fresh_token(knock: Knock, tmp_path: Path) -> None:
    async with RecordFiles(tmp_path) as records:
        records.save(record(ending="transferred", transfer_to="+15550123"))
        async with knock(with_records(records)) as http:
            form = {"CallSid": SID, "CallStatus": "in-progress"}
            first = await http.post("/voice", data=form)
            dialled = await http.post("/voice/after", data=form)
            back = await http.post("/voice/after", data=form | {"DialCallStatus": "no-answer"})
        kept = await records.load(SID)

    assert verbs(dialled.text) == ["Dial", "Say", "Hangup"]
    assert verbs(back.text)[0] == "Connect"
    assert parameters(back.text)["token"] != parameters(first.text)["token"]
    assert "resume" in parameters(back.text)
    assert kept is not None and kept.transfer_failed


@pytest.mark.parametrize(
    ("path", "ending"),
    [
        *(("/voice/after", ending) for ending in ("", "handed_over", "stream_broke", "internal_error")),
        *(("/voice", ending) for ending in ("", "handed_over")),
    ],
)
async def test_a_call_in_the_midst_of_its_conversation_gets_a_new_stream(
    knock: Knock, tmp_path: Path, ending: str, path: str
) -> None:
    async with RecordFiles(tmp_path) as records:
        records.save(record(ending=ending))
        async with knock(with_records(records)) as http:
            answer = await http.post(path, data={"CallSid": SID, "CallStatus": "in-progress"})

    assert verbs(answer.text)[0] == "Connect"
    assert "resume" in parameters(answer.text)


async def test_what_was_played_before_the_stream_was_lost_is_not_said_again(
    knock: Knock, tmp_path: Path
) -> None:
    lost_at = clock.wall().timestamp()
    lines = (Unheard("Played.", heard_by=lost_at - 1), Unheard("On its way.", heard_by=lost_at + 30))
    async with RecordFiles(tmp_path) as records:
        records.save(record(unheard=lines))
        async with knock(with_records(records)) as http:
            await http.post("/voice/after", data={"CallSid": SID, "CallStatus": "in-progress"})
        kept = await records.load(SID)

    assert kept is not None
    assert (kept.heard, kept.unheard) == (("Played.",), lines[1:])


@pytest.mark.parametrize(
    "over", [{"ending": "caller_hung_up"}, {"ending": "finished"}, {"streams": MOST_STREAMS}]
)
async def test_a_call_that_is_over_or_broke_too_often_gets_none(
    knock: Knock, tmp_path: Path, over: dict[str, Any]
) -> None:
    async with RecordFiles(tmp_path) as records:
        records.save(record(**over))
        async with knock(with_records(records)) as http:
            answer = await http.post("/voice/after", data={"CallSid": SID, "CallStatus": "in-progress"})

    assert verbs(answer.text)[-1] == "Hangup"


async def test_a_process_that_drains_sends_callers_elsewhere(knock: Knock) -> None:
    parts = make_parts()
    parts.drain.begin(0.0)
    async with knock(parts) as http:
        answers = [
            await http.post(path, data={"CallSid": SID, "CallStatus": "in-progress"})
            for path in ("/voice", "/debug-websocket-voice")
        ]
        ready = await http.get("/readyz")
        health = await http.get("/health/streaming")

    assert [verbs(answer.text) for answer in answers] == [["Pause", "Redirect"]] * 2
    assert (ready.status_code, health.status_code, health.json()["status"]) == (503, 503, "draining")


@pytest.mark.parametrize(("status", "said"), [("completed", ["Hangup"]), ("busy", ["Say", "Hangup"])])
async def test_a_transfer_that_is_over_or_cannot_go_on_ends_the_call(
    knock: Knock, status: str, said: list[str]
) -> None:
    registry = Registry()
    registry.ended(SID, Departed(Ending.TRANSFERRED, "+15550123"))
    async with knock(make_parts(registry=registry)) as http:
        form = {"CallSid": SID, "CallStatus": "in-progress", "DialCallStatus": status}
        answer = await http.post("/voice/after", data=form)

    assert verbs(answer.text) == said


async def test_a_closed_house_takes_no_test_calls_either(knock: Knock) -> None:
    async with knock(make_parts(money=Money(closed=True))) as http:
        rung = await http.post("/debug-websocket-voice", data={"CallSid": SID})
        by_hand = await http.get("/debug-websocket-voice")

    assert verbs(rung.text) == ["Say", "Hangup"] and "We are closed" in rung.text
    assert "<Stream" in by_hand.text
