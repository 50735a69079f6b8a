"""How soon other programs hear something, and whether their requests leave anything behind.

    python -m bench speech

The server is a `hotline serve` of its own process with the embedded voice, on loopback. TTFA is taken here,
from the request to the first byte of its audio; the processor time is the server's and its children's.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import httpx

TEXT = "We are open from nine in the morning until half past five, and on Sundays from ten until noon."
SEQUENTIAL, PARALLEL, MANY, LANES = 5, 20, 2000, 4
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Answer(NamedTuple):
    """One request."""

    ttfa_ms: float
    size: int


async def ask(http: httpx.AsyncClient, text: str = TEXT, form: str = "mp3") -> Answer:
    began = time.perf_counter()
    order = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": form}
    async with http.stream("POST", "/v1/audio/speech", json=order) as answer:
        answer.raise_for_status()
        ttfa_ms, size = 0.0, 0
        async for piece in answer.aiter_bytes():
            ttfa_ms = ttfa_ms or (time.perf_counter() - began) * 1000
            size += len(piece)
    return Answer(ttfa_ms, size)


def descendants(pid: int) -> list[int]:
    """The process and all that it started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += descendants(int(child))
    return found


def memory_mb(pid: int) -> float:
    """Resident memory of one process."""
    line = next(
        one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and its children so far."""
    ticks = 0
    for one in descendants(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * TICK_S


async def five_in_a_row(http: httpx.AsyncClient, pid: int) -> float:
    """The baseline: processor seconds of one request that nobody shares the machine with."""
    answers = [await ask(http) for _ in range(SEQUENTIAL)]
    show("one after the other", answers)
    before = cpu_s(pid)
    for _ in range(PARALLEL):
        await ask(http)
    return (cpu_s(pid) - before) / PARALLEL


async def twenty_at_once(http: httpx.AsyncClient, pid: int, alone_s: float) -> None:
    before, began = cpu_s(pid), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(ask(http)) for _ in range(PARALLEL)]
    wall = time.perf_counter() - began
    show("at once", [one.result() for one in asked])
    used = cpu_s(pid) - before
    print(f"  processor: {used:.2f} s in {wall:.2f} s, {used / wall:.2f} cores")
    each_s = used / PARALLEL
    print(
        f"  a request at once costs {each_s * 1000:.0f} ms of processor, one alone {alone_s * 1000:.0f} ms "
        f"(ratio {each_s / alone_s:.2f}): the wait is for the processor alone"
    )


async def many(http: httpx.AsyncClient, pid: int) -> None:
    """Memory after every quarter of the requests; the first holds what is loaded once."""
    print(f"{MANY} requests, {LANES} at a time:")

    async def lane(count: int) -> None:
        for _ in range(count):
            await ask(http, "Yes, we are open.", "ulaw")

    for quarter in range(4):
        async with asyncio.TaskGroup() as group:
            for _ in range(LANES):
                group.create_task(lane(MANY // 4 // LANES))
        print(f"  after {(quarter + 1) * MANY // 4}: {memory_mb(pid):.1f} MB in the server")


def show(name: str, answers: list[Answer]) -> None:
    ttfa = [answer.ttfa_ms for answer in answers]
    print(
        f"{len(ttfa)} {name}: TTFA first {ttfa[0]:.0f} ms, last {ttfa[-1]:.0f} ms "
        f"(ratio {ttfa[-1] / ttfa[0]:.2f}), median {statistics.median(ttfa):.0f} ms, "
        f"worst {max(ttfa):.0f} ms; "
        f"{len({answer.size for answer in answers})} different length(s)"
    )


async def measure(url: str, pid: int) -> None:
    limits = httpx.Limits(max_connections=PARALLEL)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits, trust_env=False) as http:
        await ask(http)  # what is loaded with the first request is not measured
        alone_s = await five_in_a_row(http, pid)
        await twenty_at_once(http, pid, alone_s)
        await many(http, pid)


def wait_for(url: str) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=9), trust_env=False) as http:
        http.get(f"{url}/livez").raise_for_status()


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        **os.environ,
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "SPEECH_PROVIDERS": "local",
        "HEARING_PROVIDERS": "none",
        "LOG_LEVEL": "error",  # nothing is written; readers of the events are told all the same
    }
    server = subprocess.Popen([sys.executable, "-m", "app", "serve"], env=environ)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        asyncio.run(measure(url, server.pid))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
