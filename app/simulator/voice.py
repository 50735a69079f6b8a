"""What a caller says, as mu-law: from a file, or by the embedded voice."""

from pathlib import Path

from app.audio.converter import Converter
from app.audio.prompt import load_prompt
from app.errors import ConfigError
from app.speech.espeak import AUDIO_FORMAT, Voice, synthesize

# Not the hotline's own, so that people tell them apart; one that the embedded ears understand well.
CALLERS_VOICE = Voice(voice="en-us+m3", rate=160, pitch=50)


async def spoken(text: str) -> bytes:
    """`text` by the embedded voice.

    Raises:
        ConfigError: the embedded voice is not installed.
        ProviderError: it failed.
    """
    return convert(await synthesize(text, CALLERS_VOICE), AUDIO_FORMAT)


def from_file(path: Path) -> bytes:
    """An audio file of any kind that prompts may be.

    Raises:
        ConfigError: it cannot be read as audio.
    """
    return load_prompt(path)


def downloaded(audio: bytes) -> bytes:
    """What a Play verb fetched: MP3 or WAV.

    Raises:
        ConfigError: it is neither.
    """
    mulaw = convert(audio, "mp3_44100_128")  # a name only: the converter looks at the bytes
    if not mulaw:
        raise ConfigError("no audio in it, expected MP3 or WAV")
    return mulaw


def convert(audio: bytes, audio_format: str) -> bytes:
    converter = Converter(audio_format)
    return converter.feed(audio) + converter.finish()
