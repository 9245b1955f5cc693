"""A run of a job as its task sees it: what it works with, what it counts, and when it must stop."""

import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from registry.cells.personal import mask_personal
from registry.config import ROOT, Settings
from registry.errors import RegistryError

log = structlog.get_logger()

# Errors of single items that a run keeps; the rest are counted.
SHOWN = 5
LONGEST = 500


class Interrupted(Exception):
    """The run must stop here: its worker was told to, or its lease was taken over. What is left is done by the next run."""


def plain(error: BaseException) -> str:
    """An error in one line that is safe to keep: our own sentences masked, of any other only its type and place.

    Messages of drivers and libraries may quote the row at fault.
    """
    if isinstance(error, RegistryError):
        return mask_personal(error.detail)[:LONGEST]
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        file = Path(frame.filename)
        if file.is_relative_to(ROOT) and ".venv" not in file.parts:
            place = f" at {file.relative_to(ROOT)}:{frame.lineno}"
    return f"{type(error).__name__}{place}"


class Run:
    """One run. `items` counts what was dealt with, `failures` those of them that raised; `result` is kept as JSON."""

    def __init__(
        self,
        job: str,
        *,
        settings: Settings,
        now: Callable[[], int],
        must_stop: Callable[[], str],
        result: dict[str, Any] | None = None,
    ) -> None:
        self.job = job
        self.settings = settings
        self.now = now
        self.items = 0
        self.failures = 0
        self.errors: list[str] = []
        self.result: dict[str, Any] = dict(result or {})
        self._must_stop = must_stop

    @property
    def actor(self) -> str:
        return f"job:{self.job}"

    def go_on(self) -> None:
        """Raise Interrupted if the run must stop here. Call it between two transactions, never inside one."""
        why = self._must_stop()
        if why:
            raise Interrupted(why)

    def progress(self, *_: object) -> None:
        """`go_on` in the shape of the progress callbacks of the services."""
        self.go_on()

    @contextmanager
    def item(self, subject: str) -> Generator[None, None, None]:
        """Deal with one item: it is counted, and if it raises, that is reported and the others go on.

        `subject` must not name a person or a party: it goes into the run's row and the log.
        """
        self.go_on()
        try:
            yield
        except Interrupted:
            raise
        except Exception as error:
            self.failures += 1
            text = f"{subject}: {plain(error)}"
            if len(self.errors) < SHOWN:
                self.errors.append(text)
            log.error("job.item_failed", job=self.job, error=text)
        self.items += 1

    @property
    def error(self) -> str:
        """The errors of single items in one text."""
        more = self.failures - len(self.errors)
        return "\n".join([*self.errors, *([f"and {more} more"] if more > 0 else [])])
