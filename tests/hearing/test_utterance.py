from app.hearing.utterance import CHUNK, MOST_IN_FLIGHT, MOST_KEPT, MOST_UNSENT, Utterance


def numbered(size: int, start: int = 0) -> bytes:
    return bytes((start + index) % 251 for index in range(size))


def drained(utterance: Utterance) -> bytes:
    sent = b""
    while mulaw := utterance.take():
        sent += mulaw
        utterance.worked_on(len(mulaw))
    return sent


def test_audio_leaves_in_whole_chunks_while_the_caller_speaks() -> None:
    utterance = Utterance(1)

    utterance.add(numbered(CHUNK - 1))
    early = utterance.take()
    utterance.add(numbered(CHUNK, CHUNK - 1))

    assert early == b""
    assert utterance.take() == numbered(CHUNK)


def test_the_rest_leaves_when_the_utterance_has_ended() -> None:
    utterance = Utterance(1)
    utterance.add(numbered(CHUNK + 7))

    utterance.ended_at = 1.0

    assert utterance.take() == numbered(CHUNK + 7)
    assert utterance.all_sent


def test_an_utterance_that_goes_on_is_never_all_sent() -> None:
    utterance = Utterance(1)
    utterance.add(numbered(CHUNK))
    utterance.take()

    assert not utterance.all_sent


def test_no_more_is_in_flight_than_a_recogniser_may_be_behind() -> None:
    utterance = Utterance(1)
    utterance.add(numbered(MOST_IN_FLIGHT + 3 * CHUNK))

    first = utterance.take()
    nothing = utterance.take()
    utterance.worked_on(2 * CHUNK)

    assert (len(first), nothing) == (MOST_IN_FLIGHT, b"")
    assert utterance.take() == numbered(2 * CHUNK, MOST_IN_FLIGHT)


def test_the_oldest_unsent_audio_is_dropped_and_counted() -> None:
    utterance = Utterance(1)
    utterance.add(numbered(CHUNK))
    utterance.take()

    utterance.add(numbered(MOST_UNSENT + 100, CHUNK))

    assert utterance.dropped == 100
    assert utterance.take() == numbered(MOST_IN_FLIGHT - CHUNK, CHUNK + 100)


def test_everything_is_sent_again_to_the_next_recogniser() -> None:
    utterance = Utterance(1)
    utterance.add(numbered(5 * CHUNK + 3))
    utterance.begin_sent = utterance.end_sent = True
    utterance.ended_at = 1.0
    before = drained(utterance)

    utterance.rewind()

    assert (utterance.begin_sent, utterance.end_sent, utterance.replays) == (False, False, 1)
    assert drained(utterance) == before == numbered(5 * CHUNK + 3)


def test_what_is_kept_for_the_next_recogniser_is_bounded() -> None:
    utterance = Utterance(1)
    for at in range(0, MOST_KEPT + 10 * CHUNK, CHUNK):
        utterance.add(numbered(CHUNK, at))
        drained(utterance)

    utterance.rewind()

    assert utterance.dropped == 0  # it was all heard once
    assert drained(utterance) == numbered(MOST_KEPT, 10 * CHUNK)
    assert utterance.audio_ms == 20_000


def test_more_worked_on_than_was_sent_is_no_credit() -> None:
    utterance = Utterance(1)
    utterance.worked_on(10 * CHUNK)
    utterance.add(numbered(MOST_IN_FLIGHT + CHUNK))

    assert len(utterance.take()) == MOST_IN_FLIGHT
