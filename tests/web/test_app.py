"""The routes as a whole."""

from tests.web.conftest import Knock, make_parts


async def test_the_front_page_says_what_this_is_and_where_to_go(knock: Knock) -> None:
    async with knock(make_parts()) as http:
        page = (await http.get("/")).text

    assert "http://localhost:8000/voice" in page
    assert "/health/streaming" in page


async def test_an_unknown_path_and_a_wrong_method_are_plain_refusals(knock: Knock) -> None:
    async with knock(make_parts()) as http:
        assert (await http.get("/nothing")).status_code == 404
        assert (await http.get("/voice")).status_code == 405
