"""A scheme: a folder of TOML, read once, checked as a whole, frozen, and known by the hash of its content.

Use :func:`load` for one folder and :func:`load_book` for all of them. See docs/schemes.md for the form of the files.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rules.compiled import Compiled, compile_for
from rules.dated import Dated, to_date
from rules.errors import Mistake, NotInForce, SchemeError
from rules.guard import MOST_CHARACTERS
from rules.kinds import CYCLES, DIRECTIONS, KINDS, REGISTRATION, SUBJECTS
from rules.parts import Cuts, Group, Indicator, Lookup, Rule, Second, Steps, Title
from rules.reader import Raw, Table
from rules.reading import Draft, read_cuts, read_groups, read_indicators, read_rules

_MOST_BYTES = 2_000_000  # of one file; the largest sensible one is a few tens of kilobytes


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """A checked scheme. Two schemes with the same ``hash`` give the same grades.

    ``classes`` go from the best to the worst; ``rules`` and ``indicators`` are sorted by id; days are integers.
    """

    id: str
    title: Title
    subjects: tuple[str, ...]
    published: bool
    cycle: str
    base: int
    lowest: int
    highest: int
    direction: str
    cuts: Dated[Cuts]
    groups: Mapping[str, Group]
    seconds: Mapping[str, Second]
    steps: Mapping[str, Dated[Steps]]
    lookups: Mapping[str, Dated[Lookup]]
    indicators: Mapping[str, Indicator]
    rules: Mapping[str, Rule]
    hash: str  # SHA-256 of `content`
    content: str = field(repr=False)  # canonical JSON of everything that counts
    boundaries: tuple[int, ...]  # days on which any dated value changes
    _compiled: dict[tuple[str, int], Compiled] = field(default_factory=dict, repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.cuts.spans[0].value.classes

    @property
    def kinds(self) -> frozenset[int]:
        """Numbers of the kinds whose facts the scheme reads."""
        found = {indicator.kind for indicator in self.indicators.values()}
        # Which reports were due depends on when the subject was established.
        if any(indicator.measure == "missing_years" for indicator in self.indicators.values()):
            found.add(REGISTRATION)
        return frozenset(found)

    def epoch(self, day: int) -> int:
        """Number of the span of days, between two boundaries, in which ``day`` lies; -1 before the first."""
        return bisect_right(self.boundaries, day) - 1

    def compiled(self, subject: str, epoch: int) -> Compiled:
        """The scheme for one subject inside one epoch, with every dated value fixed. Made once, then kept.

        Raises
        ------
        NotInForce
            If no cuts are in force then.
        """
        key = (subject, epoch)
        if key not in self._compiled:
            first = self.cuts.spans[0].start
            day = self.boundaries[epoch] if epoch >= 0 else self.boundaries[0] - 1
            if self.cuts.at(day) is None:
                raise NotInForce(self.id, to_date(day).isoformat(), to_date(first).isoformat())
            self._compiled[key] = compile_for(self, subject, day)
        return self._compiled[key]


def load(folder: Path, kinds: Mapping[str, int] = KINDS) -> Scheme:
    """Read and check the scheme in ``folder``.

    Raises
    ------
    SchemeError
        With every mistake in every file, each with file, key and remedy.
    """
    draft = Draft()
    main = _toml(folder / "scheme.toml", folder, draft.mistakes)
    parts = {
        "indicator": [_toml(path, folder, draft.mistakes) for path in sorted((folder / "indicators").glob("*.toml"))],
        "rule": [
            _toml(path, folder, draft.mistakes)
            for path in sorted((folder / "rules").glob("*.toml"))
            if not path.name.endswith(".cases.toml")
        ],
    }
    for path in sorted({*folder.rglob("*.toml")} - {folder / "scheme.toml"}):
        if path.parent not in (folder / "indicators", folder / "rules"):
            file = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            remedy = "Move it into indicators/ or rules/, or remove it"
            draft.mistakes.append(Mistake(file, "(file)", "no part of the scheme reads this file", remedy))
    if draft.mistakes:
        raise SchemeError(draft.mistakes)
    head = Table(main.file, "scheme", main.raw("scheme", "Begin the file with [scheme]"), draft.mistakes)
    scheme = _head(head)
    read_groups(main, draft)
    scheme["cuts"] = read_cuts(head, **{key: scheme[key] for key in ("lowest", "highest", "direction")})
    head.finish()
    main.finish()
    classes = scheme["cuts"].spans[0].value.classes if scheme["cuts"].spans else ()
    for table in parts["indicator"]:
        read_indicators(table, draft, kinds)
        table.finish()
    for table in parts["rule"]:
        read_rules(table, draft, scheme["subjects"], classes)
        table.finish()
    if not draft.mistakes:
        _check_use(draft, main, scheme)
    if draft.mistakes:
        raise SchemeError(draft.mistakes)
    dated: list[Dated[Any]] = [scheme["cuts"], *draft.steps.values(), *draft.lookups.values()]
    dated += [one for rule in draft.rules.values() for one in rule.parameters.values()]
    content = _content([main.data, *(table.data for tables in parts.values() for table in tables)])
    return Scheme(
        **scheme,
        groups=draft.groups,
        seconds=draft.seconds,
        steps=draft.steps,
        lookups=draft.lookups,
        indicators=dict(sorted(draft.indicators.items())),
        rules=dict(sorted(draft.rules.items())),
        hash=hashlib.sha256(content.encode()).hexdigest(),
        content=content,
        boundaries=tuple(sorted(set().union(*(one.edges() for one in dated)))),
    )


def load_book(folder: Path, kinds: Mapping[str, int] = KINDS) -> dict[str, Scheme]:
    """Every scheme of a book by id: each folder that holds a ``scheme.toml``.

    Raises
    ------
    SchemeError
        With every mistake in every scheme, or if two folders declare the same id.
    """
    book: dict[str, Scheme] = {}
    mistakes: list[Mistake] = []
    for path in sorted(folder.glob("*/scheme.toml")):
        try:
            scheme = load(path.parent, kinds)
        except SchemeError as error:
            mistakes.extend(error.mistakes)
            continue
        if scheme.id in book:
            where = f"{path.parent.name}/scheme.toml"
            mistakes.append(Mistake(where, "scheme.id", f"duplicate id {scheme.id!r}", "Give each scheme its own id"))
        book[scheme.id] = scheme
    if mistakes:
        raise SchemeError(mistakes)
    return book


def _head(table: Table) -> dict[str, Any]:
    """The plain keys of ``[scheme]``."""
    lowest, highest = (table.integer(key, low=-(10**9), high=10**9) for key in ("lowest", "highest"))
    if lowest >= highest:
        table.wrong("highest", f"is {highest}, not above lowest = {lowest}", "Write the greatest score there can be")
    return {
        "id": table.text("id", '"general-risk"'),
        "title": table.title("title"),
        "subjects": table.names("subjects", tuple(SUBJECTS)),
        "published": table.flag("published", False),
        "cycle": table.choice("cycle", CYCLES, "month"),
        "base": table.integer("base", default=0, low=-(10**9), high=10**9),
        "lowest": lowest,
        "highest": highest,
        "direction": table.choice("direction", DIRECTIONS),
    }


def _check_use(draft: Draft, main: Table, scheme: Mapping[str, Any]) -> None:
    """What can only be seen when everything has been read: things nobody uses, caps outside the scale."""
    read = {name for rule in draft.rules.values() for name in rule.indicators}
    for id_ in draft.indicators:
        if id_ not in read:
            where = draft.declared["indicator", id_]
            remedy = "Use it in a rule or remove it"
            draft.mistakes.append(Mistake(where, f"indicator.{id_}", "no rule reads this indicator", remedy))
    for sort, declared, used in (
        ("steps", draft.steps, {one.steps for one in draft.indicators.values()}),
        ("lookup", draft.lookups, {one.lookup for one in draft.indicators.values()}),
    ):
        for id_ in sorted(set(declared) - used):
            main.wrong(f"{sort}.{id_}", "no indicator reads this table", "Use it in an indicator or remove it")
    for id_, rule in draft.rules.items():
        for span in rule.parameters["at_most"].spans if rule.effect == "cap" else ():
            for value in (span.value.value, *span.value.subjects.values()):
                if not scheme["lowest"] <= value <= scheme["highest"]:
                    problem = f"{value} lies outside the scale {scheme['lowest']} to {scheme['highest']}"
                    where = draft.declared["rule", id_]
                    remedy = "Hold the score at a value of the scale"
                    draft.mistakes.append(Mistake(where, f"rule.{id_}.parameter.at_most", problem, remedy))
    if not draft.rules:
        main.wrong("", "the scheme has no rules", "Put at least one [rule.…] into a file of the folder rules/")


def _toml(path: Path, folder: Path, mistakes: list[Mistake]) -> Table:
    file = f"{folder.name}/{path.relative_to(folder).as_posix()}"
    data: Raw = {}
    try:
        content = path.read_bytes()
        if len(content) > _MOST_BYTES:
            mistakes.append(Mistake(file, "(file)", f"has {len(content):,} bytes", f"Keep it under {_MOST_BYTES:,}"))
        else:
            data = tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError:
        mistakes.append(Mistake(file, "(file)", "there is no such file", "A scheme is a folder with a scheme.toml"))
    except UnicodeDecodeError as error:
        mistakes.append(Mistake(file, f"byte {error.start}", "the file is not UTF-8", "Save it as UTF-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        mistakes.append(Mistake(file, "(TOML)", f"cannot be read: {error}", "Mend the line; see https://toml.io"))
    return Table(file, "", data, mistakes)


def _content(files: list[Raw]) -> str:
    """All that counts, as canonical JSON: the same whatever the file order, the comments and the whitespace."""
    merged: dict[str, Any] = {}
    for data in files:
        for key, value in data.items():
            merged.setdefault(key, {}).update(value)
    # Order of the groups is the order on the page, hence content; all other tables are sets.
    merged["order"] = [list(merged.get(key, {})) for key in ("group", "second")]
    return json.dumps(_canonical(merged), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _canonical(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _canonical(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        rows = [_canonical(inner) for inner in value]
        dated = bool(rows) and all(isinstance(row, dict) and "from" in row for row in rows)
        return sorted(rows, key=lambda row: str(row["from"])) if dated else rows
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(value.split()) if key in ("when", "where", "points") and len(value) <= MOST_CHARACTERS else value
