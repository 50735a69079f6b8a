"""Ports that nobody listens on."""

import socket


def free_port() -> int:
    """A free one of this machine; free for a moment at least."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
