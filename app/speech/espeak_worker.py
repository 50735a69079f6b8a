"""The child process that holds espeak-ng: sentences in on stdin, PCM out on stdout, both in small packets.

The library keeps global state, dies of threads, and is GPL-3; all three stay inside a process of their own.
It is started by its path, so that nothing of `app` is imported, and lives exactly as long as its stdin.
"""

import contextlib
import ctypes
import json
import os
import queue
import signal
import struct
import sys
import threading
import unicodedata
from enum import IntEnum
from typing import BinaryIO, NamedTuple

HEADER = struct.Struct(">BII")  # kind, sentence, bytes that follow
SAMPLE_RATE = 22_050  # of every voice that espeak-ng brings

SYNCHRONOUS = 2
DONT_EXIT = 0x8000
BUFFER_MS = 20  # the first callback comes with this much audio
# UTF-8, and the pause that ends a sentence; neither SSML nor phonemes: `<` and `[[` are read as they stand.
FLAGS = 0x1 | 0x1000
RATE, PITCH = 1, 3  # of espeak_SetParameter
OK, ABORT = 0, 1  # what the callback returns
BATCH = 8192  # bytes; the first audio leaves at once, the rest in pieces worth a packet


class Kind(IntEnum):
    """What a packet says."""

    READY = 0  # up: the library is loaded
    SPEAK = 1  # down: JSON of text, voice, rate, pitch
    DROP = 2  # down: nobody listens to this sentence any more
    AUDIO = 3  # up: int16 little-endian mono
    DONE = 4  # up: all of it has been sent
    FAILED = 5  # up: why there is none, UTF-8


class Packet(NamedTuple):
    """One message of the pipe, either way."""

    kind: int
    sentence: int
    payload: bytes


def pack(kind: Kind, sentence: int = 0, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, sentence, len(payload)) + payload


def plain(text: str) -> str:
    """Without control characters: one of them starts espeak's embedded commands, another ends the text."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)


class Synthesizer:
    """The library, one sentence at a time."""

    def __init__(self) -> None:
        import espeakng_loader  # here, so that the parent can use this module's terms without it

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(espeakng_loader.get_data_path())
        rate = self._library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data, DONT_EXIT)
        if rate != SAMPLE_RATE:
            raise RuntimeError(f"espeak-ng speaks at {rate} Hz, expected {SAMPLE_RATE}")
        signature = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._callback = signature(self._hand_over)  # kept: ctypes does not hold it for the library
        self._library.espeak_SetSynthCallback(self._callback)
        self._sink: Sink | None = None

    def say(self, wanted: dict[str, str | int], sink: "Sink") -> None:
        """Synthesise into `sink` until the text ends or the sink is dropped."""
        if self._library.espeak_SetVoiceByName(str(wanted["voice"]).encode()) != OK:
            raise ValueError(f"no voice {wanted['voice']!r}")
        self._library.espeak_SetParameter(RATE, int(wanted["rate"]), 0)
        self._library.espeak_SetParameter(PITCH, int(wanted["pitch"]), 0)
        text = plain(str(wanted["text"])).encode() + b"\0"
        self._sink = sink
        try:
            self._library.espeak_Synth(text, len(text), 0, 0, 0, FLAGS, None, None)
        finally:
            self._sink = None

    def _hand_over(self, samples: int | None, count: int, _events: int | None) -> int:
        if self._sink is None or self._sink.dropped:
            return ABORT
        if samples and count:
            self._sink.put(ctypes.string_at(samples, count * 2))
        return OK


class Sink:
    """Where the audio of one sentence goes: the pipe, in packets."""

    def __init__(self, out: BinaryIO, sentence: int, dropped: set[int]) -> None:
        self._out = out
        self._sentence = sentence
        self._dropped = dropped
        self._pcm16 = bytearray()
        self.audible = False

    @property
    def dropped(self) -> bool:
        return self._sentence in self._dropped

    def put(self, pcm16: bytes) -> None:
        first = not self.audible
        self.audible = self.audible or bool(pcm16.strip(b"\0"))
        self._pcm16 += pcm16
        if self.audible and (first or len(self._pcm16) >= BATCH):
            self.flush()

    def flush(self) -> None:
        self.send(Kind.AUDIO, bytes(self._pcm16))
        self._pcm16.clear()

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        self._out.write(pack(kind, self._sentence, payload))
        self._out.flush()


def main() -> None:
    # A signal to the whole process group is for the parent to act on: it may want to finish its calls first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever the library prints must not enter the pipe
    orders: queue.SimpleQueue[Packet] = queue.SimpleQueue()
    dropped: set[int] = set()
    synthesizer = Synthesizer()
    threading.Thread(target=_read_orders, args=(sys.stdin.buffer, orders, dropped), daemon=True).start()
    with contextlib.suppress(BrokenPipeError):  # the parent is gone
        out.write(pack(Kind.READY))
        out.flush()
        while True:
            order = orders.get()
            _obey(order, synthesizer, Sink(out, order.sentence, dropped))
            # Also drops that crossed the end of their sentence; sentences come in the order of their numbers.
            dropped.difference_update([old for old in dropped.copy() if old <= order.sentence])
    os._exit(0)  # not through the flushing of a broken pipe


def _obey(order: Packet, synthesizer: Synthesizer, sink: Sink) -> None:
    if sink.dropped:
        return
    try:
        synthesizer.say(json.loads(order.payload), sink)
    except ValueError as error:
        sink.send(Kind.FAILED, str(error).encode())
        return
    if not sink.dropped:
        if sink.audible:
            sink.flush()
        sink.send(Kind.DONE)


def _read_orders(pipe: BinaryIO, orders: queue.SimpleQueue[Packet], dropped: set[int]) -> None:
    """Runs in a thread, so that a drop reaches a sentence that is being spoken."""
    while len(header := pipe.read(HEADER.size)) == HEADER.size:
        kind, sentence, size = HEADER.unpack(header)
        payload = pipe.read(size)
        if kind == Kind.DROP:
            dropped.add(sentence)
        else:
            orders.put(Packet(kind, sentence, payload))
    os._exit(0)  # the parent has gone, or wants us to go; a sentence in work is nobody's


if __name__ == "__main__":
    main()
