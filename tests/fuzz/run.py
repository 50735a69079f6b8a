"""`python -m tests.fuzz.run`: throw garbage at our own code until it breaks, or for a time."""

import argparse
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz import corpus, drive

SECONDS = 600.0
EXAMPLES = """examples:
  python -m tests.fuzz.run --list
  python -m tests.fuzz.run mp3 script --seconds 60
  python -m tests.fuzz.run mp3 --replay tests/fuzz/crashes/mp3/crash-0123

Each target runs in a process of its own. What found new ways is kept in tests/fuzz/found/, what broke
a rule in tests/fuzz/crashes/; neither is checked in. A crash that was understood goes into
tests/fuzz/corpus/TARGET/ under a name that tells the fault, and every run of the tests tries it again.

exit codes: 0 nothing found, 1 crashes, 2 no such target
"""


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.run",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="TARGET", help="which; default: all, one after the other")
    parser.add_argument("--target", action="append", default=[], help="the same, as an option")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each target (%(default)g)")
    parser.add_argument("--seed", type=int, default=0, help="of the driver without atheris (%(default)s)")
    parser.add_argument("--unguided", action="store_true", help="do not use atheris even if it is installed")
    parser.add_argument("--replay", metavar="FILE", help="run one input and show what it raises")
    parser.add_argument("--list", action="store_true", help="name the targets")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # we are the target's process
    return parser


def main(given: Sequence[str]) -> int:
    args = parser().parse_args(given)
    known = sorted(folder.name for folder in corpus.FOLDER.iterdir() if folder.is_dir())
    wanted = [*args.names, *args.target] or known
    if unknown := sorted(set(wanted) - set(known)):
        print(f"no such target: {', '.join(unknown)}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    if args.list:
        print("\n".join(known))
        return 0
    if args.replay:
        return _replay(wanted[0], args.replay)
    if args.here:
        return _here(wanted[0], args)
    if not (args.unguided or drive.is_guided()):
        print(
            f"atheris is not installed (Python {platform.python_version()}, {platform.machine()}): "
            "going on by chance, without sight of which lines are reached",
            file=sys.stderr,
        )
    crashed = [name for name in wanted if not _apart(name, args)]
    print(f"{len(wanted)} targets, crashes in: {', '.join(crashed) or 'none'}", file=sys.stderr)
    return 1 if crashed else 0


def _apart(name: str, args: argparse.Namespace) -> bool:
    """One target in a process of its own; False when it crashed."""
    print(f"== {name}", file=sys.stderr, flush=True)
    options = ["--seconds", str(args.seconds), "--seed", str(args.seed), *["--unguided"] * args.unguided]
    command = [sys.executable, "-m", "tests.fuzz.run", name, "--here", *options]
    return subprocess.run(command, check=False).returncode == 0


def _here(name: str, args: argparse.Namespace) -> int:
    if drive.is_guided() and not args.unguided:
        drive.guided(name, args.seconds)
    return 1 if drive.by_chance(name, args.seconds, args.seed) else 0


def _replay(name: str, file: str) -> int:
    drive.target(name)(Path(file).read_bytes())
    print(f"{name}: no rule is broken by {file}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
