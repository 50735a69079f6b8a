"""What Twilio's webhooks are answered."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from app.calls.admission import Admission
from app.calls.registry import Departed, Ending, Registry
from app.calls.script import Script
from app.conversation.echo import Echo
from app.conversation.immediate import Immediate
from app.speech.chain import Chain
from app.web.parts import Words
from tests.standins.voice import ToneVoice
from tests.web.conftest import PUBLIC, Knock, locked, make_parts

SID = "CA" + "a" * 32


def token_of(document: str) -> str:
    parameter = ElementTree.fromstring(document).find(".//Parameter[@name='token']")
    return "" if parameter is None else parameter.get("value", "")


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


async def test_a_caller_nobody_took_comes_back_with_a_fresh_token(knock: Knock) -> None:
    registry = Registry()
    registry.ended(SID, Departed(Ending.TRANSFERRED, "+15550123", Script(Immediate(Echo()))))
    async with knock(make_parts(registry=registry)) as http:
        form = {"CallSid": SID, "CallStatus": "in-progress"}
        first = await http.post("/voice", data=form)
        dialled = await http.post("/voice/after", data=form)
        back = await http.post("/voice/after", data=form | {"DialCallStatus": "no-answer"})

    assert verbs(dialled.text) == ["Dial", "Say", "Hangup"]
    assert verbs(back.text)[0] == "Connect"
    assert token_of(back.text) != token_of(first.text)


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
