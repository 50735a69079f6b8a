"""The metrics of the process, for Prometheus."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.observe.metrics import MEDIA_TYPE
from app.web.access import require_operator
from app.web.parts import Parts


class MetricsPage:
    """The metrics route of one assembled hotline."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        parts.observers.metrics.show("calls_live", "Calls that are live", lambda: parts.admission.live)

    def routes(self) -> list[Route]:
        return [Route("/metrics", self.metrics)]

    async def metrics(self, request: Request) -> Response:
        require_operator(request, self._parts.locks)
        return Response(self._parts.observers.metrics.exposition(), media_type=MEDIA_TYPE)
