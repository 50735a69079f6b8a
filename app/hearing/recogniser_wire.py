"""The pipe between the bridge and its recogniser processes: small packets, the same both ways."""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

HEADER: Final = struct.Struct(">BIII")  # kind, session, utterance, bytes that follow
COUNT: Final = struct.Struct(">I")


class Kind(IntEnum):
    """What a packet says."""

    SETUP = 0  # down, first: JSON of phrases and `full`
    READY = 1  # up: warmed; JSON of resident_kb
    OPEN = 2  # down: a call begins; JSON of its phrases, none for the hotline's own
    CLOSE = 3  # down: the call is over
    BEGIN = 4  # down: an utterance begins
    AUDIO = 5  # down: mu-law
    END = 6  # down: the utterance has ended: an answer, please
    CANCEL = 7  # down: forget the utterance
    WORKED = 8  # up: so many bytes of audio are done
    INTERIM = 9  # up: the words so far
    FINAL = 10  # up: JSON of text, confidence, cpu_ms, resident_kb
    PING = 11  # down
    PONG = 12  # up: JSON of resident_kb


class Packet(NamedTuple):
    """One message of the pipe; session and utterance are numbers that never come twice."""

    kind: int
    session: int = 0
    utterance: int = 0
    payload: bytes = b""


def pack(packet: Packet) -> bytes:
    kind, session, utterance, payload = packet
    return HEADER.pack(kind, session, utterance, len(payload)) + payload
