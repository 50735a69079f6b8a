"""What the ears in the cloud owe a call, whichever vendor lends them, also when the vendor fails."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from app.errors import ProviderError
from app.hearing.cloud import Patience
from app.hearing.deepgram import DeepgramHearing
from app.hearing.dictation import Waits
from app.hearing.elevenlabs import ElevenLabsHearing
from app.hearing.port import Hearing, Listener, Transcript
from tests.standins import deepgram, elevenlabs_stt
from tests.standins.cloud_ears import CloudEarsStandin, Script
from tests.standins.deepgram import DeepgramStandin
from tests.standins.dictated import dictated
from tests.standins.elevenlabs_stt import ScribeStandin

SENTENCE = "what are the tour dates in the city of berlin please"
QUICK = Patience(Waits(final_s=0.5, latest_s=1.5), connect_s=5.0, backoff_s=(0.0, 0.02, 0.02))


@dataclass(frozen=True)
class Vendor:
    """A stand-in, and the provider that speaks to it."""

    standin: Callable[..., CloudEarsStandin]
    hearing: Callable[..., Hearing]
    key: str
    busy: str  # an error it may recover from
    broke: Script  # how it says that nothing is paid for

    def hear(self, house: CloudEarsStandin, key: str = "") -> Hearing:
        return self.hearing(api_key=key or self.key, base_url=house.url, patience=QUICK)


VENDORS = {
    "elevenlabs": Vendor(
        ScribeStandin,
        ElevenLabsHearing,
        elevenlabs_stt.KEY,
        "transcriber_error",
        Script(error="quota_exceeded", fault_after=2000),
    ),
    "deepgram": Vendor(
        DeepgramStandin,
        DeepgramHearing,
        deepgram.KEY,
        "NET-0000",
        Script(close=(1008, "ASR_PAYMENT_REQUIRED"), fault_after=2000),
    ),
}


@pytest.fixture(params=list(VENDORS.values()), ids=list(VENDORS))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    chosen: Vendor = request.param
    return chosen


@asynccontextmanager
async def listening(
    vendor: Vendor, *scripts: Script, words: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Listener, CloudEarsStandin]]:
    async with (
        vendor.standin(*scripts, words=words, quiet_s=10.0) as house,
        vendor.hear(house) as hearing,
        hearing.listen(["tour dates"]) as listener,
    ):
        yield listener, house


async def heard(listener: Listener) -> list[Transcript]:
    """All transcripts up to the next final one."""
    found: list[Transcript] = []
    async with asyncio.timeout(5):
        async for transcript in listener.transcripts():
            found.append(transcript)
            if transcript.final:
                break
    return found


async def speak(listener: Listener, text: str, *, frame_s: float = 0.0) -> int:
    """An utterance as the telephone brings it: frame by frame."""
    number = listener.begin_utterance()
    audio = dictated(text)
    for start in range(0, len(audio), 160):
        listener.hear(audio[start : start + 160])
        await asyncio.sleep(frame_s)
    listener.end_utterance()
    return number


async def said(listener: Listener, text: str, *, frame_s: float = 0.0) -> Transcript:
    await speak(listener, text, frame_s=frame_s)
    return (await heard(listener))[-1]


async def test_an_utterance_has_interim_transcripts_and_one_final_one(vendor: Vendor) -> None:
    async with listening(vendor) as (listener, _):
        number = await speak(listener, SENTENCE, frame_s=0.001)
        found = await heard(listener)

    assert [transcript.final for transcript in found] == [False] * (len(found) - 1) + [True]
    assert len(found) > 1
    assert found[-1].text == SENTENCE
    assert {transcript.utterance for transcript in found} == {number} == {1}
    assert 0 < found[-1].confidence <= 1


async def test_utterances_are_numbered_and_each_has_its_own_words(vendor: Vendor) -> None:
    async with listening(vendor) as (listener, house):
        found = [await said(listener, text) for text in ("one", "two three", "two three", "four")]

    assert [(final.utterance, final.text) for final in found] == [
        (1, "one"),
        (2, "two three"),
        (3, "two three"),
        (4, "four"),
    ]
    assert len(house.seen) == 1


async def test_utterances_that_follow_at_once_are_not_mixed(vendor: Vendor) -> None:
    async with listening(vendor, Script(final_ms=50)) as (listener, _):
        for text in ("one", "two", "three"):
            await speak(listener, text)
        found = [(await heard(listener))[-1] for _ in range(3)]

    assert [final.text for final in found] == ["one", "two", "three"]


async def test_a_voice_is_heard_as_the_stand_ins_script_says(vendor: Vendor) -> None:
    words = ("hello there", "good bye")
    async with listening(vendor, Script(words=words)) as (listener, _):
        found = []
        for _ in words:
            listener.begin_utterance()
            listener.hear(bytes(range(256)) * 40)
            listener.end_utterance()
            found.append((await heard(listener))[-1].text)

    assert found == list(words)


async def test_of_a_cancelled_utterance_nothing_is_heard_and_nothing_is_left(vendor: Vendor) -> None:
    async with listening(vendor) as (listener, _):
        listener.begin_utterance()
        listener.hear(dictated("noise of a truck passing by"))
        await asyncio.sleep(0.1)
        listener.cancel_utterance()
        found = await asyncio.gather(speak(listener, "yes"), heard(listener))

    finals = [transcript for transcript in found[1] if transcript.utterance == 2]
    assert [(final.text, final.final) for final in finals if final.final] == [("yes", True)]
    assert not any(transcript.final for transcript in found[1] if transcript.utterance == 1)


async def test_silence_is_an_empty_final(vendor: Vendor) -> None:
    async with listening(vendor) as (listener, _):
        listener.begin_utterance()
        listener.hear(b"\xff" * 4000)
        listener.end_utterance()
        nothing = (await heard(listener))[-1]
        listener.begin_utterance()
        listener.end_utterance()
        less = (await heard(listener))[-1]

    assert (nothing.text, nothing.utterance) == ("", 1)
    assert (less.text, less.utterance) == ("", 2)


async def test_the_shortest_word_is_heard(vendor: Vendor) -> None:
    async with listening(vendor) as (listener, house):
        assert (await said(listener, "a")).text == "a"
        assert (await said(listener, "b")).text == "b"

    assert len(house.seen) == 1


@pytest.mark.parametrize(
    "script",
    [
        Script(late_partial=True),
        Script(double_final=True),
        Script(twins="plain"),
        Script(twins="timed"),
        Script(late_partial=True, double_final=True, twins="timed"),
        Script(frame='{"type":"Weather","message_type":"weather"}'),
        Script(segment_bytes=9000),
    ],
    ids=["late-partial", "double", "twins", "swapped-twins", "all", "unknown-message", "own-segments"],
)
async def test_what_comes_late_double_or_unasked_changes_no_words(vendor: Vendor, script: Script) -> None:
    async with listening(vendor, script) as (listener, house):
        found = [(await said(listener, text)).text for text in (SENTENCE, "yes", "yes", "no")]

    assert found == [SENTENCE, "yes", "yes", "no"]
    assert len(house.seen) == 1


@pytest.mark.parametrize("after", [800, 4000, 12_000, 16_000])
async def test_a_connection_cut_in_mid_utterance_costs_no_word(vendor: Vendor, after: int) -> None:
    async with listening(vendor, Script(cut=True, fault_after=after)) as (listener, house):
        final = await said(listener, SENTENCE, frame_s=0.001)

    assert (final.text, final.utterance) == (SENTENCE, 1)
    assert len(house.seen) == 2


async def test_what_the_vendor_had_confirmed_is_not_told_again(vendor: Vendor) -> None:
    cut = Script(cut=True, fault_after=14_000, segment_bytes=5_000)
    async with listening(vendor, cut) as (listener, house):
        final = await said(listener, SENTENCE, frame_s=0.001)

    # Whole words, but of a vendor that does not say which audio it confirmed a second is heard twice.
    assert [word for word in SENTENCE.split() if word not in final.text.split()] == []
    assert len(house.seen[1].audio) < len(dictated(SENTENCE))


async def test_a_cut_while_the_last_word_is_awaited_costs_nothing(vendor: Vendor) -> None:
    async with listening(vendor, Script(mute=True)) as (listener, house):
        await speak(listener, "tour dates")
        await asyncio.sleep(0.1)
        house.hang_up()

        assert (await heard(listener))[-1].text == "tour dates"


async def test_several_losses_in_one_utterance_are_survived(vendor: Vendor) -> None:
    scripts = [
        Script(cut=True, fault_after=3000),
        Script(refuse=(503, b"")),
        Script(error=vendor.busy, fault_after=9000),
    ]
    async with listening(vendor, *scripts) as (listener, house):
        final = await said(listener, SENTENCE, frame_s=0.001)

    assert final.text == SENTENCE
    assert len(house.seen) == 4


async def test_a_vendor_that_says_nothing_gives_an_empty_final_in_time(vendor: Vendor) -> None:
    async with listening(vendor, Script(mute=True)) as (listener, _):
        began = asyncio.get_running_loop().time()
        final = await said(listener, "hello")

    assert (final.text, final.final) == ("", True)
    assert asyncio.get_running_loop().time() - began >= QUICK.waits.final_s


@pytest.mark.parametrize("failing", [Script(cut=True, fault_after=800), Script(refuse=(503, b""))])
async def test_a_vendor_that_cannot_be_kept_is_given_up(vendor: Vendor, failing: Script) -> None:
    first = Script(cut=True, fault_after=800)
    async with listening(vendor, first, *[failing] * 3) as (listener, house):
        await speak(listener, SENTENCE)
        (final,) = await heard(listener)
        with pytest.raises(ProviderError) as failure:
            await heard(listener)

    assert (final.text, final.final, final.utterance) == ("", True, 1)
    assert failure.value.retryable
    assert failure.value.provider == next(name for name, known in VENDORS.items() if known is vendor)
    assert len(house.seen) == 4


async def test_a_vendor_that_wants_money_is_not_asked_again(vendor: Vendor) -> None:
    async with listening(vendor, vendor.broke) as (listener, house):
        await speak(listener, SENTENCE)
        (final,) = await heard(listener)
        with pytest.raises(ProviderError) as failure:
            await heard(listener)

    assert (final.text, failure.value.kind) == ("", "quota")
    assert len(house.seen) == 1


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(refuse=(401, b"")), "auth"),
        (Script(refuse=(402, b"")), "quota"),
        (Script(refuse=(429, b"")), "over_limit"),
        (Script(refuse=(500, b"oops")), "busy"),
        (Script(hang=True), "timeout"),
    ],
)
async def test_a_session_that_cannot_be_opened_is_an_error_by_its_cause(
    vendor: Vendor, script: Script, kind: str
) -> None:
    async with vendor.standin(script, quiet_s=10.0) as house, vendor.hear(house) as hearing:
        with pytest.raises(ProviderError) as failure:
            async with hearing.listen():
                pass

    assert failure.value.kind == kind


async def test_the_transcripts_end_when_the_session_is_left(vendor: Vendor) -> None:
    async with vendor.standin(quiet_s=10.0) as house, vendor.hear(house) as hearing:
        async with hearing.listen() as listener:
            reading = asyncio.create_task(heard(listener))
            await asyncio.sleep(0)

        assert await reading == []
        async with asyncio.timeout(2):
            await house.seen[0].gone.wait()


async def test_calls_at_once_are_each_heard_by_themselves(vendor: Vendor) -> None:
    texts = ["one little", "two blackbirds", "three sitting", "four on", "five a", "six hill"]
    async with vendor.standin(quiet_s=10.0) as house, vendor.hear(house) as hearing:

        async def call(text: str) -> str:
            async with hearing.listen() as listener:
                return (await said(listener, text, frame_s=0.002)).text

        assert await asyncio.gather(*(call(text) for text in texts)) == texts


async def test_ping_passes_where_the_vendor_would_hear_and_tells_why_it_would_not(vendor: Vendor) -> None:
    async with vendor.standin(quiet_s=10.0) as house:
        await vendor.hear(house).ping()
        with pytest.raises(ProviderError) as failure:
            await vendor.hear(house, key="wrong").ping()

    assert failure.value.kind == "auth"
    assert not any(seen.audio for seen in house.seen)
