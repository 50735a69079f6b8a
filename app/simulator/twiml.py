"""TwiML read as strictly as Twilio does: names are case-sensitive, the unknown is reported and passed over.

Source: https://www.twilio.com/docs/voice/twiml
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.simulator.orders import Fault

LARGEST_DOCUMENT = 64 * 1024  # bytes
LONGEST_PARAMETER = 500  # characters; name and value together stay under it
XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
# The verbs that a bridge answers with, and the attributes each may have.
VERBS: dict[str, frozenset[str]] = {
    "Connect": frozenset({"action", "method"}),
    "Say": frozenset({"voice", "language", "loop"}),
    "Play": frozenset({"loop", "digits"}),
    "Gather": frozenset({"action", "method", "numDigits", "timeout"}),
    "Record": frozenset(
        {
            "action",
            "method",
            "maxLength",
            "playBeep",
            "recordingStatusCallback",
            "recordingStatusCallbackMethod",
        }
    ),
    "Pause": frozenset({"length"}),
    "Redirect": frozenset({"method"}),
    "Dial": frozenset({"action", "method", "timeout", "callerId"}),
    "Reject": frozenset({"reason"}),
    "Hangup": frozenset(),
}
STREAM = frozenset({"url", "name", "track", "statusCallback", "statusCallbackMethod"})
PROMPTS = frozenset({"Say", "Play", "Pause"})  # what a Gather may play meanwhile
PARAMETER = frozenset({"name", "value"})


@dataclass(frozen=True, slots=True)
class Stream:
    """The noun of Connect: where the call's audio goes."""

    url: str
    parameters: Mapping[str, str]
    name: str = ""
    status_url: str = ""


@dataclass(frozen=True, slots=True)
class Verb:
    """One step of a call; `stream` is there for Connect only, `prompts` for Gather."""

    name: str
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    stream: Stream | None = None
    prompts: "tuple[Verb, ...]" = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The verbs in order, what Twilio would have warned of, and the URL that relative ones refer to."""

    url: str
    verbs: tuple[Verb, ...]
    warnings: tuple[Fault, ...] = ()


def read(body: bytes, content_type: str, url: str) -> Document:
    """Read an answer to a webhook.

    Raises:
        Fault: 11200, 11750, 12100 or 12300, when Twilio would not execute any of it.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not kind:
        raise Fault(11200, "answer without a Content-Type, expected text/xml")
    if kind not in XML_TYPES and kind != "text/plain":
        raise Fault(12300, f"answer of Content-Type {kind}, expected text/xml")
    if len(body) > LARGEST_DOCUMENT:
        raise Fault(11750, f"answer of {len(body)} bytes, expected at most {LARGEST_DOCUMENT}")
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError) as error:
        if kind == "text/plain":
            return Document(url, (Verb("Say", body.decode(errors="replace")), Verb("Hangup")))
        raise Fault(12100, f"answer that is no XML: {error}") from None
    if root.tag != "Response":
        raise Fault(12100, f"answer with the root <{root.tag}>, expected <Response>")
    reader = _Reader()
    verbs = tuple(verb for element in root if (verb := reader.verb(element)))
    return Document(url, verbs, tuple(reader.warnings))


class _Reader:
    """Turns elements into verbs and keeps what was wrong with them."""

    def __init__(self) -> None:
        self.warnings: list[Fault] = []

    def verb(self, element: ElementTree.Element) -> Verb | None:
        if element.tag not in VERBS:
            self._warn(12200, f"verb <{element.tag}> is not one that we send")
            return None
        attributes = self._attributes(element, VERBS[element.tag])
        text = (element.text or "").strip()
        if element.tag == "Gather":
            inner = [self.verb(child) for child in element if self._is_prompt(child)]
            return Verb("Gather", text, attributes, prompts=tuple(verb for verb in inner if verb))
        if element.tag != "Connect":
            for child in element:
                self._warn(12200, f"<{child.tag}> inside <{element.tag}>")
            return Verb(element.tag, text, attributes)
        streams = [self._stream(child) for child in element if self._is(child, "Stream", "Connect")]
        if len(streams) != 1:
            self._warn(12200, f"<Connect> with {len(streams)} streams, expected one")
            return None
        return Verb("Connect", text, attributes, streams[0])

    def _stream(self, element: ElementTree.Element) -> Stream:
        attributes = self._attributes(element, STREAM)
        if attributes.get("track", "inbound_track") != "inbound_track":
            self._warn(31941, f"track {attributes['track']!r} inside <Connect>, expected inbound_track")
        parameters = {}
        for child in element:
            if self._is(child, "Parameter", "Stream"):
                given = self._attributes(child, PARAMETER)
                name, value = given.get("name", ""), given.get("value", "")
                if len(name) + len(value) >= LONGEST_PARAMETER:
                    self._warn(
                        12200, f"<Parameter> of {len(name) + len(value)} characters, expected under 500"
                    )
                parameters[name] = value
        url = attributes.get("url", "")
        return Stream(url, parameters, attributes.get("name", ""), attributes.get("statusCallback", ""))

    def _is_prompt(self, element: ElementTree.Element) -> bool:
        if element.tag not in PROMPTS:
            self._warn(12200, f"<{element.tag}> inside <Gather>")
        return element.tag in PROMPTS

    def _is(self, element: ElementTree.Element, wanted: str, parent: str) -> bool:
        if element.tag != wanted:
            self._warn(12200, f"<{element.tag}> inside <{parent}>, expected <{wanted}>")
        return element.tag == wanted

    def _attributes(self, element: ElementTree.Element, known: frozenset[str]) -> dict[str, str]:
        for name in element.attrib.keys() - known:
            self._warn(12200, f"attribute {name} of <{element.tag}>")
        return {name: value for name, value in element.items() if name in known}

    def _warn(self, code: int, message: str) -> None:
        self.warnings.append(Fault(code, message))
