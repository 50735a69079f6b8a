"""What has left on one call, and what the log says of it."""

from dataclasses import dataclass

from app.audio.frame import FRAME_BYTES, FRAME_MS
from app.log import log
from app.playout.pacer import Underruns


@dataclass(slots=True)
class Tally:
    """`reply_*` since the last reply was heard to its end."""

    first_sent_at: float | None = None
    reply_frames: int = 0
    underruns: int = 0
    underrun_ms: float = 0.0

    def played(self, mulaw: bytes, now: float) -> None:
        if self.first_sent_at is None:
            self.first_sent_at = now
        self.reply_frames += len(mulaw) // FRAME_BYTES

    def first_audio_ms(self, began_at: float) -> int | None:
        """From the start of the call to the first frame that left; None when none did."""
        return None if self.first_sent_at is None else round((self.first_sent_at - began_at) * 1000)

    def report_underrun(self, met: Underruns) -> None:
        """Log a gap the caller has just heard."""
        if met.count > self.underruns:
            log.warning(
                "playout.underrun", gap_ms=round(met.total_ms - self.underrun_ms), underruns=met.count
            )
            self.underruns, self.underrun_ms = met.count, met.total_ms

    def report_reply(self, sentences: int) -> None:
        """Log that all that was said so far has been heard."""
        log.info(
            "playout.reply_heard",
            frames=self.reply_frames,
            bytes_out=self.reply_frames * FRAME_BYTES,
            audio_ms=self.reply_frames * FRAME_MS,
            underruns=self.underruns,
            sentences=sentences,
        )
        self.reply_frames = 0
