"""Visits that were made 检查次数, whoever made them: days on which an entity was checked, and its annual cap 年度检查上限.

A visit is a day on which an entity was checked, on the ledger (spot checks of any organ that hold) or among our own visits.
Two organs on one day are one visit: one entry, several items 进一次门、查多项事.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from registry import clock
from registry.config import Settings
from registry.database import dicts, execute, in_slices, is_postgres, read_frame
from registry.errors import RegistryError
from registry.kinds import DERIVED, KINDS
from registry.models import Entity
from registry.services import aliases, frequency

CHECK, DETAIL = KINDS["spot_check"].number, DERIVED["spot_check"].number
# The words that let the partial index `fact_checks` answer, on SQLite too: literal numbers of both kinds.
CHECKS = f"f.kind IN ({CHECK}, {DETAIL})"
MADE = {"entity": pl.Int64, "visits": pl.Int32, "last_day": pl.Int32}
DAYS = {"entity": pl.Int64, "day": pl.Int32}
# Purposes on the ledger that stand for a type of task that the cap may not hold back: follow-up, complaint.
PURPOSES = {2: "recheck", 3: "complaint_or_report"}
# What a visit under way is: assigned or begun, and not yet on record as made.
COMING = ("assigned", "started")


class CapReached(RegistryError):
    """An entity was visited as often this year as the annual cap allows."""

    code = "cap_reached"
    status = 409


def made(entities: Sequence[int] | None, first: date, last: date) -> pl.DataFrame:
    """Visits from `first` to `last`, both included, of these entities; None for everybody.

    Columns entity Int64, visits Int32 (days), last_day Int32 (days since 1970-01-01); no row for who was not visited. An entity
    that was merged counts to the one that it is. Two queries for everybody.
    """
    return (
        days(entities, first, last)
        .group_by("entity")
        .agg(visits=pl.len().cast(pl.Int32), last_day=pl.col("day").max())
        .sort("entity")
        .select(*MADE)
    )


def days(entities: Sequence[int] | None, first: date, last: date) -> pl.DataFrame:
    """Each day on which each of these entities was visited, once: columns entity Int64, day Int32."""
    if entities is None:
        found, into = _days("", [], first, last), _merged()
    else:
        roots = aliases.roots(entities)
        wanted = sorted({roots.get(one, one) for one in entities})
        into = aliases.members(wanted)
        parts = [
            _days(f" AND {{table}}.entity IN ({', '.join('?' * len(part))})", part, first, last)
            for part in in_slices(sorted({*wanted, *into}), 10_000)
        ]
        found = pl.concat(parts) if parts else pl.DataFrame(schema=DAYS)
    if into:
        found = found.with_columns(pl.col("entity").replace(into))
    return found.unique().sort("entity", "day")


def may_visit(entity: int, task_type: str, today: date, settings: Settings, *, visit: int | None = None) -> None:
    """Raise CapReached where an entity was visited as often this year as the annual cap allows and the task is no exemption.

    With `visit` (the id of the one that is to be assigned or started) other visits under way count too, so that two teams
    that are sent at once do not go beyond the cap together. `task_type` is a type of task, or `recheck`.
    """
    table, day = frequency.table(settings), clock.day_number(today)
    cap, exempt = table.annual_cap(day), table.exemptions(day)
    if cap is None or task_type in exempt:
        return
    found = days([entity], date(today.year, 1, 1), date(today.year, 12, 31))
    number, coming = found.height, 0 if visit is None else _coming(entity, visit)
    # A visit on a day on which it is visited anyway is no further visit.
    if found.filter(pl.col("day") == day).height and not coming:
        return
    if number + coming < cap:
        return
    named = "; ".join(f"{one.title.zh} {type_}" for type_, one in exempt.items())
    under_way = f" and {coming} more under way" if coming else ""
    raise CapReached(
        f"年度检查上限 This entity was visited on {number} {'day' if number == 1 else 'days'} in {today.year}, by whichever "
        f"organ{under_way}; the annual cap is {cap}. Leave it for next year, visit it on a day on which it is visited anyway, or "
        f"make the visit under a task that the cap does not hold back: {named}.",
        cap=cap, visits=number, under_way=coming, exempt=sorted(exempt),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Beyond:
    """An entity that was visited beyond its annual cap: days in all, and the days on which that was not lawful.

    `beyond` are days after as many as the cap allows, not one visit of which the cap lets pass; `ours` those of them with a
    visit of our own tasks.
    """

    entity: int
    code: str
    division: str
    cap: int
    visits: int
    beyond: tuple[date, ...]
    ours: tuple[date, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "code": self.code, "division": self.division, "cap": self.cap, "visits": self.visits,
            "beyond": [one.isoformat() for one in self.beyond], "ours": [one.isoformat() for one in self.ours],
        }  # fmt: skip


def over_cap(settings: Settings, year: int, divisions: Sequence[str] = ("",)) -> list[Beyond]:
    """Entities in these divisions (prefixes) visited beyond the annual cap in a year, in order of id. It must be empty.

    A visit that the cap does not hold back counts to the cap, and is not itself beyond it.
    """
    table = frequency.table(settings)
    first, last = date(year, 1, 1), date(year, 12, 31)
    cap = table.annual_cap(clock.day_number(last))
    if cap is None:
        return []
    since = max(clock.day_number(first), min(span.start for span in table.cap.spans))
    exempt = sorted(table.exemptions(clock.day_number(last)))
    by_day = (
        _why(first, last)
        .with_columns(held=~pl.col("type").is_in(exempt))
        .group_by("entity", "day")
        .agg(held=pl.col("held").all(), ours=(pl.col("held") & pl.col("ours").cast(pl.Boolean)).any())
        .sort("entity", "day")
        .with_columns(number=pl.col("day").cum_count().over("entity"))
    )
    beyond = by_day.filter(pl.col("held") & (pl.col("number") > cap) & (pl.col("day") >= since))
    if not beyond.height:
        return []
    total = dict(by_day.group_by("entity").len().iter_rows())
    who = _named(beyond["entity"].unique().sort().to_list())
    found = []
    for (entity,), rows in beyond.group_by(["entity"], maintain_order=True):
        one = who[int(str(entity))]
        if not any(one["division"].startswith(prefix) for prefix in divisions):
            continue
        found.append(
            Beyond(
                one["id"], one["code"] or one["registration_no"] or "", one["division"], cap, total[one["id"]],
                tuple(map(clock.day_of, rows["day"])), tuple(map(clock.day_of, rows.filter(pl.col("ours"))["day"])),
            )
        )  # fmt: skip
    return found


def _days(where: str, values: Sequence[object], first: date, last: date) -> pl.DataFrame:
    """Entity and day of checks on the ledger that hold, and of our own visits."""
    bounds = [clock.day_number(first), clock.day_number(last)]
    # Named entities are read where their facts lie together; without these words SQLite does not take the index of checks.
    everybody = "" if where else f"{CHECKS} AND "
    sql = (
        f"SELECT f.entity, f.day FROM fact f WHERE {everybody}f.kind = {CHECK} AND f.day BETWEEN ? AND ? "  # noqa: S608
        f"AND f.gone IS NULL{where.format(table='f')}"
    )
    ledger = read_frame(sql, [*bounds, *values], DAYS)
    own = _visits(where, values, first, last)
    return pl.concat([ledger, own.select(pl.col("entity"), pl.col("day"))])


def _visits(where: str, values: Sequence[object], first: date, last: date) -> pl.DataFrame:
    day = (
        "v.visited_on - DATE '1970-01-01'" if is_postgres() else "CAST(julianday(v.visited_on) - 2440587.5 AS INTEGER)"
    )
    sql = (
        f"SELECT v.entity, {day}, CASE WHEN v.slice = 'recheck' THEN 'recheck' ELSE t.type END FROM visit v "  # noqa: S608
        "JOIN task t ON t.id = v.task_id WHERE v.visited_on BETWEEN ? AND ? AND v.state <> 'dropped'"
        f"{where.format(table='v')}"
    )
    return read_frame(sql, [first.isoformat(), last.isoformat(), *values], {**DAYS, "type": pl.String})


def _why(first: date, last: date) -> pl.DataFrame:
    """Of everybody: entity (as it is now), day, type of task (of the ledger's own as its purpose says) and whether it is a visit of ours."""
    bounds = [clock.day_number(first), clock.day_number(last)]
    merged = pl.col("entity").replace(_merged())
    own = _visits("", [], first, last).with_columns(merged, ours=pl.lit(1, pl.Int8))
    sql = (
        f"SELECT f.entity, f.day, f.code FROM fact f WHERE {CHECKS} AND f.kind = {DETAIL} AND f.severity = 0 "  # noqa: S608
        "AND f.day BETWEEN ? AND ? AND f.gone IS NULL"
    )
    ledger = read_frame(sql, bounds, {**DAYS, "code": pl.Int32}).with_columns(
        merged,
        type=pl.col("code").replace_strict(PURPOSES, default="", return_dtype=pl.String),
        ours=pl.lit(0, pl.Int8),
    )
    # What we entered on the ledger of a visit of ours is told once, by the task that it was made under.
    ledger = ledger.join(own.select("entity", "day"), on=["entity", "day"], how="anti")
    return pl.concat([own, ledger.select(own.columns)])


def _coming(entity: int, visit: int) -> int:
    """How many other visits to an entity are under way."""
    into = aliases.root(entity)
    wanted = [into, *aliases.members([into])]
    marks = ", ".join("?" * len(wanted))
    row = execute(
        f"SELECT count(*) FROM visit WHERE entity IN ({marks}) AND id <> ? AND visited_on IS NULL "  # noqa: S608 (marks)
        f"AND state IN ({', '.join('?' * len(COMING))})",
        [*wanted, visit, *COMING],
    ).fetchone()
    return int(row[0])


def _merged() -> dict[int, int]:
    """Every merged entity → the one that it is now."""
    return dict(execute('SELECT entity, "into" FROM alias WHERE until_seq IS NULL').fetchall())


def _named(entities: Sequence[int]) -> dict[int, dict[str, Any]]:
    columns = (Entity.id, Entity.code, Entity.registration_no, Entity.division)
    found: dict[int, dict[str, Any]] = {}
    for part in in_slices(list(entities), 10_000):
        found |= {row["id"]: row for row in dicts(Entity.select(*columns).where(Entity.id.in_(list(part))))}
    return found
