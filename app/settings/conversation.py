"""What is said, by whom it is made up, and how turns are taken."""

from typing import ClassVar, Literal

from pydantic import SecretStr, field_validator

from app.settings.section import Section, address, env, lower


def _cut(given: object) -> object:
    if isinstance(given, str):
        parts = [part.strip() for part in given.split("|")]
        return () if given.lower() == "none" else tuple(part for part in parts if part)
    return given


class ConversationSettings(Section):
    """The conversation and its turns."""

    title: ClassVar[str] = "Conversation"

    conversation: Literal["script", "llm", "echo", "parrot"] = env(
        "CONVERSATION",
        default="script",
        doc="`script`: a hotline script; `llm`: a language model; `echo`: says back what it heard; "
        "`parrot`: plays back the caller's own audio",
    )
    hotline_script: str = env(
        "HOTLINE_SCRIPT", default="", doc="TOML file of the conversation; empty: the one that ships"
    )
    greeting: str = env(
        "GREETING", default="", doc="first sentence said, instead of the script's own greeting"
    )
    llm_base_url: str = env(
        "LLM_BASE_URL", default="https://api.openai.com/v1", doc="any OpenAI-compatible chat endpoint"
    )
    llm_api_key: SecretStr = env("LLM_API_KEY", default=SecretStr(""), doc="its key; empty: none is sent")
    llm_model: str = env("LLM_MODEL", default="", doc="its model; must be given for CONVERSATION=llm")
    llm_prompt: str = env(
        "LLM_PROMPT",
        default="",
        doc="TOML file of the persona, its facts and tools; empty: the one that ships",
    )
    silence_s: float = env(
        "SILENCE_SECONDS", default=7.0, gt=0, le=120, doc="seconds of silence until the caller is asked"
    )
    barge_in: Literal["speech", "words", "never"] = env(
        "BARGE_IN",
        default="speech",
        doc="what interrupts us: `speech`, only understood `words`, or `never` (keys always do)",
    )

    barge_in_words: int = env(
        "BARGE_IN_WORDS", default=1, ge=1, le=10, doc="understood words that take the floor from us"
    )
    false_start_ms: int = env(
        "FALSE_START_MS",
        default=2000,
        ge=200,
        le=10_000,
        doc="milliseconds from the end of a sound that cut us to going on; a transcript takes less",
    )
    noise_up_to_ms: int = env(
        "NOISE_UP_TO_MS",
        default=1000,
        ge=0,
        le=10_000,
        doc="milliseconds; a wordless sound that cut us and was shorter is a cough, longer: not understood",
    )
    transcript_ms: int = env(
        "TRANSCRIPT_MS",
        default=2500,
        ge=500,
        le=20_000,
        doc="milliseconds from the end of an utterance until its words are given up; ears promise 2000",
    )
    message_silence_s: float = env(
        "MESSAGE_SILENCE_SECONDS",
        default=4.0,
        gt=0,
        le=30,
        doc="seconds of silence that end a message; people think before they go on",
    )
    filler_after_ms: int = env(
        "FILLER_MS",
        default=1200,
        ge=200,
        le=10_000,
        doc="milliseconds without a reply until a filler is said; a longer pause is noticed",
    )
    fillers: tuple[str, ...] = env(
        "FILLERS",
        default=("Let me see.", "One moment.", "Just a second."),
        doc="short fillers, separated by `|`, never the same twice in a row; `none`: silence",
    )

    _fillers = field_validator("fillers", mode="before")(_cut)
    _url = field_validator("llm_base_url")(address)
    _lower = field_validator("conversation", "barge_in", mode="before")(lower)

    def faults(self) -> list[str]:
        """What was chosen and lacks what it needs."""
        if self.conversation == "llm" and not self.llm_model:
            return ["LLM_MODEL is missing (CONVERSATION is llm)"]
        return []
