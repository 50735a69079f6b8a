"""One section: faults, secrets, and the small readers of values."""

from typing import ClassVar

import pytest
from pydantic import SecretStr, field_validator

from app.errors import ConfigError
from app.settings.section import Section, address, among, env, lower, split


class Kitchen(Section):
    title: ClassVar[str] = "Kitchen"
    ovens: int = env("OVENS", "STOVES", default=2, ge=1, doc="how many")
    pantry_key: SecretStr = env("PANTRY_KEY", default=SecretStr(""), doc="opens the pantry")
    cooks: tuple[SecretStr, ...] = env("COOKS_TOKEN", default=(), doc="who may come in")
    _split = field_validator("cooks", mode="before")(split)


def test_a_variable_is_read_by_any_of_its_names() -> None:
    assert Kitchen.read({"STOVES": "3"}).ovens == 3
    assert Kitchen.variables()[0] == ("OVENS, STOVES", "2", "how many")


def test_a_fault_names_variable_value_and_meaning() -> None:
    with pytest.raises(ConfigError) as caught:
        Kitchen.read({"OVENS": "none"})

    assert caught.value.faults[0].startswith("OVENS: 'none' cannot be used: ")
    assert caught.value.faults[0].endswith("(how many)")


def test_every_secret_is_told_once_and_no_empty_one() -> None:
    kitchen = Kitchen.read({"COOKS_TOKEN": "anna, bob"})

    assert list(kitchen.secrets()) == ["anna", "bob"]
    assert list(Kitchen.read({"PANTRY_KEY": "k"}).secrets()) == ["k"]


def test_the_shown_default_of_a_secret_and_of_nothing_is_a_dash() -> None:
    assert [default for _, default, _ in Kitchen.variables()] == ["2", "-", "-"]


def test_a_list_is_cut_at_its_commas_and_a_choice_is_taken_in_any_case() -> None:
    assert split(" a, ,b ") == ("a", "b")
    assert split(7) == 7
    assert lower("JSON") == "json"


def test_an_address_loses_its_last_slash() -> None:
    assert address("https://a.example/base/") == "https://a.example/base"
    with pytest.raises(ValueError, match="expected an address"):
        address("a.example")


def test_unknown_names_are_named_with_the_known() -> None:
    assert among(("a",), ("a", "b")) == ("a",)
    with pytest.raises(ValueError, match="unknown: x; known: a, b"):
        among(("a", "x"), ("a", "b"))
