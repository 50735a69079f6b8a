"""The plan of a call."""

from app.simulator.plan import Account, CallPlan, account_from


def test_a_plan_can_be_made_of_a_url_alone() -> None:
    plan = CallPlan(url="http://localhost:1/voice")

    assert (plan.turns, plan.account, plan.patience.longest_s) == ((), Account(), 60.0)


def test_the_first_of_several_tokens_signs() -> None:
    account = account_from({"TWILIO_AUTH_TOKEN": " new , old", "TWILIO_ACCOUNT_SID": "AC1"})

    assert (account.auth_token, account.account_sid) == ("new", "AC1")


def test_without_an_environment_nothing_is_signed_and_the_account_looks_like_one() -> None:
    account = account_from({"TWILIO_ACCOUNT_SID": ""})

    assert account.auth_token == ""
    assert account.account_sid.startswith("AC") and len(account.account_sid) == 34
