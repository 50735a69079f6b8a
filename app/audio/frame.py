"""The telephone's unit of audio: 20 ms of mu-law, and how bytes of any number become whole frames."""

SAMPLE_RATE = 8_000  # Hz, the telephone's
FRAME_MS = 20
FRAME_BYTES = 160  # one byte a sample
SILENCE = b"\xff"  # mu-law zero


class Framer:
    """Cuts mu-law into whole frames and keeps the remainder for the next piece."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def rest(self) -> bytes:
        """What is not a whole frame yet."""
        return self._rest

    def feed(self, mulaw: bytes) -> bytes:
        """Take mu-law of any length; give all whole frames, one after the other."""
        mulaw = self._rest + mulaw
        whole = len(mulaw) - len(mulaw) % FRAME_BYTES
        self._rest = mulaw[whole:]
        return mulaw[:whole]

    def finish(self) -> bytes:
        """Give the remainder as one frame filled up with silence; nothing if there is none."""
        rest, self._rest = self._rest, b""
        return rest.ljust(FRAME_BYTES, SILENCE) if rest else b""


def duration_ms(mulaw: bytes) -> float:
    """Media time of `mulaw`."""
    return len(mulaw) * 1_000 / SAMPLE_RATE
