"""Every class of a vendor's error, over real sockets: the caller hears the next voice, the log says why."""

import pytest

from app.simulator.recording import voiced_ms
from tests.journeys.conftest import call, events, hotline, vendor_environ
from tests.standins.elevenlabs import UNKNOWN_VOICE, VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script

FAULTS = {
    "quota": (Script(error="quota_exceeded"), "quota"),
    "busy": (Script(error="system_busy"), "busy"),
    "over the limit": (Script(error="too_many_concurrent_requests"), "over_limit"),
    "an error nobody knows": (Script(error="brand_new", error_message="no api key"), "auth"),
    "closed without a word": (Script(close=(1008, "This request exceeds your quota")), "quota"),
    "refused handshake": (Script(refuse=(500, {"detail": "oops"})), "busy"),
    "no audio at all": (Script(silent=True), "garbage"),
    "json instead of audio": (Script(body=b'{"detail":{"status":"quota_exceeded"}}'), "garbage"),
    "noise instead of mp3": (Script(body=bytes(range(256)) * 40), "garbage"),
    "broken frames": (Script(frame="{not json"), "garbage"),
    "cut before any audio": (Script(cut_after=0), "network"),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_the_embedded_voice_takes_over_and_the_caller_hears_no_fault(
    vendor: ElevenLabsStandin, name: str
) -> None:
    script, kind = FAULTS[name]
    vendor.scripts[VOICE] = script
    async with hotline(**vendor_environ(vendor)) as url:
        report = await call(url)
        failed = await events(url, event="provider.failed")
        rendered = await events(url, event="speech.rendered")

    assert {event["kind"] for event in failed} == {kind}
    assert rendered[-1]["provider"] == "local"
    assert 1000 < voiced_ms(report.heard) < 3000
    assert report.as_json()["faults"] == []
    assert "sk_" not in str(failed)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"ELEVENLABS_API_KEY": "sk_wrong"}, "auth"), ({"ELEVENLABS_VOICE_ID": UNKNOWN_VOICE}, "bad_request")],
)
async def test_a_wrong_key_or_voice_is_told_apart(
    vendor: ElevenLabsStandin, changes: dict[str, str], kind: str
) -> None:
    async with hotline(**vendor_environ(vendor, **changes)) as url:
        report = await call(url)
        failed = await events(url, event="provider.failed")

    assert {event["kind"] for event in failed} == {kind}
    assert report.has_heard


async def test_without_a_second_voice_the_network_apologises(vendor: ElevenLabsStandin) -> None:
    vendor.scripts[VOICE] = Script(error="quota_exceeded")
    async with hotline(**vendor_environ(vendor, SPEECH_PROVIDERS="elevenlabs")) as url:
        report = await call(url)

    assert "sorry" in report.said[0]
    assert report.streams[0].closed is not None and report.streams[0].closed.by == "hotline"


async def test_a_voice_cut_in_mid_sentence_is_taken_up_by_the_next(vendor: ElevenLabsStandin) -> None:
    vendor.scripts[VOICE] = Script(cut_after=9000)
    environ = vendor_environ(vendor, GREETING="The first of these sentences breaks. The second is whole.")
    async with hotline(**environ) as url:
        report = await call(url)
        log = await events(url, call_sid=report.call_sid)

    names = [event["event"] for event in log]
    assert "speech.fell_back" in names
    assert "speech.cut_short" not in names
    assert report.has_heard
    assert [event["reason"] for event in log if event["event"] == "call.ended"] == ["caller_hung_up"]
