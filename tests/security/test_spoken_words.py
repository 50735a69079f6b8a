"""Threat 9: what a caller says is nowhere in what a whole hotline says of itself, whoever answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.hearing.chain import HearingChain
from app.log import configure
from app.main import assemble, parts_of
from app.settings import Settings
from app.simulator import voice
from app.simulator.caller import simulate_call
from app.simulator.plan import CallPlan, Patience, Quirks, Turn
from tests.standins.ears import ScriptedEars
from tests.standins.openai import KEY, MODEL, OpenAiStandin, Reply
from tests.standins.server import address, loopback, serving

WORDS = "my name is marmalade submarine"
CANARY = "marmalade"
ALL_PATHS = ("/", "/health/streaming", "/status", "/pool", "/metrics", "/logs?limit=5000")


@asynccontextmanager
async def hotline(data_dir: Path, **environ: str) -> AsyncIterator[str]:
    """A hotline with ears that understand these words, whatever is said."""
    listener = loopback()
    usual = {
        "PUBLIC_URL": address(listener),
        "DATA_DIR": str(data_dir),
        "GREETING": "Hello.",
        "SPEECH_PROVIDERS": "local",
        "PREPARE_PHRASES": "0",
        "LOG_LEVEL": "debug",
    }
    parts = parts_of(Settings.load({**usual, **environ}))
    ears = HearingChain([ScriptedEars(*[WORDS] * 5)])
    parts = replace(parts, means=replace(parts.means, recognisers=ears))
    async with serving(assemble(parts), listener) as url:
        yield url


async def speak_once(url: str) -> str:
    """A call of somebody who says something; all that the hotline tells of it afterwards."""
    turn = Turn(mulaw=await voice.spoken("my name is marmalade"))
    patience = Patience(longest_s=15.0, quiet_before_end_ms=2000)
    quirks = Quirks(say_ms_per_character=0)
    await simulate_call(CallPlan(url=url + "/voice", turns=(turn,), patience=patience, quirks=quirks))
    async with httpx.AsyncClient(base_url=url) as http:
        return "\n".join([(await http.get(path)).text for path in ALL_PATHS])


@pytest.mark.parametrize("conversation", ["echo", "llm", "script"])
async def test_threat_9_no_words_of_a_caller_are_told_by_whoever_answers(
    conversation: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(level="debug", style="json")
    async with OpenAiStandin() as model:
        model.replies += [Reply(f"You said: {WORDS}.")] * 5
        environ = {"LLM_BASE_URL": model.url, "LLM_API_KEY": KEY, "LLM_MODEL": MODEL}
        async with hotline(tmp_path, CONVERSATION=conversation, **environ) as url:
            told = await speak_once(url)
    written = "".join(capsys.readouterr())

    assert '"pii.text": "[masked]"' in written and "hearing.transcribed" in told
    assert CANARY not in told.lower() and CANARY not in written.lower()


@pytest.mark.parametrize("unlogged", ["+15005550001", "+1500*"])
async def test_threat_9_a_call_can_be_left_out_of_what_is_shown(
    unlogged: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(level="debug", style="json", show_pii=True)
    async with hotline(tmp_path, CONVERSATION="echo", UNLOGGED_NUMBERS=unlogged) as url:
        told = await speak_once(url)
    written = "".join(capsys.readouterr())

    assert '"pii.text": "[masked]"' in written and "hearing.transcribed" in told
    for all_of_it in (told.lower(), written.lower()):
        assert CANARY not in all_of_it and "15005550001" not in all_of_it


async def test_the_words_would_be_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(level="debug", style="json", show_pii=True)
    async with hotline(tmp_path, CONVERSATION="echo") as url:
        told = await speak_once(url)

    assert CANARY in told and CANARY in "".join(capsys.readouterr())
