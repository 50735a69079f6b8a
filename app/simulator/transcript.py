"""What the caller heard, in words: the embedded ears write it down when the call is over.

They know nothing of the hotline's script and take any word of the language, so what they find in the audio
is evidence. Some words come out wrong, names above all.
"""

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise

from app.audio.frame import FRAME_BYTES, FRAME_MS
from app.errors import ConfigError
from app.simulator.recording import stretches
from app.simulator.report import CallReport, StreamReport

BYTES_PER_MS = FRAME_BYTES // FRAME_MS
LONGEST_MS = 30_000  # of one reply, from its beginning: a second of audio costs a fifth of a second
PAUSE_MS = 240  # between two sentences, or two clauses
MARGIN = 200 * BYTES_PER_MS  # bytes of quiet left on either side: the ears want to hear a beginning
NAME = "pocketsphinx"

Ears = Callable[[bytes], str]


def is_possible() -> bool:
    """Whether the embedded ears are installed."""
    return importlib.util.find_spec(NAME) is not None


def write_down(report: CallReport, ears: Ears | None = None) -> None:
    """Fill in the words of all that was heard in the streams of a call that is over.

    Raises:
        ConfigError: the embedded ears are not installed.
    """
    with embedded() if ears is None else nullcontext(ears) as understand:
        for stream in report.streams:
            heard = report.heard[stream.heard_from :][: stream.figures.ticks * FRAME_BYTES]
            _write_down(stream, heard, understand)


def _write_down(stream: StreamReport, heard: bytes, ears: Ears) -> None:
    answered = [turn for turn in stream.turns if turn.reply_at_ms is not None]
    begins = [0, *((turn.reply_at_ms or 0) * BYTES_PER_MS for turn in answered), len(heard)]
    texts = [words_in(heard[begin:end], ears) for begin, end in pairwise(begins)]
    stream.greeting = texts[0]
    for turn in stream.turns:
        turn.heard = ""
    for turn, text in zip(answered, texts[1:], strict=True):
        turn.heard = text


def words_in(mulaw: bytes, ears: Ears) -> str:
    """The words of one reply, sentence by sentence."""
    mulaw = mulaw[: LONGEST_MS * BYTES_PER_MS]
    pieces = [
        mulaw[max(0, begin - MARGIN) : end + MARGIN] for begin, end in stretches(mulaw, pause_ms=PAUSE_MS)
    ]
    return " ".join(filter(None, map(ears, pieces)))


@contextmanager
def embedded() -> Iterator[Ears]:
    """Ears for any words of the language.

    Raises:
        ConfigError: they are not installed.
    """
    if not is_possible():
        raise ConfigError(f"{NAME} is missing (embedded ears); it comes with the extra local-hearing")
    # Only where it is needed: the library is optional, and takes a moment to load.
    from app.hearing.front_end import Network
    from app.hearing.recogniser import Lexicon, Recogniser

    lexicon = Lexicon(None)
    recogniser = Recogniser(lexicon, Network())

    def understand(mulaw: bytes) -> str:
        recogniser.begin()
        recogniser.hear(mulaw)
        return recogniser.end().text

    try:
        yield understand
    finally:
        lexicon.close()
