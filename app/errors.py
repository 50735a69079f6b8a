"""The error tree, sorted by who must act.

    BridgeError
    ├── ConfigError                       the operator: a setting or a file cannot be used
    ├── AtCapacity                        nobody; the caller hears the busy message
    ├── MediaStreamError
    │   ├── LocalProtocolError            we would break Twilio's protocol: our bug
    │   └── RemoteProtocolError           Twilio broke it, or somebody who is not Twilio
    └── ProviderError                     a vendor: `kind` says what, `retryable` whether to try again

Messages are lower case, name what was met, in which state, and what was expected; never a secret, a
payload or a caller's words.
"""

from enum import StrEnum


class BridgeError(Exception):
    """Anything hotline raises on purpose."""


class ConfigError(BridgeError):
    """A setting or an operator's file cannot be used; lists every fault, one a line."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class AtCapacity(BridgeError):
    """Every place is taken; the caller is told so."""


class MediaStreamError(BridgeError):
    """The Media Streams protocol was broken, by us or by the other side."""


class LocalProtocolError(MediaStreamError):
    """We were about to send what Twilio would refuse: a bug of ours."""


class RemoteProtocolError(MediaStreamError):
    """A message that Twilio never sends, or sends only in another state."""


class Failure(StrEnum):
    """What went wrong at a vendor, the same words for all vendors."""

    OVER_LIMIT = "over_limit"  # our own generations fill the workspace: queue
    BUSY = "busy"  # the vendor is overloaded: back off
    QUOTA = "quota"  # no credit left
    AUTH = "auth"  # key or plan refused
    AUTH_SUSPECT = "auth_suspect"  # a key that worked minutes ago is refused: rather a limit
    BAD_REQUEST = "bad_request"  # voice, model, format or text refused
    NETWORK = "network"  # no connection, or it broke
    TIMEOUT = "timeout"  # nothing came in time
    GARBAGE = "garbage"  # bytes that are not what was asked for
    CLOSED = "closed"  # the vendor ended an idle or finished session


# Trying the same vendor again can only help where the cause passes by itself.
RETRYABLE = frozenset(
    {
        Failure.OVER_LIMIT,
        Failure.BUSY,
        Failure.AUTH_SUSPECT,
        Failure.NETWORK,
        Failure.TIMEOUT,
        Failure.CLOSED,
    }
)


class ProviderError(BridgeError):
    """A vendor failed; `kind` is shared by all vendors, `message` is the vendor's, masked by the log.

    `retry_after_s` is how long the vendor wants to be left alone; 0 when it did not say.
    """

    def __init__(
        self, provider: str, kind: Failure, message: str = "", *, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(f"{provider}: {kind.value}" + (f": {message}" if message else ""))
        self.provider = provider
        self.kind = kind
        self.message = message
        self.retry_after_s = retry_after_s

    @property
    def retryable(self) -> bool:
        return self.kind in RETRYABLE
