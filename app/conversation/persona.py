"""Who answers in the conversation with a model: character, facts, fixed lines, and the tools it may use."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from app.conversation.script_file import tables_of, why_no_toml
from app.conversation.script_model import LONGEST_MESSAGE_S, Texts
from app.conversation.script_places import Places
from app.conversation.script_typing import typing_flaws
from app.errors import ConfigError

DEFAULT = Path(__file__).with_name("persona.toml")
SUFFIXES = frozenset({".toml", ".txt", ".md"})


def _number(number: str) -> str:
    if not re.fullmatch(r"(\+[1-9]\d{6,14}|sip:\S+)?", number):
        raise ValueError("expected a number such as +15551234567, a sip: address, or nothing")
    return number


def _name(name: str) -> str:
    if not re.fullmatch(r"[\w -]{1,40}", name):
        raise ValueError("expected a name of letters, digits, blanks, hyphens and underscores")
    return name


Number = Annotated[str, AfterValidator(_number)]
Name = Annotated[str, AfterValidator(_name)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Place(_Part):
    """Somebody a caller can be put through to; the model knows the name, never the number."""

    number: Number = Field("", description="E.164 or sip:; empty: nobody is there")
    about: str = Field("", description="for the model: when to put a caller through")
    called: str = Field("", description="how it is named to the caller; default: its name")
    confirm: bool = Field(True, description="whether the caller is asked first, and must say yes")


class Recording(_Part):
    """The caller can leave a message."""

    longest_s: float = Field(120.0, ge=5, le=LONGEST_MESSAGE_S, strict=False, description="seconds")
    about: str = Field("the caller wants to leave a message", description="for the model: when")


class KeyInput(_Part):
    """The caller can be asked to key in a number."""

    most: int = Field(20, ge=1, le=40, description="keys of the longest answer")
    about: str = Field("a long number is needed, such as a phone number", description="for the model: when")


class KeyTones(_Part):
    """The bridge may press keys for whoever it speaks with, such as another menu."""

    about: str = Field("a menu or a door on the other side asks for keys", description="for the model: when")


class LookUpTable(_Part):
    """Facts that are too many for every question: the model asks for a row when it needs it."""

    about: str = Field("", description="for the model: what can be found")
    rows: dict[str, str] = Field(min_length=1)


class Lines(_Part):
    """What is said without a model; of several wordings one, never the same twice in a row."""

    failed: Texts = (
        "I'm sorry, I have lost my thread for a moment. Could you say that again?",
        "Sorry, that took me too long. Please ask me once more.",
    )
    broken: Texts = ("Sorry, I got stuck there. Please ask me again.",)
    missed: Texts = ("Sorry, I didn't get that.", "Pardon? I missed that.")
    silence: Texts = ("Are you still there?", "I can't hear you. Please say something, or press a key.")
    silence_goodbye: Texts = ("It seems that you have gone. Goodbye, and thank you for calling.",)
    goodbye: Texts = ("Thank you for calling. Goodbye!",)
    give_up: Texts = ("I'm sorry, something is wrong on our side. Please call again later. Goodbye.",)
    transfer: Texts = ("One moment, I am putting you through.",)
    confirm: Texts = ("Shall I put you through to {name}?",)
    cut_off: Texts = ("Sorry, we were cut off.",)
    waiting: Texts = (
        "I can't listen to you yet: you are number {position} in line for that. Your keys work.",
    )
    message: Texts = ("Please speak after the tone, and press any key when you are done.",)

    def texts(self) -> Iterator[str]:
        """Everything that is said without a caller's or place's name in it."""
        for _, texts in self:
            yield from (text for text in texts if "{" not in text)


class Persona(_Part):
    """A whole persona; what is not declared here no model can do."""

    character: str = Field(min_length=1, description="who speaks, and how; told to the model")
    facts: str = Field("", description="what it knows; told to the model")
    greeting: str = Field("Hello! How can I help you?", min_length=1, description="first words of a call")
    phrases: Texts = Field((), description="what callers are likely to say, for the recogniser")
    hang_up: bool = Field(True, description="whether the model may end the call")
    transfer: dict[Name, Place] = {}
    message: Recording | None = None
    keys: KeyInput | None = None
    press_keys: KeyTones | None = None
    table: dict[Name, LookUpTable] = {}
    lines: Lines = Lines()


def load_persona(given: str = "") -> Persona:
    """The persona that `LLM_PROMPT` names: a TOML file, a file with the character, or the character itself.

    Raises:
        ConfigError: with one line `file:line: reason` for every fault.
    """
    if given and not _is_path(given):
        return Persona.model_validate({"character": given})
    path = Path(given) if given else DEFAULT
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {(error.strerror or 'no such file').lower()}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: cannot be read: expected UTF-8") from None
    if path.suffix == ".toml":
        return _read_toml(path, text)
    if not text.strip():
        raise ConfigError(f"{path}: is empty (expected who speaks, and how)")
    return Persona.model_validate({"character": text})


def _is_path(given: str) -> bool:
    return "\n" not in given and (Path(given).suffix in SUFFIXES)


def _read_toml(path: Path, toml: str) -> Persona:
    try:
        return Persona.model_validate(tables_of(toml))
    except ValidationError as error:
        places = Places(toml)
        raise ConfigError(
            *(
                f"{path}:{places.line(flaw.path)}: {'.'.join(str(part) for part in flaw.path)}: {flaw.reason}"
                for flaw in typing_flaws(error)
            )
        ) from None
    except (ValueError, RecursionError) as error:
        reason = why_no_toml(error)
        line = re.search(r"at line (\d+)", reason)
        raise ConfigError(
            f"{path}:{line[1] if line else len(toml.splitlines())}: no TOML: {reason}"
        ) from None
