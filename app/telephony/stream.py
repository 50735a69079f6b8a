"""Twilio's Media Streams protocol without a socket: text in, one event out; order in, text out."""

from binascii import b2a_base64
from enum import StrEnum

import msgspec

from app.errors import LocalProtocolError, RemoteProtocolError
from app.telephony import messages as wire

MOST_MARKS = 1000  # under way; of our own, and far more than Twilio ever plays behind
MULAW = wire.MediaFormat(encoding="audio/x-mulaw", sample_rate=8000, channels=1)


class State(StrEnum):
    """How far the stream has come."""

    CONNECTING = "connecting"
    STARTING = "starting"
    STREAMING = "streaming"
    STOPPED = "stopped"


# What Twilio may send, and where it leads. `connected` always comes first, so its absence is no Twilio.
TRANSITIONS: dict[State, dict[type[msgspec.Struct], State]] = {
    State.CONNECTING: {wire.Connected: State.STARTING},
    State.STARTING: {wire.Start: State.STREAMING},
    State.STREAMING: {
        wire.Media: State.STREAMING,
        wire.Dtmf: State.STREAMING,
        wire.Mark: State.STREAMING,
        wire.Stop: State.STOPPED,
    },
    State.STOPPED: {},
}


class MediaStream:
    """Sans-I/O Media Streams endpoint: no socket, no clock, no tasks.

    Raises:
        RemoteProtocolError: from `receive`, when Twilio breaks the protocol; the state stays as it was.
        LocalProtocolError: from `play`, `mark` and `clear`, when we would.
    """

    def __init__(self) -> None:
        self._state = State.CONNECTING
        self._stream_sid = ""
        self._end = ""  # the last part of all that we send, with the streamSid
        self._pending: dict[str, bool] = {}  # marks under way -> will their echo mean "played"
        self._used: set[str] = set()  # every name of the stream: some tens of bytes a sentence
        self.ignored = 0  # messages that meant nothing to us
        self.marks_forgotten = 0  # that never came back, and made room for later ones

    @property
    def state(self) -> State:
        return self._state

    @property
    def stream_sid(self) -> str:
        """Empty before `start`."""
        return self._stream_sid

    def receive(self, text: str | bytes) -> wire.Event:
        """Take one message of Twilio's, as it came."""
        message = wire.decode(text)
        if isinstance(message, wire.Unknown):
            return self._ignore(message.event)
        following = TRANSITIONS[self._state].get(type(message))
        if following is None:
            raise RemoteProtocolError(f"'{wire.NAMES[type(message)]}' while {self._state}{self._expected()}")
        event = self._read(message)
        self._state = following
        return event

    def play(self, mulaw: bytes) -> str:
        """Put audio of any length at the end of what Twilio has buffered."""
        if not mulaw:
            raise LocalProtocolError("'media' without audio")
        payload = b2a_base64(mulaw, newline=False).decode("ascii")
        return f'{{"event":"media","media":{{"payload":"{payload}"}}{self._end_for("media")}'

    def mark(self, name: str) -> str:
        """Ask for `name` back once all that was sent before it has been played, or cleared."""
        end = self._end_for("mark")
        if not name or name in self._used:
            raise LocalProtocolError("'mark' with an empty or used name")
        self._used.add(name)
        self._pending[name] = True
        if len(self._pending) > MOST_MARKS:
            del self._pending[next(iter(self._pending))]
            self.marks_forgotten += 1
        return f'{{"event":"mark","mark":{{"name":{_quoted(name)}}}{end}'

    def clear(self) -> str:
        """Barge-in: drop what Twilio has buffered. The marks in it come back, but were not played."""
        end = self._end_for("clear")
        self._pending = dict.fromkeys(self._pending, False)
        return f'{{"event":"clear"{end}'

    def _read(self, message: wire.Inbound) -> wire.Event:
        match message:
            case wire.Connected():
                return message
            case wire.Start():
                return self._start(message.start, message.stream_sid)
            case _ if message.stream_sid != self._stream_sid:
                raise RemoteProtocolError(f"'{wire.NAMES[type(message)]}' of another stream")
            case wire.Media():
                return self._media(message.media)
            case wire.Dtmf():
                return wire.KeyPressed(str(message.dtmf.digit))
            case wire.Mark():
                return self._mark_returned(message.mark.name)
            case _:
                return wire.Stopped()

    def _start(self, start: wire.StartBody, stream_sid: str) -> wire.Started:
        if start.media_format != MULAW:
            raise RemoteProtocolError("'start' with a media format other than audio/x-mulaw, 8000 Hz, mono")
        if not stream_sid or stream_sid != start.stream_sid:
            raise RemoteProtocolError("'start' whose two stream sids differ or are empty")
        self._stream_sid = stream_sid
        self._end = f',"streamSid":{_quoted(stream_sid)}}}'
        return wire.Started(stream_sid, start.call_sid, start.account_sid, start.custom_parameters)

    def _media(self, media: wire.MediaBody) -> wire.Event:
        if media.track != "inbound":  # our own voice, which only a listening stream would bring
            return self._ignore("media")
        return wire.MediaReceived(media.payload, media.timestamp, media.chunk)

    def _mark_returned(self, name: str) -> wire.Event:
        played = self._pending.pop(name, None)
        return self._ignore("mark") if played is None else wire.MarkReturned(name, played)

    def _ignore(self, event: str) -> wire.Ignored:
        self.ignored += 1
        return wire.Ignored(event)

    def _end_for(self, event: str) -> str:
        if self._state is not State.STREAMING:
            raise LocalProtocolError(f"'{event}' while {self._state}, expected to be streaming")
        return self._end

    def _expected(self) -> str:
        names = [f"'{wire.NAMES[message]}'" for message in TRANSITIONS[self._state]]
        return f", expected {' or '.join(names)}" if names else ", expected nothing more"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
