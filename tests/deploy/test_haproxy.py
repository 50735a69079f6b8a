"""deploy/haproxy.cfg, read by haproxy itself; calls through it are in `tests/journeys/test_haproxy.py`."""

import asyncio
import re
from asyncio.subprocess import PIPE

from tests.deploy.shipped import CONFIG, HAPROXY, haproxy_environ, needs_haproxy


@needs_haproxy
async def test_haproxy_takes_the_config_without_a_word() -> None:
    assert HAPROXY is not None
    environ = haproxy_environ(8000, 8001, 8002)
    process = await asyncio.create_subprocess_exec(
        HAPROXY, "-c", "-q", "-f", str(CONFIG), env=environ, stdout=PIPE, stderr=PIPE
    )
    said = await process.communicate()

    assert (process.returncode, said) == (0, (b"", b""))


def test_streams_are_not_cut_when_a_replica_leaves_nor_while_a_call_lasts() -> None:
    lines = [line.partition("#")[0].strip() for line in CONFIG.read_text().splitlines()]
    config = "\n".join(lines)

    assert "on-marked-down" not in config
    assert re.search(
        r"^hard-stop-after 1h$", config, re.MULTILINE
    )  # SESSION_TIMEOUT is an hour at most by default
    assert int(re.findall(r"^timeout tunnel (\d+)s$", config, re.MULTILINE)[0]) >= 60


def test_what_twilio_may_be_asked_for_twice_is_and_a_stream_is_not() -> None:
    config = CONFIG.read_text()
    (retried,) = re.findall(r"^    retry-on (.*)$", config, re.MULTILINE)

    assert retried.split() == ["conn-failure", "empty-response", "response-timeout"]
    assert re.search(r"^    option redispatch 1\b", config, re.MULTILINE)
