"""From TOML to a frequency table; every mistake is filed with file, key and remedy, as the readers of schemes do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

from rules import content
from rules.dated import Dated, Span, order_mistakes, to_date
from rules.errors import Mistake
from rules.inspection.frequency import (
    NATURES,
    WHOLE,
    YEAR,
    Exempt,
    FrequencyError,
    FrequencyTable,
    Limits,
    Line,
    Pace,
    Skip,
    digest,
)
from rules.reader import Table

T = TypeVar("T")
_PREFIX = re.compile(r"[0-9]{2,4}", re.ASCII)
_MOST_DAYS = 3_660
_DIGITS = 4


def read_table(path: Path) -> FrequencyTable:
    """The table in the file ``path``. Raises FrequencyError with every mistake."""
    mistakes: list[Mistake] = []
    if not path.is_file():
        remedy = "Name a file that exists: [inspection] frequency, or the argument"
        raise FrequencyError([Mistake(str(path), "(file)", "there is no such file", remedy)])
    main = content.toml(path.name, path.read_bytes(), mistakes)
    if mistakes:
        raise FrequencyError(mistakes)
    head = Table(main.file, "frequency", main.raw("frequency", "Begin the file with [frequency]") or {}, main.mistakes)
    id_, title = head.text("id", '"district"'), head.title("title")
    head.finish()
    lines = [_line(line_id, table) for line_id, table in main.children("row")]
    if not lines:
        main.wrong("row", "is missing: the table says nothing", "Write at least one [row.…]")
    skip = _list(main, "skip", _skip)
    cap = _list(main, "cap", lambda row: row.integer("most", low=1, high=366))
    pace = _list(main, "visit", _pace)
    exempt = {type_: _exempt(type_, table) for type_, table in main.children("exempt")}
    main.finish()
    if not main.mistakes:
        _clashes(main, lines)
        _against(main, lines, skip)
    if main.mistakes:
        raise FrequencyError(main.mistakes)
    text = _canonical(main.data)
    return FrequencyTable(
        id=id_,
        title=title,
        lines=tuple(sorted(lines, key=lambda line: line.id)),
        skip=skip,
        cap=cap,
        exempt=dict(sorted(exempt.items())),
        pace=pace,
        content=text,
        hash=digest(text),
    )


def _line(id_: str, table: Table) -> Line:
    schemes = _words(table, "schemes", '["general-risk"]')
    natures = table.names("natures", NATURES)
    class_ = table.text("class", '"A"')
    prefixes = _words(table, "industries", '["13", "1411"]') if table.has("industries") else ()
    for prefix in prefixes:
        if _PREFIX.fullmatch(prefix) is None:
            table.wrong("industries", f"has {prefix!r}", "Write prefixes of GB/T 4754 of two, three or four digits")
    spans = []
    for row in table.list_of("values"):
        spans.append(row.dated(_limits(row)))
        row.finish()
    table.finish()
    table.mistakes.extend(order_mistakes(table.file, f"{table.key}.values", spans))
    ranges = tuple(_range(prefix) for prefix in sorted(prefixes) if _PREFIX.fullmatch(prefix))
    return Line(id_, schemes, natures, class_, ranges, Dated.of(spans))


def _range(prefix: str) -> tuple[int, int, int]:
    width = 10 ** (_DIGITS - len(prefix))
    first = int(prefix) * width
    return first, first + width - 1, len(prefix)


def _limits(row: Table) -> Limits:
    if not row.has("highest") and not row.has("every_days"):
        row.wrong("highest", "is missing, and so is every_days", "Write a highest ratio, an interval, or both")
    lowest = row.integer("lowest", default=0, low=0, high=WHOLE)
    highest = row.integer("highest", default=WHOLE, low=1, high=WHOLE)
    if lowest > highest:
        problem = f"is {lowest}, above highest = {highest}"
        row.wrong("lowest", problem, "Ratios are hundredths of a percent: 250 is 2.5 %; write the smaller one here")
    every = row.integer("every_days", low=1, high=_MOST_DAYS) if row.has("every_days") else None
    most = row.integer("at_most", low=1, high=366) if row.has("at_most") else None
    if every and most and YEAR // every > most:
        problem = f"is {most}, but a visit every {every} days is {YEAR // every} a year"
        row.wrong("at_most", problem, "Allow at least as many visits a year as the interval asks for")
    return Limits(lowest, highest, every, most)


def _skip(row: Table) -> Skip:
    form = "{ A = 365, B = 180 }"
    days = row.raw("days", f"Write days = {form}")
    if not isinstance(days, dict) or any(type(one) is not int or not 0 <= one <= _MOST_DAYS for one in days.values()):
        row.wrong("days", "is not a table of days by class", f"Write days = {form}, in whole days up to {_MOST_DAYS}")
        return Skip({})
    return Skip(dict(sorted(days.items())))


def _pace(row: Table) -> Pace:
    return Pace(row.integer("minutes", low=1, high=10_000), row.integer("day_minutes", low=1, high=1_440))


def _exempt(type_: str, table: Table) -> Dated[Exempt]:
    span: Span[Exempt] = table.dated(Exempt(type_, table.title("title"), table.title("reason")))
    table.finish()
    table.mistakes.extend(order_mistakes(table.file, table.key, [span]))
    return Dated.of([span])


def _list(main: Table, key: str, read: Callable[[Table], T]) -> Dated[T]:
    """A dated list of the file; one that is not there holds nothing."""
    if not main.has(key):
        main.see(key)
        return Dated.of([])
    if not isinstance(main.data[key], list) or not main.data[key]:
        main.see(key)
        main.wrong(key, "is not a list of tables", f"Write [[{key}]]")
        return Dated.of([])
    spans: list[Span[T]] = []
    for row in main.list_of(key):
        row.key = key
        spans.append(row.dated(read(row)))
        row.finish()
    main.mistakes.extend(order_mistakes(main.file, key, spans))
    return Dated.of(spans)


def _words(table: Table, key: str, form: str) -> tuple[str, ...]:
    value = table.raw(key, f"Write {key} = {form}")
    if value is None:
        return ()
    words = [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []
    if not words or words != value or len(set(words)) != len(words):
        table.wrong(key, "is not a list of distinct texts", f"Write {key} = {form}")
        return ()
    return tuple(sorted(words))


def _clashes(main: Table, lines: list[Line]) -> None:
    """Two rows for the same class and industries on the same day: neither is more specific than the other."""
    for one, other in combinations(sorted(lines, key=lambda line: line.id), 2):
        same = (
            one.class_ == other.class_
            and set(one.schemes) & set(other.schemes)
            and set(one.natures) & set(other.natures)
            and (set(one.prefixes) & set(other.prefixes) or not (one.prefixes or other.prefixes))
        )
        day = _together(one.values, other.values) if same else None
        if day is not None:
            problem = f"holds for the same class and industries as row.{one.id} from {to_date(day)} on"
            main.wrong(f"row.{other.id}", problem, "Leave one of them, or give them other days, natures or industries")


def _together(one: Dated[Any], other: Dated[Any]) -> int | None:
    """The first day on which both hold."""
    days = [
        max(a.start, b.start)
        for a in one.spans
        for b in other.spans
        if max(a.start, b.start) < min(a.until or 10**9, b.until or 10**9)
    ]
    return min(days, default=None)


def _against(main: Table, lines: list[Line], skip: Dated[Skip]) -> None:
    """A visit that is due must not be skipped because of the one before it."""
    for line in lines:
        for span in line.values.spans:
            for left in skip.spans:
                days, every = left.value.days.get(line.class_, 0), span.value.every_days
                if every and days > every and _together(Dated((span,)), Dated((left,))) is not None:
                    problem = f"is {every}, but who was visited less than {days} days ago is skipped"
                    main.wrong(f"row.{line.id}.values.every_days", problem, "Skip for fewer days than the interval has")


def _canonical(data: dict[str, Any]) -> str:
    return json.dumps(_plain(data), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Lists are sets here: rows of days in order of their first day, words in order of the alphabet."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        rows = [_plain(one) for one in value]
        return sorted(rows, key=lambda one: str(one["from"]) if isinstance(one, dict) and "from" in one else str(one))
    return value.isoformat() if isinstance(value, date) else value
