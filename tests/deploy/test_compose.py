"""deploy/compose.yaml, as far as can be told without an engine: what it says, and the store that it runs."""

import re

import pytest
from redis.exceptions import AuthenticationError, NoPermissionError

from app.capacity.store import Store
from tests.deploy.shipped import CONFIG, DEPLOY, service, store_command
from tests.standins.redis import RedisServer, needs_redis

PASSWORD = "a-password"
COMPOSE = (DEPLOY / "compose.yaml").read_text()


def test_the_balancer_is_given_all_that_its_config_takes_from_the_environment() -> None:
    taken = set(re.findall(r"\$\{(\w+)\}", CONFIG.read_text()))

    assert taken == set(re.findall(r"^      (\w+): ", service("balancer"), re.MULTILINE))


def test_every_replica_has_a_name_and_a_folder_of_its_own_and_all_else_alike() -> None:
    one, two = service("replica-1"), service("replica-2")

    assert one.replace("data-1", "data-2").replace("r1", "r2") == two
    assert "REPLICA_ID: r1" in one and "data-1:/data" in one


def test_a_replica_is_not_killed_before_it_has_drained() -> None:
    (grace,) = re.findall(r"stop_grace_period: \$\{STOP_GRACE:-(\d+)s\}", COMPOSE)
    (drain,) = re.findall(r"DRAIN_SECONDS: \$\{DRAIN_SECONDS:-(\d+)\}", COMPOSE)

    assert int(grace) > int(drain) + 10


def test_only_the_balancer_is_reached_from_outside_and_nothing_has_more_rights_than_it_needs() -> None:
    published = [name for name in ("store", "replica-1", "balancer") if "ports:" in service(name)]

    assert published == ["balancer"]
    assert COMPOSE.count("cap_drop: [ALL]") == COMPOSE.count("read_only: true") == 3
    assert "STORE_PASSWORD:?" in COMPOSE  # nothing starts without one


@needs_redis
async def test_the_store_serves_hotline_and_nobody_else() -> None:
    command = store_command(PASSWORD)
    assert command[0] == "valkey-server"
    async with RedisServer(*command[1:]) as server, server.link() as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.ping()
        known = f"redis://hotline:{PASSWORD}@127.0.0.1:{server.port}/0"
        async with Store(known) as store:
            assert store.available
            await store.ask("SET", store.key("x"), "1")
        async with Store(known, prefix="another") as other:
            assert not other.available
        await stranger.execute_command("AUTH", "hotline", PASSWORD)  # type: ignore[no-untyped-call]
        for forbidden in ("KEYS *", "FLUSHALL", "CONFIG GET *", "SHUTDOWN", "GET somebodys"):
            with pytest.raises(NoPermissionError):
                await stranger.execute_command(*forbidden.split())  # type: ignore[no-untyped-call]
