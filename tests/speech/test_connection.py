import json

import pytest
from websockets.exceptions import InvalidStatus

from app.speech.connection import LARGEST_MESSAGE, Patience, dial, tls_for
from tests.standins.elevenlabs import KEY, VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script

PATH = f"/v1/text-to-speech/{VOICE}/stream-input?output_format=ulaw_8000"


def test_the_certificates_are_read_once_for_all_sockets() -> None:
    assert tls_for("wss://api.elevenlabs.io/x") is tls_for("wss://api.us.elevenlabs.io/y")
    assert tls_for("ws://127.0.0.1:9000/x") is None


async def test_a_socket_bears_the_headers_and_takes_large_messages_without_compression() -> None:
    async with ElevenLabsStandin(delay_ms=(0, 1)) as vendor:
        vendor.scripts[VOICE] = Script(padding=LARGEST_MESSAGE // 2)
        socket = await dial(vendor.url.replace("http", "ws") + PATH, {"xi-api-key": KEY}, Patience())
        for text in (" ", "Hello. ", ""):
            await socket.send(json.dumps({"text": text, "flush": bool(text.strip())}))
        message = json.loads(await socket.recv())
        await socket.close()
        (seen,) = vendor.seen

    assert message["audio"] and len(message["padding"]) > 2**20
    assert seen.request.headers["xi-api-key"] == KEY
    assert "sec-websocket-extensions" not in seen.request.headers


async def test_no_answer_in_time_and_another_answer_are_told_apart() -> None:
    async with ElevenLabsStandin() as vendor:
        url = vendor.url.replace("http", "ws")
        vendor.scripts[VOICE] = Script(hang=True)
        with pytest.raises(TimeoutError):
            await dial(url + PATH, {"xi-api-key": KEY}, Patience(connect_s=0.1))
        vendor.scripts[VOICE] = Script(refuse=(429, {}))
        with pytest.raises(InvalidStatus):
            await dial(url + PATH, {"xi-api-key": KEY}, Patience())
