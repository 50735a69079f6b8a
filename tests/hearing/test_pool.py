import asyncio
import os
import signal
from contextlib import AsyncExitStack

import pytest

from app.errors import AtCapacity, ProviderError
from app.hearing import recogniser_process, worker
from app.hearing.pool import TALKERS_PER_CORE, Pool, Size, spared
from app.hearing.session import Session
from app.hearing.worker import SESSION_KB
from tests.hearing.callers import HOTLINE, answer, ask, spoken

SAYINGS = ("tour dates", "leave a message", "new album", "talk to a person")


@pytest.fixture(scope="module")
def said() -> dict[str, bytes]:
    return spoken((*SAYINGS, "goodbye"))


def pool_of(workers: int, slots: int, **options: float) -> Pool:
    return Pool(phrases=HOTLINE, size=Size(workers, slots), **options)  # type: ignore[arg-type]


def pids(pool: Pool) -> list[int]:
    return [one["pid"] for one in pool.status()["workers"]]  # type: ignore[attr-defined]


async def until(pool: Pool, **wanted: object) -> None:
    for _ in range(1000):
        status = pool.status()
        if all(status[key] == value for key, value in wanted.items()):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not {wanted}, but {pool.status()}")


async def until_gone(pool: Pool, processes: list[int]) -> None:
    for _ in range(1000):
        if set(processes).isdisjoint(pids(pool)):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{processes} are still among {pids(pool)}")


async def all_at_once(sessions: dict[str, Session], said: dict[str, bytes]) -> dict[str, tuple[str, float]]:
    """Every session says its text, 80 ms by 80 ms in turn; what each was understood to say."""
    numbers = {text: session.begin_utterance() for text, session in sessions.items()}
    for at in range(0, max(map(len, said.values())), 640):
        for text, session in sessions.items():
            session.hear(said[text][at : at + 640])
        await asyncio.sleep(0)
    for session in sessions.values():
        session.end_utterance()
    answers = {text: await answer(session, numbers[text]) for text, session in sessions.items()}
    return {text: (given.text, given.confidence) for text, given in answers.items()}


async def test_nothing_of_one_caller_reaches_the_next(said: dict[str, bytes]) -> None:
    rounds = []
    async with pool_of(2, 2) as pool:
        for turn in range(4):
            order = [*SAYINGS[turn:], *SAYINGS[:turn]]  # each place is taken by another voice every time
            async with AsyncExitStack() as calls:
                sessions = {text: await calls.enter_async_context(pool.session()) for text in order}
                assert pool.status()["free"] == 0
                rounds.append(await all_at_once(sessions, said))
                # And an utterance that nobody ends, for the next to stumble over.
                sessions[order[0]].begin_utterance()
                sessions[order[0]].hear(said["goodbye"])
            assert pool.status()["free"] == 4

    assert [{text: words for text, (words, _) in heard.items()} for heard in rounds] == [
        {text: text for text in SAYINGS}
    ] * 4
    assert all(heard == rounds[0] for heard in rounds)  # the confidences too, to the last digit


async def test_callers_get_their_places_in_the_order_they_came() -> None:
    placed: list[str] = []
    told: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    leave = {name: asyncio.Event() for name in told}

    async def call(name: str) -> None:
        async with pool.session(on_position=told[name].append):
            placed.append(name)
            await leave[name].wait()

    async with pool_of(1, 1) as pool, asyncio.TaskGroup() as group:
        async with pool.session():
            for name in told:
                group.create_task(call(name))
                await asyncio.sleep(0)
            assert pool.status()["waiting"] == 3
        for name in told:
            await asyncio.sleep(0.01)
            assert placed[-1] == name
            leave[name].set()

    assert told == {"a": [1, 0], "b": [2, 1, 0], "c": [3, 2, 1, 0]}


async def test_nobody_slips_in_before_those_who_wait() -> None:
    placed, over = asyncio.Event(), asyncio.Event()

    async def in_line() -> None:
        async with pool.session():
            placed.set()
            await over.wait()

    async with pool_of(1, 1, wait_s=0.2) as pool, asyncio.TaskGroup() as group:
        async with pool.session():
            group.create_task(in_line())
            await asyncio.sleep(0)
        with pytest.raises(AtCapacity):  # in the same instant, before the one in line has run
            async with pool.session():
                pass
        assert placed.is_set()
        over.set()


async def test_waiting_is_bounded_and_leaves_no_trace() -> None:
    async with pool_of(1, 1, wait_s=0.05) as pool, pool.session():
        with pytest.raises(AtCapacity, match=r"within 0\.05 s"):
            async with pool.session():
                pass

        assert (pool.status()["waiting"], pool.status()["allocated"]) == (0, 1)


async def test_a_caller_who_hangs_up_in_line_lets_the_others_move_up() -> None:
    positions: list[int] = []

    async def call() -> None:
        async with pool.session(on_position=positions.append):
            pass

    async with pool_of(1, 1) as pool, asyncio.TaskGroup() as group, pool.session():
        impatient = group.create_task(call())
        await asyncio.sleep(0)
        group.create_task(call())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.sleep(0.01)
        assert positions == [1, 2, 1]


async def test_a_place_comes_back_when_a_call_fails() -> None:
    async with pool_of(1, 1) as pool:
        with pytest.raises(RuntimeError, match="the call broke"):
            async with pool.session():
                raise RuntimeError("the call broke")

        assert pool.status()["free"] == 1


async def test_a_dead_worker_is_replaced_in_the_middle_of_a_word(said: dict[str, bytes]) -> None:
    async with pool_of(1, 2) as pool, pool.session() as one, pool.session() as neighbour:
        numbers = [session.begin_utterance() for session in (one, neighbour)]
        one.hear(said["tour dates"])
        neighbour.hear(said["goodbye"][:8000])
        os.kill(pids(pool)[0], signal.SIGKILL)
        await asyncio.sleep(0.05)
        neighbour.hear(said["goodbye"][8000:])
        one.end_utterance()
        neighbour.end_utterance()

        answers = [(await answer(one, numbers[0])).text, (await answer(neighbour, numbers[1])).text]
        status = pool.status()

    assert answers == ["tour dates", "goodbye"]
    assert (status["recycled"], status["health"], status["allocated"]) == (1, "ok", 2)


async def test_a_stuck_worker_costs_one_answer_and_is_replaced(said: dict[str, bytes]) -> None:
    async with pool_of(1, 2) as pool, pool.session() as one, pool.session() as neighbour:
        open_utterance = neighbour.begin_utterance()
        neighbour.hear(said["goodbye"])
        stuck = pids(pool)[0]
        os.kill(stuck, signal.SIGSTOP)

        lost = await ask(one, said["tour dates"])
        await until(pool, recycled=1, health="ok")
        again = await ask(one, said["tour dates"])
        neighbour.end_utterance()

        assert (lost.text, again.text) == ("", "tour dates")
        assert (await answer(neighbour, open_utterance)).text == "goodbye"
        assert stuck not in pids(pool)


async def test_an_old_worker_retires_between_two_answers(said: dict[str, bytes]) -> None:
    async with pool_of(1, 2, most_utterances=2) as pool, pool.session() as one, pool.session() as neighbour:
        before = pids(pool)
        open_utterance = neighbour.begin_utterance()
        neighbour.hear(said["goodbye"])

        answers = [
            (await ask(one, said[text])).text for text in ("tour dates", "new album", "leave a message")
        ]
        neighbour.end_utterance()
        answers.append((await answer(neighbour, open_utterance)).text)
        await until_gone(pool, before)
        answers.append((await ask(one, said["new album"])).text)

        assert answers == ["tour dates", "new album", "leave a message", "goodbye", "new album"]


async def test_a_leaking_worker_is_succeeded_while_its_neighbour_speaks(
    said: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recogniser_process, "MODULE", "tests.hearing.leaking_worker")
    async with pool_of(1, 2) as pool, pool.session() as one, pool.session() as neighbour:
        leaking = pids(pool)
        open_utterance = neighbour.begin_utterance()
        neighbour.hear(said["goodbye"][:8000])
        monkeypatch.setattr(recogniser_process, "MODULE", "app.hearing.recogniser_worker")
        heard = [(await ask(one, said["tour dates"])).text]
        neighbour.hear(said["goodbye"][8000:])
        neighbour.end_utterance()
        heard.append((await answer(neighbour, open_utterance)).text)
        await until(pool, recycled=1, health="ok")
        await until_gone(pool, leaking)
        heard.append((await ask(one, said["new album"])).text)

        assert heard == ["tour dates", "goodbye", "new album"]


async def test_an_idle_worker_that_leaks_is_found_by_its_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser_process, "MODULE", "tests.hearing.leaking_worker")
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.1)
    async with pool_of(1, 1) as pool:
        await until(pool, recycled=1)


async def test_calls_of_a_dead_worker_go_on_in_another_that_has_room(
    said: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool_of(2, 2) as pool, pool.session() as one, pool.session() as neighbour:
        homes = [worker_["allocated"] for worker_ in pool.status()["workers"]]  # type: ignore[attr-defined]
        monkeypatch.setattr(recogniser_process, "MODULE", "app.hearing.nowhere")  # no successor comes
        numbers = [session.begin_utterance() for session in (one, neighbour)]
        one.hear(said["tour dates"][:8000])
        neighbour.hear(said["goodbye"])
        os.kill(pids(pool)[0], signal.SIGKILL)
        await until(pool, health="degraded")
        one.hear(said["tour dates"][8000:])
        one.end_utterance()
        neighbour.end_utterance()
        heard = [
            (await answer(one, numbers[0])).text,
            (await answer(neighbour, numbers[1])).text,
            (await ask(one, said["new album"])).text,
        ]
        status = pool.status()

    assert homes == [1, 1]
    assert heard == ["tour dates", "goodbye", "new album"]
    assert [one["allocated"] for one in status["workers"]] == [0, 2]  # type: ignore[attr-defined]
    assert pool.status()["allocated"] == 0


async def test_one_dead_worker_of_two_is_a_degraded_pool_that_still_serves(said: dict[str, bytes]) -> None:
    async with pool_of(2, 1) as pool:
        os.kill(pids(pool)[0], signal.SIGKILL)
        await until(pool, health="degraded")

        async with pool.session() as one:
            assert pool.status()["health"] == "degraded"
            assert (await ask(one, said["goodbye"])).text == "goodbye"


async def test_a_pool_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser_process, "MODULE", "app.hearing.nowhere")

    with pytest.raises(ProviderError, match="does not start"):
        async with pool_of(1, 1):
            pass


async def test_calls_are_refused_while_no_process_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RESTART_PAUSE_S", 0.01)
    async with pool_of(1, 1) as pool:
        monkeypatch.setattr(recogniser_process, "MODULE", "app.hearing.nowhere")
        os.kill(pids(pool)[0], signal.SIGKILL)

        with pytest.raises(ProviderError, match="no recogniser process starts"):
            async with asyncio.timeout(10):
                while True:
                    async with pool.session():
                        await asyncio.sleep(0.05)


async def test_the_pool_tells_how_it_is() -> None:
    async with pool_of(1, 3) as pool, pool.session():
        status = pool.status()

        assert status["workers"] == [{"pid": pids(pool)[0], "alive": True, "allocated": 1}]
    del status["workers"]
    assert status == {
        "capacity": 3, "allocated": 1, "free": 2, "waiting": 0, "recycled": 0, "health": "ok",
    }  # fmt: skip


async def test_no_process_outlives_the_pool() -> None:
    async with pool_of(2, 1) as pool:
        living = pids(pool)

    for pid in living:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    ("sessions", "cores", "size"),
    [
        (1, 1, Size(1, 1)),
        (20, 8, Size(1, 20)),
        (21, 8, Size(2, 11)),
        (100, 2, Size(1, 100)),
        (50, 4, Size(3, 17)),
    ],
)
def test_sessions_are_spread_over_as_few_processes_as_bear_them(
    sessions: int, cores: int, size: Size
) -> None:
    assert Size.of(sessions, cores=cores) == size


def test_a_machine_is_filled_by_cores_or_by_memory() -> None:
    rich = Size.of_machine(cores=4, free_kb=10**9)
    poor = Size.of_machine(cores=4, free_kb=2 * 25 * SESSION_KB)
    broke = Size.of_machine(cores=1, free_kb=0)

    assert (rich.workers, rich.slots) == (3, TALKERS_PER_CORE)
    assert poor.workers * poor.slots in (25, 26)
    assert (broke.workers, broke.slots) == (1, 1)


def test_dictation_has_fewer_places() -> None:
    assert Size.of_machine(cores=3, free_kb=10**9, full=True) == Size(2, 4)


def test_the_bridge_keeps_a_core_where_there_are_two() -> None:
    assert [spared(cores) for cores in (1, 2, 8)] == [1, 1, 7]
