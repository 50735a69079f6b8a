"""What comes down a telephone line: voices, noises, tones and music, all 8 kHz floats within -1..1."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.audio import mulaw as g711
from app.audio.frame import FRAME_BYTES

Sound = NDArray[np.float64]

RATE = 8_000
FRAME = 160
SPEECH = Path(__file__).parent.parent.parent / "fixtures" / "audio" / "speech.wav"  # the embedded voice


def phone_band(sound: Sound, rate: int) -> Sound:
    """What a telephone lets through, 300-3400 Hz, at 8 kHz."""
    length = len(sound) * RATE // rate
    spectrum = np.fft.rfft(sound)
    frequencies = np.fft.rfftfreq(len(sound), 1 / rate)
    spectrum[(frequencies < 300) | (frequencies > 3_400)] = 0
    heard: Sound = np.fft.irfft(spectrum[: length // 2 + 1], length) * length / len(sound)
    return heard


def speech() -> Sound:
    """Some 10 s of the embedded voice through a telephone, at -20 dBFS."""
    with wave.open(str(SPEECH)) as file:
        pcm16 = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return at_level(phone_band(pcm16 / 32_768, file.getframerate()), -20)


def of_pcm16(pcm16: bytes, rate: int) -> Sound:
    return phone_band(np.frombuffer(pcm16, np.int16) / 32_768, rate)


def voiced_frames(sound: Sound) -> NDArray[np.bool_]:
    """Frames of a clean voice that are not its silence: louder than 35 dB below the loudest."""
    power = _power(sound)
    voiced: NDArray[np.bool_] = power > power.max() * 10**-3.5
    return voiced


def at_level(sound: Sound, dbfs: float) -> Sound:
    """The same with this level while there is sound."""
    active = _power(sound)[voiced_frames(sound)].mean()
    scaled: Sound = sound * 10 ** (dbfs / 20) / np.sqrt(active)
    return scaled


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE))


def noise(colour: float, seconds: float, dbfs: float, seed: int = 1) -> Sound:
    """`colour` is the fall of its power in dB per decade: 0 white, 10 pink, 20 brown."""
    white = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    spectrum = np.fft.rfft(white)
    frequencies = np.maximum(np.fft.rfftfreq(len(white), 1 / RATE), 50)
    shaped = np.fft.irfft(spectrum * frequencies ** (-colour / 20), len(white))
    scaled: Sound = shaped * 10 ** (dbfs / 20) / np.sqrt(np.mean(shaped**2))
    return scaled


def tones(frequencies: tuple[float, ...], seconds: float, dbfs: float) -> Sound:
    """Sines together; `dbfs` is the level of all."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound: Sound = sum(
        (np.sin(2 * np.pi * frequency * time) for frequency in frequencies), np.zeros(len(time))
    )
    sound *= 10 ** (dbfs / 20) * np.sqrt(2 / len(frequencies))
    return sound


def repeated(sound: Sound, pause: float, seconds: float) -> Sound:
    """The sound and a pause, again and again."""
    once = np.concatenate([sound, silence(pause)])
    return np.resize(once, round(seconds * RATE))


def hum(seconds: float, dbfs: float) -> Sound:
    """Mains with its overtones."""
    return tones((60, 120, 180, 240, 300, 420), seconds, dbfs)


def clicks(seconds: float) -> Sound:
    """One a second, loud."""
    return repeated(np.array([0.5, -0.5, 0.4, -0.3, 0.2]), 1, seconds)


def coughs(seconds: float) -> Sound:
    """Bursts of noise, 40 a minute, each dying away within 150 ms."""
    burst = noise(10, 0.15, -15) * np.exp(-np.arange(1_200) / 300)
    return repeated(burst, 1.35, seconds)


def music(seconds: float, dbfs: float) -> Sound:
    """Chords of plucked strings over a beat."""
    bar: list[Sound] = []
    for root in (220.0, 174.6, 261.6, 196.0):
        time = np.arange(RATE // 2) / RATE
        chord = np.zeros(len(time))
        for ratio in (1, 1.26, 1.5, 2):
            for overtone in range(1, 8):
                chord += np.sin(2 * np.pi * root * ratio * overtone * time) / overtone**1.5
        chord *= np.exp(-3 * time)
        drum = noise(0, 0.5, -6, seed=3) * np.exp(-60 * time)
        bar += [chord / 4 + drum, chord / 6]
    return at_level(phone_band(np.resize(np.concatenate(bar), round(seconds * RATE)), RATE), dbfs)


def not_speech(seconds: float) -> dict[str, Sound]:
    """All that must not begin an utterance."""
    rng = np.random.default_rng(5)
    keys = [(low, high) for low in (697, 770, 852, 941) for high in (1209, 1336, 1477)]
    pressed = [repeated(tones(keys[key], 0.12, -15), 0.13, 0.25) for key in rng.integers(0, 12, 40)]
    return {
        "silence": silence(seconds),
        "white -40": noise(0, seconds, -40),
        "white -30": noise(0, seconds, -30),
        "pink -40": noise(10, seconds, -40),
        "pink -30": noise(10, seconds, -30),
        "brown -30": noise(20, seconds, -30),
        "hum -35": hum(seconds, -35),
        "clicks": clicks(seconds),
        "coughs": coughs(seconds),
        "keys": np.resize(np.concatenate(pressed), round(seconds * RATE)),
        "ringback": repeated(tones((440, 480), 2, -18), 4, seconds),
        "busy": repeated(tones((480, 620), 0.5, -18), 0.5, seconds),
        "fax calling": repeated(tones((1_100,), 0.5, -18), 3, seconds),
        "beep": repeated(tones((1_000,), 0.3, -15), 2, seconds),
        "dial tone": tones((350, 440), seconds, -18),
        "music -20": music(seconds, -20),
        "music -35": music(seconds, -35),
    }


def mulaw_frames(sound: Sound) -> list[bytes]:
    """Whole frames, the rest filled with silence."""
    whole = np.pad(sound, (0, -len(sound) % FRAME))
    mulaw = g711.encode(np.clip(np.rint(whole * 32_768), -32_768, 32_767).astype(np.int16))
    return [mulaw[start : start + FRAME_BYTES] for start in range(0, len(mulaw), FRAME_BYTES)]


def _power(sound: Sound) -> Sound:
    """Mean square of each frame."""
    whole = sound[: len(sound) // FRAME * FRAME]
    power: Sound = np.square(whole).reshape(-1, FRAME).mean(axis=1)
    return power
