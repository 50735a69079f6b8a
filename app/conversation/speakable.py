"""What a model writes, made fit to be said: no thoughts, tool calls, code, markdown, addresses, emoji."""

import html
import re
import unicodedata

from app.conversation.wording import word_set

# What stands between these tags is the model's own business.
HIDDEN_TAGS = word_set(
    "think thinking thought thoughts reasoning reflection analysis scratchpad tool_call tool_calls tools ",
    "function_call function_calls function invoke script style",
)
LONGEST_TAG = 200  # characters; a `<` with no `>` so far behind it is no tag
TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)[^<>]*>|<[|!?][^<>]*>")
TAG_BEGINS = re.compile(r"<(?:/?[A-Za-z]|[|!?]|/$)")
OPENERS = re.compile(r"[<`{]")
FENCE = "```"

LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")
ASIDE = re.compile(r"\[[^\[\]]*\]|【[^】]*】")  # [laughs], [1], [pressed 1]: a note, nothing to say
ADDRESS = re.compile(r"\b(?:https?://|www\.)([^\s/?#<>()]+)[^\s<>()]*", re.IGNORECASE)
LINE_MARK = re.compile(r"^[ \t]*(?:(?:#{1,6}|[-*+•‣◦–]|>+)[ \t]+|>+)+", re.MULTILINE)  # noqa: RUF001 - dashes
RULE = re.compile(r"^[ \t]*[|:*_=-][ \t|:*_=-]{2,}$", re.MULTILINE)
EMPHASIS = re.compile(r"\*+|~~+|`+|(?<!\w)_+|_+(?!\w)")
TIMES = re.compile(r"(?<=\d)\s*\*\s*(?=\d)")
# Symbols that are read well, or stand for a word.
KEPT_SYMBOLS = frozenset("°")
WORDS = {"→": ",", "⇒": ",", "|": ",", "_": " ", "\\": " ", "@": " at "} | dict.fromkeys("<>{}[]#^~", " ")
UNSAID_CATEGORIES = frozenset(("So", "Sk", "Cs", "Co", "Cn", "Cf"))
VARIATIONS = re.compile("[\ufe00-\ufe0f\u20e3]")


class Unwrapped:
    """Takes out of a text that streams in what is not for the caller at all, across any split of it.

    Thoughts and tool calls between tags, fenced code and JSON go with all they hold; other tags go alone.
    """

    def __init__(self) -> None:
        self._held = ""
        self._closing = ""  # what ends the part that is left out; empty: we are in the text
        self._json: _Json | None = None

    def feed(self, text: str) -> str:
        """Take more text; returns what belongs to the reply. What is still held at the end is nothing."""
        self._held += text
        kept = []
        while self._held:
            before = len(self._held)
            kept.append(self._text() if not self._closing and self._json is None else self._left_out())
            if len(self._held) == before:
                break  # more is needed to tell
        return "".join(kept)

    def _text(self) -> str:
        met = OPENERS.search(self._held)
        if met is None:
            text, self._held = self._held, ""
            return text
        text, self._held = self._held[: met.start()], self._held[met.start() :]
        return text + self._open()

    def _open(self) -> str:
        """Decide about what begins with `<`, a backtick or a brace; leaves it held if it cannot."""
        held = self._held
        if held[0] == "{":
            self._json, self._held = _Json(), held[1:]
        elif held[0] == "`":
            if held.startswith(FENCE):
                self._closing, self._held = FENCE, held[len(FENCE) :]
            elif held.strip("`"):
                self._held = held.lstrip("`")
        elif len(held) > 1:
            return self._open_tag()
        return ""

    def _open_tag(self) -> str:
        held = self._held
        tag = TAG.match(held, 0, LONGEST_TAG)
        if tag is not None:
            self._held = held[tag.end() :]
            name = (tag[2] or "").lower()
            if name in HIDDEN_TAGS and not tag[1] and not tag[0].endswith("/>"):
                self._closing = f"</{name}"
        elif not TAG_BEGINS.match(held) or len(held) >= LONGEST_TAG or "<" in held[1:]:
            self._held = held[1:]
            return "<"
        return ""

    def _left_out(self) -> str:
        if self._json is not None:
            end = self._json.skip(self._held)
            self._held = self._held[end:]
            self._json = None if self._json.ended else self._json
            return ""
        found = re.search(re.escape(self._closing), self._held, re.IGNORECASE)
        if found is None:
            self._held = self._held[-len(self._closing) :]
            return ""
        end = found.end() if self._closing == FENCE else self._held.find(">", found.end()) + 1
        if end:
            self._held, self._closing = self._held[end:], ""
        else:
            self._held = found[0]
        return ""


class _Json:
    """Finds the end of an object behind its first brace, whatever parts of it come at a time."""

    def __init__(self) -> None:
        self._depth = 1
        self._quoted = False
        self._escaped = False

    @property
    def ended(self) -> bool:
        return self._depth == 0

    def skip(self, text: str) -> int:
        """How much of `text` still belongs to the object."""
        for at, char in enumerate(text):
            if self._quoted:
                self._quoted = self._escaped or char != '"'
                self._escaped = char == "\\" and not self._escaped
            elif char == '"':
                self._quoted = True
            elif char in "{}":
                self._depth += 1 if char == "{" else -1
                if self.ended:
                    return at + 1
        return len(text)


def speakable(sentence: str) -> str:
    """One sentence as it is said; empty when nothing of it can be."""
    text = LINK.sub(r"\1", html.unescape(sentence))
    text = ASIDE.sub(" ", text)
    text = ADDRESS.sub(_address, text)
    text = LINE_MARK.sub("", RULE.sub(" ", text))
    text = EMPHASIS.sub("", TIMES.sub(" times ", text))
    text = re.sub(r"#(?=\d)", "number ", text)
    text = "".join(_said(char) for char in VARIATIONS.sub("", text))
    text = " ".join(text.split())
    text = re.sub(r"\s+(?=[,.;:!?])", "", re.sub(r"\(\s*\)", "", text))
    text = re.sub(r",(?:\s*,)+", ",", text).lstrip(" ,;:").rstrip(" ,")
    return text if any(char.isalnum() for char in text) else ""


def _address(met: re.Match[str]) -> str:
    """`https://www.example.com/a?b.` is `example dot com.`"""
    host = re.sub(r"(?i)^www\.", "", met[1].rpartition("@")[2]).rstrip(".,;:!?'\"*_")
    stop = re.search(r"[.,;:!?]*$", met[0].rstrip("'\"*_"))
    return host.partition(":")[0].replace(".", " dot ") + (stop[0] if stop else "")


def _said(char: str) -> str:
    if char in WORDS:
        return WORDS[char]
    if char.isspace():
        return " "
    unsaid = unicodedata.category(char) in UNSAID_CATEGORIES | {"Cc"} and char not in KEPT_SYMBOLS
    return "" if unsaid else char
