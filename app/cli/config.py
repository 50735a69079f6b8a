"""`hotline config`: every setting, what it means, and what it is now."""

import argparse
import json
import os

from app.settings import Settings, variables

EXAMPLES = """\
examples:
  hotline config                 every variable with its default, checked against this environment
  hotline config --json
  hotline config --markdown      the table in docs/settings.md
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "config",
        help="list every setting and check this environment",
        description="List every environment variable, and check the ones that are set.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--markdown", action="store_true", help="print the table of the docs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.markdown:
        print(markdown(), end="")
        return 0
    Settings.load(os.environ)
    rows = [
        {"name": names, "default": default, "set": _is_set(names), "meaning": meaning}
        for names, default, meaning in variables()
    ]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(f"{row['name']}{' (set)' if row['set'] else ''}")
        print(f"    {row['meaning']}; default: {row['default']}")
    return 0


def markdown() -> str:
    """The table of `docs/settings.md`."""
    head = "| variable | default | meaning |\n|---|---|---|\n"
    rows = (
        f"| {', '.join(f'`{name}`' for name in names.split(', '))} | {default} | {meaning} |\n"
        for names, default, meaning in variables()
    )
    return head + "".join(rows)


def _is_set(names: str) -> bool:
    return any(os.environ.get(name) for name in names.split(", "))
