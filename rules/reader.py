"""Reading one TOML table and remembering every mistake in it, instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, TypeAlias

from rules.dated import Basis, Span, to_day
from rules.errors import Mistake
from rules.guard import RESERVED
from rules.kinds import BASIS_KINDS, LARGEST
from rules.parts import Title

Raw: TypeAlias = dict[str, Any]
_LONG, _FEW = 16, 6  # a list of more words than this is cut to the nearest few
_ID = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


class Table:
    """A table of a scheme file. Each method takes one key, checks it, and files a mistake if it is not as it should.

    After a mistake a method returns a harmless value of the right type, so that reading goes on; whoever collects the
    mistakes must not use what was read if there are any.
    """

    def __init__(self, file: str, key: str, data: object, mistakes: list[Mistake]) -> None:
        self.file, self.key, self.mistakes = file, key, mistakes
        self.data: Raw = data if isinstance(data, dict) else {}
        self._seen: set[str] = set()
        if not isinstance(data, dict):
            self.wrong("", f"is {_called(data)} where a table is needed", f"Write it as [{key}]")

    def wrong(self, key: str, problem: str, remedy: str) -> None:
        """File one mistake about ``key`` of this table ('' for the table itself)."""
        path = ".".join(part for part in (self.key, key) if part) or "(file)"
        self.mistakes.append(Mistake(self.file, path, problem, remedy))

    def see(self, key: str) -> None:
        """Take note that ``key`` is a known key, read elsewhere."""
        self._seen.add(key)

    def has(self, key: str) -> bool:
        return key in self.data

    def raw(self, key: str, missing: str) -> object:
        """The value as it stands; if there is none, a mistake with remedy ``missing``."""
        self._seen.add(key)
        if key not in self.data:
            self.wrong(key, "is missing", missing)
        return self.data.get(key)

    def text(self, key: str, example: str) -> str:
        value = self.raw(key, f"Write {key} = {example}")
        if value is not None and (not isinstance(value, str) or not value.strip()):
            self.wrong(key, f"is {_called(value)} where a text is needed", f"Write {key} = {example}")
        return value if isinstance(value, str) else ""

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        self._seen.add(key)
        value = self.data.get(key, default)
        if isinstance(value, str) and value in choices:
            return value
        said = "is missing" if key not in self.data else f"is {_called(value)}, which is not known"
        self.wrong(key, said, _listed("Use one of", value, choices))
        return next(iter(choices), "")

    def integer(self, key: str, *, default: int | None = None, low: int = -LARGEST, high: int = LARGEST) -> int:
        self._seen.add(key)
        value = self.data.get(key, default)
        if value is None:
            self.wrong(key, "is missing", f"Write {key} = an integer")
        elif type(value) is not int:
            self.wrong(key, f"is {_called(value)} where an integer is needed", "Write whole numbers without quotes")
        elif not low <= value <= high:
            self.wrong(key, f"is {value}, outside {low} to {high}", "Write an integer within these bounds")
        else:
            return value
        return max(low, 0)

    def title(self, key: str) -> Title:
        value = self.raw(key, f'Write {key} = {{ zh = "…", en = "…" }}')
        if value is None:
            return Title("", "")
        if not isinstance(value, dict):
            problem = f"is {_called(value)} where a Chinese and an English text are needed"
            self.wrong(key, problem, f'Write {key} = {{ zh = "…", en = "…" }}')
            return Title("", "")
        inner = Table(self.file, f"{self.key}.{key}", value, self.mistakes)
        title = Title(inner.text("zh", '"…"'), inner.text("en", '"…"'))
        inner.finish()
        return title

    def basis(self) -> Basis:
        """What a value rests on: ``instrument`` and ``kind``; optional ``article``, ``url``, ``note`` and ``zh``, the name
        of the instrument in Chinese where it is cited in another language."""
        remedy = 'Write basis = { instrument = "…", article = "…", kind = "…" }, and never invent one'
        value = self.raw("basis", remedy)
        if value is None:
            return Basis("", "product_default")
        if not isinstance(value, dict):
            self.wrong("basis", f"is {_called(value)} where an instrument and its kind are needed", remedy)
            return Basis("", "product_default")
        inner = Table(self.file, f"{self.key}.basis", value, self.mistakes)
        instrument = inner.text("instrument", '"name of the instrument"')
        kind = inner.choice("kind", tuple(BASIS_KINDS))
        rest = {key: inner.text(key, '"…"') for key in ("article", "url", "note", "zh") if inner.has(key)}
        inner.finish()
        return Basis(instrument, kind, **rest)

    def names(self, key: str, choices: Collection[str], default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of distinct words out of ``choices``."""
        if key not in self.data and default is not None:
            self.see(key)
            return default
        value = self.raw(key, f"Write {key} = [{', '.join(choices)}]")
        if value is None:
            return ()
        if not isinstance(value, list) or not value:
            self.wrong(key, f"is {_called(value)} where a list of words is needed", f"Choose from {', '.join(choices)}")
            return ()
        for one in value:
            if one not in choices:
                self.wrong(key, f"names {one!r}, which is not known", _listed("Choose from", one, choices))
        if len(set(map(str, value))) != len(value):
            self.wrong(key, "names the same word twice", "Remove the repetition")
        return tuple(str(one) for one in value if one in choices)

    def rows(self, key: str, length: int, form: str) -> list[list[int]]:
        """A list of lists of ``length`` integers, or of integers when ``length`` is 1."""
        value = self.raw(key, f"Write {key} = {form}")
        if value is None:
            return []
        rows = [[one] if length == 1 else one for one in value] if isinstance(value, list) else []
        good = [
            row
            for row in rows
            if isinstance(row, list) and len(row) == length and all(type(n) is int and abs(n) <= LARGEST for n in row)
        ]
        if not rows or len(good) != len(rows):
            self.wrong(key, "is not of the form it should have", f"Write {key} = {form}, in integers up to {LARGEST}")
        return good

    def span(self) -> tuple[int, int | None]:
        """Days of ``from`` (needed) and ``until`` (optional)."""
        start = self.day("from")
        until = self.day("until") if self.has("until") else None
        return start or 0, until

    def dated(self, value: object) -> Span[Any]:
        """``value`` with the days and the basis of this table."""
        start, until = self.span()
        return Span(start, until, value, self.basis())

    def day(self, key: str) -> int | None:
        """A date as a day number; None after a mistake."""
        value = self.raw(key, f"Write {key} = 2024-05-01, the first day on which it holds")
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            self.wrong(key, f"is {_called(value)} where a date is needed", f"Write {key} = 2024-05-01, without quotes")
            return None
        return to_day(value)

    def children(self, key: str) -> Iterable[tuple[str, Table]]:
        """Tables below ``key`` by id: ``[key.id]``. Ids that could not stand in a condition are mistakes."""
        self._seen.add(key)
        inner = Table(self.file, f"{self.key}.{key}".lstrip("."), self.data.get(key, {}), self.mistakes)
        for id_, data in inner.data.items():
            yield id_, Table(self.file, f"{inner.key}.{id_}", data, self.mistakes)
            check_id(self.file, f"{inner.key}.{id_}", id_, self.mistakes)

    def list_of(self, key: str) -> list[Table]:
        """Tables of a ``[[key]]`` list."""
        value = self.raw(key, f"Write at least one [[{self.key}.{key}]]")
        if value is None:
            return []
        if not isinstance(value, list) or not value:
            self.wrong(key, f"is {_called(value)} where a list of tables is needed", f"Write [[{self.key}.{key}]]")
            return []
        return [Table(self.file, f"{self.key}.{key}", one, self.mistakes) for one in value]

    def finish(self) -> None:
        """Report keys that nobody asked for: a misspelt key that is ignored would change a grade silently."""
        for key in sorted(set(self.data) - self._seen):
            known = sorted(self._seen)
            self.wrong(key, "is an unknown key", _listed("Known here:", key, known))


def check_id(file: str, key: str, id_: str, mistakes: list[Mistake]) -> None:
    """Ids are lower-case ASCII words that the parser of conditions can take as names."""
    if not _ID.fullmatch(id_):
        remedy = "Use a lower-case letter, then letters, digits and _, at most 63 characters"
        mistakes.append(Mistake(file, key, f"the id {id_!r} is not of the allowed form", remedy))
    elif id_ in RESERVED:
        mistakes.append(Mistake(file, key, f"the id {id_!r} is a reserved word", "Choose another word"))


def _listed(lead: str, value: object, known: Collection[str]) -> str:
    """A remedy that begins with what was probably meant and goes on with what there is: of a long list the nearest."""
    close = get_close_matches(str(value), known, n=_FEW, cutoff=0.3)
    meant = get_close_matches(str(value), known, n=1, cutoff=0.7)
    shown, left = list(known), 0
    if len(shown) > _LONG:
        shown = close or shown[:_FEW]
        left = len(known) - len(shown)
    said = f"{lead} {', '.join(shown)}" + (f" and {left} more" if left else "")
    return f"Did you mean {meant[0]!r}? {said}" if meant else said


def _called(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return "true" if value is True else "false" if value is False else repr(value)
