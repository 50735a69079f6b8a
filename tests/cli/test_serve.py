"""`hotline serve`: how uvicorn is set up, and what a faulty start says."""

import os
import subprocess
import sys

from app.cli.serve import server_config
from app.settings import Settings
from app.web.http_wire import HttpWire
from app.web.socket_wire import SocketWire


def test_media_sockets_are_bounded_uncompressed_and_pinged() -> None:
    config = server_config(Settings.load({"PORT": "9000"}))

    assert (config.ws_max_size, config.ws_per_message_deflate) == (65536, False)
    assert (config.ws_ping_interval, config.ws_ping_timeout) == (20, 20)
    assert (config.http, config.ws, config.loop) == (HttpWire, SocketWire, "uvloop")
    assert (config.host, config.port) == ("0.0.0.0", 9000)
    assert not config.proxy_headers


def test_a_start_with_faulty_settings_lists_them_all_and_exits_2() -> None:
    environ = {**os.environ, "PORT": "x", "MAX_CALLS": "-1"}
    argv = [sys.executable, "-m", "app", "serve"]
    started = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=30, check=False)

    assert started.returncode == 2
    assert "PORT: 'x'" in started.stderr and "MAX_CALLS: '-1'" in started.stderr
    assert "Traceback" not in started.stderr
