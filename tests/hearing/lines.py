"""Runs whole lines through the ears, all in step, as a live process would."""

from collections.abc import Mapping, Sequence

from app.audio.frame import FRAME_MS
from app.hearing.ear import Ear, Ears, Event, UtteranceAudio
from app.hearing.silero import Silero
from app.hearing.vad import VadBank
from tests.hearing.sounds import Sound, mulaw_frames

Frames = Sequence[bytes | None]  # None: nothing came in this step


def run(
    ears: Ears, lines: Mapping[str, Frames], ours: Mapping[str, Frames] | None = None
) -> dict[str, list[Event]]:
    """Everything that follows from the frames of each line; `ours` is what we play to it at the same time."""
    opened = {name: ears.open() for name in lines}
    events = run_open(ears, opened, lines, ours or {})
    for ear in opened.values():
        ears.close(ear)
    return events


def run_open(
    ears: Ears,
    opened: Mapping[str, Ear],
    lines: Mapping[str, Frames],
    ours: Mapping[str, Frames],
    start_ms: int = 0,
) -> dict[str, list[Event]]:
    """The same with ears that stay open."""
    names = {id(ear): name for name, ear in opened.items()}
    events: dict[str, list[Event]] = {name: [] for name in lines}
    for step in range(max(map(len, lines.values()))):
        at_ms = start_ms + step * FRAME_MS
        for name, ear in opened.items():
            if (mulaw := _at(ours.get(name, ()), step)) is not None:
                ear.played(at_ms, mulaw)
            if (mulaw := _at(lines[name], step)) is not None:
                ear.hear(at_ms, mulaw)
        for ear, news in ears.step():
            events[names[id(ear)]] += news
    return events


def run_sounds(
    sounds: Mapping[str, Sound], ours: Mapping[str, Sound] | None = None
) -> dict[str, list[Event]]:
    """The same from sounds, without the audio among the events."""
    lines = {name: mulaw_frames(sound) for name, sound in sounds.items()}
    played = {name: mulaw_frames(sound) for name, sound in (ours or {}).items()}
    events = run(Ears(VadBank(Silero.load())), lines, played)
    return {
        name: [event for event in found if not isinstance(event, UtteranceAudio)]
        for name, found in events.items()
    }


def _at(frames: Frames, step: int) -> bytes | None:
    return frames[step] if step < len(frames) else None
