"""The TwiML documents we answer webhooks with.

Source: https://www.twilio.com/docs/voice/twiml
"""

import re
from collections.abc import Mapping

from twilio.twiml.voice_response import VoiceResponse

from app.errors import LocalProtocolError

LONGEST_PARAMETER = 500  # characters of name and value together; Twilio's limit is "under 500"
# What XML 1.0 cannot hold even when escaped; one of them in an operator's sentence spoils the document.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def connect_stream(
    *,
    stream_url: str,
    token: str,
    after_url: str,
    status_url: str,
    parameters: Mapping[str, str] | None = None,
) -> str:
    """Connect the call to our WebSocket; when that ends Twilio asks `after_url` what follows.

    Should Twilio go on without asking, as it may after a refused handshake or a lost server, the next verb
    sends it there all the same.

    Raises:
        LocalProtocolError: a stream URL with a query, which Twilio drops, or a token that is too long.
    """
    if "?" in stream_url:
        raise LocalProtocolError("stream url with a query, expected none: Twilio drops it")
    if len("token") + len(token) >= LONGEST_PARAMETER:
        raise LocalProtocolError(f"token of {len(token)} characters, expected under {LONGEST_PARAMETER - 5}")
    response = VoiceResponse()
    connect = response.connect(action=after_url, method="POST")
    stream = connect.stream(url=stream_url, status_callback=status_url, status_callback_method="POST")
    for name, value in {"token": token, **(parameters or {})}.items():
        stream.parameter(name=name, value=value)
    response.redirect(after_url, method="POST")
    return str(response)


def say_and_hang_up(text: str) -> str:
    """Say one sentence with Twilio's own voice and end the call."""
    response = VoiceResponse()
    response.say(_sayable(text))
    response.hangup()
    return str(response)


def dial(number: str, *, after_url: str, otherwise: str) -> str:
    """Hand the caller to another phone; Twilio then asks `after_url` what follows, with how it went.

    `otherwise` is said before hanging up should Twilio go on without asking.
    """
    response = VoiceResponse()
    response.dial(number, action=after_url, method="POST")
    response.say(_sayable(otherwise))
    response.hangup()
    return str(response)


def ask_again(url: str, *, after_s: int = 1) -> str:
    """Have Twilio ask `url` in a moment: another server may answer then."""
    response = VoiceResponse()
    response.pause(length=after_s)
    response.redirect(url, method="POST")
    return str(response)


def hold(*, again_url: str, key_url: str = "", say: str = "", play_url: str = "") -> str:
    """Keep a caller in line: the news, a piece of audio, and then Twilio asks `again_url` what follows.

    A key that is pressed meanwhile is told to `key_url`; without one, keys do nothing. Without audio
    the caller is back within a second.
    """
    response = VoiceResponse()
    inner = response.gather(action=key_url, method="POST", num_digits=1, timeout=1) if key_url else response
    if say:
        inner.say(_sayable(say))
    if play_url:
        inner.play(play_url)
    elif not key_url:
        response.pause(length=1)
    response.redirect(again_url, method="POST")
    return str(response)


def take_message(prompt: str, *, after_url: str, status_url: str, longest_s: int, otherwise: str) -> str:
    """Have Twilio record the caller; it tells `status_url` where, and asks `after_url` what follows.

    `otherwise` is said to a caller who said nothing: Twilio then asks nobody and goes on.
    """
    response = VoiceResponse()
    response.say(_sayable(prompt))
    response.record(
        action=after_url,
        method="POST",
        max_length=longest_s,
        play_beep=True,
        recording_status_callback=status_url,
        recording_status_callback_method="POST",
    )
    response.say(_sayable(otherwise))
    response.hangup()
    return str(response)


def hang_up() -> str:
    """End the call."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def reject_busy() -> str:
    """Let the caller hear the busy tone; the call is never answered, hence not billed."""
    response = VoiceResponse()
    response.reject(reason="busy")
    return str(response)


def _sayable(text: str) -> str:
    return NOT_IN_XML.sub(" ", text)
