"""What callers in line are told, document by document."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import clock
from app.calls.reception import No, TurnAway, Wait
from app.calls.waiting import Waiter
from app.telephony.rest import Account
from app.web.access import Form
from app.web.line_answers import LISTENS_EVERY, LineAnswers, again
from app.web.parts import Parts, Waiting, Words
from tests.standins.server import serving
from tests.web.conftest import PUBLIC, desk_with_a_line, locked, make_parts

OFFERS = ("message", "callback")


def waiting_parts(**changes: Any) -> Parts:
    given: dict[str, Any] = {
        "locks": locked(),
        "waiting": Waiting((b"one", b"two"), (b"a", b"b", b"c"), OFFERS),
    }
    return replace(make_parts(**{**given, **changes}), desk=desk_with_a_line())


def form(**fields: object) -> Form:
    return Form(tuple((name, str(value)) for name, value in fields.items()))


def wait(position: int, wait_s: float | None = None, *, waited_s: float = 0.0) -> Wait:
    now = clock.now()
    return Wait(Waiter("CA1", "+1", "+2", now - waited_s, now), position, wait_s)


def said(document: str) -> str:
    return " ".join(each.text or "" for each in ElementTree.fromstring(document).iter("Say"))


def back(document: str) -> dict[str, str]:
    """What the caller brings along when they ask again."""
    address = ElementTree.fromstring(document).findtext("Redirect") or ""
    assert address.startswith(f"{PUBLIC}/voice/queue?")
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def test_the_first_news_are_the_place_and_what_a_key_does() -> None:
    document = await LineAnswers(waiting_parts()).hold(wait(3), form())

    assert said(document) == (
        "All our lines are busy at the moment. You are number 3 in line. "
        "To leave a message, press 1. To be called back, press 2."
    )
    assert back(document)["heard"] == "3"


async def test_news_are_told_when_the_place_has_changed_and_not_otherwise() -> None:
    answers = LineAnswers(waiting_parts())

    assert said(await answers.hold(wait(2), form(heard=3))) == "You are number 2 in line."
    assert said(await answers.hold(wait(1), form(heard=2))) == "You are next in line."
    assert said(await answers.hold(wait(1), form(heard=1))) == ""


@pytest.mark.parametrize(
    ("wait_s", "told"),
    [
        (None, ""),
        (59.0, " The wait is less than a minute."),
        (61.0, " The wait is about 2 minutes."),
        (180.0, " The wait is about 3 minutes."),
    ],
)
async def test_the_wait_is_told_where_it_is_known(wait_s: float | None, told: str) -> None:
    document = await LineAnswers(waiting_parts()).hold(wait(2, wait_s), form(heard=3))

    assert said(document) == f"You are number 2 in line.{told}"


async def test_without_offers_no_key_is_asked_for() -> None:
    parts = waiting_parts(waiting=Waiting())

    document = await LineAnswers(parts).hold(wait(1), form(heard=1))

    assert [verb.tag for verb in ElementTree.fromstring(document)] == ["Pause", "Redirect"]


async def played_to(answers: LineAnswers, rounds: int, **state: object) -> list[tuple[str, bool]]:
    """Name of the audio, and whether keys are taken, of so many rounds in a row."""
    heard = []
    for _ in range(rounds):
        document = ElementTree.fromstring(await answers.hold(wait(1), form(**{"heard": 1, **state})))
        state = dict(back(ElementTree.tostring(document, encoding="unicode")))
        name = (document.findtext(".//Play") or "").removeprefix(f"{PUBLIC}/audio/hold/").partition(".wav?v=")
        heard.append((name[0], document.find("Gather") is not None))
    return heard


async def test_who_can_be_fetched_out_of_it_hears_long_audio_in_turn_and_may_press_keys_at_any_time() -> None:
    async def twilio(_request: Request) -> Response:
        return JSONResponse({})

    app = Starlette(routes=[Route("/{rest:path}", twilio, methods=["GET", "POST"])])
    async with serving(app) as url, Account("AC1", "token", base_url=url) as account:
        await account.redirect("CA1", "https://h")
        played = await played_to(LineAnswers(waiting_parts(account=account)), 3)

    assert played == [("0", True), ("1", True), ("0", True)]


@pytest.mark.parametrize("has_account", [False, True])
async def test_who_has_to_come_back_alone_hears_brief_audio_and_may_press_keys_now_and_then(
    has_account: bool,
) -> None:
    async with Account("AC1", "token", base_url="http://127.0.0.1:1") as nobody:
        await nobody.redirect("CA1", "https://h")
        answers = LineAnswers(waiting_parts(account=nobody if has_account else None))
        played = await played_to(answers, LISTENS_EVERY + 1)

    names = [f"brief-{number % 3}" for number in range(LISTENS_EVERY + 1)]
    assert played == list(zip(names, [True, *[False] * (LISTENS_EVERY - 1), True], strict=True))


async def test_with_every_news_keys_are_taken() -> None:
    answers = LineAnswers(waiting_parts())
    assert await played_to(answers, 1, heard=2, piece=1) == [("brief-1", True)]


async def test_until_twilio_has_answered_nobody_depends_on_it() -> None:
    async with Account("AC1", "token", base_url="http://127.0.0.1:1") as account:
        assert await played_to(LineAnswers(waiting_parts(account=account)), 1) == [("brief-0", True)]


async def test_each_answer_says_by_when_the_caller_must_ask_again() -> None:
    parts, quiet, told = waiting_parts(), wait(1), replace(wait(1), waiter=Waiter("CA2", "", "", 0.0, 0.0))
    answers, line = LineAnswers(parts), parts.reception.line
    assert line is not None
    line.join(quiet.waiter)
    line.join(told.waiter)

    await answers.hold(quiet, form(heard=1))
    await answers.hold(told, form())

    assert 2 < quiet.waiter.expected_by - clock.now() < 10
    assert told.waiter.expected_by > quiet.waiter.expected_by + 5


async def test_the_time_in_line_travels_along() -> None:
    answers = LineAnswers(waiting_parts())

    state = back(await answers.hold(wait(2, waited_s=30.0), form()))

    assert answers.waited_s(form(**state)) == pytest.approx(30.0, abs=1.0)
    assert answers.waited_s(form()) == 0.0
    assert answers.waited_s(form(since="nonsense")) == 0.0
    assert again(
        form(**state, CallSid="CA1")
    ) == "/voice/queue?since={since}&heard={heard}&piece={piece}".format(**state)


async def test_a_process_that_leaves_sends_callers_on_with_their_place() -> None:
    parts = waiting_parts()
    line, answers = parts.reception.line, LineAnswers(parts)
    assert line is not None
    line.join(wait(1, waited_s=30.0).waiter)

    path = answers.way_back("CA1", form(heard=2))

    state = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    assert answers.waited_s(form(**state)) == pytest.approx(30.0, abs=1.0)
    assert state["heard"] == "2"
    assert len(line) == 0 and not line.has_left("CA1")
    assert answers.way_back("CA2", form()) == "/voice"
    assert answers.way_back("CA2", form(since=5, heard=1)) == "/voice/queue?since=5&heard=1&piece=0"


@pytest.mark.parametrize(
    ("why", "verbs", "words"),
    [
        (No.HAS_LEFT, ["Hangup"], ""),
        (No.WAITED_TOO_LONG, ["Say", "Hangup"], "Thank you for waiting"),
        (No.LINE_FULL, ["Say", "Hangup"], "All lines are busy."),
        (No.NUMBER_SHARE, ["Say", "Hangup"], "All lines are busy."),
    ],
)
async def test_every_no_is_a_goodbye(why: No, verbs: list[str], words: str) -> None:
    document = LineAnswers(waiting_parts()).turn_away(TurnAway(why), "CA1", form())

    assert [verb.tag for verb in ElementTree.fromstring(document)] == verbs
    assert words in said(document)


@pytest.mark.parametrize(
    ("why", "words"),
    [(No.CLOSED, "Closed."), (No.BUDGET, "Closed."), (No.LIMIT, "Enough."), (No.HOUSE_FULL, "Busy.")],
)
async def test_who_is_turned_away_hears_the_operators_words_for_it(why: No, words: str) -> None:
    answers = LineAnswers(waiting_parts(words=Words("Busy.", False, closed="Closed.", limit="Enough.")))

    assert said(answers.turn_away(TurnAway(why), "CA1", form())) == words


async def test_threat_12_whoever_is_not_welcome_hears_what_any_busy_phone_says() -> None:
    answers = LineAnswers(waiting_parts())

    rings = answers.turn_away(TurnAway(No.NOT_WELCOME), "CA1", form(CallStatus="ringing"))
    answered = answers.turn_away(TurnAway(No.NOT_WELCOME), "CA1", form(CallStatus="in-progress"))

    assert [verb.attrib for verb in ElementTree.fromstring(rings)] == [{"reason": "busy"}]
    assert [verb.tag for verb in ElementTree.fromstring(answered)] == ["Hangup"]


async def test_only_a_phone_that_still_rings_is_rejected_unanswered() -> None:
    answers = LineAnswers(waiting_parts(words=Words(busy="Busy.", reject_when_full=True)))

    rings = answers.turn_away(TurnAway(No.HOUSE_FULL), "CA1", form(CallStatus="ringing"))
    answered = answers.turn_away(TurnAway(No.HOUSE_FULL), "CA1", form(CallStatus="in-progress"))

    assert ("<Reject" in rings, "<Reject" in answered) == (True, False)
