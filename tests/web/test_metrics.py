"""The page that Prometheus scrapes."""

from tests.web.conftest import Knock, locked, make_parts


async def test_prometheus_with_the_operators_token_reads_the_page(knock: Knock) -> None:
    parts = make_parts(locks=locked(admin_tokens=("sesame",)))
    async with knock(parts) as http:
        page = await http.get("/metrics", headers={"Authorization": "Bearer sesame"})
        stranger = await http.get("/metrics")

    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "hotline_calls_live 0.0" in page.text
    assert stranger.status_code == 401 and "hotline_" not in stranger.text
