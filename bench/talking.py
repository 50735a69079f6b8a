"""Fifty callers at once who talk, interrupt, and must each hear the answer to their own question.

    python -m bench.talking [--calls 50] [--ramp 5] [--nice 5]

The hotline is a process of its own, started for the bench with its default script, its embedded voice and its
embedded ears; the callers live in this one. Every caller has words and a voice that no other has. What each
heard is written down afterwards, by ears that know nothing of the script, and compared with the script.
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the product runs; must precede numpy

import httpx
import uvloop

from app import clock
from app.simulator import transcript, voice
from app.simulator.caller import simulate_call
from app.simulator.dialogue import TurnFigures
from app.simulator.exchange import Exchange
from app.simulator.load import percentiles
from app.simulator.plan import CallPlan, Patience, Turn
from app.simulator.report import CallReport
from app.speech.espeak import AUDIO_FORMAT, Espeak, Voice
from bench import machine
from tests.journeys.answers import Answers

ASKED = {
    "tour": (
        *("what are the tour dates", "when is the next concert", "where are you playing", "the tour please"),
        *("i would like to know about the concerts", "tour dates please"),
    ),
    "music": (
        *("tell me about the music", "can i hear the new single", "i want to hear the new album"),
        *("music please", "i would like to hear the new song"),
    ),
    "news": (
        *("what is the latest news", "i would like to hear the news", "any news please", "what's happening"),
        *("tell me the news please", "what's new"),
    ),
}
VOICES = (
    Voice("en-us+m3", rate=160, pitch=50),
    Voice("en-us", rate=165, pitch=50),
    Voice("en-us+m1", rate=155, pitch=45),
    Voice("en-us+m3", rate=145, pitch=60),
    Voice("en-us", rate=150, pitch=60),
    Voice("en-us+f2", rate=150, pitch=60),
)
LISTEN_MS = (6_000, 14_000, 8_000, 12_000, 10_000)  # to an answer, before the next question
FIRST_MS = 3_000  # of an answer, which tell it from the others
SHOWN = 12  # questions without their answer
RETURNED_WITHIN_S = 2.0  # what the hotline promises for a recogniser


@dataclass
class Caller:
    """One caller: what is asked, in order, and what became of it."""

    wants: list[str]
    turns: tuple[Turn, ...]
    report: CallReport | None = None
    answers: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def taken(self) -> list[TurnFigures]:
        return [turn for stream in self.report.streams for turn in stream.turns] if self.report else []


@dataclass
class Run:
    """What was measured from outside."""

    most_at_once: int = 0
    at_once: int = 0
    wall_s: float = 0.0
    hotline_cpu_s: float = 0.0
    children_cpu_s: float = 0.0
    callers_cpu_s: float = 0.0
    lateness_ms: tuple[int, int] = (0, 0)
    pool: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


async def cast(calls: int) -> list[Caller]:
    """Callers with three questions each; half of them begin by interrupting the greeting."""
    said = [(step, text, who) for who in VOICES for step, texts in ASKED.items() for text in texts]
    async with Espeak(processes=1) as espeak:
        spoken = [(step, await _spoken(espeak, text, who)) for step, text, who in said]
        bye = await _spoken(espeak, "goodbye", VOICES[0])
    by_step = {step: [mulaw for asked, mulaw in spoken if asked == step] for step in ASKED}
    callers = []
    for number in range(calls):
        order = [(*ASKED, *ASKED)[(number + place) % 3 :][0] for place in range(3)]
        asked = [by_step[step][number % len(by_step[step])] for step in order]
        first = Turn(asked[0], interrupt_after_ms=2000) if number % 2 else Turn(asked[0])
        rest = [
            Turn(mulaw, interrupt_after_ms=LISTEN_MS[(number + place) % len(LISTEN_MS)])
            for place, mulaw in enumerate((*asked[1:], bye))
        ]
        callers.append(Caller(order, (first, *rest)))
    return callers


async def _spoken(espeak: Espeak, text: str, who: Voice) -> bytes:
    async with espeak.speak(text, who) as chunks:
        return voice.convert(b"".join([chunk async for chunk in chunks]), AUDIO_FORMAT)


async def call(url: str, caller: Caller, after_s: float, exchange: Exchange, run: Run) -> None:
    await asyncio.sleep(after_s)
    run.at_once += 1
    run.most_at_once = max(run.most_at_once, run.at_once)
    plan = CallPlan(url=f"{url}/voice", turns=caller.turns, patience=Patience(longest_s=90))
    caller.report = await simulate_call(plan, exchange)
    run.at_once -= 1


async def measure(url: str, pid: int, callers: list[Caller], ramp_per_s: float) -> Run:
    run = Run()
    start, own, server, children = clock.now(), clock.cpu(), cpu_s(pid), sum(map(cpu_s, children_of(pid)))
    async with Exchange() as exchange:
        async with asyncio.TaskGroup() as group:
            for number, caller in enumerate(callers):
                group.create_task(call(url, caller, number / ramp_per_s, exchange, run))
        run.lateness_ms = (
            exchange.ticker.lateness_ms.percentile(0.5),
            exchange.ticker.lateness_ms.percentile(0.99),
        )
    run.wall_s, run.callers_cpu_s = clock.now() - start, clock.cpu() - own
    run.hotline_cpu_s = cpu_s(pid) - server
    run.children_cpu_s = sum(map(cpu_s, children_of(pid))) - children
    await asyncio.sleep(RETURNED_WITHIN_S)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        run.pool = (await http.get("/pool")).json()["local"]
        run.events = (await http.get("/logs", params={"limit": 5000})).json()["events"]
    return run


def write_down(callers: list[Caller]) -> None:
    answers = Answers.of_the_script_that_ships()
    with transcript.embedded() as ears:
        for caller in callers:
            for turn in caller.taken:
                at = (turn.reply_at_ms or 0) * 8
                heard = caller.report.heard[at : at + FIRST_MS * 8] if caller.report else b""
                words = "" if turn.reply_at_ms is None else transcript.words_in(heard, ears)
                caller.words.append(words)
                caller.answers.append(answers.told_in(words))


def cpu_s(pid: int) -> float:
    """Processor seconds of one process so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """The hotline's own processes: recognisers and voices."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for children in tasks for child in children.read_text().split()]


def show(callers: list[Caller], run: Run) -> None:
    asked = [pair for caller in callers for pair in zip(caller.wants, caller.answers, strict=False)]
    turns = [turn for caller in callers for turn in caller.taken]
    reports = [caller.report for caller in callers if caller.report]
    figures = [report.as_json() for report in reports]
    ended = [event for event in run.events if event["event"] == "call.ended"]
    words = [event["pii.text"] for event in run.events if event["event"] == "hearing.transcribed"]
    missed = [(want, got) for want, got in asked if got != want]
    lines = (
        f"calls: {len(reports)}, most at once {run.most_at_once}, {len(turns)} turns in {run.wall_s:.0f} s",
        f"questions: {len(asked)}, answered as asked {len(asked) - len(missed)}, "
        f"asked again {sum(got in ('not_understood', 'main', '') for _, got in missed)}, "
        f"answered as something else {sum(got in ASKED for _, got in missed)}",
        f"goodbyes: {sum(caller.answers[3:4] == ['bye'] for caller in callers)} of {len(callers)}",
        f"utterances: {len(words)}, without words {words.count('')}, recognised within "
        f"{percentiles(event['latency_ms'] for event in run.events if 'latency_ms' in event)} ms",
        f"underruns: {sum(int(str(call['underruns'])) for call in figures)} heard by callers, "
        f"{sum(event['underruns'] for event in ended)} by the hotline's own count",
        f"faults: {[fault for report in reports for fault in report.all_faults]}",
        f"silent after the caller's first sound, media ms: {percentiles(turn.clear_ms for turn in turns)}",
        f"reply after the caller's last sound, media ms: {percentiles(turn.silence_ms for turn in turns)}",
        f"recognisers {RETURNED_WITHIN_S:g} s after the last call: {run.pool['allocated']} of "
        f"{run.pool['capacity']} allocated, {run.pool['recycled']} replaced, health {run.pool['health']}",
        f"processor: hotline {run.hotline_cpu_s / run.wall_s:.2f} of a core, its ears and voices "
        f"{run.children_cpu_s / run.wall_s:.2f}, callers {run.callers_cpu_s / run.wall_s:.2f}; callers late "
        f"by {run.lateness_ms[0]} ms (p50), {run.lateness_ms[1]} ms (p99)",
    )
    print(*lines, sep="\n")
    for line in list(_strange(callers, run))[:SHOWN]:
        print(f"  {line}")


def _strange(callers: list[Caller], run: Run) -> Iterator[str]:
    """Every question that did not get its answer, and what the hotline had understood on that call."""
    understood = _understood(run)
    for caller in callers:
        for want, got, words in zip(caller.wants, caller.answers, caller.words, strict=False):
            if got != want and caller.report:
                yield f"asked {want}, heard {words!r}; understood {understood.get(caller.report.call_sid)}"


def _understood(run: Run) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in run.events:
        if event["event"] == "hearing.transcribed":
            found.setdefault(event["call_sid"], []).append(event["pii.text"])
    return found


def wait_for(url: str) -> None:
    transport = httpx.HTTPTransport(retries=8)  # with growing pauses, some 25 s in all
    with httpx.Client(transport=transport, trust_env=False) as http:
        http.get(f"{url}/readyz").raise_for_status()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--ramp", type=float, default=5, help="callers that begin a second")
    parser.add_argument("--nice", type=int, default=0, help="of the callers, who are not to slow the hotline")
    args, _ = parser.parse_known_args()  # of `python -m bench` the bench's own name is left
    callers = asyncio.run(cast(args.calls))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "MAX_CALLS": str(args.calls),
        "HEARING_POOL_SIZE": str(args.calls),
        "LOG_PII": "1",  # generated callers: what they said may be shown
    }
    with tempfile.TemporaryFile() as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"], env=os.environ | settings, stdout=output, stderr=output
        )
        try:
            os.nice(args.nice)
            url = f"http://127.0.0.1:{port}"
            wait_for(url)
            print(f"before: {machine.describe()}")
            run = uvloop.run(measure(url, server.pid, callers, args.ramp))
            print(f"after:  {machine.describe()}")
        finally:
            server.terminate()
            server.wait()
    os.nice(19)  # what follows is in nobody's way
    write_down(callers)
    show(callers, run)


if __name__ == "__main__":
    main()
