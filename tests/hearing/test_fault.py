import pytest

from app.errors import Failure
from app.hearing.fault import fields_of, of_close, of_status, text_of


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "auth"), (402, "quota"), (429, "over_limit"), (503, "busy"), (418, "bad_request")],
)
def test_a_status_has_a_meaning(status: int, kind: str) -> None:
    assert of_status(status).kind == kind
    assert of_status(status).message == f"HTTP {status}"


def test_the_vendors_word_counts_more_than_the_status_and_the_code() -> None:
    assert of_status(401, "no credit", Failure.QUOTA) == (Failure.QUOTA, "HTTP 401: no credit")
    assert of_close(1008, "slow down", Failure.BUSY) == (Failure.BUSY, "closed with 1008: slow down")


@pytest.mark.parametrize(
    ("code", "kind"), [(1000, "closed"), (1008, "bad_request"), (1011, "network"), (1013, "busy")]
)
def test_a_close_code_has_a_meaning(code: int, kind: str) -> None:
    assert of_close(code, "") == (kind, f"closed with {code}")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"a":1}', {"a": 1}),
        (b"<html>", {"message": "<html>"}),
        (b"[1]", {"message": "[1]"}),
        (b"\xff", {"message": "\N{REPLACEMENT CHARACTER}"}),
        (b"[" * 100_000, None),
    ],
)
def test_any_body_has_fields(body: bytes, fields: dict[str, object] | None) -> None:
    assert fields_of(body) == (fields or {"message": body.decode()})


@pytest.mark.parametrize("levels", range(900, 1_000, 7))
def test_a_text_nested_as_deep_as_can_be_read_is_one(levels: int) -> None:
    nested: object = []
    for _ in range(levels):
        nested = [nested]

    assert text_of([nested])
    assert fields_of(b"[" * levels + b"]" * levels)["message"]
