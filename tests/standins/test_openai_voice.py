import httpx
import pytest

from tests.standins.openai_voice import KEY, TOO_FAST, OpenAiVoice
from tests.standins.voice_house import Script, until

ASKED = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hello there.", "response_format": "pcm"}


def client(house: OpenAiVoice, key: str = KEY) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=house.base_url, headers={"authorization": f"Bearer {key}"}, timeout=20.0
    )


async def test_samples_come_in_chunks_and_a_connection_serves_again() -> None:
    async with OpenAiVoice() as house, client(house) as caller:
        for _ in range(2):
            answer = await caller.post("/audio/speech", json=ASKED)
            assert answer.headers["content-type"] == "audio/pcm"
            assert answer.headers["transfer-encoding"] == "chunked"
            assert answer.content == await house.bank.audio("Hello there.", "pcm_24000")

        assert house.connections == 1
        assert house.generations.finished == 2


@pytest.mark.parametrize(
    ("change", "status"), [({}, 200), ({"model": "unknown"}, 404), ({"input": None}, 400)], ids=str
)
async def test_what_the_vendor_would_refuse_is_refused(change: dict[str, str | None], status: int) -> None:
    body = {name: value for name, value in {**ASKED, **change}.items() if value is not None}
    async with OpenAiVoice() as house, client(house) as caller:
        assert (await caller.post("/audio/speech", json=body)).status_code == status


async def test_a_wrong_key_is_refused_everywhere() -> None:
    async with OpenAiVoice() as house, client(house, "wrong") as caller:
        assert (await caller.get("/models")).status_code == 401
        assert (await caller.post("/audio/speech", json=ASKED)).status_code == 401


async def test_more_than_it_takes_at_once_is_too_fast() -> None:
    async with OpenAiVoice(limit=0) as house, client(house) as caller:
        answer = await caller.post("/audio/speech", json=ASKED)

    assert (answer.status_code, answer.json()) == (429, TOO_FAST)


async def test_a_client_that_leaves_cancels_its_generation() -> None:
    async with OpenAiVoice(Script(gap_s=0.01)) as house:
        async with client(house) as caller, caller.stream("POST", "/audio/speech", json=ASKED) as answer:
            await anext(answer.aiter_bytes())
        await until(lambda: house.generations.cancelled == 1)

        assert house.generations.running == 0


async def test_a_script_can_cut_the_stream() -> None:
    async with OpenAiVoice(Script(cut_after=1001)) as house, client(house) as caller:
        with pytest.raises(httpx.RemoteProtocolError):
            await caller.post("/audio/speech", json=ASKED)
