"""One section of the settings: variables that belong together, typed, each with its unit and reason."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from app.errors import ConfigError

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|\+[1-9][0-9]{0,13}\*")
URL = re.compile(r"https?://[^/\s?#@]+(/[^\s?#]*)?")


def env(*names: str, default: Any, doc: str, **limits: float | str) -> Any:
    """A field read from the first of `names` that is set; `Any`, as pydantic's own `Field` is."""
    return Field(default, validation_alias=AliasChoices(*names), description=doc, **limits)  # type: ignore[call-overload]


class Section(BaseModel):
    """Frozen values; what a room needs of them is handed to it one by one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: ClassVar[str]

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """The section of an environment.

        Raises:
            ConfigError: with one line for every value that cannot be used.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(*(cls._fault(item, given) for item in error.errors())) from None

    @classmethod
    def variables(cls) -> list[tuple[str, str, str]]:
        """(names, default, meaning) of every variable."""
        return [
            (
                ", ".join(_names_of(name, field.validation_alias)),
                _shown(field.default),
                field.description or "",
            )
            for name, field in cls.model_fields.items()
        ]

    def secrets(self) -> Iterator[str]:
        """Every value that must not be seen."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, SecretStr) and one.get_secret_value():
                    yield one.get_secret_value()

    @classmethod
    def _fault(cls, item: ErrorDetails, given: Mapping[str, object]) -> str:
        """One line: which variable, what was met (unless secret), what was expected."""
        name = str(item["loc"][0])
        meaning = next((doc for names, _, doc in cls.variables() if name in names.split(", ")), "")
        secret = name.endswith(("_TOKEN", "_KEY", "_WEBHOOK_URL", "REDIS_URL"))
        met = "its value" if secret else repr(given.get(name, ""))
        return f"{name}: {met} cannot be used: {item['msg'].removeprefix('Value error, ')} ({meaning})"


def split(given: object) -> object:
    """A comma-separated list as a tuple; anything else as it is."""
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(",") if part.strip())
    return given


def lower(given: object) -> object:
    """Names of choices are written in any case."""
    return given.lower() if isinstance(given, str) else given


def address(url: str) -> str:
    """An http(s) address without its last slash.

    Raises:
        ValueError: it is none.
    """
    if url and not URL.fullmatch(url):
        raise ValueError("expected an address such as https://voice.example.com")
    return url.rstrip("/")


def among(names: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """`names`, all of which are `known`.

    Raises:
        ValueError: naming those that are not.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    return names


def _names_of(name: str, alias: object) -> list[str]:
    return [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [name]


def _shown(default: object) -> str:
    if isinstance(default, SecretStr) or default in ("", ()):
        return "-"
    if isinstance(default, tuple):
        return ", ".join(str(part) for part in default)
    return str(default)


def telephone_numbers(given: Any) -> Any:
    """A validator: each is E.164, or the beginning of some with a star."""
    for one in given:
        if not NUMBER.fullmatch(one):
            raise ValueError(f"{one!r}, expected a number such as +15550100, or +1555*")
    return given
