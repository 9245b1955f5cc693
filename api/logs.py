"""Log lines: JSON on standard error, one event a line, and nothing of what a request or a row holds."""

import logging
import sys
import traceback
from typing import Any

import structlog

from registry.cells.personal import mask_personal

# Innermost calls that a log line names.
FRAMES = 12


def describe(error: BaseException) -> dict[str, Any]:
    """What a log may say of an exception: its type, its first line (drivers put row contents behind it), its place."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return {
        "error": type(error).__name__,
        "said": mask_personal(str(error).partition("\n")[0])[:300],
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _exceptions(_: Any, __: str, event: Any) -> Any:
    if event.pop("exc_info", None) and (error := sys.exc_info()[1]) is not None:
        event.update(describe(error))
    return event


class _Lines:
    """Writes each line to what standard error is at that moment (tests and supervisors replace it)."""

    def msg(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = log = msg


def configure(level: str) -> None:
    """Set up structlog once per process; a program that has set it up already is left alone."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exceptions,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper(), logging.INFO)),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )
