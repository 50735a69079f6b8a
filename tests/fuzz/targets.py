"""What is fuzzed, by name: each target takes any bytes, runs our real code on them, and raises `Broken` or
whatever our code should not have raised.

The rules: no exception but the documented ones, no growth, few lines in the log, nothing that never ends.
"""

from collections.abc import Callable

from tests.fuzz import files, sounds, telephone, vendors

Target = Callable[[bytes], None]

TARGETS: dict[str, Target] = {
    "twilio_stream": telephone.twilio_stream,
    "twilio_call": telephone.twilio_call,
    "webhook": telephone.webhook,
    "door": telephone.door,
    "elevenlabs_voice": vendors.elevenlabs_voice,
    "elevenlabs_contexts_voice": vendors.elevenlabs_contexts_voice,
    "deepgram_voice": vendors.deepgram_voice,
    "cartesia_voice": vendors.cartesia_voice,
    "inworld_voice": vendors.inworld_voice,
    "deepgram_ears": vendors.deepgram_ears,
    "elevenlabs_ears": vendors.elevenlabs_ears,
    "mp3": sounds.mp3,
    "audio": sounds.audio,
    "convert": sounds.convert,
    "prompt": sounds.prompt,
    "script": files.script,
    "persona": files.persona,
    "settings": files.settings,
    "record": files.record,
    "speech_order": files.speech_order,
}
