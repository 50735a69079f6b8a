"""The door's own client, to knock as a stranger does."""

from tests.web.conftest import knock

__all__ = ["knock"]
