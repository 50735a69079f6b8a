"""Twilio's signature: who knows the account's token knocked on the door, and asked for this very URL.

The URL comes from configuration, never from the request: proxies rewrite scheme, host and port.

Source: https://www.twilio.com/docs/usage/security
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, urlsplit

# Webhooks signed with another secret than the token carry this header; we do not have that secret.
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
OUR_ALGORITHM = "HMAC_SHA1"
DEFAULT_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}

Params = Iterable[tuple[str, str]]


def webhook_is_signed(
    tokens: Sequence[str],
    public_url: str,
    path_and_query: str,
    params: Params,
    header: str,
    *,
    settings: str | None = None,
) -> bool:
    """Whether one of `tokens` signed this form or GET request.

    `path_and_query` as it was requested, byte for byte, without what `public_url` has in front of it;
    `params` of the form (none for GET), blank values included; `header` is `X-Twilio-Signature`;
    `settings` is the value of `SETTINGS_HEADER`, if the request has it.
    """
    urls = [base + path_and_query for base in _bases(public_url)]
    return unknown_algorithm(settings) is None and _matches(tokens, urls, tuple(params), header)


def json_is_signed(
    tokens: Sequence[str],
    public_url: str,
    path_and_query: str,
    body: bytes,
    header: str,
    *,
    settings: str | None = None,
) -> bool:
    """Whether one of `tokens` signed this request with a JSON body; `body` as it came, not parsed."""
    hashes = parse_qs(urlsplit(path_and_query).query).get("bodySHA256", [])
    if len(hashes) != 1 or not _equal(hashlib.sha256(body).hexdigest(), hashes[0]):
        return False
    return webhook_is_signed(tokens, public_url, path_and_query, (), header, settings=settings)


def handshake_is_signed(
    tokens: Sequence[str], public_url: str, path: str, header: str, *, settings: str | None = None
) -> bool:
    """Whether one of `tokens` signed the WebSocket handshake for `path` below `public_url`.

    Twilio signs the `wss` URL of our TwiML. It advises to try a trailing slash, too; `https` is what its
    own libraries make of it.
    """
    path = path.removesuffix("/")
    bases = [*_bases(websocket_url(public_url)), *_bases(public_url)]
    urls = [base + variant for base in bases for variant in (path, path + "/")]
    return unknown_algorithm(settings) is None and _matches(tokens, urls, (), header)


def sign(token: str, url: str, params: Params = ()) -> str:
    """The signature of a request for `url`: what Twilio, or a simulator of it, puts into the header."""
    # The same name and value twice count once, as in Twilio's own library.
    text = url + "".join(name + value for name, value in sorted(set(params)))
    digest = hmac.new(token.encode(), text.encode(errors="surrogatepass"), hashlib.sha1).digest()
    return b64encode(digest).decode("ascii")


def websocket_url(url: str) -> str:
    """The same address for a WebSocket: `https` becomes `wss`, and `http` (a phone on this machine) `ws`."""
    return "ws" + url.removeprefix("http") if url.startswith("http") else url


def unknown_algorithm(settings: str | None) -> str | None:
    """The algorithm that the header `SETTINGS_HEADER` names, if it is one we cannot check; for the log."""
    for part in (settings or "").split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip().upper() != OUR_ALGORITHM:
            return value.strip()
    return None


def _matches(
    tokens: Sequence[str], urls: Iterable[str], form: tuple[tuple[str, str], ...], header: str
) -> bool:
    return any(_equal(sign(token, url, form), header) for url in urls for token in tokens if token)


def _equal(ours: str, theirs: str) -> bool:
    # As bytes: for text `compare_digest` refuses what is not ASCII, and a stranger may send anything.
    return hmac.compare_digest(ours.encode(), theirs.encode(errors="surrogatepass"))


def _bases(public_url: str) -> list[str]:
    """The address with and without its port, as Twilio is not consistent; credentials are never signed."""
    parts = urlsplit(public_url)
    address = parts.netloc.rpartition("@")[2]
    host, _, port = address.rpartition(":")
    if not port.isdigit():  # there is none, or it is the end of an IPv6 address
        host, port = address, str(DEFAULT_PORTS.get(parts.scheme, 443))
    path = parts.path.rstrip("/")
    return [f"{parts.scheme}://{netloc}{path}" for netloc in (host, f"{host}:{port}")]
