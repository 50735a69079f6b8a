"""What is said, and by whom it is made up."""

from app.settings.conversation import ConversationSettings


def test_a_language_model_must_be_named() -> None:
    assert ConversationSettings.read({"CONVERSATION": "LLM"}).faults() == [
        "LLM_MODEL is missing (CONVERSATION is llm)"
    ]
    assert ConversationSettings.read({"CONVERSATION": "llm", "LLM_MODEL": "m"}).faults() == []
    assert ConversationSettings.read({}).faults() == []
