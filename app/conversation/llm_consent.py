"""Whether a caller said yes: decided on their words alone, where no model may decide for them."""

from app.conversation.wording import NO, YES, plain, word_set

YES_WORDS = word_set("yes yeah yep yup sure okay ok please correct right definitely absolutely alright")
YES_OPENINGS = ("of course", "go ahead", "do that", "do it", "thats right", "all right", "why not")
# Any of these, wherever it stands: a second thought counts more than a yes.
NO_WORDS = word_set(
    "no not nope dont never wait stop cancel but instead rather wrong what who why how before first nah"
)
CONSENT_PHRASES = (*YES, *NO)


def agrees(text: str) -> bool:
    """Whether these words are a plain yes; anything in doubt is none."""
    said = plain(text)
    words = said.split()
    if not words:
        return False
    opening = next((opening for opening in YES_OPENINGS if f"{said} ".startswith(f"{opening} ")), "")
    doubts = NO_WORDS.intersection(words[len(opening.split()) :])
    return not doubts and (bool(opening) or words[0] in YES_WORDS)
