"""How long a voice may take, and how long a caller may wait for one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budgets:
    """Seconds, where nothing else is said."""

    connect_s: float = 0.8
    """To a connection; a handshake across an ocean takes 0.4, and sockets are warm as a rule."""
    first_byte_s: float = 1.0
    """From the text to the first audio, on top of `connect_s`: vendors for calls take 0.1 to 0.6, and with
    both used up the next voice still begins within two seconds."""
    gap_s: float = 1.5
    """Between two pieces: what came before them is played for longer, for vendors are faster than speech."""
    sentence_s: float = 30.0
    """Spent waiting for one whole sentence, which lasts some 20 when it is long: beyond it a voice is slower
    than speech."""
    permit_wait_s: float = 2.5
    """In line for a permit, which comes back every half a second or so. A caller who hears nothing for five
    believes the line is dead."""
    last_permit_wait_s: float = 15.0
    """The same of the last voice: waiting, with a filler meanwhile, is better than an apology."""
    batch_wait_s: float = 60.0
    """The same where nobody listens: the line is full of callers, and the phrase can wait."""
    turn_s: float = 1.9
    """A caller hears nothing for no longer than this until the next voice is asked: bounds repetitions."""
    last_voice: float = 2.0
    """How many times as much the last voice gets: behind it there is only an apology."""

    def start_s(self, *, is_last: bool) -> float:
        """To the first audio."""
        return (self.connect_s + self.first_byte_s) * (self.last_voice if is_last else 1.0)


USUAL = Budgets()
