"""The event stream: rooms say a fact once, and everybody who reads facts is attached here."""
import structlog

log = structlog.get_logger()
