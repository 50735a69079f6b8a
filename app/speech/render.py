"""A sentence as frames: a provider with the converter behind it, and the one log line that says how it went."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from app import clock
from app.audio.converter import Converter
from app.errors import Failure, ProviderError
from app.log import log
from app.speech.port import Speech
