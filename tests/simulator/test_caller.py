"""Whole calls against a bridge in miniature: the webhook, the TwiML, the stream, and what follows."""

import asyncio
import io
import wave
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from starlette.responses import Response
from twilio.request_validator import RequestValidator

from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from app.simulator.plan import Account, AfterLoss, Answer, Dialled, Turn
from app.simulator.report import CallReport
from tests.simulator.bridge import BRIEF, HASTY, LOUD, Bridge, Peer, greet, serving, silent, twiml


async def call(bridge: Bridge, **plan: Any) -> CallReport:
    return await simulate_call(bridge.plan(**plan))


def document(body: str) -> Response:
    return twiml(f"<Response>{body}</Response>")


async def test_a_greeting_is_heard_and_the_caller_hangs_up() -> None:
    async with serving(greet) as bridge:
        report = await call(bridge)

    figures = report.as_json()
    assert (figures["audio_ms"], figures["marks"], figures["underruns"]) == (100, 1, 0)
    assert LOUD * 5 in report.heard
    assert report.has_heard
    assert report.all_faults == []
    assert figures["closed"] == {"code": 1000, "reason": "", "by": "caller"}
    assert bridge.asked("/voice")[0]["CallStatus"] == "ringing"
    assert bridge.asked("/voice/after") == []


async def test_every_request_of_a_signed_call_is_signed() -> None:
    account = Account(auth_token="12345")
    async with serving(greet, hang_up_after_script=True) as bridge:
        report = await call(bridge, account=account, public_url="https://voice.example.com")

    assert {path for path, _, _ in bridge.webhooks} == {"/voice", "/stream/status", "/voice/after"}
    for path, form, headers in bridge.webhooks:
        given = headers["x-twilio-signature"]
        assert RequestValidator("12345").validate(f"https://voice.example.com{path}", form, given)
    assert "x-twilio-signature" in bridge.handshakes[0]
    assert report.call_sid == bridge.asked("/voice/after")[0]["CallSid"]


async def test_after_a_close_by_the_hotline_the_action_decides() -> None:
    async with serving(
        greet, hang_up_after_script=True, answers={"/voice/after": document("<Say>Goodbye.</Say>")}
    ) as bridge:
        report = await call(bridge)

    assert report.said == ["Goodbye."]
    assert bridge.asked("/voice/after")[0]["CallStatus"] == "in-progress"
    assert report.as_json()["closed"] == {"code": 1000, "reason": "goodbye", "by": "hotline"}


async def test_without_an_action_the_next_verb_runs() -> None:
    async with serving(greet, hang_up_after_script=True) as bridge:
        bridge.answers["/voice"] = document('<Connect><Stream url="/media"/></Connect><Say>Sorry.</Say>')
        report = await call(bridge)

    assert report.said == ["Sorry."]


async def test_after_the_caller_hung_up_nothing_more_runs_unless_so_chosen() -> None:
    chosen = replace(HASTY, action_after_hang_up=True)
    async with serving(greet) as bridge:
        await call(bridge)
        unasked = len(bridge.asked("/voice/after"))
        await call(bridge, quirks=chosen)

    assert unasked == 0
    assert [form["CallStatus"] for form in bridge.asked("/voice/after")] == ["completed"]


async def test_a_refused_handshake_falls_through_to_the_next_verb() -> None:
    async with serving(handshake=403) as bridge:
        answer = '<Connect action="/voice/after"><Stream url="/media"/></Connect><Say>Sorry.</Say>'
        bridge.answers["/voice"] = document(answer)
        report = await call(bridge)
        asked = bridge.asked("/voice/after")
        await call(bridge, quirks=replace(HASTY, action_after_refusal=True))

    assert report.said == ["Sorry."]
    assert report.all_faults == ["31920 handshake refused: answer 403, expected 101"]
    assert not report.has_heard
    assert asked == []
    assert len(bridge.asked("/voice/after")) == 1


async def test_two_streams_of_one_call_are_both_in_the_report() -> None:
    async with serving(greet, hang_up_after_script=True) as bridge:
        again = '<Connect><Stream url="/media"/></Connect>'
        bridge.answers["/voice/after"] = document(again)
        report = await call(bridge)

    assert len(report.streams) == 2
    assert report.streams[0].stream_sid != report.streams[1].stream_sid


async def test_reject_ends_the_call_before_it_was_answered() -> None:
    async with serving(answers={"/voice": document('<Reject reason="busy"/><Say>never</Say>')}) as bridge:
        report = await call(bridge)

    assert (report.rejected, report.said, report.streams) == ("busy", [], [])


async def test_hangup_ends_the_document() -> None:
    async with serving(answers={"/voice": document("<Say>Bye.</Say><Hangup/><Say>never</Say>")}) as bridge:
        report = await call(bridge)

    assert report.said == ["Bye."]


async def test_a_waiting_caller_is_sent_round_by_redirects_until_let_in() -> None:
    wait = document('<Say>Please wait.</Say><Redirect method="POST">/voice/queue</Redirect>')
    connect = document('<Connect><Stream url="/media"/></Connect>')
    async with serving(greet, answers={"/voice": wait, "/voice/queue": [wait, wait, connect]}) as bridge:
        report = await call(bridge)

    assert report.said == ["Please wait."] * 3
    assert len(bridge.asked("/voice/queue")) == 3
    assert report.has_heard


async def test_a_circle_of_redirects_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.simulator.caller.MOST_DOCUMENTS", 5)
    async with serving(answers={"/voice": document("<Redirect>/voice</Redirect>")}) as bridge:
        report = await call(bridge)

    assert report.all_faults == ["12200 more than 5 documents in one call"]


async def test_say_and_pause_take_their_time_in_what_is_heard() -> None:
    body = document('<Say>abcd</Say><Pause length="0"/>')
    async with serving(answers={"/voice": body}) as bridge:
        report = await call(bridge, quirks=replace(HASTY, say_ms_per_character=10))

    assert report.heard == b"\xff" * 320


async def test_a_caller_whose_time_is_up_leaves_in_the_middle_of_a_pause() -> None:
    body = document('<Pause length="600"/><Say>never</Say>')
    async with serving(answers={"/voice": body}) as bridge:
        report = await call(bridge, patience=replace(BRIEF, longest_s=0.5))

    assert report.said == []
    assert 0 < len(report.heard) <= 4000


def wav(ms: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes((np.sin(np.arange(ms * 8) * 0.5) * 8000).astype("<i2").tobytes())
    return file.getvalue()


async def test_play_is_downloaded_and_heard() -> None:
    body = document('<Play>/hold.wav</Play><Play digits="1"/>')
    async with serving(
        answers={"/voice": body, "/hold.wav": Response(wav(200), media_type="audio/wav")}
    ) as bridge:
        report = await call(bridge)

    assert report.has_heard
    assert report.all_faults == []


async def test_a_file_that_is_no_audio_is_a_fault_and_the_call_goes_on() -> None:
    body = document("<Play>/hold.wav</Play><Say>Still here.</Say>")
    async with serving(answers={"/voice": body, "/hold.wav": Response("<html>no</html>")}) as bridge:
        report = await call(bridge)

    assert [fault.code for fault in report.faults] == [12300]
    assert report.said == ["Still here."]


async def reply_to_speech(peer: Peer) -> None:
    """Greets, and replies when the caller has been heard."""
    await greet(peer)
    await peer.until_voice()
    await peer.play(10)
    await peer.mark("reply")


async def test_the_caller_speaks_after_the_greeting_and_the_reply_is_measured() -> None:
    async with serving(reply_to_speech) as bridge:
        report = await call(
            bridge, turns=(Turn(b"\x20" * 320),), patience=replace(BRIEF, reply_within_ms=2000)
        )

    (turn,) = report.streams[0].turns
    assert turn.caller_ms == 40
    assert turn.silence_ms is not None
    assert turn.reply_ms == 200


async def test_an_unreachable_hotline_is_told_apart(unused_tcp_port: int) -> None:
    async with serving() as bridge:
        bridge.url = f"http://127.0.0.1:{unused_tcp_port}"
        report = await call(bridge)

    assert report.is_unreachable
    assert report.all_faults[0].startswith("11200")


async def test_a_failing_webhook_is_reachable_and_a_fault() -> None:
    async with serving(answers={"/voice": Response("oops", 500)}) as bridge:
        report = await call(bridge)

    assert not report.is_unreachable
    assert report.all_faults == ["11200 answer 500 from /voice, expected 200"]


async def test_the_numbers_status_callback_hears_how_it_ended() -> None:
    async with serving(
        answers={"/voice": document('<Reject reason="busy"/>'), "/gone": Response("", 500)}
    ) as bridge:
        await call(bridge, status_url=f"{bridge.url}/voice/status")
        bridge.answers["/voice"] = document("<Hangup/>")
        await call(bridge, status_url=f"{bridge.url}/voice/status")
        report = await call(bridge, status_url=f"{bridge.url}/gone")

    forms = bridge.asked("/voice/status")
    assert [(form["CallStatus"], form["CallDuration"]) for form in forms] == [
        ("busy", "0"),
        ("completed", "0"),
    ]
    assert [fault.code for fault in report.faults] == [15003]


async def test_only_the_beginning_is_kept_when_so_planned() -> None:
    async with serving(greet) as bridge:
        report = await call(bridge, keep_s=0.02)

    assert len(report.heard) == 160


async def test_ten_callers_at_once_each_hear_their_own() -> None:
    async def number(peer: Peer) -> None:
        code = int(peer.start["start"]["callSid"][2:])
        await peer.play(5, bytes([code]) * 160)
        await peer.mark("m")

    async with serving(number) as bridge, Exchange() as exchange, asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(simulate_call(bridge.plan(account=Account(call_sid=f"CA{code}")), exchange))
            for code in range(10, 20)
        ]

    for code, task in zip(range(10, 20), tasks, strict=True):
        assert set(task.result().heard) == {code, 0xFF}


async def test_silence_is_not_hearing() -> None:
    async with serving(silent) as bridge:
        report = await call(bridge)

    assert not report.has_heard
    assert report.as_json()["first_audio_ms"] is None


@pytest.mark.parametrize(
    ("after_loss", "asked", "said"),
    [(AfterLoss.ACTION, 1, []), (AfterLoss.NEXT_VERB, 0, ["Sorry."]), (AfterLoss.END, 0, [])],
)
async def test_what_follows_a_lost_stream_can_be_chosen(
    after_loss: AfterLoss, asked: int, said: list[str]
) -> None:
    answer = '<Connect action="/voice/after"><Stream url="/media"/></Connect><Say>Sorry.</Say>'
    async with serving(greet, breaks_after_script=True, answers={"/voice": document(answer)}) as bridge:
        report = await call(bridge, quirks=replace(HASTY, after_loss=after_loss))

    assert report.streams[0].closed is not None
    assert (report.streams[0].closed.code, report.streams[0].closed.by) == (1006, "hotline")
    assert len(bridge.asked("/voice/after")) == asked
    assert report.said == said


async def greet_to_the_end(peer: Peer) -> None:
    """100 ms of sound, which the caller hears to its end."""
    await greet(peer)
    await peer.until("mark")


async def test_a_call_over_two_streams_counts_the_silence_between_and_says_nothing_twice() -> None:
    again = document('<Pause length="1"/><Connect><Stream url="/media"/></Connect>')
    async with serving(greet_to_the_end, hang_up_after_script=True) as bridge:
        bridge.answers["/voice/after"] = [again, document("<Hangup/>")]
        report = await call(bridge, turns=(Turn(digits="1"),))

    figures = report.as_json()
    assert (figures["streams"], figures["resumed"]) == (2, 1)
    (between_ms,) = report.silences.between_ms
    assert between_ms >= 1000
    assert figures["longest_silence_ms"] == between_ms
    assert report.heard.count(LOUD * 5) == 2
    assert len(report.heard) >= 8 * (between_ms + 200)


@pytest.mark.parametrize(("answer", "status"), [(Answer.ANSWERED, "completed"), (Answer.BUSY, "busy")])
async def test_a_dialled_phone_answers_as_planned_and_the_action_is_told(answer: Answer, status: str) -> None:
    dial = document('<Dial action="/dialled">+15005550009</Dial><Say>never</Say>')
    async with serving(answers={"/voice": dial, "/dialled": document("<Say>Back.</Say>")}) as bridge:
        report = await call(bridge, dialled=Dialled(answer=answer))

    (told,) = bridge.asked("/dialled")
    assert told["DialCallStatus"] == status
    assert ("DialCallSid" in told) == (answer is Answer.ANSWERED)
    assert (report.dialled, report.said) == (["+15005550009"], ["Back."])


async def test_without_an_action_the_verb_after_a_dial_runs() -> None:
    async with serving(answers={"/voice": document("<Dial>+1500</Dial><Say>Nobody.</Say>")}) as bridge:
        report = await call(bridge, dialled=Dialled(answer=Answer.NO_ANSWER))

    assert report.said == ["Nobody."]


async def test_a_caller_whose_talk_with_the_dialled_phone_is_long_runs_out_of_time() -> None:
    async with serving(answers={"/voice": document('<Dial action="/dialled">+1500</Dial>')}) as bridge:
        await call(bridge, dialled=Dialled(talks_s=60), patience=replace(BRIEF, longest_s=0.1))

    assert bridge.asked("/dialled") == []


async def test_a_caller_who_is_sent_round_and_round_gives_up() -> None:
    async with serving(answers={"/voice": document("<Redirect>/voice</Redirect>")}) as bridge:
        report = await call(bridge, patience=replace(BRIEF, longest_s=0.2))

    assert len(bridge.asked("/voice")) > 1
    assert report.all_faults == []


async def test_a_gather_plays_its_prompts_waits_and_goes_on_without_a_key() -> None:
    body = '<Gather timeout="1" action="/key"><Say>One.</Say></Gather><Say>Two.</Say>'
    async with serving(answers={"/voice": document(body)}) as bridge:
        report = await call(bridge)

    assert report.said == ["One.", "Two."]
    assert bridge.asked("/key") == []
    assert len(report.heard) >= 8000


async def test_a_key_in_a_gather_cuts_it_short_and_is_told_to_its_action() -> None:
    body = '<Gather timeout="1" action="/key"><Say>One.</Say></Gather><Say>Two.</Say>'
    answers = {"/voice": document(body), "/key": document("<Say>Three.</Say>")}
    async with serving(answers=answers) as bridge:
        report = await call(bridge, menu_keys={1: "2"})

    assert report.said == ["Three."]
    assert bridge.asked("/key")[0]["Digits"] == "2"


async def test_a_recording_is_told_to_its_status_address_and_its_action() -> None:
    body = '<Record action="/done" recordingStatusCallback="/kept"/><Say>Not reached.</Say>'
    answers = {"/voice": document(body), "/done": document("<Hangup/>"), "/kept": Response(status_code=204)}
    async with serving(answers=answers) as bridge:
        report = await call(bridge)

    kept, done = bridge.asked("/kept")[0], bridge.asked("/done")[0]
    assert kept["RecordingStatus"] == "completed"
    assert kept["RecordingSid"] == done["RecordingSid"]
    assert report.said == [] and report.all_faults == []
