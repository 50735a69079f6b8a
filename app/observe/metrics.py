"""What Prometheus scrapes: a reader of the event stream that counts, in a registry of its own.

Base units, no call ids or numbers in labels, and a bound on the values of each.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from app import clock
from app.capacity.port import PermitStatus
from app.log import Event

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
WAITS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
LAGS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
LAG_EVERY_S = 0.5
MOST_VALUES = 40  # of one label
WORD = re.compile(r"[a-zA-Z0-9_.: -]{0,40}")
OTHER = "other"
Permits = Callable[[], Mapping[str, PermitStatus]]


class Metrics:
    """The metrics of one hotline; attach its `read` to the event stream."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._shown: dict[str, Gauge] = {}
        self._values: defaultdict[str, set[str]] = defaultdict(set)  # by label
        self._lag = self._histogram("event_loop_lag", "How late the loop is", buckets=LAGS)
        self._readers: dict[str, Callable[[Event], None]] = {
            **self._of_calls(),
            **self._of_voices(),
            **self._of_api(),
            **self._of_alarms(),
        }

    def read(self, event: Event) -> None:
        if reader := self._readers.get(str(event.get("event"))):
            reader(event)

    def show(self, name: str, doc: str, value: Callable[[], float]) -> None:
        """Have `value` read at every scrape, as the gauge `hotline_<name>`; the last one given counts."""
        if name not in self._shown:
            self._shown[name] = Gauge(f"hotline_{name}", doc, registry=self._registry)
        self._shown[name].set_function(value)

    def show_permits(self, permits: Permits) -> None:
        """Have every provider's permits read at every scrape, as `hotline_capacity_*`."""
        self._registry.register(_Capacity(permits))

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self._registry)

    async def watch_loop(self) -> None:
        """Measure, until cancelled, how late the loop wakes a sleeper."""
        while True:
            due = clock.now() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self._lag.observe(max(0.0, clock.now() - due))

    def _of_calls(self) -> dict[str, Callable[[Event], None]]:
        calls = self._counter("calls", "Calls that ended", "reason")
        first = self._histogram("first_audio", "From a stream's start to its first frame sent")
        reply = self._histogram("reply", "From the end of a caller's turn to the first frame of the answer")
        underruns = self._counter("underruns", "Gaps that a caller heard within a reply")

        def ended(event: Event) -> None:
            calls.labels(self._label(event, "reason")).inc()
            _observe_ms(first, event.get("first_audio_ms"))

        return {
            "call.ended": ended,
            "turn.replied": lambda event: _observe_ms(reply, event.get("ttfa_ms")),
            "playout.underrun": lambda _event: underruns.inc(),
        }

    def _of_voices(self) -> dict[str, Callable[[Event], None]]:
        spoken = self._counter("speech_requests", "Sentences that voices were given", "provider", "outcome")
        ttfb = self._histogram("speech_ttfb", "From a sentence to its first byte", "provider")
        waited = self._histogram("capacity_wait", "What a sentence waited for its permit", "provider")
        failures = self._counter("provider_failures", "Failures of providers", "provider", "kind")

        def rendered(event: Event) -> None:
            provider = self._label(event, "provider")
            if event.get("outcome") != "failed":  # that is counted where it failed
                spoken.labels(provider, self._label(event, "outcome")).inc()
            _observe_ms(ttfb.labels(provider), event.get("ttfb_ms"))
            _observe_ms(waited.labels(provider), event.get("waited_ms"))

        def failed(event: Event) -> None:
            provider = self._label(event, "provider")
            spoken.labels(provider, "failed").inc()
            failures.labels(provider, self._label(event, "kind")).inc()

        return {"speech.rendered": rendered, "provider.failed": failed}

    def _of_api(self) -> dict[str, Callable[[Event], None]]:
        answered = self._counter("speech_api_requests", "Requests of programs", "outcome", "status")
        ttfa = self._histogram("speech_api_ttfa", "From a request to its first byte sent")
        characters = self._counter("speech_api_characters", "Characters that programs gave to be said")
        audio = self._counter("speech_api_audio_seconds", "Audio sent to programs")

        def tell(event: Event) -> None:
            answered.labels(self._label(event, "outcome"), self._label(event, "status")).inc()
            _observe_ms(ttfa, event.get("ttfa_ms"))
            characters.inc(float(event.get("characters") or 0))
            audio.inc(float(event.get("audio_ms") or 0) / 1000)

        return {"speech_api.answered": tell}

    def _of_alarms(self) -> dict[str, Callable[[Event], None]]:
        active = Gauge(
            "hotline_alarms_active", "Alarms that stand", ["alarm", "subject"], registry=self._registry
        )

        def change(event: Event) -> None:
            standing = event.get("event") == "alarm.raised"
            active.labels(self._label(event, "alarm"), self._label(event, "subject")).set(standing)

        return {"alarm.raised": change, "alarm.cleared": change}

    def _label(self, event: Event, name: str) -> str:
        """One of our own words, of which there are few: whatever grows without end is not counted apart."""
        value, known = str(event.get(name, "")), self._values[name]
        if value not in known and (len(known) >= MOST_VALUES or not WORD.fullmatch(value)):
            return OTHER
        known.add(value)
        return value

    def _counter(self, name: str, doc: str, *labels: str) -> Counter:
        return Counter(f"hotline_{name}", doc, labels, registry=self._registry)

    def _histogram(self, name: str, doc: str, *labels: str, buckets: tuple[float, ...] = WAITS) -> Histogram:
        return Histogram(f"hotline_{name}_seconds", doc, labels, buckets=buckets, registry=self._registry)


class _Capacity(Collector):
    """Every provider's permits as they are when somebody scrapes."""

    def __init__(self, permits: Permits) -> None:
        self._permits = permits

    def collect(self) -> Iterable[Metric]:
        statuses = self._permits()
        for name in ("limit", "in_use", "waiting"):
            family = GaugeMetricFamily(f"hotline_capacity_{name}", f"Permits: {name}", labels=["provider"])
            for provider, status in statuses.items():
                family.add_metric([provider], getattr(status, name))
            yield family
        for name in ("granted", "gave_up", "refused_by_vendor"):
            counted = CounterMetricFamily(f"hotline_capacity_{name}", f"Permits: {name}", labels=["provider"])
            for provider, status in statuses.items():
                counted.add_metric([provider], getattr(status, name))
            yield counted


def _observe_ms(histogram: Histogram, value_ms: object) -> None:
    if isinstance(value_ms, int | float):
        histogram.observe(value_ms / 1000)
