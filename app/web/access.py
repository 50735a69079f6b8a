"""Who is knocking: Twilio proves it by signature, an operator by token, a developer by being here."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import structlog
from starlette.requests import HTTPConnection, Request

from app.errors import BridgeError
from app.log import UNLOGGED, log
from app.telephony import signature
from app.web.audience import role_for
from app.web.parts import Locks
from app.web.roles import is_this_machine, role_of

LARGEST_FORM = 64 * 1024  # bytes; Twilio's own limit for what it sends is far below
MOST_FIELDS = 500
CALL_SID = re.compile(r"[A-Za-z0-9_-]{2,64}")  # CA and 32 hex digits from Twilio; simulators are freer


class Refused(BridgeError):
    """The door stays shut: `status` and a plain sentence for whoever can act."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Form:
    """The parameters of one webhook, in the order and with the blanks they came with."""

    fields: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.fields if key == name), default)


def require_operator(connection: HTTPConnection, locks: Locks) -> None:
    """Let an operator through, in the role that `audience` asks for.

    Raises:
        Refused: 401 without a right token; 403 with one that may only look, or where no token is set and
            the asker is not on this machine. Alike for what is there and what is not.
    """
    role = role_of(connection, locks)
    if role is None and (locks.admin_tokens or locks.view_tokens):
        raise Refused(401, "operator paths need 'Authorization: Bearer $ADMIN_TOKEN'")
    if role is None:
        raise Refused(403, "operator paths are closed: ADMIN_TOKEN is not set (opens them from outside)")
    if role < role_for(connection.scope.get("method", "GET"), connection.scope["path"]):
        raise Refused(403, "a viewing token may only look; this needs ADMIN_TOKEN")


async def twilio_form(request: Request, locks: Locks, *, operator_too: bool = False) -> Form:
    """The parameters of a webhook that is really Twilio's.

    Args:
        operator_too: an operator may ask as well (debug TwiML by hand).

    Raises:
        Refused: 403 for a wrong signature, 413 or 400 for a body that cannot be a webhook.
    """
    given = request.headers.get("x-twilio-signature", "")
    if operator_too and not given:
        require_operator(request, locks)
        return _known(Form((*_query(request), *await _body(request))), locks)
    if locks.twilio_tokens and not given:
        raise _unsigned(request, "no signature")  # before the body is read: it may be large and a stranger's
    if not locks.twilio_tokens and not is_this_machine(request):
        log.error(
            "webhook.refused",
            path=request.scope["path"],
            fault="TWILIO_AUTH_TOKEN is missing (verifies webhooks)",
        )
        raise Refused(403, "forbidden")
    fields = await _body(request)
    if locks.twilio_tokens:
        _require_signature(request, fields, given, locks)
    form = Form((*_query(request), *fields))
    if not is_our_account(form.get("AccountSid", locks.account_sid), locks):
        raise _unsigned(request, "another account's AccountSid")
    return _known(form, locks)


def is_unlogged(form: Form, locks: Locks) -> bool:
    """Whether the call is one of those whose words and numbers are never told."""
    return form.get("From") in locks.unlogged or form.get("To") in locks.unlogged


def _known(form: Form, locks: Locks) -> Form:
    """The form, before the first word about it is logged."""
    if is_unlogged(form, locks):
        structlog.contextvars.bind_contextvars(**{UNLOGGED: True})
    return form


def call_sid_of(form: Form) -> str:
    """The CallSid, or nothing where there is none.

    Raises:
        Refused: 400 for one that cannot be a CallSid.
    """
    given = form.get("CallSid")
    if given and not CALL_SID.fullmatch(given):
        raise Refused(400, "CallSid is not a call's id (CA and 32 hex digits)")
    return given


def handshake_is_twilios(connection: HTTPConnection, path: str, locks: Locks) -> bool:
    """Whether the handshake carries Twilio's signature, or this machine plays Twilio without tokens."""
    if not locks.twilio_tokens:
        return is_this_machine(connection)
    given = connection.headers.get("x-twilio-signature", "")
    settings = connection.headers.get(signature.SETTINGS_HEADER)
    return signature.handshake_is_signed(
        locks.twilio_tokens, locks.public_url, path, given, settings=settings
    )


def is_our_account(account_sid: str, locks: Locks) -> bool:
    """Whether what Twilio sends is for the operator's account; without TWILIO_ACCOUNT_SID any is."""
    return not locks.account_sid or account_sid == locks.account_sid


def _require_signature(request: Request, fields: list[tuple[str, str]], given: str, locks: Locks) -> None:
    query = request.scope.get("query_string", b"").decode("latin-1")
    # The bytes as they were asked for: Twilio signs them undecoded.
    path = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    settings = request.headers.get(signature.SETTINGS_HEADER)
    if not signature.webhook_is_signed(
        locks.twilio_tokens, locks.public_url, path, fields, given, settings=settings
    ):
        unknown = signature.unknown_algorithm(settings)
        fault = f"algorithm {unknown} is unknown" if unknown else "signature does not match PUBLIC_URL"
        raise _unsigned(request, fault)


def _unsigned(request: Request, fault: str) -> Refused:
    log.warning("webhook.refused", path=request.scope["path"], fault=fault)
    return Refused(403, "forbidden")


def _query(request: Request) -> list[tuple[str, str]]:
    return [(key, value) for key, value in request.query_params.multi_items()]


async def _body(request: Request) -> list[tuple[str, str]]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise Refused(413, f"form larger than {LARGEST_FORM} bytes")
    try:
        return parse_qsl(
            body.decode(),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
            strict_parsing=bool(body),
        )
    except ValueError:
        raise Refused(400, "body is not a form (application/x-www-form-urlencoded)") from None
