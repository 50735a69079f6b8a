"""The store between replicas."""

import pytest

from app.errors import ConfigError
from app.settings import Settings


def test_without_an_address_there_is_no_store() -> None:
    fleet = Settings.load({}).fleet

    assert (fleet.redis_url.get_secret_value(), fleet.redis_prefix, fleet.replicas) == ("", "hotline", 1)


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://u:p@h:6380", "unix:///run/redis.sock"])
def test_what_redis_clients_know_is_an_address(url: str) -> None:
    assert Settings.load({"REDIS_URL": url}).fleet.redis_url.get_secret_value() == url


@pytest.mark.parametrize(
    "given",
    [
        {"REDIS_URL": "redis.example.com:6379"},
        {"REDIS_URL": "http://redis"},
        {"REDIS_PREFIX": "a:b"},
        {"REDIS_PREFIX": "{a}"},
        {"REPLICAS": "0"},
    ],
)
def test_what_is_none_is_named(given: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(given))):
        Settings.load(given)


def test_the_stores_password_is_a_secret() -> None:
    url = "rediss://hotline:canary@redis.example.com"

    with pytest.raises(ConfigError) as raised:
        Settings.load({"REDIS_URL": "canary"})

    assert url in Settings.load({"REDIS_URL": url}).secrets
    assert "canary" not in str(raised.value)
