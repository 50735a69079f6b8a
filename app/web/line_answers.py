"""What callers in line are answered, as TwiML: hold, be taken a message from, or a goodbye."""

import hashlib
from urllib.parse import urlencode

from app import clock
from app.audio.hold import BRIEF_S, PIECE_S
from app.calls.reception import No, TurnAway, Wait
from app.log import log
from app.telephony import twiml
from app.web.access import Form
from app.web.parts import BRIEF, Parts

QUEUE_PATH = "/voice/queue"
KEY_PATH = "/voice/queue/key"
HOLD_PATH = "/audio/hold"
ROUND_S = 2.0  # seconds of a round without words and audio, with Twilio's own pauses
SPOKEN_S = 0.09  # seconds a character; Twilio's voice says some 15 of them a second
LISTENS_EVERY = 4  # rounds of brief audio, of which each that takes keys lasts a second longer
MOST_PIECES = 10_000
SLACK_S = 6.0  # seconds a caller may be late with asking: a request that Twilio repeats
BUSY = "All our lines are busy at the moment."
OFFERS = {
    "message": "To leave a message, press 1.",
    "callback": "To be called back, press 2.",
}
WAITED = "Thank you for waiting. We are sorry that nobody has become free. Please call again later. Goodbye."


class LineAnswers:
    """The documents of one assembled hotline's line; the caller's own part of it travels in the URLs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        hold = parts.waiting.hold
        self._version = hashlib.sha256(b"".join(hold)).hexdigest()[:8]

    async def hold(self, wait: Wait, form: Form) -> str:
        """The news, if there are any, some audio, and back."""
        heard = _number(form.get("heard"))
        say = self._news(wait, is_first=not heard) if heard != wait.position else ""
        piece = _number(form.get("piece"))
        state = {"since": self._since_ms(wait), "heard": wait.position, "piece": (piece + 1) % MOST_PIECES}
        account = self._parts.account
        can_fetch = account is not None and account.can_be_relied_on
        takes_keys = can_fetch or bool(say) or piece % LISTENS_EVERY == 0
        audio_s = PIECE_S if can_fetch else BRIEF_S
        within_s = ROUND_S + SPOKEN_S * len(say) + audio_s + SLACK_S
        await self._parts.desk.expect(wait.waiter.call_sid, within_s)
        if say:
            log.info(
                "line.position_told",
                call_sid=wait.waiter.call_sid,
                position=wait.position,
                expected_wait_s=None if wait.wait_s is None else round(wait.wait_s),
            )
        return twiml.hold(
            again_url=self._url(QUEUE_PATH, state),
            key_url=self._url(KEY_PATH, state) if self._parts.waiting.offers and takes_keys else "",
            say=say,
            play_url=self._play_url(piece, can_fetch=can_fetch),
        )

    def turn_away(self, no: TurnAway, call_sid: str, form: Form) -> str:
        """A goodbye; unanswered, where the operator prefers that and the phone still rings."""
        log.warning("call.refused", call_sid=call_sid, reason=no.why.value, fault=no.fault or None)
        if no.why is No.HAS_LEFT:
            return twiml.hang_up()
        if no.why is No.WAITED_TOO_LONG:
            return twiml.say_and_hang_up(WAITED)
        words, rings = self._parts.words, form.get("CallStatus", "ringing") == "ringing"
        if no.why is No.NOT_WELCOME:
            return twiml.reject_busy() if rings else twiml.hang_up()
        if words.reject_when_full and rings:
            return twiml.reject_busy()
        return twiml.say_and_hang_up(words.of(no.why))

    def way_back(self, call_sid: str, form: Form) -> str:
        """Where a caller is to ask again while this process leaves: with their place, if they have one."""
        line = self._parts.reception.line
        waiter = line.find(call_sid) if line is not None else None
        if waiter is not None:
            self._parts.desk.pass_on(call_sid)
            since = round((clock.wall().timestamp() - (clock.now() - waiter.since)) * 1000)
            return f"{QUEUE_PATH}?{urlencode({'since': since, 'heard': _number(form.get('heard'))})}"
        return again(form) if form.get("since") else "/voice"

    def waited_s(self, form: Form) -> float:
        """How long the caller has been in line, as their URL tells: another process may have had them."""
        since_ms = _number(form.get("since"))
        return clock.wall().timestamp() - since_ms / 1000 if since_ms else 0.0

    def _news(self, wait: Wait, *, is_first: bool) -> str:
        place = "You are next in line." if wait.position == 1 else f"You are number {wait.position} in line."
        told = [BUSY] if is_first else []
        told += [place, *_estimate(wait.wait_s)]
        if is_first:
            told += [OFFERS[offer] for offer in self._parts.waiting.offers]
        return " ".join(told)

    def _play_url(self, piece: int, *, can_fetch: bool) -> str:
        """The audio of this round: long, if a caller can be fetched out of it."""
        waiting = self._parts.waiting
        files = waiting.hold if can_fetch else waiting.brief
        if not files:
            return ""
        name = f"{'' if can_fetch else BRIEF}{piece % len(files)}.wav"
        return f"{self._parts.locks.public_url}{HOLD_PATH}/{name}?v={self._version}"

    def _since_ms(self, wait: Wait) -> int:
        return round((clock.wall().timestamp() - (clock.now() - wait.waiter.since)) * 1000)

    def _url(self, path: str, state: dict[str, int]) -> str:
        return f"{self._parts.locks.public_url}{path}?{urlencode(state)}"


def again(form: Form) -> str:
    """The path by which a caller asks again, with what their last URL told of them."""
    state = {name: _number(form.get(name)) for name in ("since", "heard", "piece")}
    return f"{QUEUE_PATH}?{urlencode(state)}"


def _estimate(wait_s: float | None) -> list[str]:
    if wait_s is None:
        return []
    if wait_s < 60:
        return ["The wait is less than a minute."]
    minutes = -(-round(wait_s) // 60)
    return [f"The wait is about {minutes} minutes."]


def _number(given: str) -> int:
    """A number of our own URLs; 0 for anything else."""
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 16 else 0
