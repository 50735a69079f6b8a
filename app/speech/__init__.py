"""Sentences to audio: cutting, providers, the chain of providers."""
