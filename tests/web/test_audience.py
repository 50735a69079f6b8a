"""For whom each path is."""

from app.web.audience import Audience, audience_of


def test_a_path_that_nobody_listed_is_the_operators() -> None:
    assert audience_of("/calls/CA1") is Audience.OPERATOR
    assert audience_of("/voice/") is Audience.OPERATOR
    assert audience_of("/voice") is Audience.TWILIO
    assert audience_of("/livez") is Audience.PUBLIC
