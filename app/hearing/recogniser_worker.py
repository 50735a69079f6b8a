"""The child process that recognises: the audio of some twenty callers in on stdin, their words out on stdout.

    python -m app.hearing.recogniser_worker

One packet after the other, in the order they came, so that every caller gets a turn. It lives exactly as
long as its stdin.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # must precede numpy; our matrices are small

from app.hearing.front_end import Network
from app.hearing.language import understand
from app.hearing.recogniser import Lexicon, Recogniser
from app.hearing.recogniser_wire import COUNT, HEADER, Kind, Packet, pack

WARM_UP = b"\xff" * 4000  # half a second of silence: pages in models and code
MOST_LEXICONS = 16  # phrases of so many hotlines are kept


class Worker:
    """The sessions of one process; packets in, packets out."""

    def __init__(self, *, phrases: tuple[str, ...], full: bool) -> None:
        self._network = Network()
        self._phrases = phrases
        self._full = full
        self._lexicons: dict[tuple[str, ...], Lexicon] = {}
        self._sessions: dict[int, Recogniser] = {}

    def warm_up(self) -> Packet:
        """Recognise a little silence, so that the first caller does not wait for it."""
        recogniser = self._recogniser(())
        recogniser.begin()
        recogniser.hear(WARM_UP)
        recogniser.end()
        return Packet(Kind.READY, payload=json.dumps({"resident_kb": resident_kb()}).encode())

    def obey(self, order: Packet) -> Iterator[Packet]:
        """Do what a packet says; what there is to answer."""
        kind, session, _, payload = order
        if kind == Kind.PING:
            yield Packet(Kind.PONG, payload=json.dumps({"resident_kb": resident_kb()}).encode())
        elif kind == Kind.OPEN:
            self._sessions[session] = self._recogniser(tuple(json.loads(payload)))
        elif kind == Kind.CLOSE:
            del self._sessions[session]
        else:
            yield from self._heard(self._sessions[session], order._replace(payload=b""), payload)

    def close(self) -> None:
        for lexicon in self._lexicons.values():
            lexicon.close()
        self._lexicons.clear()

    def _heard(self, recogniser: Recogniser, answer: Packet, mulaw: bytes) -> Iterator[Packet]:
        if answer.kind == Kind.BEGIN:
            recogniser.begin()
        elif answer.kind == Kind.AUDIO:
            text = recogniser.hear(mulaw)
            yield answer._replace(kind=Kind.WORKED, payload=COUNT.pack(len(mulaw)))
            if text is not None:
                yield answer._replace(kind=Kind.INTERIM, payload=text.encode())
        elif answer.kind == Kind.CANCEL:
            recogniser.cancel()
        elif answer.kind == Kind.END:
            heard = recogniser.end()
            said = {**heard._asdict(), "resident_kb": resident_kb()}
            yield answer._replace(kind=Kind.FINAL, payload=json.dumps(said).encode())

    def _recogniser(self, phrases: tuple[str, ...]) -> Recogniser:
        return Recogniser(self._lexicon(phrases or self._phrases), self._network)

    def _lexicon(self, phrases: tuple[str, ...]) -> Lexicon:
        if phrases not in self._lexicons:
            if len(self._lexicons) >= MOST_LEXICONS:
                self.close()
            self._lexicons[phrases] = Lexicon(None if self._full else understand(phrases))
        return self._lexicons[phrases]


def resident_kb() -> int:
    """Memory that this process holds now; where the system does not tell, the most it ever held."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def read(pipe: BinaryIO) -> Iterator[Packet]:
    """Packets, until the other side has gone."""
    while len(header := pipe.read(HEADER.size)) == HEADER.size:
        kind, session, utterance, size = HEADER.unpack(header)
        payload = pipe.read(size)
        if len(payload) < size:
            return
        yield Packet(kind, session, utterance, payload)


def main() -> None:
    # A signal to the whole process group is for the parent to act on: it may want to finish its calls first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever the library prints must not enter the pipe
    orders = read(sys.stdin.buffer)
    setup = json.loads(next(orders).payload)
    worker = Worker(phrases=tuple(setup["phrases"]), full=setup["full"])
    try:
        _say(out, worker.warm_up())
        for order in orders:
            for answer in worker.obey(order):
                _say(out, answer)
    except BrokenPipeError:
        pass  # the parent is gone
    finally:
        worker.close()
    os._exit(0)  # not through the flushing of a broken pipe


def _say(out: BinaryIO, packet: Packet) -> None:
    out.write(pack(packet))
    out.flush()


if __name__ == "__main__":
    main()
