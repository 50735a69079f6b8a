"""Where the hotline is for Twilio, and where it is for us: signatures need the first, sockets the second."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from app.simulator.orders import Fault

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Address:
    """A hotline known to Twilio as `public_url`, that we may reach by another way.

    When we are given a loopback address, whatever host the TwiML names is dialled there: it is the public
    name of the same hotline.
    """

    webhook_url: str  # as we reach it
    public_url: str = (
        ""  # the hotline's PUBLIC_URL, without the webhook's path; empty: we are on its own address
    )

    def signed(self) -> str:
        """The webhook's URL as Twilio knows it, and signs it."""
        public = self.public_url.rstrip("/")
        if not public or self.webhook_url.startswith(f"{public}/"):
            return self.webhook_url
        given = urlsplit(self.webhook_url)
        return public + given.path + (f"?{given.query}" if given.query else "")

    def dialled(self, url: str) -> str:
        """Where to connect for `url`, which Twilio knows and signs."""
        here, wanted = urlsplit(self.webhook_url), urlsplit(url)
        if not (self._is_foreign(wanted) and is_loopback(here)):
            return url
        secure = here.scheme == "https"
        prefix = urlsplit(self.public_url).path.rstrip("/")  # what a proxy in front would have taken off
        scheme = ("wss" if secure else "ws") if wanted.scheme.startswith("ws") else here.scheme
        path = wanted.path.removeprefix(prefix)
        return wanted._replace(scheme=scheme, netloc=here.netloc, path=path, fragment="").geturl()

    def _is_foreign(self, wanted: SplitResult) -> bool:
        public = urlsplit(self.public_url)
        is_public = bool(self.public_url) and wanted.netloc == public.netloc
        return is_public or not is_loopback(wanted)


def is_loopback(url: SplitResult) -> bool:
    return (url.hostname or "") in LOOPBACK


def resolve(base: str, url: str) -> str:
    """A URL of a document at `base`, absolute.

    Raises:
        Fault: 11200, when it is none.
    """
    try:
        resolved = urljoin(base, url)
        _ = urlsplit(resolved).port
    except ValueError as error:
        raise Fault(11200, f"{url!r} is not an address: {error}") from None
    return resolved
