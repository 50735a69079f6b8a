"""Audio that a stand-in can understand without a recogniser: letters as steady bytes, spaces as silence.

What was lost on the way is missing from what is understood, and what came twice stands there twice.
"""

from itertools import groupby

LETTER_BYTES = 320  # 40 ms
GAP = b"\xff" * LETTER_BYTES  # silence


def dictated(text: str) -> bytes:
    """Lower-case words as mu-law, 40 ms a letter."""
    return b"".join(b"".join(bytes([ord(c)]) * LETTER_BYTES for c in word) + GAP for word in text.split())


def understood(mulaw: bytes) -> str:
    """The words in it; a letter of which half is missing is lost."""
    found = ""
    for value, run in groupby(mulaw):
        letter = chr(value) if chr(value).isascii() and chr(value).isalnum() else " "
        found += letter * round(sum(1 for _ in run) / LETTER_BYTES)
    return " ".join(found.split())


def is_dictated(mulaw: bytes) -> bool:
    """Whether there are words in it; in the audio of a voice no byte stays the same so long."""
    return bool(understood(mulaw))
