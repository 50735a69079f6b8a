from app.audio import mulaw
from app.audio.converter import Converter
from app.speech.espeak import AUDIO_FORMAT, synthesize
from app.speech.trouble import TEXT, trouble


def test_it_is_a_short_audible_sentence_in_whole_frames() -> None:
    frames = trouble()

    assert len(frames) % 160 == 0
    assert 1_500 < len(frames) / 8 < 4_000
    assert -35 < mulaw.level_dbfs(frames) < -8


async def test_it_is_what_the_embedded_voice_says_for_its_text() -> None:
    converter = Converter(AUDIO_FORMAT)
    made = converter.feed(await synthesize(TEXT)) + converter.finish()

    assert abs(len(made) - len(trouble())) < 1_600
