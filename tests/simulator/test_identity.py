"""Who a simulated call is."""

import re

from app.simulator.identity import new_identity
from app.simulator.plan import Account


def test_every_call_has_a_sid_of_its_own_unless_one_is_given() -> None:
    first, second = new_identity(Account()).call_sid, new_identity(Account()).call_sid

    assert re.fullmatch(r"CA[0-9a-f]{32}", first)
    assert first != second
    assert new_identity(Account(call_sid="CA1")).call_sid == "CA1"


def test_a_webhook_carries_what_twilio_sends_as_strings_some_of_them_blank() -> None:
    identity = new_identity(
        Account(account_sid="AC1", caller_number="+1", called_number="+2", call_sid="CA1")
    )

    parameters = identity.parameters("ringing")

    expected = {
        "CallSid": "CA1",
        "AccountSid": "AC1",
        "ApiVersion": "2010-04-01",
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": "+1",
        "Caller": "+1",
        "To": "+2",
        "Called": "+2",
        "FromCity": "",
        "CalledZip": "",
        "StirVerstat": "TN-Validation-Passed-A",
    }
    assert expected.items() <= parameters.items()
    assert all(isinstance(value, str) for value in parameters.values())


def test_further_parameters_are_added_as_twilio_may_do_any_day() -> None:
    identity = new_identity(Account(extra={"Brand": "new", "Direction": "outbound-api"}))

    assert {"Brand": "new", "Direction": "outbound-api"}.items() <= identity.parameters("ringing").items()
