"""What simulated callers cost: processor share and lateness of 200 callers in one process.

    python -m bench.simulator [--calls 200] [--seconds 20]

The other end is a server of its own process that answers the webhook, streams 60 ms messages with a lead of
0.4 s and a mark every 3 s, and counts what it receives.
"""

import argparse
import asyncio
import platform
import socket
import subprocess
import sys
from base64 import b64encode

import httpx
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import clock
from app.simulator.load import LoadPlan, LoadReport, simulate_load
from app.simulator.plan import CallPlan, Patience

MESSAGE_S = 0.060
LEAD_S = 0.4
MESSAGES_PER_MARK = 50
PAYLOAD = b64encode(bytes([0x90, 0x10] * 240)).decode()
ENOUGH = 0.5  # cores for 200 callers

received = 0


async def voice(request: Request) -> Response:
    host = request.headers["host"]
    twiml = f'<Response><Connect><Stream url="ws://{host}/media"/></Connect></Response>'
    return Response(twiml, media_type="text/xml")


async def count(_request: Request) -> Response:
    return Response(str(received))


async def media(websocket: WebSocket) -> None:
    global received
    await websocket.accept()
    await websocket.receive_text()
    stream_sid = (await websocket.receive_json())["streamSid"]
    try:
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(speak(websocket, stream_sid))
            while (await websocket.receive())["type"] != "websocket.disconnect":
                received += 1
            speaking.cancel()
    except* WebSocketDisconnect:
        pass  # the caller went while we spoke


async def speak(websocket: WebSocket, stream_sid: str) -> None:
    frame = f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"{PAYLOAD}"}}}}'
    mark = f'{{"event":"mark","streamSid":"{stream_sid}","mark":{{"name":"m"}}}}'
    start, sent = clock.now(), 0
    while True:
        await asyncio.sleep(max(0.0, start + sent * MESSAGE_S - LEAD_S - clock.now()))
        await websocket.send_text(frame)
        sent += 1
        if sent % MESSAGES_PER_MARK == 0:
            await websocket.send_text(mark)


def serve(port: int) -> None:
    routes = [
        Route("/voice", voice, methods=["POST"]),
        Route("/count", count),
        WebSocketRoute("/media", media),
    ]
    uvicorn.run(
        Starlette(routes=routes),
        port=port,
        log_level="error",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )


async def measure(url: str, calls: int, seconds: float) -> LoadReport:
    patience = Patience(longest_s=seconds, quiet_before_end_ms=None)
    plan = LoadPlan(
        calls=calls, ramp_per_s=calls / 4, call=CallPlan(url=f"{url}/voice", patience=patience, keep_s=1)
    )
    report = LoadReport()
    await simulate_load(plan, report)
    return report


def wait_for(url: str) -> None:
    transport = httpx.HTTPTransport(retries=8)  # with growing pauses, some 25 s in all
    with httpx.Client(transport=transport, trust_env=False) as http:
        http.get(f"{url}/count").raise_for_status()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    args, _ = parser.parse_known_args()
    if args.serve:
        serve(args.serve)
        return
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "bench.simulator", "--serve", str(port)])
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        report = uvloop.run(measure(url, args.calls, args.seconds))
        show(report, int(httpx.get(f"{url}/count", trust_env=False).text))
    finally:
        server.terminate()
        server.wait()


def show(report: LoadReport, messages: int) -> None:
    call_s = sum(stream.figures.ticks for call in report.reports for stream in call.streams) * 0.02
    figures = report.as_json()
    each = report.cpu_s / call_s
    lines = (
        f"machine: {platform.processor() or platform.machine()}, Python {platform.python_version()}, uvloop",
        f"calls: {figures['calls']}, {call_s:.0f} s of call in {report.wall_s:.1f} s, {messages} messages",
        f"caller: {each * 1000:.2f} ms of processor per second of call",
        f"200 callers: {each * 200:.2f} cores; ratio to the limit of {ENOUGH}: {each * 200 / ENOUGH:.2f}",
        f"lateness of the callers' clock: {figures['caller']}",
        f"underruns: {figures['underruns']}, faults: {figures['faults']}",
        f"first audio: {figures['first_audio_ms']}",
    )
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
