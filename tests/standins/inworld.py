"""A stand-in for Inworld on loopback: `voice:stream` over HTTP, real audio, real errors.

    async with InworldStandin() as vendor:
        vendor.scripts["a voice"] = Script(cut_after=4000)
        ... base_url=vendor.url, api_key=KEY ...

The errors for a bad or missing key, their statuses and shapes, and the first line being the shortest are from
published captures; the texts for limits and unknown voices are made up, their codes are not.
"""

import asyncio
import base64
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from tests.standins.elevenlabs_script import OverLimit, Slots
from tests.standins.standin import SpeakingStandin
from tests.standins.voice_bank import wav_header
from tests.standins.wire import Request, Wire
from tests.standins.word_times import spread

SECRET = "s3cr3t-0f-the-pair"
KEY = base64.b64encode(f"Xt75vK0jWr7BP4Xo:{SECRET}".encode()).decode()
VOICE = "Dennis"
UNKNOWN_VOICE = "nobody"
MODELS = re.compile(r"inworld-tts-(1|1\.5-mini|1\.5-max|2|2-flash)")
BYTES_PER_SAMPLE = {"MULAW": 1, "PCM": 2, "LINEAR16": 2, "WAV": 2}
TOKENS = r"[\w']+|\s+|[^\w\s]+"  # words, blanks and marks, in the order of the text


@dataclass(frozen=True)
class Script:
    """How one voice behaves; the default does nothing wrong."""

    delay_ms: tuple[int, int] | None = None  # before the first line; None: the server's
    refuse: tuple[int, object] | None = None  # status and body of a refused request
    refuse_headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False  # never answer the request
    error: tuple[int, str] | None = None  # code and message of an error line
    error_after: int = 0  # bytes of audio before it
    line: bytes = b""  # before any audio: garbage, or what nobody knows
    tail: bytes = b""  # after all audio, without a line's end
    silent: bool = False  # an empty body
    body: bytes | None = None  # instead of the audio
    headers: bool = False  # a WAV header on every piece, whatever was asked for
    trailing_words: bool = False  # timestamps after the audio, as for ASYNC
    cut_after: int | None = None  # bytes of audio until the connection is cut
    broken_chunk: bool = False  # with `cut_after`: inside an HTTP chunk
    stall_after: int | None = None  # bytes of audio until nothing more comes
    pause_s: float = 0.001  # after each line


BUSY = {"error": {"code": 14, "message": "upstream connect error", "details": []}}
NAMED = {
    "fault-stall": Script(stall_after=2000),
    "fault-dead": Script(stall_after=0),
    "fault-cut": Script(cut_after=2000),
    "fault-silent": Script(silent=True),
    "fault-hang": Script(hang=True),
    "fault-500": Script(refuse=(500, {"error": {"code": 13, "message": "internal", "details": []}})),
    "fault-503": Script(refuse=(503, BUSY)),
    "fault-429": Script(refuse=(429, {"error": {"code": 8, "message": "too many requests", "details": []}})),
}


@dataclass
class Seen:
    """One request, as the stand-in saw it."""

    request: Request
    body: dict[str, object]
    finished: bool = False  # the client has got all of it
    gone: bool = False  # the client left before

    @property
    def text(self) -> str:
        return str(self.body.get("text", ""))


class Gone(Exception):
    """The client has closed, or the script has cut the connection."""


class InworldStandin(SpeakingStandin):
    """The server; what it was asked to say is in `seen`, in the order of arrival."""

    def __init__(
        self,
        *,
        delay_ms: tuple[int, int] = (10, 20),
        limit: int | None = None,
        queue_ms: int = 50,
        keys: tuple[str, ...] = (KEY,),
    ) -> None:
        super().__init__()
        self.scripts: dict[str, Script] = dict(NAMED)
        self.seen: list[Seen] = []
        self.slots = Slots(limit, queue_ms)
        self.delay_ms = delay_ms
        self.looked_up = 0  # requests for the list of voices
        self.keys = keys

    async def route(self, wire: Wire, request: Request) -> bool:
        refused = self._key_fault(request.headers.get("authorization", ""))
        if request.method == "GET" and request.path == "/tts/v1/voices":
            self.looked_up += 1
            await wire.answer(*(refused or (200, {"voices": [{"voiceId": VOICE}]})))
            return True
        if request.method != "POST" or request.path != "/tts/v1/voice:stream":
            await wire.answer(404, {"code": 5, "message": "Not Found", "details": []})
            return True
        if refused:
            await wire.answer(refused[0], {"error": refused[1]})
            return True
        return await self._synthesize(wire, request)

    def _key_fault(self, authorization: str) -> tuple[int, dict[str, object]] | None:
        scheme, _, key = authorization.partition(" ")
        if not key or scheme not in ("Basic", "Bearer"):
            return 401, {"code": 16, "message": "authentication is required", "details": []}
        if key in self.keys:
            return None
        message = f'API key does not exist or was deleted: "{key[:4]}***"'
        return 403, {"code": 7, "message": message, "details": []}

    async def _synthesize(self, wire: Wire, request: Request) -> bool:
        body = request.json()
        assert isinstance(body, dict)
        voice = str(body.get("voiceId"))
        script = self.scripts.get(voice, Script())
        self.seen.append(seen := Seen(request, body))
        if script.hang:
            await wire.gone()
            return False
        if script.refuse is not None:
            await wire.answer(*script.refuse, script.refuse_headers)
        elif fault := _fault(body, voice):
            await wire.answer(*fault)
        else:
            return await self._generate(wire, seen, script)
        return True

    async def _generate(self, wire: Wire, seen: Seen, script: Script) -> bool:
        """Generate while the client is there to listen; a closed connection ends it at once."""
        try:
            async with self.slots.hold():
                await _wait(wire, random.uniform(*(script.delay_ms or self.delay_ms)) / 1000)
                await self._stream(wire, seen, script)
                seen.finished = True
                return True
        except OverLimit:
            message = f"concurrent generation limit of {self.slots.limit} exceeded"
            await wire.answer(429, {"error": {"code": 8, "message": message, "details": []}})
            return True
        except (Gone, ConnectionError):
            seen.gone = True
            return False

    async def _stream(self, wire: Wire, seen: Seen, script: Script) -> None:
        await wire.begin_chunked({"content-type": "application/json"})
        if script.line:
            await wire.chunk(script.line + b"\n")
        sent = 0
        end = min(
            (limit for limit in (script.cut_after, script.stall_after) if limit is not None), default=None
        )
        for piece, words in [] if script.silent else await self._pieces(seen, script):
            if script.error and sent >= script.error_after:
                break
            if end is not None:
                piece = piece[: end - sent]
            if piece or words:
                await _write(wire, _line(piece, words, self._header(seen, script, len(piece)), seen))
            sent += len(piece)
            if sent == end:
                await self._break(wire, script)
            await _wait(wire, script.pause_s)
        if script.error:
            code, message = script.error
            await _write(wire, {"error": {"code": code, "message": message, "details": []}})
        await wire.chunk(script.tail)
        await wire.end_chunked()

    async def _break(self, wire: Wire, script: Script) -> None:
        if script.stall_after is not None:
            await wire.gone()
        elif script.broken_chunk:
            await wire.broken_chunk(b'{"result":{"audioCont')
        else:
            await asyncio.sleep(0.05)  # what was sent has left the machine; an abort would throw it away
            wire.cut()
        raise Gone

    async def _pieces(self, seen: Seen, script: Script) -> list[tuple[bytes, dict[str, object] | None]]:
        """Audio in pieces with the words that end in each: 0.2 s first, then half seconds."""
        audio, second = await self._audio(seen, script)
        cuts = [0, *range(second // 5 & ~1, len(audio), second // 2 & ~1), len(audio)]
        pieces = [audio[start:end] for start, end in pairwise(cuts)]
        if seen.body.get("timestampType") != "WORD":
            return [(piece, None) for piece in pieces]
        timed = spread(seen.text, len(audio) / second, pattern=TOKENS)
        trailing = script.trailing_words or seen.body.get("timestampTransportStrategy") == "ASYNC"
        if trailing:
            return [*((piece, None) for piece in pieces), (b"", _alignment(timed, None))]
        return list(zip(pieces, _shared_out(timed, [cut / second for cut in cuts[1:]]), strict=True))

    async def _audio(self, seen: Seen, script: Script) -> tuple[bytes, int]:
        """The audio of a text, and how many bytes of it make a second."""
        encoding, rate = _config(seen.body)
        second = rate * BYTES_PER_SAMPLE[encoding]
        if script.body is not None:
            return script.body, second
        return await self.bank.audio(seen.text, "ulaw_8000" if encoding == "MULAW" else f"pcm_{rate}"), second

    def _header(self, seen: Seen, script: Script, size: int) -> bytes:
        encoding, rate = _config(seen.body)
        if not size or not (script.headers or encoding == "LINEAR16"):
            return b""
        return wav_header(size) if encoding == "MULAW" else _pcm_header(size, rate)


def _fault(body: dict[str, object], voice: str) -> tuple[int, object] | None:
    """What the vendor would refuse in a request."""
    if len(str(body.get("text", ""))) > 2000:
        code, message = 3, "text length should not exceed 2000 characters."
    elif not MODELS.fullmatch(str(body.get("modelId"))):
        code, message = 3, f"Unsupported model {body.get('modelId')}"
    elif voice == UNKNOWN_VOICE:
        code, message = 5, f"Unknown voice: {voice} not found!"
    else:
        return None
    return 404 if code == 5 else 400, {"error": {"code": code, "message": message, "details": []}}


def _config(body: dict[str, object]) -> tuple[str, int]:
    config = body["audioConfig"]
    assert isinstance(config, dict)
    return str(config["audioEncoding"]), int(config["sampleRateHertz"])


def _line(piece: bytes, words: dict[str, object] | None, header: bytes, seen: Seen) -> dict[str, object]:
    usage = {"processedCharactersCount": len(seen.text), "modelId": seen.body["modelId"]}
    result: dict[str, object] = {"usage": usage, "timestampInfo": words}
    if piece:
        result["audioContent"] = base64.b64encode(header + piece).decode()
    return {"result": result}


def _alignment(timed: list[tuple[str, float, float]], partial: int | None) -> dict[str, object]:
    words = [word for word, _, _ in timed]
    details: list[dict[str, object]] = [{"wordIndex": index, "phones": []} for index in range(len(words))]
    if partial is not None:
        details[partial]["isPartial"] = True
    return {
        "wordAlignment": {
            "words": words,
            "wordStartTimeSeconds": [start for _, start, _ in timed],
            "wordEndTimeSeconds": [end for _, _, end in timed],
            "phoneticDetails": details,
        }
    }


def _shared_out(timed: list[tuple[str, float, float]], until: list[float]) -> Iterator[dict[str, object]]:
    """The words of each piece; one that is cut by its end is told as partial, and again with the next."""
    rest = timed
    for end in until[:-1]:
        whole = [word for word in rest if word[2] <= end]
        rest = rest[len(whole) :]
        cut = [(word, start, end) for word, start, _ in rest[:1] if start < end]
        yield _alignment(whole + cut, len(whole) if cut else None)
    yield _alignment(rest, None)


def _pcm_header(size: int, rate: int) -> bytes:
    def number(value: int, width: int = 4) -> bytes:
        return value.to_bytes(width, "little")

    fmt = number(1, 2) + number(1, 2) + number(rate) + number(rate * 2) + number(2, 2) + number(16, 2)
    return b"RIFF" + number(36 + size) + b"WAVEfmt " + number(16) + fmt + b"data" + number(size)


async def _write(wire: Wire, line: dict[str, object]) -> None:
    """A line in one or more HTTP chunks, whose ends are not the lines' ends."""
    payload = json.dumps(line).encode() + b"\n"
    at = random.randint(1, len(payload))
    await wire.chunk(payload[:at])
    await wire.chunk(payload[at:])


async def _wait(wire: Wire, seconds: float) -> None:
    """Let time pass while the client is there."""
    left = seconds
    while True:
        await asyncio.sleep(min(left, 0.005))
        if wire.reader.at_eof() or wire.writer.is_closing():
            raise Gone
        if (left := left - 0.005) <= 0:
            return
