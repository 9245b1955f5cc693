"""Values that hold between two days, each with what it rests on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Generic, TypeVar

from rules.errors import Mistake

T = TypeVar("T")
_EPOCH = date(1970, 1, 1).toordinal()
_DEFAULT_ZH = "产品默认值"


def to_day(value: date) -> int:
    """Days since 1970-01-01: the form in which every frame carries a date."""
    return value.toordinal() - _EPOCH


def to_date(day: int) -> date:
    """The date of a day number; the inverse of :func:`to_day`."""
    return date.fromordinal(day + _EPOCH)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a value rests on. ``kind`` is a key of ``rules.kinds.BASIS_KINDS``.

    ``zh`` is what Chinese readers call an ``instrument`` that is cited in another language.
    """

    instrument: str
    kind: str
    article: str | None = None
    url: str | None = None
    note: str | None = None
    zh: str | None = None

    @property
    def instrument_zh(self) -> str:
        """The instrument in Chinese: its Chinese name, else the name it is cited by."""
        return self.zh or (_DEFAULT_ZH if self.kind == "product_default" else self.instrument)

    def as_dict(self) -> dict[str, str | None]:
        return {
            "instrument": self.instrument,
            "instrument_zh": self.instrument_zh,
            "article": self.article,
            "url": self.url,
            "kind": self.kind,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Span(Generic[T]):
    """``value`` from day ``start`` (inclusive) until day ``until`` (exclusive; None while it has no end)."""

    start: int
    until: int | None
    value: T
    basis: Basis


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """Spans in order of time, without gap or overlap (:func:`order_mistakes` sees to that)."""

    spans: tuple[Span[T], ...]

    @classmethod
    def of(cls, spans: Iterable[Span[T]]) -> Dated[T]:
        return cls(tuple(sorted(spans, key=lambda span: span.start)))

    def at(self, day: int) -> Span[T] | None:
        """The span in force on ``day``; None before the first and after the last."""
        index = bisect_right([span.start for span in self.spans], day) - 1
        if index < 0:
            return None
        span = self.spans[index]
        return span if span.until is None or day < span.until else None

    def edges(self) -> set[int]:
        """Days on which the value may change."""
        return {span.start for span in self.spans} | {s.until for s in self.spans if s.until is not None}


def order_mistakes(file: str, key: str, spans: Iterable[Span[T]]) -> list[Mistake]:
    """Name every gap, overlap and reversed span of ``spans``; an empty list when there is none."""
    ordered = sorted(spans, key=lambda span: span.start)
    found = [
        Mistake(
            file,
            key,
            f"the value from {to_date(span.start)} ends on {to_date(span.until)}, before it begins",
            "`until` is the first day on which the value no longer holds: write a later day",
        )
        for span in ordered
        if span.until is not None and span.until <= span.start
    ]
    for before, after in pairwise(ordered):
        if before.start == after.start:
            remedy = "Give each its own first day, or remove the one that does not hold"
            found.append(Mistake(file, key, f"two values begin on {to_date(after.start)}", remedy))
        elif before.until is None or before.until > after.start:
            said = "has no `until`" if before.until is None else f"holds until {to_date(before.until)}"
            found.append(
                Mistake(
                    file,
                    key,
                    f"overlap: the value from {to_date(before.start)} {said}, but another begins on "
                    f"{to_date(after.start)}",
                    f"Write until = {to_date(after.start)} in the earlier value",
                )
            )
        elif before.until < after.start:
            found.append(
                Mistake(
                    file,
                    key,
                    f"gap: no value holds from {to_date(before.until)} until {to_date(after.start)}",
                    f"Write until = {to_date(after.start)} in the earlier value, or add a value for the days between",
                )
            )
    return found
