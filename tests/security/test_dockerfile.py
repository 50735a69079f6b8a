"""Threat 23: the container, as far as it can be told without an engine: its recipe and its commands."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

from app.web.app import create_app
from tests.standins.server import serving
from tests.web.conftest import _nothing, make_parts

ROOT = Path(__file__).parent.parent.parent
Step = tuple[str, str]


def steps() -> list[list[Step]]:
    """The instructions, a list for each stage; comments gone, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "deploy" / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    found: list[list[Step]] = []
    for word, _, rest in (line.partition(" ") for line in lines):
        if word == "FROM":
            found.append([])
        found[-1].append((word, re.sub(r"\s+", " ", rest).strip()))
    return found


def final(word: str) -> list[str]:
    return [rest for name, rest in steps()[-1] if name == word]


def health_check() -> list[str]:
    (check,) = final("HEALTHCHECK")
    command: list[str] = json.loads(check.partition("CMD ")[2])
    return command


def test_threat_23_the_image_that_runs_is_not_the_one_that_installs() -> None:
    assert len(steps()) == 2
    assert final("RUN") == []
    assert "ADD" not in {name for name, _ in steps()[-1]}
    assert sum("AS build" in rest for _, rest in steps()[0]) == 1


def test_threat_23_no_compiler_cache_installer_or_test_is_in_the_image() -> None:
    built = " ".join(rest for name, rest in steps()[0] if name == "RUN")

    assert "--without-pip" in built and "--no-cache-dir" in built and "--only-binary :all:" in built
    assert not re.search(r"apt-get|apk|gcc|build-essential", str(steps()))
    assert final("COPY") == [
        "--from=build /venv /venv",
        "--from=build --chown=10001:10001 /data /data",
        "app app",
    ]


def test_threat_23_nothing_runs_as_root_and_only_the_data_folder_is_written() -> None:
    order = [name for name, _ in steps()[-1]]

    assert final("USER") == ["10001:10001"]
    assert order.index("USER") > max(place for place, name in enumerate(order) if name == "COPY")
    assert final("VOLUME") == ["/data"]
    assert "DATA_DIR=/data" in final("ENV")[0] and "PYTHONDONTWRITEBYTECODE=1" in final("ENV")[0]


def test_threat_23_commands_are_run_without_a_shell_so_that_signals_arrive() -> None:
    assert json.loads(final("CMD")[0]) == ["python", "-m", "app", "serve"]
    assert health_check()[0] == "python"
    assert final("ENTRYPOINT") == []


def test_only_what_runs_is_sent_to_the_engine() -> None:
    allowed = (ROOT / ".dockerignore").read_text().split()

    assert allowed[0] == "*"
    assert {line for line in allowed if line.startswith("!")} == {"!app", "!requirements.lock"}


def test_no_secret_is_built_in() -> None:
    assert not re.search(r"(TOKEN|KEY|SECRET|PASSWORD)\s*=", str(steps()))
    assert "ARG" not in {name for stage in steps() for name, _ in stage}


async def run(port: str) -> int:
    command = [sys.executable, *health_check()[1:]]
    asked = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, "PORT": port}, stderr=asyncio.subprocess.DEVNULL
    )
    return await asked.wait()


async def test_the_health_check_says_yes_to_a_hotline_and_no_to_silence() -> None:
    async with serving(create_app(make_parts(), _nothing)) as url:
        port = url.rpartition(":")[2]
        well = await run(port)
    gone = await run(port)

    assert well == 0
    assert gone != 0
