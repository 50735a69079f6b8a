"""Every number by which ears judge; what follows from each stands in `app/hearing`."""

from typing import Any, ClassVar

from app.settings.section import Section, env


class TuningSettings(Section):
    """For lines and callers that the usual numbers do not fit; ranges are checked by the ears themselves."""

    title: ClassVar[str] = "Ears, fine tuning"

    timing_pause_ms: int = env(
        "ENDPOINT_PAUSE_MS", default=300, doc="milliseconds silence after which the recogniser may finish"
    )
    timing_finished_ms: int = env(
        "ENDPOINT_FINISHED_MS", default=500, doc="milliseconds silence that ends words which sound finished"
    )
    timing_open_ms: int = env(
        "ENDPOINT_SILENCE_MS",
        default=900,
        doc="milliseconds silence that ends an utterance whose words do not tell, or has none yet",
    )
    timing_unfinished_ms: int = env(
        "ENDPOINT_UNFINISHED_MS",
        default=1500,
        doc='milliseconds silence that ends it after "and", "um", half a number, or before digits',
    )
    timing_shortest_ms: int = env(
        "ENDPOINT_SHORTEST_MS", default=120, doc="milliseconds voiced time of an utterance; less was a noise"
    )
    timing_longest_ms: int = env(
        "ENDPOINT_LONGEST_MS",
        default=20000,
        doc="milliseconds an utterance; then somebody dictates, or a television is on",
    )
    timing_deaf_ms: int = env(
        "BARGE_IN_DEAF_MS",
        default=300,
        doc="milliseconds at the start of what we say: the caller's last word, a learning echo canceller",
    )
    sensitivity_doubt: float = env(
        "VAD_DOUBT", default=0.1, doc="probability up to which a frame is no evidence of speech"
    )
    sensitivity_sure: float = env("VAD_SURE", default=0.7, doc="probability from which it is full evidence")
    sensitivity_on: float = env("VAD_ON", default=0.5, doc="probability from which a frame is voiced")
    sensitivity_off: float = env(
        "VAD_OFF",
        default=0.35,
        doc="probability from which it stays voiced, so that soft syllables leave no holes",
    )
    sensitivity_start_evidence_ms: float = env(
        "VAD_START_EVIDENCE_MS",
        default=90.0,
        doc="milliseconds of speech that begin an utterance: three times what any noise of the bench reaches",
    )
    sensitivity_start_window_ms: int = env(
        "VAD_START_WINDOW_MS",
        default=200,
        doc="milliseconds in which they must come: the shortest word is no longer",
    )
    sensitivity_resume_evidence_ms: float = env(
        "VAD_RESUME_EVIDENCE_MS", default=45.0, doc="milliseconds of speech that go on after a pause"
    )
    sensitivity_resume_window_ms: int = env(
        "VAD_RESUME_WINDOW_MS",
        default=80,
        doc="milliseconds in which they must come: syllables of one word are no further apart",
    )
    sensitivity_barge_in_evidence_ms: float = env(
        "BARGE_IN_EVIDENCE_MS",
        default=160.0,
        doc="milliseconds of speech that interrupt us; a wrong stop costs more than a late one",
    )
    sensitivity_barge_in_window_ms: int = env(
        "BARGE_IN_WINDOW_MS",
        default=280,
        doc="milliseconds in which they must come; nine of ten words stop us within 260",
    )
    margins_start_db: float = env(
        "ECHO_START_DB",
        default=12.0,
        doc="decibels below our level a caller may be while the line is unknown; stops 15 dB echo",
    )
    margins_least_db: float = env(
        "ECHO_LEAST_DB",
        default=6.0,
        doc="decibels the same on the worst lines, while the echo's delay is unknown",
    )
    margins_aligned_least_db: float = env(
        "ECHO_ALIGNED_LEAST_DB",
        default=3.0,
        doc="decibels the same on the worst lines, once the delay is known",
    )
    margins_most_db: float = env(
        "ECHO_MOST_DB",
        default=24.0,
        doc="decibels the same on the best lines; above, a room's noises would pass",
    )
    margins_headroom_db: float = env(
        "ECHO_HEADROOM_DB",
        default=6.0,
        doc="decibels below the learned return loss: how an echo varies from syllable to syllable",
    )
    margins_hold_db: float = env(
        "ECHO_HOLD_DB", default=4.0, doc="decibels wider while the caller goes on, for soft syllables"
    )
    margins_memory_ms: int = env(
        "ECHO_MEMORY_MS",
        default=700,
        doc="milliseconds that an echo may be late: half a second, and the network's own delay",
    )
    margins_hold_ms: int = env(
        "ECHO_HOLD_MS",
        default=100,
        doc="milliseconds over which the caller's level is the loudest, to bridge dips between syllables",
    )
    margins_learning_ms: int = env(
        "ECHO_LEARNING_MS", default=1000, doc="milliseconds of our speech before the margin may widen"
    )
    margins_first_guess_ms: int = env(
        "ECHO_FIRST_GUESS_MS",
        default=300,
        doc="milliseconds of our speech before it may narrow: a bad line must not interrupt",
    )

    def of(self, group: str) -> dict[str, Any]:
        """The values of `timing`, `sensitivity` or `margins`, by their names there."""
        return {
            name.removeprefix(f"{group}_"): getattr(self, name)
            for name in type(self).model_fields
            if name.startswith(f"{group}_")
        }
