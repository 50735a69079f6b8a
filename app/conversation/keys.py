"""Keys that belong together: an account number, a postcode, or one choice of a menu."""

KEYS = frozenset("0123456789*#ABCD")


class Gather:
    """Collects the keys of one answer; complete by its length, by its terminator, or by time.

    Args:
        most: keys of the longest answer.
        terminator: the key that ends a shorter one, and is not part of it; empty when there is none.
        within_s: seconds after a key until what there is counts as complete.
    """

    def __init__(self, most: int = 1, terminator: str = "", within_s: float = 5.0) -> None:
        self.most = most
        self.terminator = terminator
        self.within_s = within_s
        self._digits = ""

    def press(self, digit: str) -> str | None:
        """Take one key; gives the answer if that completes it, and is empty again then."""
        if digit not in KEYS:
            return None
        if digit == self.terminator:
            return self.take()
        self._digits += digit
        return self.take() if len(self._digits) >= self.most else None

    def take(self) -> str:
        """What there is, be it complete or not."""
        digits, self._digits = self._digits, ""
        return digits

    @property
    def begun(self) -> bool:
        return bool(self._digits)
