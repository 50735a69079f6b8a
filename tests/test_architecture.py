"""The house keeps its order: imports run one way, the pure stay pure, every module has its test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"
ORDER = [
    "audio",
    "telephony",
    "capacity",
    "hearing",
    "conversation",
    "speech",
    "playout",
    "calls",
    "observe",
    "web",
    "simulator",
    "cli",
]
ASSEMBLY = {"main", "vendors", "casting", "sharing", "__main__"}
ROOMLESS = {"settings", "errors", "clock", "log"}
VENDORS = {f"app.speech.{name}" for name in ("local", "elevenlabs", "elevenlabs_http", "elevenlabs_contexts")}
VENDORS |= {f"app.speech.{name}" for name in ("cartesia", "inworld", "deepgram", "openai")}
VENDORS |= {f"app.hearing.{name}" for name in ("local", "elevenlabs", "deepgram")}
VENDORS |= {"app.conversation.llm_openai"}
HEARING_MACHINES = (
    "activity",
    "completeness",
    "endpointing",
    "echo",
    "echo_delay",
    "ranges",
    "dictation",
    "unconfirmed",
    "fault",
)
READERS = {"script_file", "persona"}  # of the one file that a conversation has
STREAMING = {"llm", "llm_asking", "llm_openai"}  # they wait for a model
PURE = [
    "audio/frame.py",
    "audio/mulaw.py",
    "telephony/messages.py",
    "telephony/stream.py",
    "telephony/twiml.py",
    "telephony/signature.py",
    *(f"hearing/{name}.py" for name in HEARING_MACHINES),
    *(
        f"conversation/{path.name}"
        for path in (APP / "conversation").glob("*.py")
        if path.stem not in READERS | STREAMING
    ),
    "speech/sentences.py",
    "playout/pacer.py",
    "playout/marks.py",
    "playout/held.py",
    "capacity/breaker.py",
    "capacity/effective.py",
    *(f"speech/{name}.py" for name in ("progress", "words", "alignment", "elevenlabs_timing", "budgets")),
    "capacity/line.py",
    "calls/admission.py",
    "calls/registry.py",
    *(f"calls/{name}.py" for name in ("drain", "reception", "waiting", "shares", "strain")),
    *(f"calls/{name}.py" for name in ("budget", "spending", "usage", "welcome")),
]
IMPURE = {"asyncio", "av", "httpx", "starlette", "redis", "time", "os", "socket", "websockets", "subprocess"}
# Contracts and plain data without behaviour of their own; what keeps them is tested.
UNMIRRORED = {
    "app/__main__.py",
    "app/calls/port.py",
    "app/capacity/port.py",
    "app/hearing/dialect.py",
    "app/hearing/port.py",
    "app/speech/port.py",
    "app/web/parts.py",
}
LONGEST_FILE, LONGEST_CALL = 350, 200

MODULES = sorted(path for path in APP.rglob("*.py") if path.name != "__init__.py")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_room_imports_only_rooms_before_it(path: Path) -> None:
    here = room_of(name_of(path))
    allowed = {*ROOMLESS, ""}
    if here in ORDER:
        allowed |= set(ORDER[: ORDER.index(here) + 1])
    elif here in ASSEMBLY:
        allowed |= {*ORDER, *ASSEMBLY}

    met = {room_of(module) for module in imports_of(path) if module.split(".")[0] == "app"}
    assert met - {here} <= allowed


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_vendors_are_named_in_one_file_only(path: Path) -> None:
    if path == APP / "vendors.py" or name_of(path) in VENDORS:
        return

    assert not VENDORS & set(imports_of(path))


@pytest.mark.parametrize("relative", PURE)
def test_pure_modules_touch_no_loop_clock_socket_or_vendor(relative: str) -> None:
    met = {module.split(".")[0] for module in imports_of(APP / relative)}

    assert not met & IMPURE
    assert "app.clock" not in set(imports_of(APP / relative))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_has_its_test(path: Path) -> None:
    relative = path.relative_to(ROOT)
    mirror = ROOT / "tests" / relative.relative_to("app").parent / f"test_{path.name}"

    assert str(relative) in UNMIRRORED or mirror.exists()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_file_outgrows_a_readers_patience(path: Path) -> None:
    limit = LONGEST_CALL if path.name == "call.py" and path.parent.name == "calls" else LONGEST_FILE

    assert len(path.read_text().splitlines()) <= limit


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_and_public_class_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]

    assert ast.get_docstring(tree)
    assert [node.name for node in classes if not ast.get_docstring(node)] == []


def test_the_map_names_the_rooms_in_call_order() -> None:
    named = re.findall(r"^- `(\w+)`:", app.__doc__ or "", re.MULTILINE)

    assert named == ORDER
    assert {path.name for path in APP.iterdir() if path.is_dir() and path.name != "__pycache__"} == {
        *ORDER,
        "settings",
    }


def test_nothing_of_the_product_names_where_it_was_made() -> None:
    texts = [
        path for path in ROOT.rglob("*") if path.suffix in {".py", ".md", ".toml", ".yaml"} and path.is_file()
    ]
    mine = [path for path in texts if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]
    strange = re.compile(r"\.\./" + "shared|/" + "work/")

    assert [str(path) for path in mine if strange.search(path.read_text())] == []
