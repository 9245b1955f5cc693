"""Reading the mapping of a benchmark: a TOML file that says how somebody's inspections become records, and what is asked of them.

docs/benchmarks-of-others.md explains every key. A mapping that is not in order is refused with every mistake in it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

from registry.errors import RegistryError
from registry.kinds.item_12315 import TYPES
from registry.kinds.licence import SUBJECTS
from registry.kinds.penalty import KINDS as PENALTY_KINDS
from registry.services.benchmark_form import (
    NOTHING,
    PURPOSE_WORDS,
    SEVERITIES,
    SKIP,
    Area,
    Benchmark,
    Complaints,
    Entities,
    Findings,
    Licences,
    Penalty,
    Plan,
    Split,
    Statutory,
    Target,
    Units,
    Visits,
    Words,
)  # fmt: skip
from rules.errors import Mistake
from rules.model.units import PURPOSES, Outcome
from rules.reader import Table

FOLDER = Path(__file__).parent.parent / "benchmarks"
ID = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


class BadBenchmarkMapping(RegistryError):
    """A mapping that cannot be used. `mistakes` holds every one that was found: file, key, what is wrong, what to do."""

    code = "bad_benchmark_mapping"
    status = 422

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(
            "The mapping of the benchmark cannot be used.\n" + "\n".join(f"  {mistake}" for mistake in mistakes)
            + "\ndocs/benchmarks-of-others.md explains every key."
        )  # fmt: skip


def shipped() -> dict[str, Path]:
    """The mappings that come with the product, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def load(path: Path) -> Benchmark:
    """Read a mapping. Raises BadBenchmarkMapping with every mistake in it: file, key, what is wrong, what to do."""
    file = path.name
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        remedy = f"Give the path of a mapping, or one of {', '.join(shipped())}"
        raise BadBenchmarkMapping(
            [Mistake(file, "(file)", f"cannot be read ({error.strerror or type(error).__name__})", remedy)]
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadBenchmarkMapping(
            [Mistake(file, "(file)", f"is not valid TOML in UTF-8: {error}", "Mend that place")]
        ) from error
    mistakes: list[Mistake] = []
    made = _whole(Table(file, "", data, mistakes), path.stem)
    if not mistakes:
        _check(made, file, mistakes)
    if mistakes:
        raise BadBenchmarkMapping(sorted(set(mistakes)))
    return made


def _whole(table: Table, name: str) -> Benchmark:
    if not ID.fullmatch(name):
        table.wrong(
            "", f"is named {name!r}", "Name the file by lower-case letters, digits and _, 32 at most, and .toml"
        )
    title = table.title("title")
    source, licence = table.text("source", '"where the data come from"'), table.text("licence", '"licence of the data"')
    entities = _entities(_below(table, "entities") if table.has("entities") else None)
    table.see("entities")
    made = Benchmark(
        name, title, source, licence, entities, _area(_below(table, "area")) if table.has("area") else None,
        tuple(_visits(one) for one in _tables(table, "visits")),
        tuple(_complaints(one) for one in _tables(table, "complaints", least=0)),
        tuple(_licences(one) for one in _tables(table, "licences", least=0)),
        _units(_below(table, "units")), tuple(_targets(table)), _split(_below(table, "split")),
        _statutory(_below(table, "statutory")) if table.has("statutory") else None, _list(table, "never", '["inspector", "weather"]'), _list(table, "nobody", '["0", "unknown"]'),
    )  # fmt: skip
    table.finish()
    return made


def _below(table: Table, key: str) -> Table:
    inner = f"{table.key}.{key}".lstrip(".")
    value = table.raw(key, f"Write [{inner}]")
    return Table(table.file, inner, {} if value is None else value, table.mistakes)


def _tables(table: Table, key: str, *, least: int = 1) -> list[Table]:
    """The tables of a list [[key]], named by their places: visits 1, visits 2."""
    table.see(key)
    value = table.data.get(key, [])
    if not isinstance(value, list) or len(value) < least:
        table.wrong(key, "is no list of tables" if value else "is missing", f"Write [[{key}]]")
        return []
    return [Table(table.file, f"{key} {place}", one, table.mistakes) for place, one in enumerate(value, start=1)]


def _maybe(table: Table, key: str) -> str:
    """The name of a column that need not be given."""
    table.see(key)
    return table.text(key, '"heading of the column"') if table.has(key) else ""


def _format(table: Table) -> str:
    table.see("format")
    return table.text("format", '"%Y-%m-%d"') if table.has("format") else "%Y-%m-%d"


def _entities(table: Table | None) -> Entities:
    if table is None:
        return Entities()
    file, id_ = table.text("file", '"entities.csv"'), table.text("id", '"heading of the column"')
    made = Entities(file, id_, _maybe(table, "established"), _format(table))
    table.finish()
    return made


def _visits(table: Table) -> Visits:
    column = '"heading of the column"'
    file, entity, day = table.text("file", '"visits.csv"'), table.text("entity", column), table.text("day", column)
    counts = {at: name for word, at in SEVERITIES.items() if (name := _maybe(table, word))}
    findings = None
    if table.has("findings"):
        inner = _below(table, "findings")
        words = (*SEVERITIES, NOTHING)
        severity = _words(inner, "severity", words)
        findings = Findings(inner.text("file", '"findings.csv"'), inner.text("visit", column), severity)
        inner.finish()
        if counts:
            table.wrong(
                "findings", "stands beside columns of numbers", "Keep one of the two: numbers per visit or rows"
            )
    elif not counts:
        remedy = (
            "Name columns of numbers (serious, problem, minor) or [visits.findings]; leave out visits without a result"
        )
        table.wrong("serious", "is missing, and nothing else says what these visits found", remedy)
    penalty = None
    if table.has("penalty"):
        inner = _below(table, "penalty")
        penalty = Penalty(
            inner.text("column", column), _texts(inner, "values"), inner.choice("kind", tuple(PENALTY_KINDS), "other")
        )
        inner.finish()
    purpose: Words | str = "unstated"
    if table.has("purpose"):
        purpose = _word_or_words(table, "purpose", PURPOSE_WORDS, skip=True)
    made = Visits(
        file, _maybe(table, "id"), entity, day, _format(table), purpose, counts, findings, penalty
    )  # fmt: skip
    if findings is not None and not made.id:
        table.wrong("id", "is missing", "Write id = the column by which `findings.visit` names a visit")
    table.finish()
    return made


def _area(table: Table) -> Area:
    column = '"heading of the column"'
    names = ("district", "block", "street", "latitude", "longitude", "address")
    file, entity = table.text("file", '"entities.csv"'), table.text("entity", column)
    district, block, street, latitude, longitude, address = (_maybe(table, name) for name in names)
    large, small = _degrees(table, "district"), _degrees(table, "block")
    made = Area(file, entity, district, block, street, latitude, longitude, large, small, address)
    if bool(made.latitude) != bool(made.longitude) or (made.latitude and (made.district or made.block or made.street)):
        remedy = "Write latitude and longitude, or district with block or street"
        table.wrong("latitude", "stands alone, or beside columns of areas", remedy)
    if ((made.block or made.street) and not made.district) or (made.block and made.street):
        table.wrong(
            "block", "needs a district, and stands without `street`", "Write district, and one of block and street"
        )
    if made.latitude and made.block_degrees > made.district_degrees:
        table.wrong("block_degrees", "is larger than the district around it", "Write for example 0.01 within 0.04")
    table.finish()
    return made


def _degrees(table: Table, name: str) -> float:
    key = f"{name}_degrees"
    table.see(key)
    value = table.data.get(key, {"district": 0.04, "block": 0.0}[name])
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not ((value == 0 and name == "block") or 0.001 <= value <= 10)
    ):
        table.wrong(key, f"is {value!r}, no number of degrees from 0.001 to 10", f"Write {key} = 0.04")
        return 0.04
    return float(value)


def _complaints(table: Table) -> Complaints:
    column = '"heading of the column"'
    kind: Words | str = "complaint"
    if table.has("type"):
        kind = _word_or_words(table, "type", tuple(TYPES), skip=True)
    made = Complaints(
        table.text("file", '"complaints.csv"'),
        _maybe(table, "id"),
        _maybe(table, "entity"),
        _maybe(table, "address"),
        table.text("day", column),
        _format(table),
        kind,
    )
    if bool(made.entity) == bool(made.address):
        table.wrong(
            "entity", "must stand alone or be left out for `address`", "Write entity or address, one of the two"
        )
    table.finish()
    return made


def _licences(table: Table) -> Licences:
    column = '"heading of the column"'
    subject: Words | str = "other"
    if table.has("subject"):
        subject = _word_or_words(table, "subject", tuple(SUBJECTS.terms))
    made = Licences(
        table.text("file", '"licences.csv"'), _maybe(table, "id"), table.text("entity", column),
        table.text("from", column), _maybe(table, "until"), _format(table), subject,
    )  # fmt: skip
    table.finish()
    return made


def _units(table: Table) -> Units:
    if table.has("file") or table.has("id"):
        made = Units(
            tuple(PURPOSES.values()), file=table.text("file", '"units.csv"'), id=table.text("id", '"heading of the column"')
        )  # fmt: skip
    else:
        words = table.names("purposes", PURPOSE_WORDS, ("unstated", "routine"))
        made = Units(
            tuple(sorted(PURPOSES[_purpose(word)] for word in words)),
            table.integer("least_gap", default=0, low=0, high=36_500),
            table.integer("history", default=0, low=0, high=1_000),
        )
    table.finish()
    return made


def _purpose(word: str) -> str:
    return "" if word == "unstated" else word


def _targets(table: Table) -> list[Target]:
    found: list[Target] = []
    for one in _tables(table, "targets"):
        id_ = one.text("id", '"significant"')
        if id_ and not ID.fullmatch(id_):
            one.wrong("id", f"is {id_!r}", "Use lower-case letters, digits and _, 32 at most")
        severity = SEVERITIES[one.choice("severity", tuple(SEVERITIES))]
        outcome = Outcome(severity, one.integer("count", default=1, low=1, high=10_000))
        found.append(Target(id_, one.title("title"), outcome))
        one.finish()
    if len({target.id for target in found}) < len(found):
        table.wrong("targets", "has two targets of one id", "Give each target an id of its own")
    return found


def _split(table: Table) -> Split:
    windows: list[tuple[date, date]] = []
    for name in ("train", "calibrate", "test"):
        first, until = (_date(table, f"{name}_{end}") for end in ("from", "until"))
        if first >= until and not _mistaken(table):
            table.wrong(f"{name}_until", f"is {until}, not after {name}_from", "Write the first day after the window")
        windows.append((first, until))
    plan = cast(Plan, table.choice("plan", ("quarter", "whole"), "quarter"))
    flag, values = _maybe(table, "flag"), frozenset[str]()
    if flag:
        values = _texts(table, "values")
    table.finish()
    train, calibrate, test = windows
    dealt = {"train": train, "calibrate": calibrate} | ({} if plan == "whole" else {"test": test})
    for name, (first, _) in dealt.items():
        if not _mistaken(table) and (first.month % 3, first.day) != (1, 1):
            table.wrong(f"{name}_from", f"is {first}, in the middle of a quarter", "Write the first day of a quarter")
    if not _mistaken(table) and not (train[1] <= calibrate[0] and calibrate[1] <= test[0]):
        remedy = "Let each window begin where the one before has ended, or later: train, calibrate, test"
        table.wrong("", "has windows that overlap or stand in another order", remedy)
    return Split(train, calibrate, test, plan, flag, values)


def _mistaken(table: Table) -> bool:
    return any(mistake.key.startswith(table.key) for mistake in table.mistakes)


def _date(table: Table, key: str) -> date:
    return date(1970, 1, 1) + timedelta(days=table.day(key) or 0)


def _statutory(table: Table) -> Statutory:
    column = '"heading of the column"'
    file, entity, name = (
        table.text("file", '"entities.csv"'),
        table.text("entity", column),
        table.text("column", column),
    )
    given = table.raw("ranks", 'Write ranks = { "high" = 3, "low" = 1 }')
    ranks = given if isinstance(given, dict) else {}
    if given is not None and (not ranks or not all(type(rank) is int for rank in ranks.values())):
        table.wrong(
            "ranks", "is not a table of whole numbers", 'Write ranks = { "high" = 3, "low" = 1 }, highest first'
        )
        ranks = {}
    table.finish()
    return Statutory(file, entity, name, {str(value).strip().lower(): rank for value, rank in ranks.items()})


def _list(table: Table, key: str, example: str) -> frozenset[str]:
    """Texts, none where the key is left out."""
    table.see(key)
    value = table.data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        table.wrong(key, "is not a list of texts", f"Write {key} = {example}")
        return frozenset()
    return frozenset(value)


def _texts(table: Table, key: str) -> frozenset[str]:
    value = table.raw(key, f'Write {key} = ["1", "yes"]')
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        if value is not None:
            table.wrong(key, "is not a list of texts", f'Write {key} = ["1", "yes"], in quotes')
        return frozenset()
    return frozenset(one.strip().lower() for one in value)


def _word_or_words(table: Table, key: str, words: Sequence[str], *, skip: bool = False) -> Words | str:
    if isinstance(table.data.get(key), str):
        return table.choice(key, words)
    return _words(table, key, (*words, SKIP) if skip else words)


def _words(table: Table, key: str, words: Sequence[str]) -> Words:
    inner = _below(table, key)
    column = inner.text("column", '"heading of the column"')
    found: dict[str, dict[str, str]] = {}
    for name in ("values", "contains"):
        inner.see(name)
        given: Any = inner.data.get(name, {})
        if not isinstance(given, dict):
            inner.wrong(name, "is not a table", f'Write {name} = {{ "text of the column" = "{words[0]}" }}')
            given = {}
        rows = Table(inner.file, f"{inner.key}.{name}", given, inner.mistakes)
        found[name] = {value.strip().lower(): rows.choice(value, words) for value in given}
    otherwise = inner.choice("otherwise", words) if inner.has("otherwise") else None
    if not found["values"] and not found["contains"] and otherwise is None:
        inner.wrong("values", "is missing", f'Write values = {{ "text of the column" = "{words[0]}" }}')
    inner.see("otherwise")
    inner.finish()
    return Words(column, found["values"], found["contains"], otherwise)


def _check(made: Benchmark, file: str, mistakes: list[Mistake]) -> None:
    """What only the whole can tell."""
    by_address = any(one.address for one in made.complaints)
    if by_address and not (made.area and made.area.address):
        remedy = "Write address = the column with the addresses of entities in [area]"
        mistakes.append(Mistake(file, "complaints.address", "has nothing to be compared with", remedy))
    if made.units.file and not any(one.id for one in made.visits):
        remedy = "Write id = the column that holds the ids which [units] lists"
        mistakes.append(Mistake(file, "visits.id", "is missing", remedy))
    if made.split.flag and not made.units.file:
        remedy = "Name the file with the flag in [units] file and id, or leave `flag` out"
        mistakes.append(Mistake(file, "split.flag", "has no file to be read from", remedy))
    for key, _, column in made.wanted():
        if column in made.never and not key.startswith("statutory"):
            remedy = "Read another column, or take it out of `never` if it was known before the visit"
            mistakes.append(Mistake(file, key, f"reads {column!r}, which `never` forbids", remedy))
