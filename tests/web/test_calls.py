"""Live and recent calls, and one call's story."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from app.calls.registry import Ending, LiveCall
from app.calls.resume import Nowhere, Record, Unheard
from app.log import MASK
from app.web.parts import Parts
from tests.standins.redis import RedisServer, needs_redis, until
from tests.web.conftest import Knock, locked, make_parts, replica


class Doing:
    """A call that is at something."""

    def __init__(self, doing: str, streams: int = 1) -> None:
        self.doing = doing
        self.streams = streams
        self.silent_s = 0.0

    def leave(self) -> None: ...

    def part(self, notice: str) -> None: ...

    def give_way(self) -> None: ...

    def lost(self) -> None: ...


class Kept(Nowhere):
    """Has one record."""

    def __init__(self, record: Record) -> None:
        self._record = record

    async def load(self, call_sid: str) -> Record | None:
        return self._record if call_sid == self._record.call_sid else None


def live(call_sid: str, second: int, doing: str = "speaking", streams: int = 1) -> LiveCall:
    return LiveCall(call_sid, "MZ1", f"2026-01-01T00:00:{second:02}+00:00", Doing(doing, streams))


def say(parts: Parts, name: str, second: int, call_sid: str = "CA1", **fields: Any) -> None:
    moment = f"2026-01-01T00:00:{second:02}Z"
    event = {"event": name, "level": "info", "timestamp": moment, "call_sid": call_sid, **fields}
    parts.ring.read(event)
    if parts.events is not None:
        parts.events.read(event)


def with_record(record: Record, **changes: Any) -> Parts:
    parts = make_parts(**changes)
    object.__setattr__(parts.means, "records", Kept(record))
    return parts


async def page(knock: Knock, parts: Parts, path: str) -> Mapping[str, Any]:
    async with knock(parts) as http:
        answer = await http.get(path)
    body: Mapping[str, Any] = answer.raise_for_status().json()
    return body


async def page_with(knock: Knock, parts: Parts, count: int) -> Mapping[str, Any]:
    """The list of calls as soon as it has so many live ones."""
    async with asyncio.timeout(20):
        while len((told := await page(knock, parts, "/calls"))["live"]) < count:  # noqa: ASYNC110 - a beat
            await asyncio.sleep(0.02)
    return told


async def test_calls_are_listed_with_what_they_do_and_how_they_ended(knock: Knock) -> None:
    parts = make_parts()
    parts.registry.began(live("CA2", 7, "listening"))
    parts.registry.began(live("CA1", 5, "speaking", streams=2))
    say(parts, "call.ended", 1, "CA0", reason="finished", duration_s=4.2, turns=1)
    say(parts, "call.ended", 4, "CA1", reason="stream_broke")

    told = await page(knock, parts, "/calls")

    assert [(call["call_sid"], call["state"], call["streams"], call["replica"]) for call in told["live"]] == [
        ("CA1", "speaking", 2, "hotline"),
        ("CA2", "listening", 1, "hotline"),
    ]
    assert [(call["call_sid"], call["ending"], call["duration_s"]) for call in told["ended"]] == [
        ("CA0", "finished", 4.2)
    ]
    assert (told["replica"], told["replicas"], told["store"]) == ("hotline", 1, "none")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=listening", (["CA2"], [])),
        ("state=ended", ([], ["CA4", "CA3"])),
        ("ending=finished", ([], ["CA3"])),
        ("replica=hotline", (["CA1", "CA2"], ["CA4", "CA3"])),
        ("replica=b", ([], [])),
        ("limit=1", (["CA1", "CA2"], ["CA4"])),
    ],
)
async def test_filters_choose_the_calls(knock: Knock, query: str, found: tuple[list[str], list[str]]) -> None:
    parts = make_parts()
    parts.registry.began(live("CA1", 5))
    parts.registry.began(live("CA2", 6, "listening"))
    say(parts, "call.ended", 1, "CA3", reason="finished")
    say(parts, "call.ended", 2, "CA4", reason="caller_hung_up")

    told = await page(knock, parts, f"/calls?{query}")

    listed = [[call["call_sid"] for call in told[key]] for key in ("live", "ended")]
    assert (listed[0], listed[1]) == found


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/calls?limit=0", 400),
        ("/calls?limit=501", 400),
        ("/calls/CA1?limit=many", 400),
        ("/calls/CA1", 404),
        ("/calls/%2e%2e", 400),
        ("/calls/" + "x" * 65, 400),
        ("/calls/CA'1", 400),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_json(knock: Knock, path: str, status: int) -> None:
    async with knock(make_parts()) as http:
        answer = await http.get(path)

    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("path", ["/calls", "/calls/CA1"])
async def test_calls_are_the_operators(knock: Knock, path: str) -> None:
    parts = make_parts(locks=locked(admin_tokens=("sesame",)))
    say(parts, "stream.started", 1)
    async with knock(parts) as http:
        stranger = await http.get(path)
        operator = await http.get(path, headers={"Authorization": "Bearer sesame"})

    assert (stranger.status_code, operator.status_code) == (401, 200)
    assert operator.headers["cache-control"] == "no-store"


async def test_one_call_is_told_from_its_events(knock: Knock) -> None:
    parts = make_parts()
    say(parts, "stream.started", 1, stream_sid="MZ1")
    say(parts, "hearing.transcribed", 2, confidence=0.9, **{"pii.text": MASK})
    say(parts, "turn.replied", 3, ttfa_ms=320)
    say(parts, "call.ended", 4, "CA2", reason="finished")
    say(parts, "call.ended", 5, reason="caller_hung_up", first_audio_ms=210)

    told = await page(knock, parts, "/calls/CA1")

    assert (told["state"], told["ending"], told["replica"]) == ("ended", "caller_hung_up", "hotline")
    assert [stream["stream_sid"] for stream in told["streams"]] == ["MZ1"]
    assert [(turn["words"], turn["reply_ms"]) for turn in told["turns"]] == [(MASK, 320)]
    assert told["latencies"]["first_audio_ms"]["max"] == 210
    assert [event["event"] for event in told["events"]] == [
        "stream.started",
        "hearing.transcribed",
        "turn.replied",
        "call.ended",
    ]
    assert (told["transcript"], told["unheard"], told["conversation"]) == (None, [], None)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["call.admitted"], ("no_stream", None)),
        (["call.admitted", "stream.started"], ("starting", None)),
        (["stream.started", "call.ended"], ("ended", "finished")),
        (["stream.started", "call.ended", "stream.started"], ("starting", None)),
    ],
)
async def test_where_a_call_stands_that_nobody_lists_as_live(
    knock: Knock, events: list[str], expected: tuple[str, str | None]
) -> None:
    parts = make_parts()
    for second, name in enumerate(events):
        say(parts, name, second, reason="finished")

    told = await page(knock, parts, "/calls/CA1")

    assert (told["state"], told["ending"]) == expected


async def test_a_live_call_is_told_with_what_it_does(knock: Knock) -> None:
    parts = make_parts()
    parts.registry.began(live("CA1", 5, "thinking"))

    told = await page(knock, parts, "/calls/CA1")

    assert (told["state"], told["ending"], told["events"]) == ("thinking", None, [])


RECORD = Record(
    call_sid="CA1",
    conversation="llm",
    state={"history": [["caller", "canary one", False], ["bridge", "canary two", True]]},
    unheard=(Unheard("canary three"),),
    ending=Ending.HANDED_OVER.value,
    replica="b",
)


@pytest.mark.parametrize(
    ("shows_words", "words"),
    [(False, [MASK, MASK, MASK]), (True, ["canary one", "canary two", "canary three"])],
)
async def test_words_are_shown_where_the_log_shows_them(
    knock: Knock, shows_words: bool, words: list[str]
) -> None:
    told = await page(knock, with_record(RECORD, shows_words=shows_words), "/calls/CA1")

    assert [entry["text"] for entry in told["transcript"]] + told["unheard"] == words
    assert [(entry["who"], entry["cut"]) for entry in told["transcript"]] == [
        ("caller", False),
        ("bridge", True),
    ]


async def test_of_a_call_whose_events_are_forgotten_the_record_tells(knock: Knock) -> None:
    told = await page(knock, with_record(RECORD), "/calls/CA1")

    assert (told["state"], told["ending"], told["replica"]) == ("ended", "handed_over", "b")
    assert told["conversation"] == "llm"


async def test_the_ending_of_a_stream_before_is_not_this_ones(knock: Knock) -> None:
    parts = with_record(RECORD)
    say(parts, "stream.started", 9)

    assert (await page(knock, parts, "/calls/CA1"))["ending"] is None


@needs_redis
async def test_any_replica_tells_of_all_calls_and_who_serves_them(knock: Knock) -> None:
    async with (
        RedisServer() as server,
        replica(server.url, "a") as one,
        replica(server.url, "b") as other,
    ):
        one.registry.began(live("CA2", 9))
        other.registry.began(live("CA1", 5, "recording", streams=3))
        say(other, "stream.started", 4, stream_sid="MZ9")
        say(other, "call.ended", 3, "CA0", reason="transferred")
        await until(lambda: other.events is not None and not other.events._waiting)
        told = await page_with(knock, one, 2)  # b says so with its next beat
        story = await page(knock, one, "/calls/CA1")

    assert [(call["call_sid"], call["replica"], call["state"], call["streams"]) for call in told["live"]] == [
        ("CA1", "b", "recording", 3),
        ("CA2", "a", "speaking", 1),
    ]
    assert [(call["call_sid"], call["replica"]) for call in told["ended"]] == [("CA0", "b")]
    assert (told["replica"], told["replicas"], told["store"]) == ("a", 2, "ready")
    assert (story["state"], story["replica"]) == ("recording", "b")
    assert [(event["event"], event["replica"]) for event in story["events"]] == [("stream.started", "b")]


@needs_redis
async def test_a_call_that_two_replicas_name_is_where_its_newest_stream_is(knock: Knock) -> None:
    async with (
        RedisServer() as server,
        replica(server.url, "a") as one,
        replica(server.url, "b") as other,
    ):
        other.registry.began(live("CA1", 5))
        await page_with(knock, one, 1)
        one.registry.began(live("CA1", 8, "greeting", streams=2))
        told = await page(knock, one, "/calls")

    assert [(call["replica"], call["streams"]) for call in told["live"]] == [("a", 2)]


@needs_redis
async def test_a_call_whose_replica_has_died_is_lost(knock: Knock) -> None:
    async with RedisServer() as server, replica(server.url, "a") as one:
        async with replica(server.url, "b") as dying:
            say(dying, "stream.started", 4)
        told = await page(knock, one, "/calls/CA1")

    assert (told["state"], told["replica"]) == ("lost", "b")


async def test_with_the_store_away_a_replica_tells_of_its_own_calls_and_says_so(knock: Knock) -> None:
    async with replica("redis://127.0.0.1:1", "a") as parts:
        parts.registry.began(live("CA1", 5))
        say(parts, "call.ended", 3, "CA0", reason="finished")
        told = await page(knock, parts, "/calls")

    assert [call["call_sid"] for call in (*told["live"], *told["ended"])] == ["CA1", "CA0"]
    assert (told["replicas"], told["store"]) == (1, "away")
