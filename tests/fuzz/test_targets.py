"""Every target on everything that is kept, and on some garbage made anew; long runs are `make fuzz`."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.log import attach
from tests.fuzz import corpus
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS

# Inputs made anew on every run of the suite; the slow targets play a whole call or session.
EXAMPLES = {"twilio_call": 12, "deepgram_ears": 30, "elevenlabs_ears": 30, "record": 30, "convert": 30}
USUAL = 60
MOST_KEPT, LARGEST_KEPT = 48, 16 * 1024
KEPT = [(target, name) for target in TARGETS for name in corpus.kept(target)]
# Seeds that must get all the way: a target that fails early finds nothing.
DEEP = {
    "twilio_call/every-key": "turn.replied",
    "elevenlabs_voice/mulaw": "speech.rendered",
    "elevenlabs_voice/mp3": "speech.rendered",
    "elevenlabs_contexts_voice/mulaw": "speech.rendered",
    "deepgram_voice/audio": "speech.rendered",
    "cartesia_voice/audio": "speech.rendered",
    "inworld_voice/audio": "speech.rendered",
    "deepgram_ears/results": "hearing.connected",
    "elevenlabs_ears/committed": "hearing.connected",
    "webhook/voice": "call.admitted",
    "record/script": "call.resuming",
    "record/transfer": "call.transferred",
}


@pytest.mark.parametrize(("target", "name"), KEPT)
def test_nothing_that_is_kept_breaks_a_rule(target: str, name: str) -> None:
    TARGETS[target](corpus.kept(target)[name])


@pytest.mark.parametrize("target", TARGETS)
def test_no_garbage_breaks_a_rule(target: str) -> None:
    seeds = list(corpus.kept(target).values())

    @settings(
        max_examples=EXAMPLES.get(target, USUAL),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def garbage(chance: Random) -> None:
        TARGETS[target](mutated(chance, seeds))

    garbage()


@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=15, deadline=None, database=None)
@given(given=st.binary(max_size=300))
def test_nor_does_noise(target: str, given: bytes) -> None:
    TARGETS[target](given)


@pytest.mark.parametrize("seed", DEEP)
def test_a_valid_input_reaches_what_is_to_be_tried(seed: str) -> None:
    target, _, name = seed.partition("/")
    seen: list[str] = []
    detach = attach(lambda event: seen.append(str(event["event"])))
    try:
        TARGETS[target](corpus.kept(target)[name])
    finally:
        detach()

    assert DEEP[seed] in seen


def test_the_corpus_is_of_these_targets_and_small() -> None:
    assert {folder.name for folder in corpus.FOLDER.iterdir()} == TARGETS.keys()
    for target in TARGETS:
        kept = corpus.kept(target)
        assert 2 <= len(kept) <= MOST_KEPT
        assert max(map(len, kept.values())) <= LARGEST_KEPT
