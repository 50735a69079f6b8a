"""`hotline script`: check a hotline script, or print its schema."""

import argparse
import json
from pathlib import Path

from app.cli.terminal import complain
from app.conversation.script_file import DEFAULT, read_script, read_toml, schema
from app.errors import ConfigError

EXAMPLES = """\
examples:
  hotline script check my-hotline.toml          every fault with its line; nothing wrong: exit 0, else 1
  hotline script check my-hotline.toml --json
  hotline script schema > script.schema.json    for editors that complete and check TOML
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "script",
        help="check a hotline script",
        description="Check a hotline script, or print the JSON schema of scripts.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tasks = parser.add_subparsers(title="tasks", metavar="TASK", required=True)
    checking = tasks.add_parser(
        "check",
        help="report every fault of a script with its line",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    checking.add_argument(
        "file", type=Path, nargs="?", default=DEFAULT, metavar="FILE", help="default: the script that ships"
    )
    checking.add_argument("--json", action="store_true", help="print JSON")
    checking.set_defaults(run=check)
    tasks.add_parser("schema", help="print the JSON schema").set_defaults(run=print_schema)


def check(args: argparse.Namespace) -> int:
    """0 the script can be used, 1 it has faults, 2 it cannot be read."""
    path: Path = args.file
    try:
        toml = read_toml(path)
    except ConfigError as error:
        complain(str(error))
        return 2
    script, faults = read_script(toml, path.parent)
    steps, phrases = (len(script.steps()), len(script.phrases())) if script else (0, 0)
    if args.json:
        rows = [{"line": fault.line, "reason": fault.reason} for fault in faults]
        report = {"file": str(path), "ok": not faults, "faults": rows, "steps": steps, "phrases": phrases}
        print(json.dumps(report, indent=2))
    elif script:
        print(f"{path}: no faults; steps: {steps}, phrases to listen for: {phrases}")
    else:
        print(*(f"{path}:{fault.line}: {fault.reason}" for fault in faults), sep="\n")
    return 0 if script else 1


def print_schema(_args: argparse.Namespace) -> int:
    print(json.dumps(schema(), indent=2))
    return 0
