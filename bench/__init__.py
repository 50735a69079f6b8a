"""Benches print figures, the machine, and the ratio to a named baseline; `python -m bench` runs them all."""
