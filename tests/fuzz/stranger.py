"""A process that plays somebody hostile on either wire: a caller, or a vendor. Prints `ready` when it is.

python -m tests.fuzz.stranger caller http://127.0.0.1:8000
python -m tests.fuzz.stranger vendor 8100
"""

import asyncio
import itertools
import json
import random
import re
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import WebSocketException

from tests.fuzz import corpus
from tests.fuzz.mutate import mutated
from tests.standins.voice import tone

# In a text that the vendor answers with minutes of audio in one message, and with messages of nobody.
RUBBISH, CHATTER = "rubbish", "chatter"
SPEECH = Path(__file__).parents[2] / "fixtures" / "audio" / "speech_44100_128.mp3"
LARGE = 8_000_000  # bytes of audio in one message: eight minutes
BATCH = 200  # messages between two looks at whether the other side has gone
HERTZ, SECONDS = 440.0, 4.0


def said() -> bytes:
    """What the vendor says of every other text: mu-law."""
    return tone(HERTZ, SECONDS)


def start(call_sid: str, token: str) -> dict[str, object]:
    """Twilio's first message of substance."""
    body = {
        "streamSid": "MZ1",
        "callSid": call_sid,
        "accountSid": "AC1",
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": token},
    }
    return {"event": "start", "streamSid": "MZ1", "start": body}


async def calls(url: str) -> None:
    """Call again and again; every second socket has a right token and becomes a call before it goes mad."""
    async with httpx.AsyncClient() as http:
        for number in itertools.count():
            call_sid = f"CA{number:032x}"
            answer = await http.post(f"{url}/voice", data={"CallSid": call_sid})
            found = re.search(r'name="token" value="([^"]+)"', answer.text)
            with suppress(WebSocketException, OSError):
                async with connect(url.replace("http", "ws") + "/media-stream") as socket:
                    if found and number % 2:
                        await socket.send('{"event":"connected"}')
                        await socket.send(json.dumps(start(call_sid, found[1])))
                    await rave(socket, number)
            await asyncio.sleep(0)


async def rave(socket: ClientConnection, seed: int) -> None:
    """Send what no Twilio sends, until the socket is closed, or for long enough."""
    for _ in range(50):
        for message in itertools.islice(garbage(seed), BATCH):
            await socket.send(message)
        await asyncio.sleep(0)


def garbage(seed: int) -> Iterator[str | bytes]:
    """Text, binary and deep JSON; mostly what is ignored and not refused, which lasts longest."""
    chance = random.Random(seed)
    seeds = [given.replace(b"$STREAM", b"MZ1") for given in corpus.kept("twilio_call").values()]
    while True:
        yield json.dumps({"event": "x" * chance.randrange(1, 60_000)})
        yield '{"event":"y","z":' + "[" * 900 + "]" * 900 + "}"
        yield chance.randbytes(chance.randrange(2_000)) if not chance.randrange(40) else '{"event":"z"}'
        if not chance.randrange(40):
            yield mutated(chance, seeds).decode(errors="replace")


async def speaks(socket: ServerConnection) -> None:
    """One sentence of ElevenLabs' `stream-input`."""
    text = ""
    async for message in socket:
        part = json.loads(message)["text"]
        if not part:
            break
        text += part
    with suppress(WebSocketException):
        if RUBBISH in text or CHATTER in text:
            for given in rubbish() if RUBBISH in text else chatter():
                await socket.send(given)
            return
        for at in range(0, len(said()), 800):
            await socket.send(json.dumps({"audio": b64encode(said()[at : at + 800]).decode()}))
        await socket.send(json.dumps({"isFinal": True}))


def rubbish() -> Iterator[str]:
    """Minutes of audio in one message."""
    speech = SPEECH.read_bytes()
    large = (speech * (LARGE // len(speech) + 1))[:LARGE]
    yield json.dumps({"audio": b64encode(large).decode()})


def chatter() -> Iterator[str]:
    """Messages of nobody, and at last what cannot be read."""
    yield json.dumps({"audio": b64encode(said()[:800]).decode()})
    yield from ['{"alignment":null}', '{"contextId":"x","audio":"////"}'] * 5_000
    yield from ['{"isFinal":null,"x":' + "[" * 900 + "]" * 900 + "}"] * 200
    yield "{"


async def main(role: str, where: str) -> None:
    if role == "caller":
        print("ready", flush=True)
        await calls(where)
    async with serve(speaks, "127.0.0.1", int(where), max_size=None, compression=None):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
