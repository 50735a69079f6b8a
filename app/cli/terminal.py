"""What commands say to a person: results on standard output, everything else on standard error."""

import sys


def complain(what: str, *details: str) -> None:
    """Name a fault, and below it its details, on standard error."""
    print(f"hotline: {what}", *(f"  {detail}" for detail in details), sep="\n", file=sys.stderr)
