"""Twilio's messages as they stand on the wire, and the events they become inside.

Tolerant where Twilio is: unknown events and fields are passed over, and a number may come as text.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

import msgspec

from app.errors import RemoteProtocolError

# Characters; a message of 20 ms has some 400, a `start` with many parameters a few thousand.
MAX_MESSAGE = 64 * 1024
LONGEST_NAME = 40  # characters of an event's name that we repeat: it may be a stranger's


# On the wire -----------------------------------------------------------------------------------------


class Connected(msgspec.Struct, frozen=True, tag_field="event", tag="connected"):
    """The first message. It says nothing that we use, so that it serves as the event, too."""

    protocol: str = ""
    version: str = ""


class MediaFormat(msgspec.Struct, frozen=True, rename="camel"):
    """How the caller's audio is encoded; Twilio knows only mu-law, 8 kHz, mono."""

    encoding: str
    sample_rate: int
    channels: int


class StartBody(msgspec.Struct, frozen=True, rename="camel"):
    """What the stream is, and the `<Parameter>`s of our own TwiML."""

    stream_sid: str
    call_sid: str
    account_sid: str
    media_format: MediaFormat
    custom_parameters: dict[str, str] = {}
    tracks: list[str] = []


class Start(msgspec.Struct, frozen=True, rename="camel", tag_field="event", tag="start"):
    """The second message, exactly once: only now do we know the `streamSid` to answer with."""

    stream_sid: str
    start: StartBody
    sequence_number: int = 0


class MediaBody(msgspec.Struct, frozen=True, rename="camel"):
    """Some of the caller's audio, decoded from base64."""

    payload: bytes
    timestamp: int
    chunk: int
    track: str = "inbound"


class Media(msgspec.Struct, frozen=True, rename="camel", tag_field="event", tag="media"):
    """Every 20 ms, silence included; yet there may be gaps and bursts."""

    stream_sid: str
    media: MediaBody
    sequence_number: int = 0


class DtmfBody(msgspec.Struct, frozen=True):
    """One key."""

    digit: str | int
    track: str = "inbound_track"


class Dtmf(msgspec.Struct, frozen=True, rename="camel", tag_field="event", tag="dtmf"):
    """One message per press, none for the release."""

    stream_sid: str
    dtmf: DtmfBody
    sequence_number: int = 0


class MarkBody(msgspec.Struct, frozen=True):
    """The name we gave the mark."""

    name: str


class Mark(msgspec.Struct, frozen=True, rename="camel", tag_field="event", tag="mark"):
    """The echo of our mark: all before it was played, or cleared; the message does not tell which."""

    stream_sid: str
    mark: MarkBody
    sequence_number: int = 0


class Stop(msgspec.Struct, frozen=True, rename="camel", tag_field="event", tag="stop"):
    """The last message: the call ended, or another TwiML document took it over."""

    stream_sid: str
    sequence_number: int = 0


class Unknown(msgspec.Struct, frozen=True):
    """An event that the documentation does not know, yet."""

    event: str


Inbound = Connected | Start | Media | Dtmf | Mark | Stop
NAMES: dict[type[msgspec.Struct], str] = {
    Connected: "connected",
    Start: "start",
    Media: "media",
    Dtmf: "dtmf",
    Mark: "mark",
    Stop: "stop",
}

# Not strict: numbers come as text.
_inbound: msgspec.json.Decoder[Inbound] = msgspec.json.Decoder(Inbound, strict=False)
_name_only = msgspec.json.Decoder(Unknown)


def decode(text: str | bytes) -> Inbound | Unknown:
    """Read one message.

    Raises:
        RemoteProtocolError: too long, no JSON object, without an event, or a known event with a wrong body.
    """
    if len(text) > MAX_MESSAGE:
        raise RemoteProtocolError(f"message of {len(text)} characters, expected at most {MAX_MESSAGE}")
    try:
        return _inbound.decode(text)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors, and so are bad UTF-8's
        return _unknown(text, error)


def _unknown(text: str | bytes, error: Exception) -> Unknown:
    try:
        message = _name_only.decode(text)
    except (ValueError, RecursionError):
        raise RemoteProtocolError("message that is no JSON object with an event") from error
    if message.event in NAMES.values():
        # msgspec names the field and the types, never a value.
        raise RemoteProtocolError(f"'{message.event}' with a wrong body: {error}") from error
    return Unknown(message.event[:LONGEST_NAME])


# Inside ----------------------------------------------------------------------------------------------


class Started(msgspec.Struct, frozen=True):
    """The stream is open both ways. `parameters` are as we wrote them into the TwiML, if it is Twilio."""

    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: dict[str, str]


class MediaReceived(msgspec.Struct, frozen=True):
    """Audio of the caller, of any length. `timestamp_ms` is media time, and begins above zero."""

    mulaw: bytes
    timestamp_ms: int
    chunk: int


class KeyPressed(msgspec.Struct, frozen=True):
    """The caller pressed `0`-`9`, `*` or `#`."""

    digit: str


class MarkReturned(msgspec.Struct, frozen=True):
    """A mark of ours came back; `played` is False when we cleared what stood before it."""

    name: str
    played: bool


class Stopped(msgspec.Struct, frozen=True):
    """Twilio ends the stream; nothing may be sent any more."""


class Ignored(msgspec.Struct, frozen=True):
    """A message that means nothing to us."""

    event: str


Event = Connected | Started | MediaReceived | KeyPressed | MarkReturned | Stopped | Ignored
