"""What the stand-in for Cartesia is told to do wrong, and what it remembers of its callers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Script:
    """How one voice behaves; the default does nothing wrong."""

    delay_ms: tuple[int, int] | None = None  # before generation begins; None: the server's
    error: tuple[int, str | None, str] | None = None  # status, error_code and message, at the sentence
    anonymous: bool = False  # the error does not say of which context
    close: tuple[int, str] | None = None  # close at the sentence
    frame: str = ""  # before any audio: garbage, or a message nobody knows
    silent: bool = False  # done, and no audio
    body: bytes | None = None  # instead of the audio
    cut_after: int | None = None  # bytes of audio until the connection is cut
    stall_after: int | None = None  # bytes of audio until nothing more comes
    words: bool = True  # send the times of words when they are asked for
    pause_s: float = 0.001  # after each piece


NAMED = {
    "fault-stall": Script(stall_after=2000),
    "fault-dead": Script(stall_after=0),
    "fault-cut": Script(cut_after=2000),
    "fault-silent": Script(silent=True),
    "fault-500": Script(error=(500, None, "Internal error")),
    "fault-429": Script(
        error=(429, "concurrency_limited", "You have exceeded your plan's concurrency limit.")
    ),
    "fault-402": Script(error=(402, "quota_exceeded", "Insufficient credits")),
}


@dataclass
class Seen:
    """One context, as the stand-in saw it."""

    socket: int  # number of the connection
    message: dict[str, object]
    begun: bool = False  # generation has begun
    cancelled: bool = False  # by a message of the client's
    gone: bool = False  # the socket was closed before the end
    finished: bool = False  # everything was sent

    @property
    def text(self) -> str:
        return str(self.message["transcript"])


class Gone(Exception):
    """The client has closed, or the script has cut the connection."""


class Refused(Exception):
    """An error event."""

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
