"""What Twilio sends on a media socket, byte for byte in its shapes, types and counters.

Built from templates: a load of callers sends ten thousand of these a second.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

import json
from base64 import b64encode
from collections.abc import Mapping

from app.audio.frame import FRAME_BYTES, FRAME_MS, SILENCE

CONNECTED = b'{"event":"connected","protocol":"Call","version":"1.0.0"}'
SILENT_PAYLOAD = b64encode(SILENCE * FRAME_BYTES)
MEDIA = (
    b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
    b'"payload":"%b"},"streamSid":"'
)
FIRST_TIMESTAMP_MS = 57  # the first frames of live streams stand at 57, 102, 155, 171 ms
WOBBLE_MS = (0, 1, -1, 2, 0, -2, 1)  # live timestamps are not multiples of 20


class Messages:
    """One stream's messages in order; every one after `connected` takes the next sequence number."""

    def __init__(self, *, stream_sid: str, call_sid: str, account_sid: str) -> None:
        self._ids = {"accountSid": account_sid, "callSid": call_sid}
        self._stream_sid = stream_sid
        self._tail = f'{stream_sid}"}}'.encode()
        self._sequence = 0
        self._chunk = 0

    def start(self, parameters: Mapping[str, str]) -> bytes:
        return self._message(
            "start",
            {
                **self._ids,
                "streamSid": self._stream_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": dict(parameters),
            },
        )

    def media(self, mulaw: bytes | None, tick: int) -> bytes:
        """The caller's audio at `tick` (20 ms each, from 0); None is silence."""
        self._sequence += 1
        self._chunk += 1
        timestamp_ms = FIRST_TIMESTAMP_MS + tick * FRAME_MS + WOBBLE_MS[tick % len(WOBBLE_MS)]
        payload = SILENT_PAYLOAD if mulaw is None else b64encode(mulaw)
        return MEDIA % (self._sequence, self._chunk, timestamp_ms, payload) + self._tail

    def dtmf(self, digit: str) -> bytes:
        return self._message("dtmf", {"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> bytes:
        return self._message("mark", {"name": name})

    def stop(self) -> bytes:
        return self._message("stop", self._ids)

    def _message(self, event: str, body: Mapping[str, object]) -> bytes:
        self._sequence += 1
        message = {
            "event": event,
            "sequenceNumber": str(self._sequence),
            "streamSid": self._stream_sid,
            event: body,
        }
        return json.dumps(message, separators=(",", ":")).encode()
