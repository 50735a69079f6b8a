"""A conversation that stands nowhere: every answer depends on its fact alone."""

from collections.abc import Mapping


class Stateless:
    """What such a conversation keeps of a call, and goes on from: nothing."""

    def snapshot(self) -> dict[str, object]:
        return {}

    def restore(self, state: Mapping[str, object]) -> None:
        """There is nothing to restore."""
