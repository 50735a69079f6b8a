"""The page that Prometheus scrapes."""

from app.observe.fleet import Reach
from tests.standins.redis import RedisServer, needs_redis, until
from tests.web.conftest import Knock, locked, make_parts, replica


async def test_prometheus_with_the_operators_token_reads_the_page(knock: Knock) -> None:
    parts = make_parts(locks=locked(admin_tokens=("sesame",)))
    async with knock(parts) as http:
        page = await http.get("/metrics", headers={"Authorization": "Bearer sesame"})
        stranger = await http.get("/metrics")

    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "hotline_calls_live 0.0" in page.text
    assert stranger.status_code == 401 and "hotline_" not in stranger.text


async def test_a_process_without_a_store_counts_itself_and_says_nothing_of_one(knock: Knock) -> None:
    async with knock(make_parts()) as http:
        page = (await http.get("/metrics")).text

    assert "hotline_replicas 1.0" in page
    assert "hotline_store_available" not in page


@needs_redis
async def test_replicas_and_the_store_are_counted(knock: Knock) -> None:
    async with RedisServer() as server, replica(server.url, "a", within_s=1.0) as one, knock(one) as http:
        async with replica(server.url, "b"):
            await until(lambda: one.fleet is not None and one.fleet.known == 2)
            before = (await http.get("/metrics")).text
        server.kill()
        await until(lambda: one.fleet is not None and one.fleet.reach is Reach.AWAY)
        after = (await http.get("/metrics")).text

    assert "hotline_replicas 2.0" in before and "hotline_store_available 1.0" in before
    assert "hotline_events_dropped 0.0" in before
    assert "hotline_store_available 0.0" in after
