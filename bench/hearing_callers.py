"""Who speaks to the embedded ears in `bench/hearing_asr.py`, what they say, and over what lines.

All voices are generated: espeak-ng's, and flite's where ffmpeg has them. No person was recorded. Nothing was
trained or tuned on those that are held out (`fixtures/make_frontend.py` names the ones it was trained on).
"""

import asyncio
import subprocess

import numpy as np

from app.speech.espeak import Espeak, Voice
from app.speech.espeak_worker import SAMPLE_RATE
from tests.hearing.sounds import Sound, at_level, mulaw_frames, noise, of_pcm16, silence

Line = tuple[float, float | None]  # level in dBFS, and how far below it the noise is

INTENTS = {
    "news": ("news", "latest news", "what's new"),
    "tour": ("tour dates", "tour", "concerts", "shows", "when are you playing"),
    "tickets": ("tickets", "buy tickets"),
    "music": ("music", "new album", "new song", "songs", "play a song"),
    "message": ("leave a message", "message", "voicemail"),
    "person": ("talk to a person", "speak to someone", "operator", "a human"),
    "repeat": ("repeat", "say that again"),
    "goodbye": ("goodbye", "bye", "hang up", "that's all"),
    "yes": ("yes", "yeah", "yes please", "sure", "okay"),
    "no": ("no", "no thanks", "no thank you", "nope"),
}
ASKED = {
    "news": ("news", "what is the latest news", "tell me the news please", "what's new"),
    "tour": (
        *("tour dates", "what are the tour dates", "i would like to know about the concerts"),
        *("when are you playing", "tell me about the shows please", "can you give me the dates of the tour"),
    ),
    "tickets": (
        "tickets",
        "i want to buy tickets",
        "how can i get tickets for the concert",
        "buy tickets please",
    ),
    "music": (
        *("music", "tell me about the new album", "i want to hear the new song", "play a song please"),
        "can i listen to some music",
    ),
    "message": (
        *("i would like to leave a message", "leave a message please", "voicemail"),
        "can i leave a message for the band",
    ),
    "person": ("talk to a person", "can i speak to someone please", "operator", "i want to talk to a human"),
    "repeat": ("repeat please", "can you say that again", "repeat that"),
    "goodbye": ("goodbye", "okay bye", "that's all thank you goodbye"),
    "yes": ("yes", "yes please", "yeah sure", "okay"),
    "no": ("no", "no thank you", "no thanks"),
}
ELSEWHERE = (
    *("the weather is very nice in london today", "my brother works at a hospital in chicago"),
    *(
        "how much does a kilo of tomatoes cost",
        "i think the car needs a new engine",
        "do you have any pizza left",
    ),
    *("she went to the store and bought some bread", "we should paint the kitchen yellow"),
    *("the committee will meet on wednesday afternoon", "there is a dog in the garden", "what time is it"),
    *(
        "i forgot my password for the computer",
        "what is the capital of australia",
        "turn off the kitchen light",
    ),
    *("the train to boston leaves at seven", "he never finished his homework", "i cannot find my keys"),
    *(
        "can you recommend a good restaurant",
        "my doctor said i should exercise more",
        "birds fly south in autumn",
    ),
    *("it has been raining since monday", "the children are playing football outside", "pepperoni"),
    *("put the blue box on the table", "the president spoke about taxes", "i need to water the plants"),
    *("how old is your grandmother", "the river is very cold in winter", "we watched a movie about sharks"),
    *("the bank closes at five", "my phone battery is almost empty", "did you see the game last night"),
    *("the soup needs more salt", "refrigerator", "open the window", "merry christmas", "where did you go"),
)
NUMBERS = ("one", "seven", "zero", "four five six", "nine zero seven two", "three three one", "eight", "two")
SHORT = ("yes", "no", "tour", "news", "music", "okay", "goodbye", "five", "nine", "six")
EMBEDDED = "en-us"  # the voice that the hotline itself and simulated callers speak with
HELD_OUT = (*(EMBEDDED, "en-us+f3", "flite:kal", "en-us+belinda", "en-us+m3", "en-us+edward", "en-gb-x-rp"),)
TUNING = ("en-us+f4", "en-us+m4", "en-us+klatt", "en-us+michael", "flite:awb")
LINES = {
    "quiet, -20 dBFS": (-20, None),
    "soft, -38 dBFS": (-38, None),
    "loud, -9 dBFS": (-9, None),
    "pink noise 20 dB below": (-20, 20),
    "pink noise 12 dB below": (-20, 12),
}
OF_OTHER_LINES = 4  # of the voices; the quiet line has all of them
OF_QUICK = 2
SAID_BY_A_CALLER = 4  # utterances; then a new caller begins, of whom nothing is known


def texts() -> tuple[str, ...]:
    groups = (*ASKED.values(), ELSEWHERE, NUMBERS, SHORT)
    return tuple(dict.fromkeys(text for group in groups for text in group))


def available(voices: tuple[str, ...]) -> tuple[str, ...]:
    try:
        _flite("kal", "yes")
    except (OSError, subprocess.CalledProcessError):
        print("ffmpeg has no flite: its voices are left out")
        return tuple(voice for voice in voices if not voice.startswith("flite"))
    return voices


def speak(voice: str, texts: tuple[str, ...]) -> dict[str, Sound]:
    engine, _, name = voice.rpartition(":")
    if engine == "flite":
        return {text: of_pcm16(_flite(name, text), 16_000) for text in texts}
    return asyncio.run(_espeak(name, texts))


def _flite(voice: str, text: str) -> bytes:
    source = f"flite=text='{text.replace(chr(39), '')}':voice={voice}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-ar", "16000", "-f", "s16le", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


async def _espeak(voice: str, texts: tuple[str, ...]) -> dict[str, Sound]:
    said = {}
    async with Espeak(processes=1) as espeak:
        for text in texts:
            async with espeak.speak(text, Voice(voice)) as chunks:
                said[text] = of_pcm16(b"".join([chunk async for chunk in chunks]), SAMPLE_RATE)
    return said


def on_line(voice: Sound, dbfs: float, snr_db: float | None) -> bytes:
    sound = np.concatenate([silence(0.3), at_level(voice, dbfs), silence(0.3)])
    level = -70.0 if snr_db is None else dbfs - snr_db
    return b"".join(mulaw_frames(sound + noise(10, len(sound) / 8000 + 1, level)[: len(sound)]))
