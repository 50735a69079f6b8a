"""What the figures were measured on."""

import os
import platform
from pathlib import Path


def describe() -> str:
    """One line: processor, cores, interpreter, and how busy the machine was."""
    load = ", ".join(f"{average:.2f}" for average in os.getloadavg())
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, load average {load}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
