"""Where things stand in a TOML file: the line of every table and key, which the parser does not tell."""

import re
from collections.abc import Sequence

Path = tuple[str | int, ...]

PART = r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+))\s*"""
HEADER = re.compile(r"\s*(\[\[?)([^\]]+)\]\]?")
KEY = re.compile(rf"({PART}(?:\.{PART})*)=")
LONG_QUOTES = ('"""', "'''")
TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*|[\[\]{}]')


class Places:
    """The lines of one file that `tomllib` accepts.

    Only what begins a line is found: the inside of an inline table, or of an array, is where its key is.
    """

    def __init__(self, toml: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        self._counts: dict[Path, int] = {}
        self._table: Path = ()
        self._open = ""  # the quotes of a string over several lines, in which we are
        self._depth = 0  # of brackets, in which we are
        for number, line in enumerate(toml.splitlines(), 1):
            self._read(number, line)

    def line(self, path: Sequence[str | int]) -> int:
        """The line of `path`, or of the nearest table or key around it."""
        whole = tuple(path)
        return next(
            self._lines[whole[:end]] for end in range(len(whole), -1, -1) if whole[:end] in self._lines
        )

    def _read(self, number: int, line: str) -> None:
        if not self._open and not self._depth:
            if (header := HEADER.match(line)) and (parts := _parts(header[2])):
                self._enter(parts, number, element=header[1] == "[[")
                return
            if key := KEY.match(line):
                parts = _parts(key[1])
                for end in range(1, len(parts) + 1):
                    self._lines.setdefault((*self._table, *parts[:end]), number)
                line = line[key.end() :]
        self._skim(line)

    def _enter(self, parts: Path, number: int, *, element: bool) -> None:
        path: Path = ()
        for part in parts[:-1]:
            path = self._newest((*path, part))
            self._lines.setdefault(path, number)
        path = (*path, parts[-1])
        self._lines.setdefault(path, number)
        if element:
            self._counts[path] = self._counts.get(path, 0) + 1
            path = self._newest(path)
        self._table = path
        self._lines[path] = number

    def _newest(self, path: Path) -> Path:
        return (*path, self._counts[path] - 1) if path in self._counts else path

    def _skim(self, line: str) -> None:
        """Follow strings and brackets, which may go on over the next lines."""
        at = 0
        while at < len(line):
            if self._open:
                end = line.find(self._open, at)
                if end < 0:
                    return
                at = end + len(self._open)
                self._open = ""
            elif token := TOKEN.search(line, at):
                at = token.end()
                self._take(token[0])
            else:
                return

    def _take(self, token: str) -> None:
        if token in LONG_QUOTES:
            self._open = token
        elif token in "[{":
            self._depth += 1
        elif token in "]}":
            self._depth -= 1


def _parts(dotted: str) -> Path:
    return tuple(next(name for name in met.groups() if name is not None) for met in re.finditer(PART, dotted))
