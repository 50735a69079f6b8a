"""A conversation with a language model on a real call: sentences, tools, and a model that fails."""

from app.simulator.caller import simulate_call
from app.simulator.plan import CallPlan, Patience, Turn
from app.simulator.report import CallReport
from tests.journeys.conftest import HURRIED, events, hotline
from tests.standins.openai import KEY, MODEL, OpenAiStandin, Reply

ANSWER = "The tour begins in Hamburg. It ends in Leipzig."


async def pressing(url: str, *digits: str, longest_s: float = 12.0) -> CallReport:
    """A caller who presses keys, each when the hotline is quiet."""
    return await simulate_call(
        CallPlan(
            url=url + "/voice",
            turns=tuple(Turn(digits=each) for each in digits),
            patience=Patience(longest_s=longest_s),
            quirks=HURRIED,
        )
    )


def environ(vendor: OpenAiStandin, **more: str) -> dict[str, str]:
    return {
        "CONVERSATION": "llm",
        "LLM_BASE_URL": vendor.url,
        "LLM_API_KEY": KEY,
        "LLM_MODEL": MODEL,
        "HEARING_PROVIDERS": "none",
        "GREETING": "Hello.",
        **more,
    }


async def test_what_the_model_says_is_heard_and_remembered_as_it_was_heard() -> None:
    async with OpenAiStandin() as vendor:
        vendor.replies += [Reply("Nobody can hear you. Press one."), Reply(ANSWER), Reply("Goodbye then.")]
        async with hotline(**environ(vendor)) as url:
            report = await pressing(url, "1", "2", longest_s=20.0)
            replied = await events(url, event="conversation.replied")

    assert report.as_json()["faults"] == []
    assert [event["outcome"] for event in replied] == ["finished"] * 3
    assert ("assistant", ANSWER) in vendor.seen[-1].said  # both sentences were heard to their end
    assert [said for role, said in vendor.seen[-1].said if role == "user"][-1] == "[pressed 2]"


async def test_a_model_that_hangs_up_is_heard_to_the_end_of_its_goodbye() -> None:
    async with OpenAiStandin() as vendor:
        vendor.replies += [Reply("Goodbye, and thank you.", calls=(("hang_up", "{}"),))]
        async with hotline(**environ(vendor)) as url:
            report = await pressing(url)
            (ended,) = await events(url, event="call.ended")

    assert ended["reason"] == "finished"
    assert ended["sentences_unheard"] == 0
    assert report.streams[-1].closed is not None
    assert report.streams[-1].closed.by == "hotline"


async def test_a_model_that_fails_is_apologised_for() -> None:
    async with OpenAiStandin() as vendor, hotline(**environ(vendor, LLM_MODEL="fault-500")) as url:
        await pressing(url, longest_s=6.0)
        failed = await events(url, event="conversation.model_failed")
        replied = await events(url, event="conversation.replied")

    assert len(vendor.seen) >= 2  # once more, as nothing was said yet
    assert {event["kind"] for event in failed} == {"busy"}
    assert replied[0]["outcome"] == "failed"
    assert KEY not in str(failed)
