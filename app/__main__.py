"""`python -m app` = the command `hotline`."""

import sys

from app.cli.parser import run


def main() -> int:
    """Run one command; returns its exit code."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
