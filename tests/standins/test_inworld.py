"""The stand-in is held to what is known of the vendor, or tests against it would prove nothing."""

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest

from tests.standins.inworld import KEY, UNKNOWN_VOICE, VOICE, InworldStandin, Script

MULAW = {"audioEncoding": "MULAW", "sampleRateHertz": 8000}
TEXT = "The quick brown fox jumps over the lazy dog."


def request(text: str = TEXT, **changes: Any) -> dict[str, Any]:
    return {"text": text, "voiceId": VOICE, "modelId": "inworld-tts-2", "audioConfig": MULAW} | changes


async def post(vendor: InworldStandin, body: dict[str, Any], *, authorization: str = f"Basic {KEY}") -> Any:
    async with httpx.AsyncClient(base_url=vendor.url, headers={"authorization": authorization}) as client:
        return await client.post("/tts/v1/voice:stream", json=body)


def results(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line)["result"] for line in answer.content.splitlines()]


def audio(lines: list[dict[str, Any]]) -> list[bytes]:
    return [base64.b64decode(line["audioContent"]) for line in lines if "audioContent" in line]


async def test_lines_of_json_carry_mulaw_without_any_header() -> None:
    async with InworldStandin() as vendor:
        lines = results(await post(vendor, request()))
        pieces = audio(lines)

        assert b"".join(pieces) == await vendor.bank.audio(TEXT, "ulaw_8000")

    assert len(pieces) > 2
    assert len(pieces[0]) < len(pieces[1])
    assert lines[0]["timestampInfo"] is None


async def test_every_piece_of_linear16_has_a_header_of_its_own() -> None:
    wanted = {"audioEncoding": "LINEAR16", "sampleRateHertz": 16000}
    async with InworldStandin() as vendor:
        pieces = audio(results(await post(vendor, request(audioConfig=wanted))))

        assert all(piece.startswith(b"RIFF") for piece in pieces)
        assert b"".join(piece[44:] for piece in pieces) == await vendor.bank.audio(TEXT, "pcm_16000")


async def test_words_come_with_their_piece_and_cut_ones_as_partial() -> None:
    async with InworldStandin() as vendor:
        lines = results(await post(vendor, request(timestampType="WORD")))

    alignments = [line["timestampInfo"]["wordAlignment"] for line in lines]
    told = [
        word
        for alignment in alignments
        for word, detail in zip(alignment["words"], alignment["phoneticDetails"], strict=True)
        if not detail.get("isPartial")
    ]
    assert "".join(told) == TEXT
    assert any(detail.get("isPartial") for part in alignments for detail in part["phoneticDetails"])
    assert alignments[-1]["wordEndTimeSeconds"][-1] > alignments[0]["wordEndTimeSeconds"][-1]


async def test_asynchronous_words_trail_behind_the_audio() -> None:
    body = request(timestampType="WORD", timestampTransportStrategy="ASYNC")
    async with InworldStandin() as vendor:
        *before, last = results(await post(vendor, body))

    assert {line["timestampInfo"] for line in before} == {None}
    assert "audioContent" not in last
    assert "".join(last["timestampInfo"]["wordAlignment"]["words"]) == TEXT


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [("", 401, 16), (f"Basic {KEY[::-1]}", 403, 7), (f"Token {KEY}", 401, 16)],
)
async def test_a_bad_key_is_refused_and_half_told(authorization: str, status: int, code: int) -> None:
    async with InworldStandin() as vendor:
        answer = await post(vendor, request(), authorization=authorization)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert ("***" in answer.text) == (code == 7)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [({"voiceId": UNKNOWN_VOICE}, 404, 5), ({"modelId": "gpt"}, 400, 3), ({"text": "x" * 2001}, 400, 3)],
)
async def test_a_wrong_request_is_refused(changes: dict[str, Any], status: int, code: int) -> None:
    async with InworldStandin() as vendor:
        answer = await post(vendor, request(**changes))

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_only_so_many_requests_are_in_flight() -> None:
    async with InworldStandin(limit=1, queue_ms=10) as vendor:
        vendor.scripts["slow"] = Script(stall_after=500)
        slow = asyncio.create_task(post(vendor, request(voiceId="slow")))
        async with asyncio.timeout(10):
            while not vendor.slots.running:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)
        answer = await post(vendor, request())
        slow.cancel()

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, 8)


async def test_a_client_that_leaves_ends_the_generation() -> None:
    async with InworldStandin() as vendor:
        vendor.scripts[VOICE] = Script(pause_s=0.2)
        headers = {"authorization": f"Basic {KEY}"}
        async with (
            httpx.AsyncClient(base_url=vendor.url, headers=headers) as client,
            client.stream("POST", "/tts/v1/voice:stream", json=request(TEXT * 4)) as answer,
        ):
            await anext(answer.aiter_bytes())
        async with asyncio.timeout(10):
            while vendor.slots.running:  # noqa: ASYNC110 - the vendor does not signal
                await asyncio.sleep(0.005)

    assert (vendor.seen[0].gone, vendor.seen[0].finished) == (True, False)


async def test_an_error_may_come_in_the_midst_of_an_answer() -> None:
    async with InworldStandin() as vendor:
        vendor.scripts[VOICE] = Script(error=(13, "internal"), error_after=1)
        answer = await post(vendor, request())

    first, last = map(json.loads, answer.content.splitlines())
    assert answer.status_code == 200
    assert first["result"]["audioContent"]
    assert last["error"]["code"] == 13
