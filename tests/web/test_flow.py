"""How fast a media socket may speak, with a literal `now`."""

from app.web.flow import BURST_BYTES, BURST_MESSAGES, BYTES_PER_S, MESSAGES_PER_S, Flow

TWILIO_BYTES = 330  # of one media message, with a long streamSid and large numbers


def test_twilios_pace_never_waits() -> None:
    flow = Flow()

    for number in range(50 * 60):
        flow.take(1, TWILIO_BYTES, number / 50)
        assert flow.wait_s(number / 50) == 0.0


def test_what_piled_up_in_40_s_may_come_at_once_and_again_later() -> None:
    flow = Flow()
    for moment in (0.0, 40.0):
        flow.take(50 * 40, 50 * 40 * TWILIO_BYTES, moment)
        assert flow.wait_s(moment) == 0.0


def test_more_waits_until_it_is_due() -> None:
    flow = Flow()
    flow.take(int(BURST_MESSAGES) + 200, 0, 0.0)

    assert flow.wait_s(0.0) == 200 / MESSAGES_PER_S
    assert flow.wait_s(1.0) == 100 / MESSAGES_PER_S
    assert flow.wait_s(2.0) == 0.0


def test_few_large_messages_wait_for_their_bytes() -> None:
    flow = Flow()
    flow.take(20, int(BURST_BYTES + BYTES_PER_S), 0.0)

    assert flow.wait_s(0.0) == 1.0
    assert flow.wait_s(1.0) == 0.0


def test_rest_is_not_saved_up_beyond_one_burst() -> None:
    flow = Flow()
    flow.take(0, 0, 0.0)
    flow.take(int(BURST_MESSAGES) + 100, 0, 10_000.0)

    assert flow.wait_s(10_000.0) == 100 / MESSAGES_PER_S


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    flow = Flow()
    flow.take(int(BURST_MESSAGES) + 100, 0, 10.0)

    assert flow.wait_s(9.0) == flow.wait_s(9.0) == 100 / MESSAGES_PER_S
