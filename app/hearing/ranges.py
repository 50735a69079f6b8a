"""Numbers that an operator may set are within what makes sense."""


def check(numbers: object, **ranges: tuple[float, float]) -> None:
    """Compare fields with the least and most they may be.

    Raises:
        ValueError: naming all that are outside.
    """
    faults = [
        f"{name} is {getattr(numbers, name):g}, must be {least:g} to {most:g}"
        for name, (least, most) in ranges.items()
        if not least <= getattr(numbers, name) <= most
    ]
    if faults:
        raise ValueError("; ".join(faults))
