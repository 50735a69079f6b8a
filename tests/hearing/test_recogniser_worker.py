import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from app.hearing.recogniser_wire import COUNT, Kind, Packet, pack
from app.hearing.recogniser_worker import MOST_LEXICONS, Worker, read, resident_kb
from tests.hearing.callers import HOTLINE, spoken


@pytest.fixture(scope="module")
def said() -> dict[str, bytes]:
    return spoken(["tour dates", "goodbye"])


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(phrases=HOTLINE, full=False)
    yield worker
    worker.close()


def obeyed(worker: Worker, *orders: Packet) -> list[Packet]:
    return [answer for order in orders for answer in worker.obey(order)]


def utterance(session: int, number: int, mulaw: bytes) -> list[Packet]:
    chunks = [mulaw[at : at + 640] for at in range(0, len(mulaw), 640)]
    return [
        Packet(Kind.BEGIN, session, number),
        *[Packet(Kind.AUDIO, session, number, chunk) for chunk in chunks],
        Packet(Kind.END, session, number),
    ]


def texts(answers: list[Packet]) -> dict[tuple[int, int], str]:
    finals = [answer for answer in answers if answer.kind == Kind.FINAL]
    return {(final.session, final.utterance): json.loads(final.payload)["text"] for final in finals}


def test_an_utterance_is_answered_once_and_all_its_audio_accounted(
    worker: Worker, said: dict[str, bytes]
) -> None:
    mulaw = said["tour dates"]

    answers = obeyed(worker, Packet(Kind.OPEN, 1, 0, b"[]"), *utterance(1, 1, mulaw))

    assert texts(answers) == {(1, 1): "tour dates"}
    worked = [COUNT.unpack(answer.payload)[0] for answer in answers if answer.kind == Kind.WORKED]
    assert sum(worked) == len(mulaw)
    assert Kind.INTERIM in {answer.kind for answer in answers}


def test_two_callers_who_speak_at_once_are_kept_apart(worker: Worker, said: dict[str, bytes]) -> None:
    one, other = utterance(1, 5, said["tour dates"]), utterance(2, 8, said["goodbye"])
    mixed = [packet for pair in zip(one, other, strict=False) for packet in pair]
    rest = [*one[len(other) :], *other[len(one) :]]

    opening = [Packet(Kind.OPEN, 1, 0, b"[]"), Packet(Kind.OPEN, 2, 0, b"[]")]
    assert texts(obeyed(worker, *opening, *mixed, *rest)) == {(1, 5): "tour dates", (2, 8): "goodbye"}


def test_a_session_may_bring_its_own_phrases(worker: Worker, said: dict[str, bytes]) -> None:
    phrases = json.dumps(["goodbye", "tickets"]).encode()

    answers = obeyed(
        worker,
        Packet(Kind.OPEN, 1, 0, phrases),
        *utterance(1, 1, said["goodbye"]),
        *utterance(1, 2, said["tour dates"]),
    )

    assert texts(answers) == {(1, 1): "goodbye", (1, 2): ""}


def test_a_cancelled_utterance_has_no_answer(worker: Worker, said: dict[str, bytes]) -> None:
    begun = utterance(1, 1, said["goodbye"])[:-1]

    answers = obeyed(worker, Packet(Kind.OPEN, 1, 0, b"[]"), *begun, Packet(Kind.CANCEL, 1, 1))

    assert texts(answers) == {}


def test_phrases_of_many_hotlines_do_not_pile_up(worker: Worker, said: dict[str, bytes]) -> None:
    for session in range(MOST_LEXICONS + 2):
        obeyed(worker, Packet(Kind.OPEN, session, 0, json.dumps([f"phrase {session}", "goodbye"]).encode()))

    assert texts(obeyed(worker, *utterance(0, 1, said["goodbye"]))) == {(0, 1): "goodbye"}


def test_a_warm_worker_tells_its_memory(worker: Worker) -> None:
    kind, _, _, payload = worker.warm_up()

    assert kind == Kind.READY
    assert 0.5 < json.loads(payload)["resident_kb"] / resident_kb() < 2


def test_the_process_answers_a_ping_and_goes_with_its_stdin() -> None:
    setup = Packet(Kind.SETUP, payload=b'{"phrases": ["tour"], "full": false}')
    process = subprocess.run(
        [sys.executable, "-m", "app.hearing.recogniser_worker"],
        input=pack(setup) + pack(Packet(Kind.PING)),
        capture_output=True,
        cwd=Path(app.__file__).parent.parent,
        timeout=60,
        check=True,
    )

    pipe = io.BytesIO(process.stdout)
    assert [packet.kind for packet in read(pipe)] == [Kind.READY, Kind.PONG]
