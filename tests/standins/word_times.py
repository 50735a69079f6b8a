"""When each word of a text is said, for stand-ins: the audio's length shared out by letters."""

import re


def spread(text: str, total_s: float, *, pattern: str = r"\S+") -> list[tuple[str, float, float]]:
    """Pieces of `text` that match, each with its start and end; later ones never begin earlier."""
    pieces = re.findall(pattern, text.strip())
    letter_s = total_s / max(sum(map(len, pieces)), 1)
    times, at = [], 0.0
    for piece in pieces:
        end = at + len(piece) * letter_s
        times.append((piece, round(at, 3), round(end, 3)))
        at = end
    return times
