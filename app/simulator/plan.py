"""What a simulated call is to do: who calls, what is said, on which line, and how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Ending(StrEnum):
    """How the caller's side goes away."""

    HANG_UP = "hang_up"  # `stop`, then a close frame
    RESET = "reset"  # TCP RST, as when a machine dies
    HALF_OPEN = "half_open"  # neither reads nor writes, yet the connection stands


class AfterLoss(StrEnum):
    """What Twilio does when a stream's socket is lost without a close: it documents none of these."""

    ACTION = "action"  # as after a close: Connect's `action` is requested, or else the next verb runs
    NEXT_VERB = "next_verb"  # `action` is passed over
    END = "end"  # the call is hung up


class Answer(StrEnum):
    """What becomes of a Dial; the values are those of DialCallStatus."""

    ANSWERED = "completed"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing the caller does, after the hotline has spoken or into the middle of it."""

    mulaw: bytes = b""
    digits: str = ""
    interrupt_after_ms: int | None = None  # of audio heard since the last turn; None waits for quiet
    quiet_ms: int | None = None  # that is waited for; None: as long as this caller always waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What lies between the caller's ear and mouth and the hotline; the default is perfect."""

    jitter_ms: int = 0  # every message of the caller's is late by a random part of this; order is kept
    stall_every_ms: int = 0  # the line stands still this often ...
    stall_ms: int = 0  # ... for so long, and then delivers all at once
    skip_silence: bool = False  # no frames while the caller is silent
    deaf_from_ms: int = 0  # a slow reader: takes nothing from the hotline from here ...
    deaf_ms: int = 0  # ... for so long
    echo_db: float | None = None  # the handset: what it plays comes back at this level, e.g. -20 ...
    echo_delay_ms: int = 120  # ... and so late: the way to a mobile phone and back
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """Points on which Twilio's documentation is silent, and how exact we are."""

    strict: bool = False  # the first malformed message ends the stream (1002, 31924); else it is ignored
    mark_latency_ms: int = 20  # from played to echoed
    stop_before_close: bool = True
    close_code: int = 1000
    action_after_hang_up: bool = False  # is Connect's `action` requested although the caller has gone
    action_after_refusal: bool = False  # ... although the handshake failed
    after_loss: AfterLoss = AfterLoss.ACTION
    webhook_tries: int = 2  # when no connection can be made; Twilio's `rc` is one less
    say_ms_per_character: float = (
        65.0  # Twilio's own voice, some 15 characters a second; 0 for tests in a hurry
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose number is called, and what signs for it."""

    auth_token: str = ""  # empty: nothing is signed
    account_sid: str = "AC" + "0" * 32
    caller_number: str = "+15005550001"
    called_number: str = "+15005550006"
    call_sid: str = ""  # empty: a new one for every call
    extra: Mapping[str, str] = field(default_factory=dict)  # further parameters of every webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """When the caller speaks, waits and gives up; media time, save `longest_s`."""

    longest_s: float = 60.0  # since the phone was picked up, whatever is going on
    quiet_before_turn_ms: int = 500  # after which the caller takes the floor
    quiet_before_end_ms: int | None = 2000  # after the last reply; None: stay until `longest_s`
    reply_within_ms: int = (
        8000  # a caller who hears nothing for so long goes on with the next turn, or hangs up
    )
    hang_up_after_ms: int | None = None  # in mid-sentence: when so much has been heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """The phone that a Dial verb rings."""

    answer: Answer = Answer.ANSWERED
    rings_s: float = 0.0
    talks_s: float = 0.0  # when answered


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """One call."""

    url: str = "http://localhost:8000/voice"
    public_url: str = ""  # the hotline's PUBLIC_URL, when it is not the address in `url`
    account: Account = Account()
    turns: tuple[Turn, ...] = ()
    menu_keys: Mapping[int, str] = field(default_factory=dict)  # pressed in the n-th Gather, from 1
    patience: Patience = Patience()
    ending: Ending = Ending.HANG_UP
    half_open_s: float = 30.0
    line: Line = Line()
    quirks: Quirks = Quirks()
    keep_s: float | None = None  # seconds of audio kept in the report; None keeps all
    dialled: Dialled = Dialled()
    status_url: str = ""  # the number's status callback; empty: none


def account_from(environ: Mapping[str, str]) -> Account:
    """The account a hotline with this environment believes: its first token signs, its sid calls."""
    token = environ.get("TWILIO_AUTH_TOKEN", "").split(",")[0].strip()
    return Account(auth_token=token, account_sid=environ.get("TWILIO_ACCOUNT_SID") or Account().account_sid)
