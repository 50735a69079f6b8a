"""Who may cut the hotline short, over real sockets: words may, coughs and our own echo may not."""

import numpy as np
import pytest

from app.audio.converter import Converter
from app.conversation.history import Entry
from app.conversation.script_file import DEFAULT, load_script
from app.simulator import transcript, voice
from app.simulator.plan import Line, Turn
from app.simulator.report import CallReport
from app.speech.sentences import split_sentences
from tests.hearing.sounds import Sound, mulaw_frames, noise
from tests.journeys.answers import Answers
from tests.journeys.conftest import events, vendor_environ
from tests.journeys.talkers import heard_between, remembering, talk, turns_of
from tests.standins.elevenlabs import VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script
from tests.standins.spelled import SpelledBank, read

LONG = (
    "This is a rather long greeting of the hotline, which goes on and on without a single stop, "
    "so that there is time enough to interrupt it, or to cough, or to let it come back as an echo."
)
ANSWERS = Answers.of_the_script_that_ships()
ECHO = Line(echo_db=-20, echo_delay_ms=120)
SILENT = 0xFF
LITTLE = 200 * 8  # bytes: less than a word. The phone's clock and the hotline's may differ by a stall


async def test_a_caller_who_speaks_two_seconds_into_a_reply_silences_it_at_once() -> None:
    questions = ("what are the tour dates", "tell me about the music", "i would like to hear the news")
    turns = [Turn(await voice.spoken(text), interrupt_after_ms=2000) for text in questions]
    async with remembering(GREETING=LONG) as hotline:
        report = await talk(hotline.url, *turns, hears_ms=9500)
        log = [event["event"] for event in await events(hotline.url, call_sid=report.call_sid)]

    figures, taken = report.as_json(), turns_of(report)
    assert (figures["clears"], figures["underruns"], figures["faults"]) == (3, 0, [])
    # In frames that the caller had sent; a machine that stands still for a moment spoils one, not all.
    assert min(turn.clear_ms or 9999 for turn in taken) <= 300
    for turn in taken:
        assert turn.clear_ms is not None and turn.reply_at_ms is not None
        after = heard_between(report, turn.at_ms + turn.clear_ms, turn.reply_at_ms)
        assert set(after) == {SILENT}
    assert (log.count("turn.barged_in"), log.count("turn.replied")) == (3, 3)
    transcript.write_down(report)
    assert [ANSWERS.told_in(turn.heard or "") for turn in taken] == ["tour", "music", "news"]


async def test_no_frame_of_the_old_reply_is_heard_after_the_clear_and_no_word_of_it_remembered(
    vendor: ElevenLabsStandin,
) -> None:
    question = Turn(await voice.spoken("what are the tour dates"), interrupt_after_ms=2000)
    async with remembering(**vendor_environ(vendor, GREETING=LONG, HEARING_PROVIDERS="local")) as hotline:
        report = await talk(hotline.url, question, hears_ms=6000)
    greeting = await audio_of(vendor, [LONG])
    answer = await audio_of(vendor, load_script(DEFAULT).answer["tour"].say)

    (turn,) = turns_of(report)
    assert turn.clear_ms is not None and turn.reply_at_ms is not None
    before = heard_between(report, 0, turn.at_ms + turn.clear_ms).lstrip(b"\xff")
    after = heard_between(report, turn.at_ms + turn.clear_ms, 10**6).strip(b"\xff")
    assert before and before.rstrip(b"\xff") in greeting
    assert answer.lstrip(b"\xff").startswith(after)
    conversation = hotline.conversations[0]
    (interrupted,) = conversation.interruptions
    assert LONG.startswith(interrupted.heard)
    assert len(interrupted.heard) / len(LONG) == pytest.approx(len(before) / len(greeting), abs=0.1)
    assert conversation.said[0] == Entry(conversation.said[0].speaker, interrupted.heard, cut=True)


async def test_what_is_remembered_of_a_cut_reply_is_what_was_heard_before_the_vendors_long_pause() -> None:
    # A second of words, and then silence for longer than any stall: by its length a third would be said.
    said = "Our next concert is,"
    question = Turn(await voice.spoken("what are the tour dates"), interrupt_after_ms=2000)
    async with ElevenLabsStandin(delay_ms=(20, 40), bank=SpelledBank()) as vendor:
        vendor.scripts[VOICE] = Script(pause=(" if I remember", 15_000))
        environ = vendor_environ(
            vendor,
            GREETING=f"{said} if I remember it rightly, on the third of October in Hamburg.",
            HEARING_PROVIDERS="local",
            ELEVENLABS_OUTPUT_FORMAT="ulaw_8000",
        )
        async with remembering(**environ) as hotline:
            report = await talk(hotline.url, question, hears_ms=4000)

    (turn,) = turns_of(report)
    assert turn.clear_ms is not None
    (passage,) = read(heard_between(report, 0, turn.at_ms + turn.clear_ms))
    (interrupted,) = hotline.conversations[0].interruptions
    assert passage.text.strip() == interrupted.heard == said


async def test_a_voiced_cough_silences_the_reply_and_it_goes_on_where_it_was_cut(
    vendor: ElevenLabsStandin,
) -> None:
    report, whole = await coughed_at(vendor, await voice.spoken("ahem"))

    (turn,) = turns_of(report)
    assert turn.clear_ms is not None and turn.reply_at_ms is not None
    first = heard_between(report, 0, turn.at_ms + turn.clear_ms).strip(b"\xff")
    rest = heard_between(report, turn.reply_at_ms, 10**6).strip(b"\xff")
    assert whole.startswith(first) and rest in whole
    assert abs(whole.index(rest) - len(first)) < LITTLE
    assert len(rest) > len(first)


async def test_a_burst_of_noise_does_not_even_silence_it(vendor: ElevenLabsStandin) -> None:
    report, whole = await coughed_at(vendor, as_mulaw(breath()))

    assert report.as_json()["clears"] == 0
    assert report.heard.strip(b"\xff") in whole


async def test_our_own_voice_coming_back_at_20_db_less_does_not_interrupt_us() -> None:
    async with remembering(GREETING=LONG) as hotline:
        report = await talk(hotline.url, line=ECHO)
        log = [event["event"] for event in await events(hotline.url, call_sid=report.call_sid)]

    figures = report.as_json()
    assert (figures["clears"], figures["marks"], figures["underruns"]) == (0, 2, 0)
    assert "hearing.transcribed" not in log
    assert [entry.cut for entry in hotline.conversations[0].said] == [False, False]


async def test_a_caller_is_let_in_over_our_own_echo_and_understood() -> None:
    question = Turn(await voice.spoken("what are the tour dates"), interrupt_after_ms=2000)
    async with remembering(GREETING=LONG) as hotline:
        report = await talk(hotline.url, question, line=ECHO, hears_ms=5500)

    (turn,) = turns_of(report)
    assert turn.clear_ms is not None
    assert [entry.text for entry in hotline.conversations[0].said][1] == "The tour dates."


async def coughed_at(vendor: ElevenLabsStandin, cough: bytes) -> tuple[CallReport, bytes]:
    """A caller who coughs into the greeting and listens to the most of it; and all of the greeting."""
    async with remembering(**vendor_environ(vendor, GREETING=LONG, HEARING_PROVIDERS="local")) as hotline:
        report = await talk(hotline.url, Turn(cough, interrupt_after_ms=2000), hears_ms=8000)
    assert report.as_json()["faults"] == []
    return report, (await audio_of(vendor, [LONG])).strip(b"\xff")


async def audio_of(vendor: ElevenLabsStandin, texts: "list[str] | tuple[str, ...]") -> bytes:
    """The stand-in's audio of these texts as a phone gets it, sentence by sentence."""
    heard = b""
    for sentence in [sentence for text in texts for sentence in split_sentences(text)]:
        converter = Converter("mp3_44100_128")
        heard += converter.feed(await vendor.bank.audio(sentence, "mp3_44100_128")) + converter.finish()
    return heard


def as_mulaw(sound: Sound) -> bytes:
    return b"".join(mulaw_frames(sound))


def breath() -> Sound:
    """250 ms of noise that dies away, as loud as speech."""
    return noise(10, 0.25, -14) * np.exp(-np.arange(2_000) / 700)
