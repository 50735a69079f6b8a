import pytest

from app.errors import Failure
from app.speech.vendor_error import KEY_MASK, LONGEST_MESSAGE, by_status, masked, retry_after_s, vendor_error

KEY = "Zm9vYmFyOmJhemJhemJhenF1eA=="


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Failure.GARBAGE),
        (400, Failure.BAD_REQUEST),
        (401, Failure.AUTH),
        (402, Failure.QUOTA),
        (403, Failure.AUTH),
        (404, Failure.BAD_REQUEST),
        (408, Failure.TIMEOUT),
        (418, Failure.BAD_REQUEST),
        (429, Failure.OVER_LIMIT),
        (500, Failure.BUSY),
        (503, Failure.BUSY),
        (504, Failure.TIMEOUT),
    ],
)
def test_a_status_alone_says(status: int, kind: Failure) -> None:
    assert by_status(status) is kind


@pytest.mark.parametrize(
    "text",
    [
        f"bad key {KEY}",
        f'bad key "{KEY}"',
        f"bad key={KEY}",
        f"bad key {KEY[:4]}***",
        f"bad key {KEY[:12]}",
        f"bad key ({KEY[:4]}...)",
    ],
)
def test_no_trace_of_a_secret_is_left(text: str) -> None:
    clean = masked(text, [KEY])

    assert KEY[:4] not in clean
    assert KEY_MASK in clean


def test_what_only_looks_like_a_secret_stays() -> None:
    assert masked("the model is busy", ["", "the", "mode"]) == "the model is busy"


def test_a_message_is_one_short_line() -> None:
    error = vendor_error("vendor", Failure.BUSY, "a\n  b " + "x" * 1000, secrets=[KEY], retry_after_s=2)

    assert error.message.startswith("a b xxx")
    assert len(error.message) == LONGEST_MESSAGE
    assert (error.provider, error.kind, error.retry_after_s) == ("vendor", Failure.BUSY, 2)


def test_a_secret_at_the_cut_is_masked_before_it_is_cut() -> None:
    error = vendor_error("vendor", Failure.AUTH, "x" * (LONGEST_MESSAGE - 3) + " " + KEY, secrets=[KEY])

    assert KEY[:2] not in error.message


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("3", 3),
        (" 10 ", 10),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0),
        ("-1", 0),
        ("9" * 30, 0),
    ],
)
def test_how_long_a_vendor_wants_to_be_left_alone(value: str | None, seconds: float) -> None:
    assert retry_after_s(value) == seconds
