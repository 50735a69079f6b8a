"""The metrics of the process, for Prometheus."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.observe.fleet import Reach
from app.observe.metrics import MEDIA_TYPE
from app.web.access import require_operator
from app.web.parts import Parts


class MetricsPage:
    """The metrics route of one assembled hotline."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        show = parts.observers.metrics.show
        show("calls_live", "Calls that are live", lambda: parts.admission.live)
        fleet, events = parts.fleet, parts.events
        show("replicas", "Replicas when the store was last asked", lambda: fleet.known if fleet else 1)
        if fleet is not None and events is not None:
            show("store_available", "The store answers", lambda: fleet.reach is Reach.FLEET)
            show("events_dropped", "Events that never reached the store", lambda: events.dropped)

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.metrics)]

    async def metrics(self, request: Request) -> Response:
        require_operator(request, self._parts.locks)
        return Response(self._parts.observers.metrics.exposition(), media_type=MEDIA_TYPE)
