"""Figures, the budgets that they are held against (DESIGN §10), and the table of both."""

import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing.

    ``value`` in ``unit`` is what was measured. What counts is ``ratio`` where there is one, else ``value``: it must not
    pass ``limit`` (or, with ``at_least``, not stay below it). Without a limit the figure only informs.
    """

    what: str
    value: float
    unit: str
    ratio: float | None = None
    to: str = ""  # what the ratio is taken to
    limit: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the budget is met; None where there is none."""
        if self.limit is None:
            return None
        counted = self.value if self.ratio is None else self.ratio
        return counted >= self.limit if self.at_least else counted <= self.limit

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "met": self.met}


COLUMNS = ("work", "measured", "ratio", "budget", "", "note")


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table, aligned for a terminal too."""
    rows = [COLUMNS, *(_row(figure) for figure in figures)]
    widths = [max(_width(row[place]) for row in rows) for place in range(len(COLUMNS))]
    lines = [
        "| " + " | ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    sign = "≥" if figure.at_least else "≤"
    ratio = "" if figure.ratio is None else f"{_number(figure.ratio)} × {figure.to}"
    unit = "×" if figure.ratio is not None else figure.unit
    budget = "" if figure.limit is None else f"{sign} {_number(figure.limit)} {unit}"
    verdict = {True: "pass", False: "MISS", None: ""}[figure.met]
    return (figure.what, f"{_number(figure.value)} {figure.unit}", ratio, budget, verdict, figure.note)


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
