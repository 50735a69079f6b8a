"""Replicas that share a store: one limit, one line, and calls that outlive each of them."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from app import clock
from app.audio.frame import SILENCE
from app.calls.resume import JUST_NOW_S, decode
from app.capacity.store import Store
from app.simulator.caller import simulate_call
from app.simulator.exchange import Exchange
from app.simulator.plan import Account, AfterLoss, Turn
from deploy.fleet.replica import Replica
from tests.faults.coverage import squeezed
from tests.journeys.fleets import CUT_OFF, GREETING, NEWS, logged, running, was_not_cut
from tests.journeys.test_waiting import SIDS, caller, positions, until_waiting
from tests.standins.elevenlabs import VOICE, ElevenLabsStandin
from tests.standins.elevenlabs_script import Script
from tests.standins.redis import RedisServer, needs_redis, until
from tests.standins.spelled import SpelledBank, read

pytestmark = needs_redis
TOKEN = "12345"
AGAIN = "Well?"
# A dead replica's permits are kept for seconds; meanwhile another voice speaks, which cannot be compared.
PLENTY = {"ELEVENLABS_MAX_CONCURRENT": "20"}
LONGEST_RESTART_MS = 1500
LONGEST_DEATH_MS = 5000
SLOTS_BACK_S = 6.0
LINGERS_MS = 1000
THINKS_MS = 1000  # these callers, before they press a key: no silence of ours


@pytest.fixture
async def store() -> AsyncIterator[RedisServer]:
    async with RedisServer() as server:
        yield server


async def test_twenty_callers_on_two_replicas_share_three_generations_and_hear_every_word(
    store: RedisServer, tmp_path: Path
) -> None:
    keys = ["".join(pair) for pair in product("12", "0123456789")]
    vendor = ElevenLabsStandin(delay_ms=(20, 40), limit=3, queue_ms=150, bank=SpelledBank())
    vendor.scripts[VOICE] = Script(delay_ms=(300, 300))  # so that callers at once are generated for at once
    environ = {
        "SPEECH_PROVIDERS": "elevenlabs",
        "ELEVENLABS_MAX_CONCURRENT": "3",
        "TWILIO_AUTH_TOKEN": TOKEN,
        "REDIS_URL": store.url,
    }
    async with (
        running(tmp_path, replicas=2, vendor=vendor, hotline=answers_by(keys), environ=environ) as there,
        Exchange() as exchange,
    ):
        async with asyncio.TaskGroup() as group:
            calls = {}
            for each in keys:
                turns = [Turn(digits=digit, quiet_ms=1000) for digit in each]
                plan = there.plan(*turns, quiet_ms=4000, account=Account(auth_token=TOKEN))
                calls[each] = group.create_task(simulate_call(plan, exchange))
        replicas = there.fleet.replicas
        served = [len(logged(replica, "stream.started")) for replica in replicas]
        rendered = [event for replica in replicas for event in logged(replica, "speech.rendered")]

    assert vendor.slots.peak == 3
    # A fourth would have waited at the vendor, and most of them longer than it lets anybody wait.
    assert not [event for replica in replicas for event in logged(replica, "provider.failed")]
    for pressed, call in calls.items():
        assert was_not_cut(call.result())
        said = "".join(squeezed(passage.text) for passage in read(call.result().heard))
        assert said.count(squeezed(answer_to(pressed))) == 1, said
    assert min(served) >= 2  # the balancer goes by chance
    assert max(event.get("waited_ms") or 0 for event in rendered) > 0


def answer_to(keys: str) -> str:
    return f"You have pressed {', '.join(keys)}. Nobody else has done that."


def answers_by(keys: list[str]) -> str:
    """A hotline of two keys and an answer for each pair of them; it says nothing else."""
    firsts = sorted({pair[0] for pair in keys})
    menus = [("main", "Choose.", [(first, f"menu{first}") for first in firsts])]
    for first in firsts:
        choices = [(pair[1], f"answer{pair}") for pair in keys if pair[0] == first]
        menus.append((f"menu{first}", "Which one?", choices))
    toml = 'name = "A hotline"\n[greeting]\nsay = "Hello."\nthen = "main"\n'
    for name, say, choices in menus:
        toml += f'[menu.{name}]\nsay = "{say}"\nagain = ["{AGAIN}"]\n'
        for key, to in choices:
            toml += f'[[menu.{name}.choices]]\nto = "{to}"\nkey = "{key}"\nwords = ["{to}"]\nlabel = "{to}"\n'
    return toml + "".join(f'[answer.answer{pair}]\nsay = "{answer_to(pair)}"\n' for pair in keys)


async def test_the_callers_of_a_full_fleet_stand_in_one_line_and_are_let_in_wherever_there_is_room(
    store: RedisServer, tmp_path: Path
) -> None:
    environ = {"MAX_CALLS": "1", "REDIS_URL": store.url, "ADMIN_TOKEN": "", "HAND_OVER_SECONDS": "0"}
    async with (
        running(tmp_path, replicas=2, environ=environ) as there,
        Exchange() as exchange,
        asyncio.TaskGroup() as group,
    ):
        url, replicas = there.fleet.url, there.fleet.replicas
        callers = [group.create_task(simulate_call(caller(url, n, stays=True), exchange)) for n in (0, 1)]
        await until_logged(replicas, "stream.started", 2)
        lines = []
        for number in (2, 3, 4):
            plan = caller(url, number, stays=number < 4)
            callers.append(group.create_task(simulate_call(plan, exchange)))
            ports = [replica.backend.port for replica in replicas]
            lines = [await until_waiting(f"http://127.0.0.1:{port}", number - 1) for port in ports]
        for leaves, all_told in ((0, 3), (1, 5), (2, 6)):
            await until_logged(replicas, "line.position_told", all_told)
            callers[leaves].cancel()
            await until_logged(replicas, "call.admitted", 3 + leaves)
        report = await callers[4]
        for still_talks in callers:
            still_talks.cancel()

    for line in lines:  # as either replica tells it
        assert [(each["call_sid"], each["position"]) for each in line] == list(
            zip(SIDS[2:], (1, 2, 3), strict=True)
        )
    assert admitted(replicas)[2:] == SIDS[2:]
    assert positions(report) == ["3", "2", "1"]
    assert report.has_heard and report.all_faults == []


async def until_logged(replicas: list[Replica], event: str, count: int) -> None:
    await until(lambda: sum(len(logged(each, event)) for each in replicas) >= count)


def admitted(replicas: list[Replica]) -> list[str]:
    """Who was let in, in order."""
    found = [event for each in replicas for event in logged(each, "call.admitted")]
    return [event["call_sid"] for event in sorted(found, key=lambda event: str(event["timestamp"]))]


async def test_a_rolling_restart_of_a_fleet_is_a_pause_that_nobody_would_remark(
    store: RedisServer, tmp_path: Path
) -> None:
    environ: dict[str, str] = {"REDIS_URL": store.url, "HAND_OVER_SECONDS": "0.7", **PLENTY}
    turns = [Turn(digits="1") for _ in range(3)]
    async with running(tmp_path, replicas=3, environ=environ) as there, Exchange() as exchange:
        old = list(there.fleet.replicas)
        async with asyncio.TaskGroup() as group:
            plan = there.plan(*turns)
            calls = [group.create_task(simulate_call(plan, exchange)) for _ in range(12)]
            await asyncio.sleep(1.0)
            codes = await there.fleet.roll()
        reports = [call.result() for call in calls]

        assert codes == [0, 0, 0]
        assert not set(old) & set(there.fleet.replicas)
        assert all(was_not_cut(report) for report in reports)
        for report in reports:
            assert await there.heard(report) == [1, 1, 1, 1]
            assert await there.count(report, NEWS) == len(turns)
            assert report.silences.longest_ms - THINKS_MS < LONGEST_RESTART_MS
        assert sum(len(report.streams) - 1 for report in reports) >= 4


def served_by(replica: Replica) -> set[str]:
    return {str(event["call_sid"]) for event in logged(replica, "stream.started")}


async def kept_after_the_death_of(dying: Replica, store: RedisServer) -> list[float]:
    """For how long the store kept the slots of those of `SIDS` whom it served, in seconds."""
    died_at, kept = clock.now(), []
    waiting = served_by(dying) & set(SIDS)
    slots = Store(store.url).key("desk", "slots")
    async with store.link() as redis:
        while waiting:
            for call_sid in sorted(waiting):
                if await redis.zscore(slots, call_sid) is None:
                    waiting.remove(call_sid)
                    kept.append(clock.now() - died_at)
            await asyncio.sleep(0.05)
    return kept


async def test_when_one_of_three_is_killed_its_callers_hear_the_rest_once_and_its_slots_come_back(
    store: RedisServer, tmp_path: Path
) -> None:
    environ: dict[str, str] = {"REDIS_URL": store.url, "MAX_CALLS": "20", **PLENTY}
    async with running(tmp_path, replicas=3, environ=environ) as there, Exchange() as exchange:
        ended = []
        async with asyncio.TaskGroup() as group:
            plan = there.plan()
            calls = [group.create_task(simulate_call(plan, exchange)) for _ in range(12)]
            for call_sid in SIDS[:3]:  # Twilio gives them up with their stream
                lost = there.plan(call_sid=call_sid)
                lost = replace(lost, quirks=replace(lost.quirks, after_loss=AfterLoss.END))
                ended.append(group.create_task(simulate_call(lost, exchange)))
            await asyncio.sleep(1.6)
            (dying,) = (each for each in there.fleet.replicas if SIDS[0] in served_by(each))
            dying.send(signal.SIGKILL)
            assert await dying.wait() == -signal.SIGKILL
            kept_s = await kept_after_the_death_of(dying, store)
        reports = [call.result() for call in calls]

        assert 1.0 < max(kept_s) < SLOTS_BACK_S
        for report in reports:
            assert was_not_cut(report), (report.said, report.all_faults, report.streams[-1].closed)
        moved = [report for report in reports if len(report.streams) == 2]
        assert moved
        for report in reports:
            assert await there.count(report, CUT_OFF) == (1 if report in moved else 0)
            assert report.silences.longest_ms < LONGEST_DEATH_MS
            heard = await there.heard(report)
            # Of what was ending just then it is not known whether it was heard.
            assert sum(count != 1 for count in heard) <= (report in moved)


class LingeringBank(SpelledBank):
    """A voice that is silent for a while behind each sentence, as real ones are for a moment."""

    async def audio(self, text: str, audio_format: str) -> bytes:
        return await super().audio(text, audio_format) + SILENCE * 8 * LINGERS_MS


async def test_a_sentence_whose_mark_was_still_to_come_when_the_server_died_is_not_said_again(
    store: RedisServer, tmp_path: Path
) -> None:
    vendor = ElevenLabsStandin(delay_ms=(20, 40), bank=LingeringBank())
    async with (
        running(tmp_path, replicas=2, vendor=vendor, REDIS_URL=store.url) as there,
        Store(store.url) as fleets,
        Exchange() as exchange,
    ):
        call = asyncio.create_task(simulate_call(there.plan(call_sid=SIDS[0], quiet_ms=2000), exchange))
        await heard_first_sentence(fleets)
        (dying,) = (each for each in there.fleet.replicas if SIDS[0] in served_by(each))
        dying.send(signal.SIGKILL)
        await dying.wait()
        report = await call

    assert was_not_cut(report)
    said = "".join(squeezed(passage.text) for passage in read(report.heard))
    assert said.startswith(squeezed("".join([GREETING[0], CUT_OFF, *GREETING[1:]]))), said


async def heard_first_sentence(fleets: Store) -> None:
    """Until it must have been heard, and its mark not come back: by the record, as another server would."""
    async with asyncio.timeout(20):
        while True:
            written = await fleets.ask("HGET", fleets.key("record", SIDS[0]), "body")
            record = decode(written) if written else None
            if record is not None and record.unheard and record.unheard[0].heard_by > 0:
                break
            await asyncio.sleep(0.02)
    assert record.unheard[0].text.strip() == GREETING[0]
    await asyncio.sleep(record.unheard[0].heard_by + JUST_NOW_S - clock.wall().timestamp())
