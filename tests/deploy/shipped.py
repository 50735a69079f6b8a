"""What deploy/ ships for a fleet, as its tests read it."""

import os
import re
import shutil
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
CONFIG = DEPLOY / "haproxy.cfg"
HAPROXY = shutil.which("haproxy")
needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")


def service(name: str) -> str:
    """One service of compose.yaml, as text."""
    services = (DEPLOY / "compose.yaml").read_text().partition("\nservices:\n")[2]
    found = re.search(rf"^  {name}:\n((?:    .*\n|\n)+)", services, re.MULTILINE)
    assert found is not None, name
    return found[1]


def store_command(password: str) -> list[str]:
    """The store's arguments with the password that STORE_PASSWORD would give it."""
    items = re.findall(r"^      - (.*)$", service("store").partition("command:\n")[2], re.MULTILINE)
    return [item.strip('"').replace("${STORE_PASSWORD:?}", password) for item in items]


def haproxy_environ(port: int, *replicas: int) -> dict[str, str]:
    """What haproxy.cfg takes from the environment; every name of it stands in compose.yaml too."""
    addresses = {f"REPLICA_{number}": f"127.0.0.1:{each}" for number, each in enumerate(replicas, 1)}
    return {
        "PATH": os.environ["PATH"],
        "BALANCER_PORT": str(port),
        "RESOLVER": "127.0.0.1:53",
        **addresses,
    }
