"""A hotline script: what a TOML file may contain, typed; `script.schema.json` is generated from it."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from app.conversation.wording import NUMBERS, SPOKEN

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_MESSAGE_S = 600.0
SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
ON_EVERY_YEAR = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


def _one_or_more(given: object) -> object:
    return (given,) if isinstance(given, str) else _many(given)


def _many(given: object) -> object:
    return tuple(given) if isinstance(given, list) else given


def _spoken(texts: tuple[str, ...]) -> tuple[str, ...]:
    if not all(text.strip() for text in texts):
        raise ValueError("is empty")
    return texts


def _day(given: object) -> object:
    return given.isoformat() if isinstance(given, date) and not isinstance(given, datetime) else given


def _closed_day(day: str) -> str:
    if not ON_EVERY_YEAR.fullmatch(day):
        try:
            date.fromisoformat(day)
        except ValueError:
            raise ValueError("expected a day such as 2026-12-25, or 12-25 for every year") from None
    return day


def _number(number: str) -> str:
    if number and not re.fullmatch(r"\+[1-9]\d{6,14}|sip:\S+", number):
        raise ValueError("expected a number such as +15551234567, a sip: address, or nothing")
    return number


def _span(span: str) -> str:
    if not SPAN.fullmatch(span):
        raise ValueError("expected a span such as 09:00-17:30")
    return span


def _zone(name: str) -> str:
    zone_named(name)
    return name


_ONE_OR_MORE = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
)
Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), AfterValidator(_spoken), _ONE_OR_MORE]
Spans = Annotated[
    tuple[Annotated[str, AfterValidator(_span)], ...], BeforeValidator(_one_or_more), _ONE_OR_MORE
]
ClosedDay = Annotated[str, BeforeValidator(_day), AfterValidator(_closed_day)]
ClosedDays = Annotated[tuple[ClosedDay, ...], BeforeValidator(_many)]
Key = Annotated[str, Field(pattern=r"^[0-9*#]?$")]
Target = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Spoken(_Table):
    """What is said on arriving."""

    say: Texts = Field((), description="what is said; of several wordings one, never the same twice in a row")
    play: str = Field("", description="audio file, beside the script, played before what is said")
    interruptible: bool = Field(True, description="whether the caller's voice ends it; keys always do")


class Greeting(_Spoken):
    """The first words of a call."""

    then: Target = Field(description="the step after it")


class Choice(_Table):
    """One thing a caller can choose in a menu."""

    to: Target = Field(description="the step it leads to")
    words: Texts = Field((), description="words and phrases that mean it")
    key: Key = Field("", description="the key that means it")
    label: str = Field("", description="how it is called when choices are read out; default: the first words")

    @property
    def name(self) -> str:
        return self.label or next(iter(self.words), self.to)


class Menu(_Spoken):
    """Several choices, by words and by keys."""

    choices: Annotated[tuple[Choice, ...], BeforeValidator(_many)] = Field(min_length=1)
    again: Texts = Field((), description="said instead of `say` when the caller comes back")
    help: Texts = Field((), description="said on a call for help instead of the general help")


class Answer(_Spoken):
    """Something told."""

    then: Target | None = Field(None, description="the step after it; default: back to the last menu")


class Question(_Spoken):
    """Something asked, whose answer is kept."""

    keep: str = Field(pattern=r"^[a-z][a-z_0-9]*$", description="the name for `{name}` in later texts")
    answer: Literal["words", "digits"] = "words"
    phrases: Texts = Field((), description="likely answers, for the recogniser; of words only")
    most: int = Field(20, ge=1, le=40, description="keys of the longest answer in digits")
    terminator: Key = Field("#", description="the key that ends a shorter one")
    then: Target = Field(description="the step after it")
    otherwise: Target | None = Field(
        None, description="the step when no answer was understood; default: back to the last menu"
    )


class Message(_Spoken):
    """The caller leaves a message after the tone; `say` is not cut by their voice unless told so."""

    interruptible: bool = False
    longest_s: float = Field(120.0, ge=5, le=LONGEST_MESSAGE_S, strict=False, description="seconds")
    then: Target | None = Field(None, description="the step after it; default: back to the last menu")
    empty: Target | None = Field(None, description="the step when nothing was said; default: as `then`")


class Transfer(_Spoken):
    """The caller is handed over."""

    number: Annotated[str, AfterValidator(_number)] = Field(
        "", description="E.164 or sip:; empty: nobody is there"
    )
    otherwise: Target = Field(description="the step when nobody is there")


class Hours(_Table):
    """A fork by the time of day."""

    open: Target = Field(description="the step within the hours")
    closed: Target = Field(description="the step outside")
    mon: Spans = ()
    tue: Spans = ()
    wed: Spans = ()
    thu: Spans = ()
    fri: Spans = ()
    sat: Spans = ()
    sun: Spans = ()
    closed_on: ClosedDays = Field((), description="whole days, as 2026-12-25, or 12-25 for every year")

    def is_open(self, moment: datetime) -> bool:
        """Whether `moment`, in the script's zone, is within; a span past midnight is of its first day."""
        before = moment - timedelta(days=1)
        today = any(_covers(span, moment.time()) for span in self._spans(moment.date()))
        return today or any(_covers(span, moment.time(), tail=True) for span in self._spans(before.date()))

    def _spans(self, day: date) -> tuple[str, ...]:
        if {day.isoformat(), day.strftime("%m-%d")}.intersection(self.closed_on):
            return ()
        spans: tuple[str, ...] = getattr(self, DAYS[day.weekday()])
        return spans


class Goodbye(_Spoken):
    """The last words; when they have been heard the call ends."""


class Everywhere(_Table):
    """Words and a key that work in every menu and question."""

    words: Texts = ()
    key: Key = ""
    to: Target | None = Field(None, description="the step it leads to")
    do: Literal["repeat", "help"] | None = Field(None, description="say it again, or help")
    label: str = ""

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if (self.to is None) == (self.do is None):
            raise ValueError("expected either `to` or `do`")
        return self


class Silence(_Table):
    """What is said when nobody speaks."""

    prompt: Texts = ("Are you still there?",)
    second: Texts = ("I can't hear you. Please say something, or press a key.",)
    goodbye: Texts = ("It seems that you have gone. Goodbye, and thank you for calling.",)


class Missed(_Table):
    """What is said when an answer was not understood: first, second, then the keys, at last goodbye.

    `waiting` is for a caller in line for a recogniser, all of which are taken.
    """

    first: Texts = ("Sorry, I didn't get that.",)
    second: Texts = ("Sorry, once more please.",)
    keys: Texts = ("Let's use the keys of your phone: {keys}.",)
    which: Texts = ("Did you mean {choices}?",)
    waiting: Texts = (
        "I can't listen to you yet, you are number {position} in line for that. Meanwhile, please {keys}.",
    )
    goodbye: Texts = ("I'm sorry, I can't understand you on this line. Please call again. Goodbye.",)


Step = Menu | Answer | Question | Message | Transfer | Hours | Goodbye


class Script(_Table):
    """A whole hotline. Step names are unique over all kinds of step."""

    schema_url: str = Field("", alias="$schema")
    name: str = Field("hotline", min_length=1, description="what this hotline is called")
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="time zone of the hours, such as Europe/Berlin"
    )
    names: dict[str, str] = Field({}, description="`{name}` in texts stands for its value")
    greeting: Greeting
    menu: dict[str, Menu] = {}
    answer: dict[str, Answer] = {}
    question: dict[str, Question] = {}
    message: dict[str, Message] = {}
    transfer: dict[str, Transfer] = {}
    hours: dict[str, Hours] = {}
    goodbye: dict[str, Goodbye] = {}
    help: Texts = ("You can say what you would like, or use the keys: {keys}.",)
    cut_off: Texts = Field(("Sorry, we were cut off.",), description="said to a caller whose line broke")
    everywhere: Annotated[tuple[Everywhere, ...], BeforeValidator(_many)] = ()
    silence: Silence = Silence()
    not_understood: Missed = Missed()

    def placed(self) -> Iterator[tuple[str, str, Step]]:
        """Every step with its kind and name, in the order of the kinds."""
        kinds: dict[str, dict[str, Step]] = {kind: dict(getattr(self, kind)) for kind in KINDS}
        for kind, steps in kinds.items():
            for name, step in steps.items():
                yield kind, name, step

    def steps(self) -> dict[str, Step]:
        return {name: step for _, name, step in self.placed()}

    def prompts(self) -> list[str]:
        """Every audio file, once, to be loaded before the first call."""
        spoken = [self.greeting, *self.steps().values()]
        return sorted({played for step in spoken if (played := getattr(step, "play", ""))})

    def phrases(self) -> tuple[str, ...]:
        """Everything a caller can be expected to say, once each, for the recogniser."""
        chosen: list[Choice | Everywhere] = [each for menu in self.menu.values() for each in menu.choices]
        chosen += self.everywhere
        questions = self.question.values()
        said = [phrase for choice in chosen for phrase in choice.words]
        said += [SPOKEN[choice.key] for choice in chosen if choice.key]
        said += [phrase for question in questions for phrase in question.phrases]
        said += NUMBERS if any(question.answer == "digits" for question in questions) else ()
        return tuple(dict.fromkeys(said))

    def local(self, moment: datetime) -> datetime:
        """`moment`, which has a zone, as the clock shows it in the zone of the script."""
        return moment.astimezone(zone_named(self.zone))


KINDS = ("menu", "answer", "question", "message", "transfer", "hours", "goodbye")


def zone_named(name: str) -> tzinfo:
    """The time zone of that name.

    Raises:
        ValueError: when this machine knows none.
    """
    if name == "UTC":  # known even where no table of zones is installed
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"there is no time zone '{name}' on this machine") from None


def _covers(span: str, moment: time, *, tail: bool = False) -> bool:
    begin, end = span.split("-")
    now = moment.strftime("%H:%M")
    if tail:
        return end <= begin and now < end
    return begin <= now and (now < end or end <= begin)
