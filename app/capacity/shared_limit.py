"""The limit in force as one replica knows it: the store's last word, and what the store was not told yet.

While the store is away the limit goes on by itself, by the same rules (`effective`): it falls with every
refusal and recovers, however long the absence.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from app.capacity.effective import EffectiveLimit
from app.capacity.ledger import NO_NEWS, News, Standing
from app.log import log


class SharedLimit:
    """One provider's limit; `configured` is None where the operator leaves it to the vendor."""

    def __init__(self, provider: str, configured: int | None) -> None:
        self._provider = provider
        self._known = EffectiveLimit(configured)
        self._untold = News()
        self._word = NO_NEWS
        self._logged = self._known.current(0.0)

    @property
    def configured(self) -> int | None:
        return self._known.configured

    def current(self, now: float) -> int:
        return self._known.current(now)

    def vendor_allows(self, maximum: int | None, now: float) -> bool:
        """The vendor's own word; whether it is news."""
        word = "" if maximum is None or maximum < 1 else str(maximum)
        if word == self._word:
            return False
        self._word = word
        self._untold = News(word, self._untold.refusals, self._untold.in_use)
        self._known.vendor_allows(maximum)
        self._tell(now, "the vendor's word")
        return True

    def vendor_refused(self, now: float, in_use: int) -> None:
        """The vendor refused one of the `in_use` generations of all replicas."""
        untold = self._untold
        self._untold = News(untold.vendor, untold.refusals + 1, max(untold.in_use, in_use))
        self._known.refused(now, in_use)
        self._tell(now, "a refusal")

    @contextmanager
    def telling(self) -> Iterator[News]:
        """What the store is to be told with a command; kept for the next one where this has no answer."""
        news, self._untold = self._untold, News()
        try:
            yield news
        except BaseException:  # also whoever hung up meanwhile: told twice is better than never
            later = self._untold
            vendor = news.vendor if later.vendor == NO_NEWS else later.vendor
            self._untold = News(vendor, news.refusals + later.refusals, max(news.in_use, later.in_use))
            raise

    def start_over(self) -> None:
        """The store is back, and may have been emptied: it hears the vendor's word again, and not what was
        refused in its absence."""
        self._untold = News(self._word)

    def heard(self, standing: Standing, now: float) -> None:
        """The store's word, unless there is something that it did not know."""
        if self._untold != News():
            return
        known = EffectiveLimit(self.configured)
        known.vendor_allows(standing.vendor or None)
        if standing.limit < known.current(now):
            known.refused(now, standing.limit + 1)
        self._known = known
        self._tell(now, "the store's word")

    def _tell(self, now: float, why: str) -> None:
        before, self._logged = self._logged, self.current(now)
        if self._logged != before:
            log.info(
                "capacity.limit_changed",
                provider=self._provider,
                before=before,
                limit=self._logged,
                why=why,
            )
