"""What every request may ask of the application: its settings, today, now, and the scheme that is graded at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from flask import current_app

from registry.config import Settings
from registry.services import grading
from rules.scheme import Scheme

EXTENSION = "xinheng"


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    today: Callable[[], date]
    now: Callable[[], int]

    @property
    def scheme(self) -> Scheme:
        """The scheme of `[grading] scheme`; the book is read once per process."""
        return grading.scheme_named(self.settings)

    @property
    def schemes(self) -> list[str]:
        return grading.schemes(self.settings)


def here() -> Context:
    found: Context = current_app.extensions[EXTENSION]
    return found
