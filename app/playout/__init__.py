"""Frames leave on time, marks come back."""
