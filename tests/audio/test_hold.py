"""What callers in line hear."""

import io
import wave

import numpy as np

from app.audio import mulaw
from app.audio.hold import LEVEL_DBFS, PIECE_S, pieces, shipped


def test_our_own_piece_is_quiet_and_of_whole_notes() -> None:
    samples = mulaw.decode(shipped()).astype(float)

    assert 20 < len(samples) / 8000 < 40
    assert np.abs(samples).max() <= 32767 * 10 ** ((LEVEL_DBFS + 0.5) / 20)
    assert np.abs(samples).max() > 500


def test_pieces_are_playable_files_that_together_are_the_whole() -> None:
    audio = bytes(range(256)) * 400  # 12.8 s

    heads, heard = [], b""
    for file in pieces(audio):
        with wave.open(io.BytesIO(file)) as wav:
            heads.append((wav.getframerate(), wav.getsampwidth(), wav.getnchannels(), wav.getnframes()))
            heard += wav.readframes(wav.getnframes())

    assert heads == [(8000, 2, 1, PIECE_S * 8000), (8000, 2, 1, len(audio) - PIECE_S * 8000)]
    assert heard == mulaw.decode(audio).tobytes()
