"""Prints how well the embedded ears hear, and what a call costs them; on voices and noises made here.

    python -m bench hearing            some five minutes on two cores
    python -m bench.hearing --quick    a first look

Word and intent error rates of generated callers over several lines (`bench/hearing_asr.py`), the delay of an
utterance's beginning, false beginnings per minute of noise and music (`bench/hearing_vad.py`), and the
processor time of a call with both.
"""

import sys

from bench import hearing_asr, hearing_vad, machine

TALKS = 0.35  # of a call the caller talks so much; the recogniser works only then


def main() -> None:
    quick = "--quick" in sys.argv
    print("-- words and intents")
    talking = hearing_asr.report(quick=quick)
    print("\n-- voice activity")
    listening = hearing_vad.report(quick=quick)
    call = listening + TALKS * talking
    print(
        f"\n-- a call, of whose time the caller talks {TALKS:.0%}: {listening:.4f} of a core to listen,"
        f" {TALKS * talking:.4f} to understand, {call:.4f} in all: {1 / call:.0f} calls a core;"
        f" while all talk at once {1 / (listening + talking):.0f}"
    )


if __name__ == "__main__":
    print(machine.describe())
    main()
