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
        """The scheme of `[grading] scheme` as it holds today; each content is read once per process."""
        return grading.scheme_named(self.settings, on=self.today())

    @property
    def schemes(self) -> list[str]:
        """Ids of every scheme that grades: what is said of an entity marks it for all of them."""
        return grading.schemes(self.settings, self.today())


def here() -> Context:
    found: Context = current_app.extensions[EXTENSION]
    return found
