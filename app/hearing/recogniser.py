"""The embedded recogniser: one caller's audio in, words out, by a hidden Markov model and a small language.

    mu-law 8 kHz ─▶ front end ─▶ 13 cepstra every 10 ms ─▶ search, frame by frame ─▶ words ─▶ ours or not?

It holds the interpreter's lock while it works, so the product runs it in worker processes only.
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

from pocketsphinx import Decoder, get_model_path

from app.audio import mulaw as g711
from app.hearing.front_end import Floats, FrontEnd, Network
from app.hearing.language import Language
from app.hearing.phrases import match

# Two frames at a time: the search looks five frames ahead in a queue of twelve, and loses those it is given
# beyond that.
FRAMES_AT_ONCE = 2
INTERIM_FRAMES = 20  # every 0.2 s of audio the words so far are looked at


class Heard(NamedTuple):
    """What an utterance came to; no text: not understood, or not about this hotline."""

    text: str
    confidence: float


class Lexicon:
    """A language in the files that the decoder wants; made once, shared by all who expect its phrases."""

    def __init__(self, language: Language | None) -> None:
        self.language = language  # none: full dictation, any words are taken
        self._files = tempfile.TemporaryDirectory(prefix="hotline-hearing-")
        self._settings = self._written(language) if language else self._bundled()

    def decoder(self, mean: Floats) -> Decoder:
        """A decoder that begins with the `mean` cepstra of a line, and learns the caller's as it goes."""
        # The second pass over the words (fwdflat) costs 50 ms at the end and gains nothing here.
        learned = {"cmn": "live", "cmninit": ",".join(f"{value:.2f}" for value in mean)}
        return Decoder(**self._settings, **learned, fwdflat=False, bestpath=True, loglevel="FATAL")

    @property
    def folder(self) -> Path:
        return Path(self._files.name)

    def close(self) -> None:
        self._files.cleanup()

    def share(self, words: list[str]) -> float:
        """How much of the words is the hotline's business, 0 for what is not understood."""
        if self.language is None:
            return 1.0
        met = match(words, self.language.phrases, self.language.always)
        return met.share if met else 0.0

    def _written(self, language: Language) -> dict[str, str]:
        arpa, dictionary = self.folder / "phrases.arpa", self.folder / "phrases.dict"
        arpa.write_text(language.arpa)
        dictionary.write_text(language.dictionary)
        return {"lm": str(arpa), "dict": str(dictionary)}

    def _bundled(self) -> dict[str, str]:
        root = Path(get_model_path()) / "en-us"
        return {"lm": str(root / "en-us.lm.bin"), "dict": str(root / "cmudict-en-us.dict")}


class Recogniser:
    """The ears of one caller. Everything that it learns of the caller is in the decoder, and goes with it."""

    def __init__(self, lexicon: Lexicon, network: Network) -> None:
        self._lexicon = lexicon
        self._network = network
        self._decoder = lexicon.decoder(network.mean)
        self._front_end: FrontEnd | None = None  # while there is an utterance
        self._looked_at = 0
        self._interim = ""

    def begin(self) -> None:
        """An utterance begins; one that was not ended is forgotten."""
        self.cancel()
        self._front_end = FrontEnd(self._network)
        self._looked_at = 0
        self._interim = ""
        self._decoder.start_utt()

    def hear(self, mulaw: bytes) -> str | None:
        """Take audio of the utterance; returns the words so far when they have changed."""
        if self._front_end is None:
            return None
        self._search(self._front_end.feed(g711.decode(mulaw)))
        if self._decoder.n_frames() < self._looked_at + INTERIM_FRAMES:
            return None
        self._looked_at = self._decoder.n_frames()
        words = self._words()
        if self._interim == words or not self._lexicon.share(words.split()):
            return None
        self._interim = words
        return words

    def end(self) -> Heard:
        """The utterance has ended: what it says."""
        if self._front_end is None:
            return Heard("", 0.0)
        self._search(self._front_end.finish())
        self._front_end = None
        self._decoder.end_utt()
        return self._judged()

    def cancel(self) -> None:
        """Forget the utterance, if there is one."""
        if self._front_end is not None:
            self._front_end = None
            self._decoder.end_utt()

    def _search(self, cepstra: Floats) -> None:
        for at in range(0, len(cepstra), FRAMES_AT_ONCE):
            self._decoder.process_cep(cepstra[at : at + FRAMES_AT_ONCE].tobytes())

    def _words(self) -> str:
        best = self._decoder.hyp()
        return best.hypstr if best else ""

    def _judged(self) -> Heard:
        best = self._decoder.hyp()
        words = best.hypstr.split() if best else []
        share = self._lexicon.share(words) if words else 0.0
        if not share:
            return Heard("", 0.0)
        # A word's part of all that the search still held possible; what is accepted at all is half sure.
        sureness = (1 + min(float(best.prob), 1.0) ** (1 / len(words))) / 2
        return Heard(" ".join(words), sureness * share)
