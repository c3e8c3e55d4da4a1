"""Logs are event names with fields, one JSON object a line; a position never gets into one."""

import logging
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

FORBIDDEN: Final = ("lat", "lon", "position", "coordinate", "token", "password", "secret", "key", "bbox")


def configure_logs(level: str = "info", *, for_people: bool = False) -> None:
    """Send logs to standard error: JSON lines, or coloured lines for people. Raises ValueError for an unknown level."""
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        message = f"log level {level!r} is unknown: use debug, info, warning or error (SKYBEAT_LOG_LEVEL)"
        raise ValueError(message)
    renderer = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if for_people else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            hide_the_sensitive,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, format="%(message)s")


def hide_the_sensitive(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the value of every field whose name speaks of a place or a secret."""
    for name in event:
        words = name.lower().split("_")
        if any(word in FORBIDDEN or word.rstrip("s") in FORBIDDEN for word in words):
            event[name] = "(hidden)"
    return event


def get_logger(room: str) -> FilteringBoundLogger:
    """Return the logger of a room; every line bears its name as `room`."""
    logger: FilteringBoundLogger = structlog.get_logger(room=room)
    return logger
