"""Readers of the event stream."""
