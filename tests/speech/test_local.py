import pytest

from app.errors import ProviderError
from app.speech.espeak import Voice
from app.speech.local import LocalSpeech


async def said(speech: LocalSpeech, text: str) -> bytes:
    async with speech.speak(text) as chunks:
        return b"".join([chunk async for chunk in chunks if isinstance(chunk, bytes)])


async def test_it_speaks_with_the_voice_it_was_given() -> None:
    async with LocalSpeech(voice=Voice(rate=90), processes=1) as slow:
        slowly = await said(slow, "The same words.")
    async with LocalSpeech(voice=Voice(rate=300), processes=1) as fast:
        quickly = await said(fast, "The same words.")

    assert len(slowly) > 1.5 * len(quickly)


async def test_text_without_a_sound_is_a_failure() -> None:
    async with LocalSpeech(processes=1) as speech:
        with pytest.raises(ProviderError, match="no audio"):
            await said(speech, "...")


async def test_ping_shows_a_voice_that_cannot_speak() -> None:
    async with LocalSpeech(voice=Voice("nobody's"), processes=1) as speech:
        with pytest.raises(ProviderError, match="no voice"):
            await speech.ping()


def test_its_format_is_what_espeak_makes() -> None:
    assert (LocalSpeech.name, LocalSpeech.audio_format) == ("local", "pcm_22050")
