"""What is heard when no voice can speak: ready frames, made by `fixtures/make_trouble.py`."""

from pathlib import Path

TEXT = "We are having trouble. Please hold."
FILE = Path(__file__).parent / "data" / "trouble.ulaw"


def trouble() -> bytes:
    """The sentence as whole mu-law frames."""
    return FILE.read_bytes()
