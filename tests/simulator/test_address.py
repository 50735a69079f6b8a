"""What is signed, and what is dialled."""

import pytest

from app.simulator.address import Address

LOCAL = "http://localhost:8000/voice"
PUBLIC = "https://voice.example.com"


@pytest.mark.parametrize(
    ("webhook", "public", "signed"),
    [
        (LOCAL, "", LOCAL),
        (LOCAL, PUBLIC, f"{PUBLIC}/voice"),
        (LOCAL + "?a=%20b", PUBLIC + "/", f"{PUBLIC}/voice?a=%20b"),
        (LOCAL, PUBLIC + "/hot", f"{PUBLIC}/hot/voice"),
        (PUBLIC + "/hot/voice", PUBLIC + "/hot", f"{PUBLIC}/hot/voice"),
        ("https://other.example.com/voice", "", "https://other.example.com/voice"),
    ],
)
def test_the_webhook_is_signed_by_its_public_name(webhook: str, public: str, signed: str) -> None:
    assert Address(webhook, public).signed() == signed


@pytest.mark.parametrize(
    ("webhook", "public", "url", "dialled"),
    [
        (LOCAL, "", "ws://localhost:8000/media-stream", "ws://localhost:8000/media-stream"),
        (LOCAL, "", "ws://127.0.0.1:9999/media-stream", "ws://127.0.0.1:9999/media-stream"),
        (LOCAL, PUBLIC, "wss://voice.example.com/media-stream", "ws://localhost:8000/media-stream"),
        (LOCAL, "", "wss://voice.example.com/media-stream", "ws://localhost:8000/media-stream"),
        (LOCAL, PUBLIC + "/hot", f"{PUBLIC}/hot/voice/after", "http://localhost:8000/voice/after"),
        (
            "http://127.0.0.1:8000/voice",
            "http://localhost:8000",
            "http://localhost:8000/a",
            "http://127.0.0.1:8000/a",
        ),
        ("https://localhost/voice", PUBLIC, "wss://voice.example.com/m", "wss://localhost/m"),
        (PUBLIC + "/voice", PUBLIC, "wss://voice.example.com/m", "wss://voice.example.com/m"),
        (PUBLIC + "/voice", "", "wss://media.example.com/m", "wss://media.example.com/m"),
    ],
)
def test_a_public_name_is_dialled_where_we_were_told_to_call(
    webhook: str, public: str, url: str, dialled: str
) -> None:
    assert Address(webhook, public).dialled(url) == dialled


def test_what_is_signed_is_dialled_where_it_came_from() -> None:
    address = Address(LOCAL, PUBLIC + "/hot")

    assert address.dialled(address.signed()) == LOCAL
