"""The phone at the caller's ear, as Twilio runs it: plays, speaks, presses keys, echoes marks."""

import asyncio

from app import clock
from app.simulator.dialogue import Dialogue
from app.simulator.orders import Fault
from app.simulator.plan import CallPlan
from app.simulator.playback import SILENT_FRAME, Playback
from app.simulator.receiver import Receiver
from app.simulator.recording import Recording
from app.simulator.report import StreamReport
from app.simulator.sender import Sender


class Phone:
    """Between one stream's socket, which it listens to, and the ticker, which it is a member of."""

    def __init__(
        self,
        plan: CallPlan,
        sender: Sender,
        report: StreamReport,
        recording: Recording,
        dialogue: Dialogue | None = None,
    ) -> None:
        self._is_strict = plan.quirks.strict
        self._sender = sender
        self._report = report
        self._recording = recording
        self._playback = Playback(report.figures, recording, mark_latency_ms=plan.quirks.mark_latency_ms)
        self._receiver = Receiver(self._playback, report)
        self._dialogue = dialogue or Dialogue(plan.turns, plan.patience)
        self._turns_before = len(self._dialogue.figures)
        self.over = asyncio.Event()  # either side has ended the stream

    def start(self, parameters: dict[str, str]) -> None:
        """Pick up: from now on the bridge may speak."""
        now = clock.now()
        self._dialogue.missed(self._recording.come_back(now))
        self._report.heard_from = self._recording.size
        self._sender.open(parameters)
        self._receiver.started(now)

    def tick(self) -> None:
        """Live through 20 ms."""
        at = self._report.figures.ticks
        frame = self._playback.tick()
        self._sender.marks(self._playback.echoes())
        doings = self._dialogue.tick(hears=frame is not SILENT_FRAME, is_quiet=self._playback.is_quiet)
        self._sender.media(doings.mulaw, at, heard=None if frame is SILENT_FRAME else frame)
        self._sender.keys(doings.digits)
        if doings.hangs_up:
            self.over.set()

    def finish(self) -> None:
        """The stream is over: complete the report."""
        self._recording.leave(clock.now())
        self._receiver.finish()
        self._report.turns = self._dialogue.figures[self._turns_before :]
        if self._sender.is_congested:
            self._report.add_fault(Fault(31930, "the hotline reads too slowly, caller's audio was dropped"))

    # Called by the socket ----------------------------------------------------------------------------

    def received(self, text: bytes) -> None:
        clears = self._report.figures.clears
        try:
            self._sender.marks(self._receiver.receive(text, clock.now()))
            if self._report.figures.clears > clears:
                self._dialogue.cleared()
        except Fault as fault:
            self._complain(fault)

    def received_binary(self) -> None:
        self._complain(Fault(31950, "binary message, expected text"))

    def closed(self) -> None:
        self.over.set()

    def _complain(self, fault: Fault) -> None:
        self._report.add_fault(fault)
        if self._is_strict:
            self._report.add_fault(Fault(31924, "stream ended: the hotline broke the protocol"))
            self._sender.refuse()
            self.over.set()
