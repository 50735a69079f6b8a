"""What comes from the bridge on one stream: checked, played, and judged."""

from app.simulator import orders
from app.simulator.orders import Fault
from app.simulator.playback import Playback
from app.simulator.report import StreamReport


class Receiver:
    """Turns the bridge's messages into what the phone plays. `now` is monotonic seconds."""

    def __init__(self, playback: Playback, report: StreamReport) -> None:
        self._playback = playback
        self._report = report
        self._opening = bytearray()  # the stream's first audio, until it has been looked at
        self._opening_seen = False
        self._started_at: float | None = None

    def started(self, now: float) -> None:
        """`start` has been sent: from here on the bridge may speak."""
        self._started_at = now

    def receive(self, text: bytes, now: float) -> list[str]:
        """Obey one message; gives the marks to echo at once.

        Raises:
            Fault: the message is not one that the bridge may send; it had no effect.
        """
        if self._started_at is None:
            raise Fault(31951, "message before 'start'")
        match orders.read(text, self._report.stream_sid):
            case orders.Play(media=body):
                if self._report.first_audio_ms is None:
                    self._report.first_audio_ms = round((now - self._started_at) * 1000, 1)
                self._look_at(body.payload)
                if not self._playback.play(body.payload):
                    self._report.add_fault(
                        Fault(31931, "over 10 minutes of audio are waiting, the rest is lost")
                    )
            case orders.Mark(mark=mark):
                self._playback.mark(mark.name)
            case orders.Clear():
                return self._playback.clear()
        return []

    def finish(self) -> None:
        """The stream is over: settle what was still open."""
        self._judge_opening()
        self._playback.finish()

    def _look_at(self, mulaw: bytes) -> None:
        if self._opening_seen:
            return
        self._opening += mulaw
        if len(self._opening) >= orders.OPENING_BYTES:
            self._judge_opening()

    def _judge_opening(self) -> None:
        self._opening_seen = True
        if orders.looks_like_a_file(bytes(self._opening)):
            self._report.add_fault(Fault(31951, "audio that begins like a file, expected bare mu-law"))
