"""Finding a hotline to call, or starting one."""

import os
from pathlib import Path

import httpx
import pytest

from app.simulator.hotline import NoHotline, at_hand, started
from tests.simulator.bridge import serving


async def test_one_that_runs_already_is_used() -> None:
    async with serving() as bridge:
        port = bridge.url.rsplit(":")[-1]
        async with at_hand({"PORT": port}) as url:
            assert url == f"http://localhost:{port}/voice"

    assert [path for path, _, _ in bridge.webhooks] == ["/livez"]


async def test_where_none_runs_one_is_started_and_stopped_again(unused_tcp_port: int) -> None:
    environ = {**os.environ, "PORT": str(unused_tcp_port)}
    async with at_hand(environ) as url, httpx.AsyncClient(trust_env=False) as http:
        base = url.removesuffix("/voice")
        alive = await http.get(f"{base}/livez")

        assert alive.is_success
        assert not url.startswith(f"http://localhost:{unused_tcp_port}/")
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"{base}/livez")


async def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(NoHotline, match="SESSION_TIMEOUT"):
        async with started({**os.environ, "SESSION_TIMEOUT": "soon"}):
            pass
