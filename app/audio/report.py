"""What became of one stream's bytes: for the log line of a reply, and for `hotline convert`."""

from dataclasses import dataclass

from app.audio.frame import FRAME_BYTES, FRAME_MS


@dataclass(slots=True)
class Report:
    """Counts of one conversion, valid after every `feed`; complete after `finish`."""

    audio_format: str  # as asked for
    content: str = ""  # what came: mp3, wav, pcm, ulaw or text; empty while unknown
    bytes_in: int = 0
    bytes_out: int = 0  # mu-law, whole frames
    tag_bytes: int = 0  # tags, file headers and index frames: rightly not played
    skipped_bytes: int = 0  # neither audio nor a tag
    dropped_frames: int = 0  # MP3 frames that were damaged, or lacked data lost before them
    concealed_ms: float = 0  # silence played in their place
    format_changes: int = 0  # of rate or channels in mid-stream
    cpu_ms: float = 0

    @property
    def frames_out(self) -> int:
        return self.bytes_out // FRAME_BYTES

    @property
    def audio_ms(self) -> int:
        return self.frames_out * FRAME_MS
