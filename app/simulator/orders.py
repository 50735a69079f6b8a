"""What the bridge may send to Twilio, checked field by field.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

import msgspec

from app.audio import mpeg
from app.errors import BridgeError

FILE_STARTS = (b"RIFF", b"ID3", b"OggS", b"fLaC", b".snd")  # played as mu-law they are noise
OPENING_BYTES = 1500  # of a stream's audio; enough for two frames of any MP3 up to 44.1 kHz, 224 kbit/s


class Fault(BridgeError):
    """Something that Twilio reports by a number of its error dictionary."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


class PlayBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mu-law, decoded from base64."""

    payload: bytes


class Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="event", tag="media"):
    """Audio for the end of the buffer."""

    streamSid: str
    media: PlayBody


class MarkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mark's name."""

    name: str


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="event", tag="mark"):
    """To be echoed when everything before it was played."""

    streamSid: str
    mark: MarkBody


class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="event", tag="clear"):
    """To empty the buffer."""

    streamSid: str


Order = Play | Mark | Clear

_decoder: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)


def read(text: bytes, stream_sid: str) -> Order:
    """Read one message of the bridge.

    Raises:
        Fault: 31951, with what is wrong; never with the message itself.
    """
    try:
        order = _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise Fault(31951, f"message that Twilio does not know: {error}") from None
    if order.streamSid != stream_sid:
        raise Fault(31951, f"'{_name(order)}' with another streamSid")
    if isinstance(order, Play) and not order.media.payload:
        raise Fault(31951, "'media' with an empty payload")
    return order


def looks_like_a_file(opening: bytes) -> bool:
    """Whether the first bytes of a stream's audio are those of a file, not of mu-law.

    Quiet mu-law may look like one MP3 header; two in the right distance are no accident.
    """
    if opening.startswith(FILE_STARTS):
        return True
    first = mpeg.parse(opening[: mpeg.HEADER_BYTES])
    if first is None:
        return False
    second = mpeg.parse(opening[first.length : first.length + mpeg.HEADER_BYTES])
    return second is not None and first.akin(second)


def _name(order: Order) -> str:
    return str(order.__struct_config__.tag)
