"""The inputs that are kept: seeds by hand, what found new ways, and every crash that was."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
CRASHES = Path(__file__).parent / "crashes"
FOUND = Path(__file__).parent / "found"  # what long runs have collected, on this machine only


def kept(target: str) -> dict[str, bytes]:
    """The inputs of one target by their names."""
    return {file.name: file.read_bytes() for file in sorted((FOLDER / target).iterdir())}


def write(folder: Path, given: bytes) -> Path:
    """One input under a name that its bytes give it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / hashlib.sha1(given).hexdigest()
    file.write_bytes(given)
    return file
