"""A recogniser process that leaks: 200 MB with its first utterance, or the first beat of its heart."""

from collections.abc import Iterator

import numpy as np

from app.hearing import recogniser_worker
from app.hearing.recogniser_wire import Kind, Packet

LEAK = 200_000_000
leaked: list[object] = []


class LeakingWorker(recogniser_worker.Worker):
    def obey(self, order: Packet) -> Iterator[Packet]:
        if order.kind in (Kind.END, Kind.PING) and not leaked:
            leaked.append(np.ones(LEAK, np.int8))  # written to, or the system would not give it
        yield from super().obey(order)


if __name__ == "__main__":
    recogniser_worker.Worker = LeakingWorker  # type: ignore[misc]
    recogniser_worker.main()
