"""`hotline doctor`: what is unsafe or missing in this environment, with the cure; asks nobody outside."""

import argparse
import json
import os
import resource
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from app.conversation.persona import load_persona
from app.conversation.script_file import load_script
from app.errors import ConfigError
from app.settings import Settings
from app.settings.advice import EXTRAS, Advice, Surroundings, advise

EXAMPLES = """\
examples:
  hotline doctor                 exit code 0: nothing to do, 1: warnings, 2: cannot start
  hotline doctor --json
  PUBLIC_URL=https://voice.example.com hotline doctor
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "doctor",
        help="name what is unsafe or missing, with the cure",
        description="Check this environment for what is unsafe or missing, without asking anybody outside.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 nothing to do, 1 warnings, 2 it would not start."""
    try:
        found = examine(os.environ)
    except ConfigError as error:
        if not args.json:
            raise
        print(json.dumps({"starts": False, "faults": error.faults, "advice": []}, indent=2))
        return 2
    if args.json:
        print(json.dumps({"starts": True, "faults": [], "advice": [asdict(one) for one in found]}, indent=2))
    else:
        print(*(_line(one) for one in found), _summary(found), sep="\n")
    return int(any(one.level == "warning" for one in found))


def examine(environ: Mapping[str, str]) -> list[Advice]:
    """What is to be said of `environ` on this machine.

    Raises:
        ConfigError: the server would not start.
    """
    settings = Settings.load(environ)
    _load_files(settings)
    return advise(settings, look_around(settings, environ))


def look_around(settings: Settings, environ: Mapping[str, str]) -> Surroundings:
    """The facts of this machine; a folder that is missing is not made."""
    folder = _existing(Path(settings.server.data_dir))
    return Surroundings(
        environ=dict(environ),
        data_dir_fault=_fault_of(folder),
        free_bytes=shutil.disk_usage(folder).free,
        file_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        missing=frozenset(module for module in EXTRAS if find_spec(module) is None),
        is_root=os.geteuid() == 0,
    )


def _load_files(settings: Settings) -> None:
    chosen = settings.conversation
    if chosen.conversation == "script" and chosen.hotline_script:
        load_script(Path(chosen.hotline_script))
    if chosen.conversation == "llm":
        load_persona(chosen.llm_prompt)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _fault_of(folder: Path) -> str:
    """Why nothing can be written into `folder`; found by writing, for root may by the book write anywhere."""
    if not folder.is_dir():
        return "not a folder"
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
    except OSError as error:
        return (error.strerror or "cannot be written").lower()
    return ""


def _line(one: Advice) -> str:
    return f"{one.level:<8} {one.setting}: {one.found}\n{'':<8} -> {one.cure}"


def _summary(found: list[Advice]) -> str:
    warnings = sum(one.level == "warning" for one in found)
    return f"{warnings} warnings, {len(found) - warnings} more to know" if found else "nothing to do"
