"""The files of a benchmark read as its mapping says: visits, entities, complaints and licences as typed frames. No database.

What cannot be used is left out and counted by reason; what the mapping promises and the files do not hold is refused.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from registry.errors import RegistryError
from registry.services import benchmark_areas as areas
from registry.services.benchmark_form import SEVERITIES, SKIP, Benchmark, Visits, Words
from registry.services.benchmark_mapping import BadBenchmarkMapping
from rules.errors import Mistake

# More unreadable days than one in twenty: the format is wrong, not the row.
UNREADABLE = 20
SHOWN = 5
VISITS = {
    "id": pl.String, "entity": pl.String, "day": pl.Date, "purpose": pl.String, "serious": pl.Int64, "problem": pl.Int64,
    "minor": pl.Int64, "penalty": pl.String,
}  # fmt: skip
_MOST_FOUND = 10_000


class BadBenchmarkSet(RegistryError):
    """Files of a benchmark that do not hold what its mapping says."""

    code = "bad_benchmark_set"
    status = 422


@dataclass(slots=True)
class Set:
    """The rows of a benchmark.

    Attributes
    ----------
    visits : columns of `VISITS`, by day and then as in the files; `penalty` is the kind of penalty or null
    entities : `id` String, `established` Date (null: unknown), `division` (made up, null: unknown), `address` (folded), in
        order of id
    complaints : `id`, `entity` String, `day` Date, `type` String
    licences : `id`, `entity` String, `first`, `last` Date (null: no end), `subject` String
    units : `id` String, `flag` Boolean; None where units are told by a rule
    ranks : `entity` String, `rank` Int64; None where there is no statutory order
    left_out : reason → rows
    """

    visits: pl.DataFrame
    entities: pl.DataFrame
    complaints: pl.DataFrame
    licences: pl.DataFrame
    units: pl.DataFrame | None
    ranks: pl.DataFrame | None
    left_out: dict[str, int] = field(default_factory=dict)


def read(mapping: Benchmark, folder: Path) -> Set:
    """Read all files of a benchmark from `folder`.

    Raises BadBenchmarkMapping where a file or a column that the mapping names is not there, BadBenchmarkSet where values
    cannot be read as the mapping says. Rows without a day or an entity are left out and counted.
    """
    _present(mapping, folder)
    return _Reader(mapping, folder).run()


def _present(mapping: Benchmark, folder: Path) -> None:
    """Refuse a mapping whose files or columns are not there, naming each."""
    name = f"{mapping.name}.toml"
    mistakes: list[Mistake] = []
    headers: dict[str, set[str] | None] = {}
    if not folder.is_dir():
        remedy = "Give the folder that holds the files with --data"
        raise BadBenchmarkMapping([Mistake(name, "(data)", f"finds no folder {folder}", remedy)])
    for key, file, column in mapping.wanted():
        if file not in headers:
            found = _found(folder, file)
            headers[file] = set.intersection(*(set(_header(path)) for path in found)) if found else None
            if not found:
                there = ", ".join(sorted(path.name for path in folder.iterdir() if path.is_file())[:12]) or "nothing"
                remedy = f"Put it there, or name one of: {there}"
                mistakes.append(
                    Mistake(name, key.rpartition(".")[0] + ".file", f"{file!r} is not in the folder", remedy)
                )
        header = headers[file]
        if header is not None and column not in header:
            near = get_close_matches(column, sorted(header), n=1, cutoff=0.6)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            remedy = f"{meant}Columns of {file} are: {', '.join(sorted(header)[:30])}"
            mistakes.append(Mistake(name, key, f"{file} has no column {column!r}", remedy))
    if mistakes:
        raise BadBenchmarkMapping(sorted(set(mistakes)))


def _found(folder: Path, file: str) -> list[Path]:
    """The files that a name or a pattern (visits_*.csv) stands for, in order of name; never outside the folder."""
    if Path(file).is_absolute() or ".." in Path(file).parts:
        return []
    return sorted(path for path in folder.glob(file) if path.is_file())


def _header(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return list(pl.read_parquet_schema(path))
    return pl.read_csv(_decoded(path), infer_schema=False, n_rows=0).columns


def _decoded(path: Path) -> bytes:
    """A CSV file as UTF-8, packed (.gz) or not; GB18030 where it is no UTF-8."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    try:
        return data.decode("utf-8-sig").encode()
    except UnicodeDecodeError:
        return data.decode("gb18030", errors="replace").encode()


def _as_text(column: pl.Series) -> pl.Series:
    """Any column as texts: whole numbers without a point, days as YYYY-MM-DD, blanks as null."""
    if column.dtype.is_float() and bool((column.drop_nulls() == column.drop_nulls().round()).all()):
        column = column.cast(pl.Int64)
    text = column.dt.to_string("%Y-%m-%d") if column.dtype.is_temporal() else column.cast(pl.String).str.strip_chars()
    return text.set(text == "", None)


class _Reader:
    def __init__(self, mapping: Benchmark, folder: Path) -> None:
        self.mapping, self.folder = mapping, folder
        self.left_out: dict[str, int] = {}
        self._texts: dict[tuple[str, str], pl.Series] = {}
        self._where = self.where()

    def run(self) -> Set:
        mapping = self.mapping
        visits = pl.concat([self.visits(place, one) for place, one in enumerate(mapping.visits, 1)])
        visits = visits.sort("day", maintain_order=True)
        if not visits.height:
            raise BadBenchmarkSet(
                f"{mapping.name}: no visit is left. Left out were: {_listed(self.left_out)}. Check [[visits]] of the mapping."
            )
        entities = self.entities(visits)
        return Set(
            visits, entities, self.complaints(entities), self.licences(entities), self.units(), self.ranks(), self.left_out
        )  # fmt: skip

    def text(self, file: str, column: str) -> pl.Series:
        """A column of a file (of all files of a pattern, one behind the other) as texts."""
        if (file, column) not in self._texts:
            parts: list[pl.Series] = []
            for path in _found(self.folder, file):
                if path.suffix == ".parquet":
                    read = pl.read_parquet(path, columns=[column])
                else:
                    read = pl.read_csv(_decoded(path), infer_schema=False, columns=[column])
                parts.append(_as_text(read[column]))
            self._texts[file, column] = pl.concat(parts)
        return self._texts[file, column]

    def who(self, file: str, column: str) -> pl.Series:
        """A column of ids of entities; null where it names nobody."""
        text = self.text(file, column)
        return text.set(text.is_in(list(self.mapping.nobody)), None) if self.mapping.nobody else text

    def days(self, key: str, file: str, column: str, form: str) -> pl.Series:
        """A column of days. Raises BadBenchmarkSet where so many cannot be read that the format must be wrong."""
        text = self.text(file, column)
        read = (
            text.str.to_datetime(form, strict=False).dt.date() if "%H" in form else text.str.to_date(form, strict=False)
        )
        if read.null_count() == len(read):  # a column of days was written as YYYY-MM-DD above, whatever the format says
            read = text.str.to_date("%Y-%m-%d", strict=False)
        bad = text.filter(text.is_not_null() & read.is_null())
        if len(bad) * UNREADABLE > max(len(text), 1):
            seen = ", ".join(repr(one) for one in bad.unique(maintain_order=True)[:SHOWN])
            raise BadBenchmarkSet(
                f"{self.mapping.name}.toml: {key}: {len(bad):,} of {len(text):,} values of {column!r} in {file} are no days "
                f'of the format {form!r}, for example {seen}. Write the format as `format`, for example "%d/%m/%Y".'
            )
        return read

    def numbers(self, key: str, file: str, column: str) -> pl.Series:
        """A column of numbers of findings; null where the cell is blank."""
        text = self.text(file, column)
        read = text.cast(pl.Float64, strict=False)
        bad = text.filter(text.is_not_null() & (read.is_null() | (read < 0) | (read > _MOST_FOUND) | (read % 1 != 0)))
        if len(bad):
            raise BadBenchmarkSet(
                f"{self.mapping.name}.toml: {key}: {column!r} in {file} holds {bad[0]!r}, which is no number of findings from 0 "
                f"to {_MOST_FOUND:,}. Name a column of whole numbers, or [visits.findings] for one row for each finding."
            )
        return read.cast(pl.Int64)

    def words(self, key: str, file: str, said: Words | str, size: int) -> pl.Series:
        """The words that a column stands for, or the same word for every row. Blank counts as its own value, ""."""
        if isinstance(said, str):
            return pl.Series([said], dtype=pl.String).new_from_index(0, size)
        text = self.text(file, said.column).fill_null("")
        known: Mapping[str, str | None] = {one: said.of(one) for one in text.unique(maintain_order=True)}
        unknown = [one for one, word in known.items() if word is None]
        if unknown:
            shown = ", ".join(repr(one) for one in unknown[:SHOWN]) + (" …" if len(unknown) > SHOWN else "")
            raise BadBenchmarkSet(
                f"{self.mapping.name}.toml: {key}: the mapping does not say what {shown} means, {len(unknown)} values of "
                f"{said.column!r} in {file}. Add them to `values` or `contains`, or write `otherwise`."
            )
        return text.replace_strict(known, return_dtype=pl.String)

    def visits(self, place: int, one: Visits) -> pl.DataFrame:
        key, file = f"visits {place}", one.file
        entity = self.who(file, one.entity)
        size = len(entity)
        ids = self.text(file, one.id) if one.id else pl.Series([f"{file} {row}" for row in range(1, size + 1)])
        frame = pl.DataFrame(
            {
                "id": ids,
                "entity": entity,
                "day": self.days(f"{key}.day", file, one.day, one.format),
                "purpose": self.words(f"{key}.purpose", file, one.purpose, size),
                **{
                    name: self.numbers(f"{key}.{name}", file, one.counts[severity])
                    if severity in one.counts
                    else pl.Series([0], dtype=pl.Int64).new_from_index(0, size)
                    for name, severity in (("serious", 3), ("problem", 2), ("minor", 1))
                },
                "penalty": pl.Series([None], dtype=pl.String).new_from_index(0, size),
            },
            schema=VISITS,
        )
        if one.penalty is not None:
            fined = (
                self.text(file, one.penalty.column).str.to_lowercase().is_in(list(one.penalty.values)).fill_null(False)
            )
            kind = pl.when(fined).then(pl.lit(one.penalty.kind)).otherwise(None)
            frame = frame.with_columns(kind.alias("penalty"))
        frame = self._without(frame, pl.col("purpose") == SKIP, "visits left out by the mapping")
        frame = self._without(frame, pl.col("entity").is_null(), "visits that name nobody")
        frame = self._without(frame, pl.col("day").is_null(), "visits without a day")
        frame = self._without(frame, pl.col("id").is_null(), "visits without an id")
        counted = [word for word, severity in SEVERITIES.items() if severity in one.counts]
        if counted:
            # Where some are counted the others are none; where nothing is, nobody says that nothing was found.
            silent = pl.all_horizontal(pl.col(counted).is_null())
            frame = self._without(frame, silent, "visits without a result").with_columns(pl.col(counted).fill_null(0))
        # A file with one row for each finding says each visit several times.
        once = frame.unique("id", keep="first", maintain_order=True)
        if one.findings is None and once.height < frame.height:
            self._count("visits whose id came before", frame.height - once.height)
        return self._with_findings(key, once, one) if one.findings is not None else once

    def _with_findings(self, key: str, visits: pl.DataFrame, one: Visits) -> pl.DataFrame:
        rows = one.findings
        assert rows is not None
        visit = self.text(rows.file, rows.visit)
        severity = self.words(f"{key}.findings.severity", rows.file, rows.severity, len(visit))
        found = (
            pl.DataFrame({"id": visit, "severity": severity})
            .group_by("id")
            .agg(
                (pl.col("severity") == name).sum().cast(pl.Int64).alias(name)
                for name in ("serious", "problem", "minor")
            )
        )
        joined = visits.drop("serious", "problem", "minor").join(found, on="id", how="left", maintain_order="left")
        return joined.with_columns(pl.col("serious", "problem", "minor").fill_null(0)).select(*VISITS)

    def entities(self, visits: pl.DataFrame) -> pl.DataFrame:
        """Whoever is visited or stands in the file of entities; established on the earliest day that is given."""
        one = self.mapping.entities
        named = visits.select(pl.col("entity").alias("id"), pl.lit(None, dtype=pl.Date).alias("established"))
        if one.file:
            ids = self.who(one.file, one.id)
            made = pl.Series([None], dtype=pl.Date).new_from_index(0, len(ids))
            if one.established:
                made = self.days("entities.established", one.file, one.established, one.format)
            frame = pl.DataFrame({"id": ids, "established": made}).filter(pl.col("id").is_not_null())
            named = pl.concat([frame, named])
        found = named.group_by("id").agg(pl.col("established").min()).sort("id")
        at = self._where.rename({"entity": "id"})
        return found.join(at, on="id", how="left", maintain_order="left")

    def where(self) -> pl.DataFrame:
        """`entity`, `division` and folded `address` of whoever stands in the file of areas."""
        one = self.mapping.area
        if one is None:
            return areas.NOWHERE
        given = {name: self.text(one.file, column) for name in areas.COLUMNS if (column := getattr(one, name))}
        return areas.placed(self.who(one.file, one.entity), given, one)

    def complaints(self, entities: pl.DataFrame) -> pl.DataFrame:
        schema = {"id": pl.String, "entity": pl.String, "day": pl.Date, "type": pl.String}
        parts = [pl.DataFrame(schema=schema)]
        for place, one in enumerate(self.mapping.complaints, 1):
            days = self.days(f"complaints {place}.day", one.file, one.day, one.format)
            ids = (
                self.text(one.file, one.id)
                if one.id
                else pl.Series([f"{place} {row}" for row in range(1, len(days) + 1)])
            )
            if one.entity:
                about = self.who(one.file, one.entity)
            else:
                at = areas.folded(self.text(one.file, one.address))
                about = at.replace_strict(self._sole(), default=None, return_dtype=pl.String)
            kinds = self.words(f"complaints {place}.type", one.file, one.type, len(days))
            frame = pl.DataFrame({"id": ids, "entity": about, "day": days, "type": kinds}, schema=schema)
            frame = self._without(frame, pl.col("type") == SKIP, "complaints left out by the mapping")
            frame = self._without(
                frame,
                ~pl.col("entity").is_in(entities["id"].implode()).fill_null(False),
                "complaints about nobody of the set",
            )
            frame = self._without(
                frame, pl.col("day").is_null() | pl.col("id").is_null(), "complaints without a day or an id"
            )
            parts.append(frame.unique("id", keep="first", maintain_order=True))
        return pl.concat(parts).sort("day", maintain_order=True)

    def _sole(self) -> dict[str, str]:
        """Addresses at which one entity is found, and no other: a complaint about a house of many shops is about none."""
        sole = self._where.drop_nulls("address").filter(pl.len().over("address") == 1)
        return dict(sole.select("address", "entity").iter_rows())

    def licences(self, entities: pl.DataFrame) -> pl.DataFrame:
        schema = {"id": pl.String, "entity": pl.String, "first": pl.Date, "last": pl.Date, "subject": pl.String}
        parts = [pl.DataFrame(schema=schema)]
        for place, one in enumerate(self.mapping.licences, 1):
            key = f"licences {place}"
            first = self.days(f"{key}.from", one.file, one.first, one.format)
            size = len(first)
            last = pl.Series([None], dtype=pl.Date).new_from_index(0, size)
            if one.last:
                last = self.days(f"{key}.until", one.file, one.last, one.format)
            ids = self.text(one.file, one.id) if one.id else pl.Series([str(row) for row in range(1, size + 1)])
            frame = pl.DataFrame(
                {
                    "id": ids, "entity": self.who(one.file, one.entity), "first": first, "last": last,
                    "subject": self.words(f"{key}.subject", one.file, one.subject, size),
                },
                schema=schema,
            )  # fmt: skip
            frame = self._without(
                frame,
                ~pl.col("entity").is_in(entities["id"].implode()).fill_null(False),
                "licences of nobody of the set",
            )
            frame = self._without(
                frame, pl.col("first").is_null() | pl.col("id").is_null(), "licences without a first day or an id"
            )
            frame = self._without(
                frame, (pl.col("last") < pl.col("first")).fill_null(False), "licences that end before they begin"
            )
            parts.append(frame.unique("id", keep="first", maintain_order=True))
        return pl.concat(parts).sort("first", maintain_order=True)

    def units(self) -> pl.DataFrame | None:
        one, split = self.mapping.units, self.mapping.split
        if not one.file:
            return None
        ids = self.text(one.file, one.id)
        flag = pl.Series([False]).new_from_index(0, len(ids))
        if split.flag:
            flag = self.text(one.file, split.flag).str.to_lowercase().is_in(list(split.values)).fill_null(False)
        return pl.DataFrame({"id": ids, "flag": flag}).drop_nulls().unique("id", keep="first", maintain_order=True)

    def ranks(self) -> pl.DataFrame | None:
        """The statutory rank of each entity, the highest where several are given; who has none is left out."""
        one = self.mapping.statutory
        if one is None:
            return None
        said = self.text(one.file, one.column).str.to_lowercase()
        rank = said.replace_strict(dict(one.ranks), default=None, return_dtype=pl.Int64)
        frame = pl.DataFrame({"entity": self.who(one.file, one.entity), "rank": rank}).drop_nulls()
        return frame.group_by("entity").agg(pl.col("rank").max()).sort("entity")

    def _without(self, frame: pl.DataFrame, bad: pl.Expr, why: str) -> pl.DataFrame:
        kept = frame.filter(~bad)
        self._count(why, frame.height - kept.height)
        return kept

    def _count(self, why: str, rows: int) -> None:
        if rows:
            self.left_out[why] = self.left_out.get(why, 0) + rows


def _listed(left_out: Mapping[str, int]) -> str:
    rows: Iterable[str] = (f"{number:,} {why}" for why, number in left_out.items())
    return "; ".join(rows) or "none (the files are empty)"
