"""The only file that names vendors: each is imported when it is chosen, and built from the settings."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.hearing.port import Hearing
from app.settings import Settings
from app.speech.port import Speech

if TYPE_CHECKING:
    from app.conversation.llm_openai import OpenAiModel


def _elevenlabs(settings: Settings) -> Speech:
    vendors, speech = settings.vendors, settings.speech
    if speech.elevenlabs_transport == "http":
        # Imported only when chosen: the SDK takes most of a second to import.
        from app.speech.elevenlabs_http import ElevenLabsHttp

        kind: Callable[..., Speech] = ElevenLabsHttp
    elif speech.elevenlabs_transport == "multi-context":
        from app.speech.elevenlabs_contexts import ElevenLabsContexts

        kind = partial(ElevenLabsContexts, prewarm=speech.prewarm_pool_size)
    else:
        from app.speech.elevenlabs import ElevenLabs

        kind = partial(ElevenLabs, prewarm=speech.prewarm_pool_size)
    return kind(
        api_key=vendors.elevenlabs_api_key.get_secret_value(),
        voice_id=speech.elevenlabs_voice_id,
        model_id=speech.elevenlabs_model_id,
        audio_format=speech.elevenlabs_output_format,
        base_url=vendors.elevenlabs_base_url,
    )


def _inworld(settings: Settings) -> Speech:
    from app.speech.inworld import Inworld

    vendors, speech = settings.vendors, settings.speech
    return Inworld(
        api_key=vendors.inworld_api_key.get_secret_value(),
        voice_id=speech.inworld_voice_id,
        model_id=speech.inworld_model_id,
        aligned=speech.inworld_timestamps,
        base_url=vendors.inworld_base_url,
    )


def _cartesia(settings: Settings) -> Speech:
    from app.speech.cartesia import Cartesia

    vendors, speech = settings.vendors, settings.speech
    return Cartesia(
        api_key=vendors.cartesia_api_key.get_secret_value(),
        voice_id=speech.cartesia_voice_id,
        model_id=speech.cartesia_model_id,
        language=speech.cartesia_language,
        aligned=speech.cartesia_timestamps,
        base_url=vendors.cartesia_base_url,
    )


def _deepgram(settings: Settings) -> Speech:
    from app.speech.deepgram import DeepgramSpeech

    vendors, speech = settings.vendors, settings.speech
    return DeepgramSpeech(
        api_key=vendors.deepgram_api_key.get_secret_value(),
        base_url=vendors.deepgram_base_url,
        model=speech.deepgram_speech_model,
        prewarm=min(1, speech.prewarm_pool_size),
    )


def _openai(settings: Settings) -> Speech:
    from app.speech.openai import OpenAiSpeech

    vendors, speech = settings.vendors, settings.speech
    return OpenAiSpeech(
        api_key=vendors.openai_api_key.get_secret_value(),
        base_url=vendors.openai_base_url,
        model=speech.openai_speech_model,
        voice=speech.openai_speech_voice,
        instructions=speech.openai_speech_instructions,
    )


def _local(_settings: Settings) -> Speech:
    from app.speech.local import LocalSpeech

    return LocalSpeech()


def _elevenlabs_ears(settings: Settings, _phrases: Sequence[str], _dictation: bool) -> Hearing:
    from app.hearing.elevenlabs import ElevenLabsHearing

    return ElevenLabsHearing(
        api_key=settings.vendors.elevenlabs_api_key.get_secret_value(),
        base_url=settings.vendors.elevenlabs_base_url,
        language=settings.hearing.hearing_language,
    )


def _deepgram_ears(settings: Settings, _phrases: Sequence[str], _dictation: bool) -> Hearing:
    from app.hearing.deepgram import DeepgramHearing

    return DeepgramHearing(
        api_key=settings.vendors.deepgram_api_key.get_secret_value(),
        base_url=settings.vendors.deepgram_base_url,
        language=settings.hearing.hearing_language,
    )


def _local_ears(settings: Settings, phrases: Sequence[str], dictation: bool) -> Hearing:
    from app.hearing.local import LocalHearing

    hearing = settings.hearing
    chosen = dictation if hearing.hearing_dictation == "auto" else hearing.hearing_dictation == "on"
    return LocalHearing(phrases, sessions=hearing.hearing_pool_size or None, dictation=chosen)


def language_model(settings: Settings) -> "OpenAiModel":
    """The endpoint of `LLM_BASE_URL`."""
    from app.conversation.llm_openai import OpenAiModel

    talk = settings.conversation
    return OpenAiModel(
        base_url=talk.llm_base_url, api_key=talk.llm_api_key.get_secret_value(), model=talk.llm_model
    )


VOICES: dict[str, Callable[[Settings], Speech]] = {
    "elevenlabs": _elevenlabs,
    "cartesia": _cartesia,
    "inworld": _inworld,
    "deepgram": _deepgram,
    "openai": _openai,
    "local": _local,
}
EARS: dict[str, Callable[[Settings, Sequence[str], bool], Hearing]] = {
    "elevenlabs": _elevenlabs_ears,
    "deepgram": _deepgram_ears,
    "local": _local_ears,
}
