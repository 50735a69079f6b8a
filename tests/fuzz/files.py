"""What an operator or a disk may hand us: scripts, personas, settings, records of calls, orders by HTTP."""

import asyncio
import tempfile
from pathlib import Path

from starlette.requests import Request
from starlette.types import Message

from app.calls import resume
from app.conversation.history import History
from app.conversation.persona import load_persona
from app.conversation.port import CallStarted
from app.conversation.script import ScriptConversation
from app.conversation.script_file import load_script
from app.conversation.script_ready import ready_texts
from app.errors import ConfigError
from app.settings import SECTIONS, Settings
from app.web.access import Refused
from app.web.speech_order import read_order
from tests.fuzz.rules import rule
from tests.fuzz.telephone import NOON, goes_on

NAMES = sorted(
    {name for section in SECTIONS for names, _, _ in section.variables() for name in names.split(", ")}
)
MOST_CHARACTERS = 5_000


def script(given: bytes) -> None:
    """A script: played, or every fault with its line."""
    with tempfile.TemporaryDirectory(prefix="hotline-fuzz-") as folder:
        file = Path(folder, "script.toml")
        file.write_bytes(given)
        try:
            loaded = load_script(file)
        except ConfigError as error:
            for fault in error.faults:
                rule(fault.startswith(f"{file}:"), f"a fault without its file: {fault}")
            return
    ready_texts(loaded)
    loaded.phrases()
    rule(bool(ScriptConversation(loaded, NOON).handle(CallStarted("CA1"))), "a script that says nothing")


def persona(given: bytes) -> None:
    """A persona: read, or every fault with its line."""
    with tempfile.TemporaryDirectory(prefix="hotline-fuzz-") as folder:
        file = Path(folder, "persona.toml")
        file.write_bytes(given)
        try:
            load_persona(str(file))
        except ConfigError as error:
            for fault in error.faults:
                rule(fault.startswith(f"{file}:"), f"a fault without its file: {fault}")


def settings(given: bytes) -> None:
    """The environment, a line a variable: `12=value` is the twelfth that we know."""
    environ: dict[str, str] = {}
    for line in given.split(b"\n"):
        name, _, value = line.decode(errors="surrogateescape").partition("=")
        known = NAMES[int(name) % len(NAMES)] if name.isdecimal() and len(name) < 9 else name
        environ[known] = value.replace("\x00", "")
    try:
        Settings.load(environ)
    except ConfigError as error:
        for fault in error.faults:
            rule(any(name in fault for name in NAMES), f"a fault that names no variable: {fault}")


def record(given: bytes) -> None:
    """A record of a call from disk or a store, which anybody may have written."""
    found = resume.decode(given)
    if found is None:
        return
    rule(resume.decode(resume.encode(found)) == found, "a record is not what was written")
    found.resumed(cut_off=True)
    conversation = ScriptConversation(load_script(), NOON)
    conversation.restore(found.state)
    conversation.handle(found.resumed(cut_off=True))
    History().restore(found.state.get("history"))
    goes_on(found)


def speech_order(given: bytes) -> None:
    """What a program asks of `/v1/audio/speech`."""

    async def receive() -> Message:
        return {"type": "http.request", "body": given, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    try:
        order = asyncio.run(read_order(Request(scope, receive), MOST_CHARACTERS))
    except Refused as error:
        rule(400 <= error.status < 500, f"status {error.status}")
    else:
        rule(0 < len(order.input) <= MOST_CHARACTERS, f"{len(order.input)} characters")
