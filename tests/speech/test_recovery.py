import asyncio

from structlog.testing import capture_logs

from app import clock
from app.capacity.breaker import State
from app.errors import Failure, ProviderError
from app.speech.background import Background
from app.speech.budgets import USUAL
from app.speech.recovery import recover
from app.speech.voice import Voice
from tests.standins.voice import ToneVoice
from tests.virtual_time import in_virtual_time


class Looked(ToneVoice):
    """A vendor that is well again at the n-th look; hangs at the others where it is told to."""

    def __init__(self, well_at: int, *, hangs: bool = False) -> None:
        super().__init__()
        self.looks = 0
        self._well_at = well_at
        self._hangs = hangs

    async def ping(self) -> None:
        self.looks += 1
        if self.looks < self._well_at:
            await asyncio.sleep(1e6 if self._hangs else 0)
            raise ProviderError(self.name, Failure.NETWORK)


def opened(speech: Looked, *, for_good: bool = False, pauses: int = 0) -> Voice:
    voice = Voice(speech, None, USUAL, opened=lambda _voice: None, background=Background)
    for _ in range(3):
        voice.breaker.failed(clock.now(), for_good=for_good)
    for _ in range(pauses):  # a long pause by probes that failed
        voice.breaker.recovered(clock.now())
        voice.breaker.failed(clock.now())
    return voice


@in_virtual_time
async def test_it_looks_until_the_vendor_is_well() -> None:
    speech = Looked(well_at=3)
    voice = opened(speech, pauses=3)
    began = clock.now()
    with capture_logs() as events:
        await recover(voice)

    assert speech.looks == 3
    assert clock.now() - began == 15
    assert voice.breaker.state(clock.now()) is State.HALF_OPEN
    assert [event["event"] for event in events] == ["provider.recovered"]


@in_virtual_time
async def test_a_look_that_hangs_is_given_up() -> None:
    speech = Looked(well_at=2, hangs=True)
    await recover(opened(speech, pauses=3))

    assert speech.looks == 2


@in_virtual_time
async def test_time_alone_ends_it_too() -> None:
    speech = Looked(well_at=1000)
    voice = opened(speech)
    await recover(voice)

    assert voice.breaker.state(clock.now()) is State.HALF_OPEN


@in_virtual_time
async def test_after_a_refusal_nobody_looks_for_a_look_proves_nothing() -> None:
    speech = Looked(well_at=1)
    began = clock.now()
    await recover(opened(speech, for_good=True))

    assert speech.looks == 0
    assert clock.now() - began >= 60
