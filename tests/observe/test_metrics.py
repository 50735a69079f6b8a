"""From events to what Prometheus scrapes."""

import asyncio

import pytest

from app.capacity.port import PermitStatus
from app.observe.metrics import MOST_VALUES, Metrics


def scraped(metrics: Metrics) -> dict[str, float]:
    lines = metrics.exposition().decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


def test_calls_and_replies_are_counted_in_seconds() -> None:
    metrics = Metrics()
    metrics.read({"event": "call.ended", "reason": "finished", "first_audio_ms": 240, "call_sid": "CA1"})
    metrics.read({"event": "call.ended", "reason": "stream_broke", "first_audio_ms": None})
    metrics.read({"event": "turn.replied", "ttfa_ms": 700})
    metrics.read({"event": "playout.underrun", "gap_ms": 20})

    found = scraped(metrics)
    assert found['hotline_calls_total{reason="finished"}'] == 1
    assert found["hotline_first_audio_seconds_count"] == 1
    assert found["hotline_first_audio_seconds_sum"] == 0.24
    assert found['hotline_reply_seconds_bucket{le="0.75"}'] == 1
    assert found['hotline_reply_seconds_bucket{le="0.5"}'] == 0
    assert found["hotline_underruns_total"] == 1
    assert "CA1" not in metrics.exposition().decode()


def test_a_sentence_that_failed_midway_is_counted_once() -> None:
    metrics = Metrics()
    metrics.read({"event": "provider.failed", "provider": "tone", "kind": "timeout"})
    metrics.read({"event": "speech.rendered", "provider": "tone", "outcome": "failed", "ttfb_ms": 80})
    metrics.read({"event": "speech.rendered", "provider": "tone", "outcome": "complete", "waited_ms": 300})

    found = scraped(metrics)
    assert found['hotline_speech_requests_total{outcome="failed",provider="tone"}'] == 1
    assert found['hotline_speech_requests_total{outcome="complete",provider="tone"}'] == 1
    assert found['hotline_provider_failures_total{kind="timeout",provider="tone"}'] == 1
    assert found['hotline_speech_ttfb_seconds_count{provider="tone"}'] == 1
    assert found['hotline_capacity_wait_seconds_sum{provider="tone"}'] == 0.3


def test_alarms_stand_until_they_are_cleared() -> None:
    metrics = Metrics()
    name = 'hotline_alarms_active{alarm="auth",subject="tone"}'
    metrics.read({"event": "alarm.raised", "alarm": "auth", "subject": "tone"})
    assert scraped(metrics)[name] == 1

    metrics.read({"event": "alarm.cleared", "alarm": "auth", "subject": "tone"})
    assert scraped(metrics)[name] == 0


def test_what_is_shown_is_read_at_every_scrape() -> None:
    metrics, live = Metrics(), [3]
    metrics.show("calls_live", "Calls that are live", lambda: 99)
    metrics.show("calls_live", "Calls that are live", lambda: live[0])  # the door may be built twice
    metrics.show_permits(lambda: {"tone": PermitStatus(5, 5, live[0], 1, 20, 2, 0)})
    live[0] = 4

    found = scraped(metrics)
    assert found["hotline_calls_live"] == 4
    assert found['hotline_capacity_in_use{provider="tone"}'] == 4
    assert found['hotline_capacity_granted_total{provider="tone"}'] == 20


async def test_the_loop_is_watched() -> None:
    metrics = Metrics()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(metrics.watch_loop())
        async with asyncio.timeout(20):
            while not scraped(metrics)["hotline_event_loop_lag_seconds_count"]:  # noqa: ASYNC110 - nothing else tells it
                await asyncio.sleep(0.05)
        watching.cancel()


def test_two_hotlines_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.read({"event": "playout.underrun"})

    assert scraped(other)["hotline_underruns_total"] == 0


def test_threat_26_no_label_takes_more_than_a_few_values() -> None:
    metrics = Metrics()
    for number in range(1000):
        metrics.read({"event": "call.ended", "reason": f"reason {number}"})

    counted = {
        name: value for name, value in scraped(metrics).items() if name.startswith("hotline_calls_total")
    }
    assert len(counted) == MOST_VALUES + 1
    assert counted['hotline_calls_total{reason="other"}'] == 1000 - MOST_VALUES


@pytest.mark.parametrize(
    "value", ["x" * 41, "Anna says hello\n", "<script>", "mein Name ist Müller", "+15550100"]
)
def test_threat_26_what_is_no_word_of_ours_is_no_label(value: str) -> None:
    metrics = Metrics()
    metrics.read({"event": "call.ended", "reason": value})

    assert scraped(metrics)['hotline_calls_total{reason="other"}'] == 1
