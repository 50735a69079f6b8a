"""Wrong tokens, counted by place."""

import pytest

from app.web.guesses import MOST_GUESSES, MOST_PLACES, WINDOW_S, Guesses, place_of


def test_the_tenth_wrong_token_is_the_last_for_a_minute() -> None:
    guesses = Guesses()

    told = [guesses.count("a", float(second)) for second in range(MOST_GUESSES)]

    assert told == [False] * (MOST_GUESSES - 1) + [True]
    assert guesses.wait_s("a", 10.0) == 50.0
    assert guesses.wait_s("b", 10.0) == 0.0
    assert guesses.wait_s("a", WINDOW_S) == 0.0


def test_a_new_minute_begins_with_the_first_wrong_token_after_the_last() -> None:
    guesses = Guesses()
    for _ in range(MOST_GUESSES):
        guesses.count("a", 0.0)

    assert not guesses.count("a", WINDOW_S)
    assert guesses.wait_s("a", WINDOW_S) == 0.0


def test_a_thousand_places_are_remembered_and_the_oldest_forgotten() -> None:
    guesses = Guesses()
    for place in range(MOST_PLACES * 3):
        guesses.count(str(place), 0.0)

    assert len(guesses) == MOST_PLACES


@pytest.mark.parametrize(
    ("peer", "headers", "place"),
    [
        ("52.1.2.3", {}, "52.1.2.3"),
        ("52.1.2.3", {"x-real-ip": "34.5.6.7"}, "52.1.2.3"),
        ("100.64.0.3", {"x-real-ip": "34.5.6.7"}, "34.5.6.7"),
        ("10.0.0.2", {"x-forwarded-for": "6.6.6.6, 34.5.6.7"}, "34.5.6.7"),
        ("10.0.0.2", {"x-forwarded-for": "garbage"}, "10.0.0.2"),
        ("10.0.0.2", {}, "10.0.0.2"),
        ("2a00:1:2:3:4:5:6:7", {}, "2a00:1:2:3::/64"),
        ("testclient", {}, "testclient"),
    ],
    ids=[
        "address",
        "a stranger's own word",
        "a platform's proxy",
        "the last hop's word",
        "garbage",
        "no word",
        "IPv6",
        "no address",
    ],
)
def test_the_place_is_the_address_or_what_a_private_proxy_says(
    peer: str, headers: dict[str, str], place: str
) -> None:
    assert place_of(peer, headers) == place
