"""The operator's money as one thing: the gate before it, what is counted, and what counts it."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from app.calls.budget import Prices
from app.calls.closing import Closing
from app.calls.gate import Gate
from app.calls.purse import Others, Purse
from app.calls.shared_closing import SharedSwitch
from app.calls.spending import Allowance
from app.calls.welcome import Welcome
from app.log import attach
from app.observe.meter import Meter
from app.speech.background import Background


class Money:
    """Counts from when it is entered; without arguments everybody is welcome and nothing is bounded.

    Args:
        folder: of the operator's data, for the counts and for the kill switch; None keeps nothing.
        closed: by the setting.
        others: replicas that share what is allowed.
        switch: closes all of them.
    """

    def __init__(
        self,
        allowance: Allowance | None = None,
        prices: Prices | None = None,
        *,
        welcome: Welcome | None = None,
        folder: Path | None = None,
        closed: bool = False,
        others: Others | None = None,
        switch: SharedSwitch | None = None,
    ) -> None:
        self.purse = Purse(allowance, folder, others=others)
        self._closing = Closing(folder, always=closed, fleet=switch)
        self._meter = Meter(self.purse, prices)
        self.gate = Gate(self._closing, welcome or Welcome(), self.purse, self._meter.count)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for part in (self._closing, self.purse):
            await self._open.enter_async_context(part)
        self._open.callback(attach(self._meter.read))
        background = await self._open.enter_async_context(Background())
        background.start(self._meter.run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    def status(self) -> dict[str, object]:
        """For the operator: no numbers."""
        return {"closed": self.gate.reason or None, **self.purse.status()}
