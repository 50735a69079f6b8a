"""The documents as Twilio parses them: names and attributes are case sensitive."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import LocalProtocolError
from app.telephony import twiml

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def connected(token: str = "t0ken", stream_url: str = "wss://h.example/media-stream") -> str:
    return twiml.connect_stream(
        stream_url=stream_url,
        token=token,
        after_url="https://h.example/voice/after",
        status_url="https://h.example/stream/status",
    )


def test_a_call_is_connected_to_the_stream() -> None:
    assert connected() == (
        f'{HEAD}<Response><Connect action="https://h.example/voice/after" method="POST">'
        '<Stream statusCallback="https://h.example/stream/status" statusCallbackMethod="POST"'
        ' url="wss://h.example/media-stream"><Parameter name="token" value="t0ken" /></Stream>'
        '</Connect><Redirect method="POST">https://h.example/voice/after</Redirect></Response>'
    )


def test_a_query_is_refused_because_twilio_drops_it() -> None:
    with pytest.raises(LocalProtocolError, match="query"):
        connected(stream_url="wss://h.example/media-stream?token=1")


def test_name_and_value_of_a_parameter_stay_under_500_characters() -> None:
    assert 'value="' + "x" * 494 + '"' in connected(token="x" * 494)
    with pytest.raises(LocalProtocolError, match="495 characters"):
        connected(token="x" * 495)


def test_a_token_is_escaped() -> None:
    assert ElementTree.fromstring(connected(token='"<&>')).find(".//Parameter[@value='\"<&>']") is not None


def test_the_short_documents() -> None:
    assert twiml.say_and_hang_up("All lines < 1 are busy.") == (
        f"{HEAD}<Response><Say>All lines &lt; 1 are busy.</Say><Hangup /></Response>"
    )
    assert twiml.hang_up() == f"{HEAD}<Response><Hangup /></Response>"
    assert twiml.reject_busy() == f'{HEAD}<Response><Reject reason="busy" /></Response>'


def test_a_caller_in_line_hears_the_news_and_audio_and_is_asked_for_a_key_meanwhile() -> None:
    assert twiml.hold(
        again_url="https://h/q?a=1&b=2", key_url="https://h/k", say="News.", play_url="https://h/p"
    ) == (
        f'{HEAD}<Response><Gather action="https://h/k" method="POST" numDigits="1" timeout="1">'
        "<Say>News.</Say><Play>https://h/p</Play></Gather>"
        '<Redirect method="POST">https://h/q?a=1&amp;b=2</Redirect></Response>'
    )


def test_without_audio_and_keys_a_second_passes_before_the_next_question() -> None:
    assert twiml.hold(again_url="https://h/q") == (
        f'{HEAD}<Response><Pause length="1" /><Redirect method="POST">https://h/q</Redirect></Response>'
    )


def test_a_message_is_recorded_by_twilio() -> None:
    document = twiml.take_message(
        "Speak.", after_url="https://h/a", status_url="https://h/s", longest_s=120, otherwise="Nothing."
    )

    verbs = list(ElementTree.fromstring(document))
    assert [verb.tag for verb in verbs] == ["Say", "Record", "Say", "Hangup"]
    assert verbs[1].attrib == {
        "action": "https://h/a",
        "method": "POST",
        "maxLength": "120",
        "playBeep": "true",
        "recordingStatusCallback": "https://h/s",
        "recordingStatusCallbackMethod": "POST",
    }


@given(st.text(st.characters()))
def test_no_sentence_spoils_the_document(text: str) -> None:
    said = ElementTree.fromstring(twiml.say_and_hang_up(text)).findtext("Say")

    assert said is not None
    assert len(said) == len(text.replace("\r\n", "\n"))


def test_what_xml_cannot_hold_becomes_a_space() -> None:
    assert "<Say>a b c</Say>" in twiml.say_and_hang_up("a\x00b\ud800c")
