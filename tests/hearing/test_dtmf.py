"""Keys are found in the audio, and each press counts once."""

import numpy as np
import pytest

from app.hearing.dtmf import KEYS, InbandKeys, Keypad, keys_in
from tests.hearing.sounds import Sound, mulaw_frames, music, noise, silence, speech, tones

LOWS, HIGHS = (697, 770, 852, 941), (1_209, 1_336, 1_477, 1_633)


def tone(key: str, seconds: float, dbfs: float, twist_db: float = 0) -> Sound:
    row, column = divmod(KEYS.index(key), 4)
    low, high = tones((LOWS[row],), seconds, dbfs - 3), tones((HIGHS[column],), seconds, dbfs - 3)
    return low * 10 ** (twist_db / 40) + high * 10 ** (-twist_db / 40)


def found(sound: Sound) -> str:
    keys = InbandKeys()
    return "".join(key for mulaw in mulaw_frames(sound) for key in keys.feed(mulaw))


@pytest.mark.parametrize(
    ("seconds", "dbfs", "twist_db"), [(0.04, -12, 0), (0.04, -35, 3), (0.1, -20, -3), (0.1, -35, 6)]
)
def test_all_sixteen_keys_are_found(seconds: float, dbfs: float, twist_db: float) -> None:
    line = [part for key in KEYS for part in (tone(key, seconds, dbfs, twist_db), silence(0.0613))]

    assert found(np.concatenate([*line, silence(0.1)])) == KEYS


def test_keys_are_found_in_noise() -> None:
    line = np.concatenate([part for key in "0123456789" for part in (tone(key, 0.06, -20), silence(0.07))])

    assert found(line + noise(0, len(line) / 8_000, -38)) == "0123456789"


def test_a_key_held_down_counts_once_also_with_a_hole_in_its_tone() -> None:
    held = tone("5", 2, -20)
    held[8_000:8_080] = 0

    assert found(held) == "5"


def test_the_same_key_again_counts_again() -> None:
    assert (
        found(np.concatenate([tone("5", 0.08, -20), silence(0.06), tone("5", 0.08, -20), silence(0.1)]))
        == "55"
    )


@pytest.mark.parametrize(
    "sound",
    [
        speech(),
        music(5, -20),
        noise(0, 5, -20),
        tones((440, 480), 5, -18),
        tones((480, 620), 5, -18),
        tones((697,), 5, -18),
        tones((1_336,), 5, -18),
        tone("5", 5, -45),
        tone("5", 5, -20, twist_db=12),
        tone("5", 0.02, -20),
    ],
    ids=["speech", "music", "noise", "ringback", "busy", "a row", "a column", "soft", "twisted", "short"],
)
def test_nothing_else_is_a_key(sound: Sound) -> None:
    assert found(sound) == ""


def test_chunks_of_any_size_give_the_same_keys() -> None:
    mulaw = b"".join(
        mulaw_frames(
            np.concatenate([part for key in "147*" for part in (tone(key, 0.06, -20), silence(0.07))])
        )
    )
    keys = InbandKeys()

    assert (
        "".join(key for start in range(0, len(mulaw), 37) for key in keys.feed(mulaw[start : start + 37]))
        == "147*"
    )


def test_lines_that_are_looked_at_together_do_not_mix() -> None:
    sounds = (tone("5", 0.2, -20), speech()[:1_600], tone("#", 0.2, -30))
    blocks = [InbandKeys().blocks(b"".join(mulaw_frames(sound))) for sound in sounds]

    together = keys_in([block for own in blocks for block in own])

    assert together == [key for own in blocks for key in keys_in(own)]
    assert set(together[: len(blocks[0])]) == {"5"} and set(together[-len(blocks[2]) :]) == {"#"}
    assert keys_in([]) == []


def test_what_was_skipped_is_no_part_of_a_tone() -> None:
    keys = InbandKeys()
    frames = mulaw_frames(tone("9", 0.12, -20))
    assert [key for mulaw in frames for key in keys.feed(mulaw)] == ["9"]

    keys.skip()
    keys.release()

    assert [key for mulaw in frames for key in keys.feed(mulaw)] == ["9"]


def test_a_press_that_twilio_reports_a_moment_later_is_not_a_new_one() -> None:
    keypad = Keypad()

    assert keypad.hear(1_000, "5")
    assert not keypad.report(1_300, "5")
    assert keypad.report(1_350, "5")  # the second report is of a second press


def test_two_presses_heard_are_both_recognised_when_reported() -> None:
    keypad = Keypad()
    keypad.hear(1_000, "5")
    keypad.hear(1_250, "5")

    assert not keypad.report(1_400, "5")
    assert not keypad.report(1_500, "5")


@pytest.mark.parametrize(("at_ms", "key"), [(1_501, "5"), (1_100, "6")])
def test_a_report_of_another_press_is_new(at_ms: int, key: str) -> None:
    keypad = Keypad()
    keypad.hear(1_000, "5")

    assert keypad.report(at_ms, key)


def test_once_twilio_reports_keys_the_audio_is_not_believed() -> None:
    keypad = Keypad()
    assert keypad.report(1_000, "5")

    assert keypad.reported
    assert not keypad.hear(1_060, "5") and not keypad.hear(9_000, "6")


def test_a_flood_of_tones_is_not_remembered_for_ever() -> None:
    keypad = Keypad()
    for press in range(1_000):
        assert keypad.hear(press, "1")

    assert keypad.report(967, "1") is False
    assert keypad.report(400, "1") is True
