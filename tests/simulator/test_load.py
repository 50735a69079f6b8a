"""Many callers and their percentiles."""

import json
import os
from base64 import b64encode
from dataclasses import replace

from app.simulator.load import LoadPlan, LoadReport, percentiles, resident_kib, simulate_load
from app.simulator.plan import Turn
from app.simulator.playback import Figures
from app.simulator.report import CallReport, Closed, StreamReport
from tests.simulator.bridge import BRIEF, Bridge, Peer, serving


def load_of(bridge: Bridge, calls: int, *, pid: int | None = None) -> LoadPlan:
    patience = replace(BRIEF, longest_s=20, reply_within_ms=10_000)
    return LoadPlan(calls=calls, ramp_per_s=100, call=bridge.plan(patience=patience, keep_s=1), pid=pid)


async def greet_slowly(peer: Peer) -> None:
    await peer.play(10)
    await peer.mark("m")


async def test_every_caller_is_heard_and_counted() -> None:
    report = LoadReport()
    async with serving(greet_slowly) as bridge:
        await simulate_load(load_of(bridge, 8, pid=os.getpid()), report)

    figures = report.as_json()
    assert (report.begun, figures["calls"], figures["heard"], figures["with_underruns"]) == (8, 8, 8, 0)
    assert figures["audio_ms"] == {"p50": 200, "p95": 200, "p99": 200}
    assert figures["closed"] == {"1000 by the caller": 8}
    assert figures["faults"] == {}
    assert len({form["CallSid"] for form in bridge.asked("/voice")}) == 8
    assert json.loads(json.dumps(figures)) == figures


async def test_the_callers_own_cost_and_the_servers_memory_are_reported() -> None:
    report = LoadReport()
    async with serving(greet_slowly) as bridge:
        await simulate_load(load_of(bridge, 3, pid=os.getpid()), report)

    figures = report.as_json()
    assert figures["caller"]["cpu_share"] > 0  # type: ignore[index]
    assert figures["caller"]["lateness_ms"].keys() == {"p50", "p95", "p99"}  # type: ignore[index]
    assert figures["server"]["rss_peak_kib"] >= figures["server"]["rss_before_kib"] > 1000  # type: ignore[index]


async def test_callers_whom_nobody_answers_are_counted_as_faults(unused_tcp_port: int) -> None:
    report = LoadReport()
    plan = load_of(Bridge(url=f"http://127.0.0.1:{unused_tcp_port}"), 3)

    await simulate_load(plan, report)

    figures = report.as_json()
    assert (figures["calls"], figures["heard"], figures["first_audio_ms"]) == (3, 0, None)
    assert sum(figures["faults"].values()) == 3  # type: ignore[attr-defined]
    assert figures["closed"] == {"no stream": 3}
    assert figures["server"] is None


def test_figures_of_calls_become_percentiles() -> None:
    report = LoadReport()
    for number in range(1, 101):
        figures = Figures()
        figures.heard_bytes = number * 8
        stream = StreamReport(
            "MZ1", first_audio_ms=float(number), figures=figures, closed=Closed(1000, "", "hotline")
        )
        report.reports.append(CallReport(f"CA{number}", [stream]))

    met = report.as_json()

    assert met["first_audio_ms"] == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert met["audio_ms"] == {"p50": 50, "p95": 95, "p99": 99}
    assert met["closed"] == {"1000 by the hotline": 100}


def test_percentiles_are_of_numbers_only_and_of_nothing_there_are_none() -> None:
    assert percentiles([3, None, 1, 2]) == {"p50": 2, "p95": 3, "p99": 3}
    assert percentiles([None]) is None


def test_memory_is_that_of_a_living_process() -> None:
    assert (resident_kib(os.getpid()) or 0) > 1000
    assert resident_kib(2**22 + 1) is None


async def answer_everything(peer: Peer) -> None:
    await greet_slowly(peer)
    await peer.until_voice()
    await greet_slowly(peer)


async def test_callers_who_talk_take_different_turns_and_their_replies_are_counted() -> None:
    report = LoadReport()
    says = [bytes([code]) * 320 for code in (0x20, 0x28)]
    async with serving(answer_everything) as bridge:
        plan = replace(load_of(bridge, 3), talks=[(Turn(says[0]),), (Turn(says[1]), Turn(digits="1"))])
        await simulate_load(plan, report)
        payloads = [{media["media"]["payload"] for media in peer.of("media")} for peer in bridge.peers]

    figures = report.as_json()
    assert (figures["turns"], figures["unanswered"], figures["clear_after_ms"]) == (4, 1, None)
    spoken = [b64encode(say[:160]).decode() for say in says]
    assert sorted([speech in sent for speech in spoken] for sent in payloads) == [
        [False, True],
        [True, False],
        [True, False],
    ]


def test_without_talks_all_callers_do_the_same_from_numbers_of_their_own() -> None:
    plan = LoadPlan(calls=2, ramp_per_s=1, call=Bridge(url="http://localhost:1").plan())

    second = plan.plan_of(1)

    assert second.turns == plan.call.turns
    assert second.account.caller_number != plan.plan_of(0).account.caller_number
