"""G.711 mu-law: int16 samples to bytes and back.

Decoding is the standard's table. Encoding sends the code whose decoded value is nearest, for every one of
the 65,536 samples; the usual encoders miss it at the decision thresholds. Source: ITU-T G.711.
"""

import math

import numpy as np
from numpy.typing import NDArray

_FULL_SCALE = 32_768.0


def _decoding_table() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF  # the wire carries the code inverted
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code >> 4) & 0x07)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encoding_table(decoded: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Indexed by the sample's bits as uint16, so that a lookup needs no arithmetic."""
    codes = np.arange(255, 127, -1)  # 0xff is zero, 0x80 the largest positive value
    levels = decoded[codes].astype(np.int32)
    thresholds = (levels[:-1] + levels[1:]) // 2  # all levels are even; a tie goes to the smaller
    positive = codes[np.searchsorted(thresholds, np.arange(32_769))]
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    return np.where(samples < 0, positive[np.abs(samples)] & 0x7F, positive[np.abs(samples)]).astype(np.uint8)


_DECODED = _decoding_table()
_ENCODED = _encoding_table(_DECODED)


def encode(pcm16: NDArray[np.int16]) -> bytes:
    """Encode int16 samples, 8 kHz mono; zero becomes 0xff."""
    return _ENCODED.take(pcm16.view(np.uint16)).tobytes()


def decode(mulaw: bytes) -> NDArray[np.int16]:
    """Decode to int16 samples, 8 kHz mono."""
    return _DECODED.take(np.frombuffer(mulaw, np.uint8))


def level_dbfs(mulaw: bytes) -> float:
    """Root mean square level; a full-scale square wave is 0 dB, silence and nothing are -inf."""
    if not mulaw:
        return -math.inf
    mean_square = float(np.square(decode(mulaw), dtype=np.float64).mean())
    return 10 * math.log10(mean_square / _FULL_SCALE**2) if mean_square else -math.inf
