"""Caller audio to words: voice activity, endpointing, recognisers."""
