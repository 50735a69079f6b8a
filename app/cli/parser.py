"""The command `hotline`: every subcommand in one parser."""

import argparse
import os
import sys
from collections.abc import Sequence

from app.cli import call, config, convert, doctor, forget, house, load, logs, script, serve
from app.cli.terminal import complain
from app.errors import ConfigError

COMMANDS = (serve, call, load, logs, convert, script, config, doctor, forget, house)
EXAMPLES = """\
examples:
  hotline serve                                   answer on http://localhost:8000
  hotline call --out heard.wav                    place a call without a phone
  hotline load --calls 50 --ramp 10 --seconds 30  fifty callers at once
  hotline logs --latest                           what happened on the last call
  hotline convert speech.mp3 --out heard.wav      what a phone would hear of a file
  hotline doctor                                  what is unsafe or missing, and the cure
"""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hotline",
        description="A voice bridge between the telephone network and streaming speech.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.register(commands)
    return parser


def run(argv: Sequence[str]) -> int:
    """Parse and run one command; 0 done, 1 not as hoped, 2 cannot be used like this."""
    args = build_parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except ConfigError as error:
        complain("cannot start, these settings cannot be used:", *error.faults)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`); what is left must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
