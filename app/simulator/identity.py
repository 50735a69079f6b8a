"""Who a simulated call is: its ids, and the parameters that every webhook carries."""

import secrets
from dataclasses import dataclass

from app.simulator.plan import Account


@dataclass(frozen=True, slots=True)
class Identity:
    """The ids of one call."""

    account: Account
    call_sid: str

    def parameters(self, status: str) -> dict[str, str]:
        """Of a webhook while the call is `ringing`, `in-progress` or `completed`; all strings, some blank."""
        account = self.account
        parameters = {
            "CallSid": self.call_sid,
            "AccountSid": account.account_sid,
            "ApiVersion": "2010-04-01",
            "CallStatus": status,
            "Direction": "inbound",
            "StirVerstat": "TN-Validation-Passed-A",
            "CallToken": secrets.token_hex(16),
        }
        for party, number in (("From", account.caller_number), ("To", account.called_number)):
            for name in (party, {"From": "Caller", "To": "Called"}[party]):
                parameters |= {name: number, f"{name}Country": "US"}
                parameters |= {f"{name}{part}": "" for part in ("City", "State", "Zip")}
        return parameters | dict(account.extra)


def new_identity(account: Account) -> Identity:
    return Identity(account, account.call_sid or f"CA{secrets.token_hex(16)}")
