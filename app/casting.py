"""Who answers: the conversation that the operator chose, and what it needs for the life of the process."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from app import clock
from app.calls.script import Script
from app.conversation import echo, parrot
from app.conversation.announcement import Announcement
from app.conversation.echo import Echo
from app.conversation.immediate import Immediate
from app.conversation.llm import Llm
from app.conversation.llm_tools import Toolbox
from app.conversation.parrot import Parrot
from app.conversation.persona import load_persona
from app.conversation.script import ScriptConversation
from app.conversation.script_file import DEFAULT, load_script
from app.conversation.script_ready import ready_texts
from app.settings import Settings
from app.speech.sentences import SentenceCutter
from app.vendors import language_model
from app.web.voice import DEBUG_PATH

TEST_SENTENCE = (
    "This is the test sentence of the hotline. If you can hear every word of it clearly, "
    "the whole audio path works. One, two, three, four, five. Goodbye."
)


@dataclass(frozen=True, slots=True)
class Cast:
    """The conversation of a process."""

    answer: Callable[[], Script]
    """What is said on one new call."""
    phrases: Sequence[str] = ()
    """What callers are likely to say."""
    ready: Sequence[str] = ()
    """What is going to be said on most calls, the same for all callers."""
    prompts: Sequence[str] = ()
    """The operator's audio files."""
    dictation: bool = False
    """Whether any words can be answered, not only the phrases."""
    opened: Sequence[AbstractAsyncContextManager[object]] = ()

    def script_for(self, path: str) -> Script:
        """What is said on a call whose socket came on `path`."""
        if path == DEBUG_PATH:
            return Script(
                Immediate(Announcement(TEST_SENTENCE, then_hang_up=True)), listens=False, name="test"
            )
        return self.answer()


def cast(settings: Settings) -> Cast:
    """The conversation of CONVERSATION.

    Raises:
        ConfigError: its file cannot be used.
    """
    return CASTS[settings.conversation.conversation](settings)


def _scripted(settings: Settings) -> Cast:
    chosen = settings.conversation
    script = load_script(Path(chosen.hotline_script) if chosen.hotline_script else DEFAULT)
    phrases = script.phrases()

    def answer() -> Script:
        return Script(
            Immediate(ScriptConversation(script, clock.wall(), greeting=chosen.greeting)),
            phrases,
            name="script",
        )

    greeting = (chosen.greeting,) if chosen.greeting else ()
    return Cast(answer, phrases, (*greeting, *ready_texts(script)), script.prompts())


def _modelled(settings: Settings) -> Cast:
    persona = load_persona(settings.conversation.llm_prompt)
    model, toolbox = language_model(settings), Toolbox(persona)

    def answer() -> Script:
        llm = Llm(model, persona, SentenceCutter, toolbox=toolbox, greeting=settings.conversation.greeting)
        return Script(llm, persona.phrases, name="llm")

    ready = (settings.conversation.greeting or persona.greeting, *persona.lines.texts())
    return Cast(answer, persona.phrases, ready, dictation=True, opened=(model,))


def _echoed(_settings: Settings) -> Cast:
    return Cast(lambda: Script(Immediate(Echo()), name="echo"), ready=(echo.GREETING,), dictation=True)


def _parroted(_settings: Settings) -> Cast:
    return Cast(lambda: Script(Immediate(Parrot()), name="parrot"), ready=(parrot.GREETING,))


CASTS: dict[str, Callable[[Settings], Cast]] = {
    "script": _scripted,
    "llm": _modelled,
    "echo": _echoed,
    "parrot": _parroted,
}
