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
    ("client", "place"),
    [
        ("52.1.2.3", "52.1.2.3"),
        ("2a00:1:2:3:4:5:6:7", "2a00:1:2:3::/64"),
        ("testclient", "testclient"),
    ],
    ids=["address", "IPv6", "no address"],
)
def test_a_place_is_an_address_or_an_ipv6_customers_network(client: str, place: str) -> None:
    assert place_of(client) == place
