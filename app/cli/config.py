"""`hotline config`: every setting, what it means, and what it is now."""

import argparse
import json
import os

from app.settings import SECTIONS, Settings
from app.settings.section import Section

EXAMPLES = """\
examples:
  hotline config                 every variable with its default, checked against this environment
  hotline config --json
  hotline config --markdown      the tables in docs/settings.md
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
        for section in SECTIONS
        for names, default, meaning in section.variables()
    ]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        print(f"{row['name']}{' (set)' if row['set'] else ''}")
        print(f"    {row['meaning']}; default: {row['default']}")
    return 0


def markdown() -> str:
    """The tables of `docs/settings.md`, one a section."""
    return "\n".join(_table(section) for section in SECTIONS)


def _table(section: type[Section]) -> str:
    head = f"## {section.title}\n\n| variable | default | meaning |\n|---|---|---|\n"
    rows = (
        f"| {', '.join(f'`{name}`' for name in names.split(', '))} | {default} | {meaning} |\n"
        for names, default, meaning in section.variables()
    )
    return head + "".join(rows)


def _is_set(names: str) -> bool:
    return any(os.environ.get(name) for name in names.split(", "))
