"""`python -m app` = the command `hotline`."""


def main() -> int:
    return 0
