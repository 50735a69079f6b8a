"""Lua scripts: what must happen at once on the store, read from files beside the module that sends them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Script:
    """One script, and the digest by which the store knows it once it was loaded."""

    name: str
    source: str
    sha: str

    @classmethod
    def read(cls, *paths: Path) -> Self:
        """The files one after another as one script, named by the last."""
        source = "\n".join(path.read_text(encoding="utf-8") for path in paths)
        # Not a matter of security: EVALSHA names scripts so.
        return cls(paths[-1].stem, source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())
