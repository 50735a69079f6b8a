"""`python -m app` = the command `hotline`."""

import os
import sys


def main() -> int:
    """Run one command; returns its exit code."""
    # Before numpy is imported: its threads would spin on both cores for matrices that fit into a cache.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from app.cli.parser import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
