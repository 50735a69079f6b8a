"""Prints how well and how fast the embedded ears understand generated callers: python -m bench.hearing_asr

Word and intent error rates of the embedded recogniser alone, without voice activity. All voices are
generated: espeak-ng's, and flite's where ffmpeg has them. Nothing was trained or tuned on the voices that are
held out; the flite ones are the nearest to people that there is here. No person was recorded.
"""

import asyncio
import os
import subprocess
import sys
import time
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the product runs; must precede numpy

import numpy as np

from app.hearing.front_end import Network
from app.hearing.language import plain, understand
from app.hearing.phrases import find
from app.hearing.recogniser import Lexicon, Recogniser
from app.hearing.recogniser_worker import resident_kb
from app.speech.espeak import Espeak, Voice
from app.speech.espeak_worker import SAMPLE_RATE
from tests.hearing.sounds import Sound, at_level, mulaw_frames, noise, of_pcm16, silence

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
HELD_OUT = (
    *("en-us", "en-us+f3", "en-us+m3", "en-us+belinda", "en-us+edward", "en-gb-x-rp"),
    *("flite:slt", "flite:kal"),
)
TUNING = ("en-us+f4", "en-us+m4", "en-us+klatt", "en-us+michael", "flite:awb")
LINES = {
    "quiet, -20 dBFS": (-20, None),
    "soft, -38 dBFS": (-38, None),
    "loud, -9 dBFS": (-9, None),
    "pink noise 20 dB below": (-20, 20),
    "pink noise 12 dB below": (-20, 12),
}
FIRST_OF_OTHER_LINES = 4  # voices, and the last two; the quiet line has all of them


class Result(NamedTuple):
    """Counts of one voice on one line."""

    words: int
    wrong_words: int
    right: int
    misled: int
    asked: int
    accepted: int
    elsewhere: int
    cpu_s: float
    audio_s: float


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


def intent_of(text: str) -> str | None:
    """As a script would take it: a yes or no only where nothing more is asked."""
    telling = {name: phrases for name, phrases in INTENTS.items() if name not in ("yes", "no")}
    for among in (telling, INTENTS):
        named = {plain(phrase): name for name, phrases in among.items() for phrase in phrases}
        if met := find(text.split(), named):
            return named[met.phrase]
    return None


def word_errors(meant: str, heard: str) -> int:
    row = list(range(len(heard.split()) + 1))
    for i, word in enumerate(meant.split(), 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard.split(), 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def measure(
    lexicon: Lexicon, network: Network, voices: dict[str, Sound], line: tuple[float, float | None]
) -> Result:
    recogniser = Recogniser(lexicon, network)
    calls = {text: on_line(voice, *line) for text, voice in voices.items()}
    began = time.process_time()
    heard = {}
    for text, mulaw in calls.items():
        recogniser.begin()
        for at in range(0, len(mulaw), 640):
            recogniser.hear(mulaw[at : at + 640])
        heard[text] = recogniser.end().text
    cpu_s = time.process_time() - began
    wanted = {text: name for name, texts in ASKED.items() for text in texts}
    found = {text: intent_of(heard[text]) for text in wanted}
    return Result(
        words=sum(len(text.split()) for text in wanted),
        wrong_words=sum(word_errors(text, heard[text]) for text in wanted),
        right=sum(found[text] == name for text, name in wanted.items()),
        misled=sum(found[text] not in (name, None) for text, name in wanted.items()),
        asked=len(wanted),
        accepted=sum(bool(heard[text]) for text in ELSEWHERE),
        elsewhere=len(ELSEWHERE),
        cpu_s=cpu_s,
        audio_s=sum(map(len, calls.values())) / 8000,
    )


def show(name: str, results: list[Result]) -> None:
    total = Result(*(sum(column) for column in zip(*results, strict=True)))
    print(
        f"{name:28} {total.wrong_words / total.words:6.1%} {total.right / total.asked:8.1%}"
        f" {total.misled / total.asked:8.1%} {total.accepted / total.elsewhere:9.1%}"
        f" {total.cpu_s / total.audio_s:8.3f}"
    )


def numbers(lexicon: Lexicon, network: Network, voices: dict[str, dict[str, Sound]]) -> None:
    right = total = 0
    for said in voices.values():
        recogniser = Recogniser(lexicon, network)
        for text in NUMBERS:
            recogniser.begin()
            recogniser.hear(on_line(said[text], -20, None))
            right += recogniser.end().text == text
            total += 1
    print(f"\nspoken digits wholly right: {right} of {total}")


def cost(lexicon: Lexicon, network: Network) -> None:
    before, kept = resident_kb(), []
    began = time.process_time()
    for _ in range(10):
        kept.append(Recogniser(lexicon, network))
    each_ms = 100 * (time.process_time() - began)
    print(
        f"a session: {each_ms:.0f} ms of processor time to open, {(resident_kb() - before) / 10_000:.1f} MB"
    )


def available(voices: tuple[str, ...]) -> tuple[str, ...]:
    try:
        _flite("slt", "yes")
    except (OSError, subprocess.CalledProcessError):
        print("ffmpeg has no flite: its voices are left out")
        return tuple(voice for voice in voices if not voice.startswith("flite"))
    return voices


def main() -> None:
    names = available(TUNING if "--tuning" in sys.argv else HELD_OUT)
    texts = tuple(text for group in (*ASKED.values(), ELSEWHERE, NUMBERS) for text in group)
    voices = {name: speak(name, texts) for name in names}
    phrases = [phrase for group in INTENTS.values() for phrase in group]
    lexicon, network = Lexicon(understand(phrases)), Network()
    print(f"{'':28} {'words':>6} {'intents':>8} {'misled':>8} {'accepted':>9} {'cpu s':>8}")
    print(f"{'':28} {'wrong':>6} {'right':>8} {'':8} {'elsewhere':>9} {'per s':>8}")
    for line_name, line in LINES.items():
        chosen = names if line_name == next(iter(LINES)) else (*names[:FIRST_OF_OTHER_LINES], *names[-2:])
        results = {name: measure(lexicon, network, voices[name], line) for name in chosen}
        show(line_name, list(results.values()))
        if chosen == names:
            for name, result in results.items():
                show(f"  {name}", [result])
    numbers(lexicon, network, voices)
    cost(lexicon, network)
    lexicon.close()


if __name__ == "__main__":
    main()
