"""What a model may do on a call: each wish is checked here against the configuration, never by the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from app.conversation.llm_port import Tool, ToolCall
from app.conversation.persona import LookUpTable, Persona, Place
from app.conversation.port import GatherKeys, HangUp, Order, PressKeys, TakeMessage, Transfer
from app.conversation.wording import plain

MOST_ROWS = 5  # of one answer from a table
MOST_KEYS = 32  # pressed at once; six seconds of tones
LONGEST_ENTRY = 100  # characters of what is looked up
NO_PARAMETERS: dict[str, object] = {"type": "object", "properties": {}, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Done:
    """Obeyed: the model is told, and goes on."""

    told: str
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Handed:
    """The reply ends with this order; `line` names what is said before it when the model has said nothing."""

    order: HangUp | TakeMessage | Transfer
    line: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """The caller has to say yes first."""

    place: Place
    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not obeyed; the model is told why, in words of ours."""

    told: str


Outcome = Done | Handed | Confirm | Refused


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _To(msgspec.Struct, forbid_unknown_fields=True):
    to: str


class _Most(msgspec.Struct, forbid_unknown_fields=True):
    most: int = 0


class _Keys(msgspec.Struct, forbid_unknown_fields=True):
    keys: Annotated[str, msgspec.Meta(pattern=rf"^[0-9A-D*#]{{1,{MOST_KEYS}}}\Z")]


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    table: str
    entry: str


class Toolbox:
    """The tools that a persona declares; shared by all calls."""

    def __init__(self, persona: Persona) -> None:
        self._persona = persona
        self._places = {name: place for name, place in persona.transfer.items() if place.number}
        self.tools = tuple(self._declared())
        self._names = frozenset(tool.name for tool in self.tools)

    def known(self, name: str) -> str:
        """The name as it may be logged: a model's inventions may hold anything."""
        return name if name in self._names else "unknown"

    def use(self, call: ToolCall) -> Outcome:
        """Check one call of the model's; what it then leads to is for the conversation to order."""
        if call.name not in self._names:
            return Refused("there is no such tool")
        try:
            return self._use(call.name, (call.arguments.strip() or "{}").encode())
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return Refused("the arguments do not fit the tool's parameters")

    def _use(self, name: str, arguments: bytes) -> Outcome:
        match name:
            case "transfer":
                return self._transfer(msgspec.json.decode(arguments, type=_To).to)
            case "look_up":
                asked = msgspec.json.decode(arguments, type=_Entry)
                return self._look_up(asked.table, asked.entry)
            case "press_keys":
                pressed = msgspec.json.decode(arguments, type=_Keys).keys
                return Done("the keys were pressed", (PressKeys(pressed),))
            case "ask_for_keys":
                return self._ask_for_keys(msgspec.json.decode(arguments, type=_Most).most)
        msgspec.json.decode(arguments, type=_Nothing)
        if name == "take_message" and self._persona.message is not None:
            return Handed(TakeMessage(self._persona.message.longest_s), "message")
        return Handed(HangUp(), "goodbye")

    def _transfer(self, to: str) -> Outcome:
        place = self._places.get(to)
        if place is None:
            return Refused(f"nobody of that name; there is only: {', '.join(self._places)}")
        if place.confirm:
            return Confirm(place, place.called or to)
        return Handed(Transfer(place.number), "transfer")

    def _ask_for_keys(self, most: int) -> Outcome:
        longest = self._persona.keys.most if self._persona.keys is not None else 1
        if not 0 <= most <= longest:
            return Refused(f"most must be from 1 to {longest}")
        return Done("the keys will be taken; now ask the caller for them", (GatherKeys(most or longest),))

    def _look_up(self, table: str, entry: str) -> Outcome:
        if table not in self._persona.table:
            return Refused(f"no such table; there is only: {', '.join(self._persona.table)}")
        rows = _found(self._persona.table[table].rows, entry[:LONGEST_ENTRY])
        return Done("\n".join(f"{name}: {text}" for name, text in rows.items()) or "there is no such entry")

    def _declared(self) -> list[Tool]:
        persona, tools = self._persona, []
        if self._places:
            about = "; ".join(f"{name}: {place.about or name}" for name, place in self._places.items())
            to = {"type": "string", "enum": list(self._places)}
            tools.append(Tool("transfer", f"Put the caller through to somebody. {about}", _parameters(to=to)))
        if persona.message is not None:
            tools.append(
                Tool("take_message", f"Record a message. Use it when: {persona.message.about}", NO_PARAMETERS)
            )
        if persona.keys is not None:
            most = {"type": "integer", "minimum": 1, "maximum": persona.keys.most}
            about = f"Let the caller key in a number on their phone. Use it when: {persona.keys.about}"
            tools.append(Tool("ask_for_keys", about, _parameters(most=most)))
        if persona.press_keys is not None:
            keys = {"type": "string", "pattern": "^[0-9A-D*#]+$", "maxLength": MOST_KEYS}
            about = f"Press keys on the line, as tones. Use it when: {persona.press_keys.about}"
            tools.append(Tool("press_keys", about, _parameters(keys=keys)))
        if persona.table:
            tools.append(_look_up_tool(persona.table))
        if persona.hang_up:
            about = "End the call, only after the caller has said goodbye; say goodbye in the same reply."
            tools.append(Tool("hang_up", about, NO_PARAMETERS))
        return tools


def _parameters(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _look_up_tool(tables: Mapping[str, LookUpTable]) -> Tool:
    about = "; ".join(f"{name}: {table.about or name}" for name, table in tables.items())
    table = {"type": "string", "enum": list(tables)}
    entry = {"type": "string", "description": "the row's name; empty for the first rows"}
    return Tool("look_up", f"Look something up. {about}", _parameters(table=table, entry=entry))


def _found(rows: Mapping[str, str], entry: str) -> dict[str, str]:
    """The row of that name, else those that share the most words with it."""
    wanted = set(plain(entry).split())
    if not wanted:
        return dict(list(rows.items())[:MOST_ROWS])
    shared = {name: len(wanted & set(plain(name).split())) for name in rows}
    best = max(shared.values())
    exact = [name for name in rows if plain(name) == plain(entry)]
    names = exact or [name for name, count in shared.items() if count == best and best]
    return {name: rows[name] for name in names[:MOST_ROWS]}
