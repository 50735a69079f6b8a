"""When things arrive over a bad line."""

from app.simulator.line import Delays
from app.simulator.plan import Line


def arrivals(line: Line, frames: int) -> list[float]:
    """In seconds since the start; a frame is sent every 20 ms."""
    delays = Delays(line, 0.0)
    return [round(delays.due(frame * 0.020), 6) for frame in range(frames)]


def test_a_perfect_line_delays_nothing() -> None:
    assert arrivals(Line(), 3) == [0.0, 0.02, 0.04]


def test_jitter_is_bounded_keeps_the_order_and_is_repeatable() -> None:
    line = Line(jitter_ms=50, seed=7)

    late = [arrival - frame * 0.020 for frame, arrival in enumerate(arrivals(line, 500))]

    assert 0 <= min(late) < max(late) <= 0.05
    assert arrivals(line, 500) == sorted(arrivals(line, 500))
    assert arrivals(line, 500) != arrivals(Line(jitter_ms=50, seed=8), 500)


def test_a_stall_holds_everything_back_and_then_delivers_all_at_once() -> None:
    met = arrivals(Line(stall_every_ms=100, stall_ms=60), 11)

    assert met[:5] == [0.0, 0.02, 0.04, 0.06, 0.08]
    assert met[5:9] == [0.16, 0.16, 0.16, 0.16]
    assert met[9:] == [0.18, 0.26]
