"""What a caller does, from the command line."""

import argparse
from pathlib import Path

import pytest

from app.cli.turns import add_options, positive, turns_of
from app.errors import ConfigError
from app.simulator import voice
from app.simulator.plan import Turn

SPEECH = Path(__file__).parents[2] / "fixtures" / "audio" / "speech.wav"


def given(*arguments: str) -> list[tuple[str, str]]:
    parser = argparse.ArgumentParser()
    add_options(parser)
    found: list[tuple[str, str]] = parser.parse_args(arguments).turns
    return found


async def test_turns_keep_the_order_in_which_they_were_given() -> None:
    turns = await turns_of(given("--digits", "1", "--say", "hello", "--digits", "2#", "--play", str(SPEECH)))

    assert [turn.digits for turn in turns] == ["1", "", "2#", ""]
    assert [bool(turn.mulaw) for turn in turns] == [False, True, False, True]
    assert turns[3].mulaw == voice.from_file(SPEECH)


async def test_a_pause_and_an_interruption_belong_to_the_next_turn_only() -> None:
    turns = await turns_of(
        given("--pause", "2.5", "--digits", "1", "--interrupt", "2", "--digits", "2", "--digits", "3")
    )

    assert turns == (
        Turn(digits="1", quiet_ms=2500),
        Turn(digits="2", interrupt_after_ms=2000),
        Turn(digits="3"),
    )


async def test_nobody_does_nothing() -> None:
    assert await turns_of(given()) == ()


@pytest.mark.parametrize("option", ["--pause", "--interrupt"])
async def test_a_pause_with_nothing_behind_it_is_a_fault(option: str) -> None:
    with pytest.raises(ConfigError, match="nothing to do after"):
        await turns_of(given("--digits", "1", option, "2"))


@pytest.mark.parametrize(
    "options", [("--pause", "soon"), ("--interrupt", "-1"), ("--digits", "x"), ("--say", "")]
)
def test_what_cannot_be_done_is_refused(options: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        given(*options)


def test_two_callers_of_one_process_share_no_list() -> None:
    given("--digits", "1")

    assert given() == []


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "x"])
def test_positive_numbers_are(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        positive(text)
