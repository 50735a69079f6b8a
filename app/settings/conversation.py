"""What is said, by whom it is made up, and how turns are taken."""

from typing import ClassVar, Literal

from pydantic import SecretStr, field_validator

from app.settings.section import Section, address, env, lower


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

    _url = field_validator("llm_base_url")(address)
    _lower = field_validator("conversation", "barge_in", mode="before")(lower)

    def faults(self) -> list[str]:
        """What was chosen and lacks what it needs."""
        if self.conversation == "llm" and not self.llm_model:
            return ["LLM_MODEL is missing (CONVERSATION is llm)"]
        return []
