"""What every target holds, and how a broken rule is told."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.log import Event, attach

# Events that only our own bug can cause: an exception met a wall, or a library complained of our use of it.
WALLS = frozenset({"call.failed", "speech.background_failed", "library.logged"})


class Broken(AssertionError):
    """A rule does not hold for some input."""


def rule(holds: bool, told: str) -> None:
    """`told` says what was found where `holds` is false."""
    if not holds:
        raise Broken(told)


@contextmanager
def few_lines(most: int) -> Iterator[list[str]]:
    """At most so many events from `info` on while this lasts, and none of an exception at a wall.

    Yields their names, as they come.
    """
    names: list[str] = []
    walls: list[str] = []

    def read(event: Event) -> None:
        if event["level"] == "debug":
            return
        names.append(str(event["event"]))
        if event["event"] in WALLS:
            walls.append(f"{event['event']}: {event.get('exception') or event.get('message')}")

    detach = attach(read)
    try:
        yield names
    finally:
        detach()
    rule(not walls, "\n".join(walls))
    rule(len(names) <= most, f"{len(names)} lines in the log, at most {most}: {names[:20]}")
