"""What the figures of inspections are made from: every visit of the lists of a period, what each organ found there, what followed.

A period is that of the lists: a visit belongs to the day on which its list was made, so that each figure says of how many, and no lot
is cut in two. Lists of tasks that are approved or closed; a draft, refused or cancelled task has nothing to be checked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
import polars as pl
from peewee import SQL

from registry import clock
from registry.config import Settings
from registry.database import execute, is_postgres, read_frame
from registry.models import Task
from registry.services import frequency, inspectors, tasks, workdays
from registry.services.result_entry import GONE, NO_SUCH_BUSINESS, REFUSED, UNREACHABLE, mine
from registry.services.results import APPROVED, PARAMETERS

# Nobody could look: it shows neither a problem nor that there is none.
SILENT = (UNREACHABLE, REFUSED)
# Nothing is run there any more: no part of whom a rate is about.
OUT_OF_SCOPE = (NO_SUCH_BUSINESS, GONE)
SETTLED_LEADS = ("filed", "closed")
RECHECK = "recheck"
Values = list[Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which lists and visits: made from `first` to `last` (both included), by tasks that an organ leads or is partner of (empty: all).

    Only visits to entities in `divisions` (prefixes, those of the caller) and in `division` count.
    """

    first: date
    last: date
    today: date
    task: int | None = None
    organ: str = ""
    divisions: tuple[str, ...] = ("",)
    division: str = ""

    def a_year_before(self) -> "Scope":
        """The same span of the year before."""
        return Scope(
            year_before(self.first), year_before(self.last), self.today, self.task, self.organ, self.divisions, self.division
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Material:
    """Frames of a scope.

    visits : one row each: visit, task, list, entity (as it is now), slice, stratum, class (frozen on the list), scheme, state, visited
        (day number or null), inside (whether it counts here), published, outstanding, settled (all its results are approved and hold), met, gone, failed, problems,
        minutes (of all inspectors on site), recheck (state of the visit that re-checks it, or null), recheck_by
    parts : one row for each organ that has a result to give of a visit that counts: visit, organ, entity, slice, state, visited, published, outstanding,
        approved, withdrawn, publish_by, published_on (day numbers), orders, leads, lead_settled
    lists : list, task, scheme, draw, pool, slice_size
    strata : draw, stratum, class, candidates
    """

    tasks: Mapping[int, Task]
    visits: pl.DataFrame
    parts: pl.DataFrame
    lists: pl.DataFrame
    strata: pl.DataFrame

    @property
    def counted(self) -> pl.DataFrame:
        """The visits that count here."""
        return self.visits.filter("inside")


def year_before(day: date) -> date:
    """The same day of the year before; of 29 February the day before it."""
    leap = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28) if leap else day.replace(year=day.year - 1)


def read(scope: Scope, settings: Settings) -> Material:
    """Read a scope. Nine queries, whatever the number of visits."""
    where, values = _where(scope, settings.jobs.timezone)
    lists = read_frame(
        "SELECT l.id, l.task_id, l.scheme, coalesce(l.draw_id, 0), l.slice_pool, l.slice_size "  # noqa: S608 (ours)
        f"FROM inspection_list l JOIN task t ON t.id = l.task_id WHERE {where} ORDER BY l.id",
        values,
        {"list": pl.Int64, "task": pl.Int64, "scheme": pl.String, "draw": pl.Int64, "pool": pl.Int64, "slice_size": pl.Int64},
    )  # fmt: skip
    chosen = f"SELECT l.task_id FROM inspection_list l JOIN task t ON t.id = l.task_id WHERE {where}"  # noqa: S608 (ours)
    under = SQL(f"({chosen.replace('?', '%s') if is_postgres() else chosen})", values)
    found = {row.id: row for row in Task.select().where(Task.id.in_(under))}
    visits = _visits(where, values).join(lists.select("list", "scheme"), on="list")
    visits = visits.with_columns(
        pl.col("entity").replace(_merged()), pl.col("class").fill_null(""), inside=_inside(scope)
    ).sort("visit")
    parts = _parts(scope, where, values, visits, found, settings)
    return Material(
        found, _told(visits, parts), parts.filter("inside"), lists,
        _frame("s.draw_id, s.stratum, s.class, s.candidates", "JOIN draw_stratum s ON s.draw_id = l.draw_id", where, values,
               {"draw": pl.Int64, "stratum": pl.String, "class": pl.String, "candidates": pl.Int64}, of_visits=False),
    )  # fmt: skip


def _where(scope: Scope, zone: str) -> tuple[str, Values]:
    """The condition on lists `l` and tasks `t`."""
    where = "l.size > 0 AND l.created_at BETWEEN ? AND ? AND t.state IN ('approved', 'closed')"
    values: Values = [clock.day_end(scope.first - timedelta(days=1), zone) + 1, clock.day_end(scope.last, zone)]
    if scope.task is not None:
        where, values = f"{where} AND t.id = ?", [*values, scope.task]
    if scope.organ:
        partner = (
            "jsonb_exists(t.partners, ?)"
            if is_postgres()
            else "EXISTS (SELECT 1 FROM json_each(t.partners) one WHERE one.value = ?)"
        )
        where, values = f"{where} AND (t.organ = ? OR {partner})", [*values, scope.organ, scope.organ]
    return where, values


def _frame(
    columns: str, joins: str, where: str, values: Values, schema: dict[str, Any], *, group: str = "", of_visits: bool = True
) -> pl.DataFrame:  # fmt: skip
    visit = "JOIN visit v ON v.list_id = l.id " if of_visits else ""
    sql = (
        f"SELECT {columns} FROM inspection_list l JOIN task t ON t.id = l.task_id {visit}{joins} WHERE {where} {group}"  # noqa: S608 (ours)
    )
    return read_frame(sql, values, schema)


def _day(column: str) -> str:
    return f"{column} - DATE '1970-01-01'" if is_postgres() else f"CAST(julianday({column}) - 2440587.5 AS INTEGER)"


def _visits(where: str, values: Values) -> pl.DataFrame:
    return _frame(
        f"v.id, v.task_id, v.list_id, v.entity, v.slice, v.stratum, v.state, {_day('v.visited_on')}, r.class, r.kind, r.division, "
        f"coalesce(CAST(r.items AS text), ''), c.state, {_day('c.recheck_by')}",
        "JOIN inspection_list_row r ON r.list_id = l.id AND r.position = v.position LEFT JOIN visit c ON c.follows = v.id",
        where, values,
        {
            "visit": pl.Int64, "task": pl.Int64, "list": pl.Int64, "entity": pl.Int64, "slice": pl.String, "stratum": pl.String,
            "state": pl.String, "visited": pl.Int32, "class": pl.String, "kind": pl.String, "division": pl.String, "items": pl.String,
            "recheck": pl.String, "recheck_by": pl.Int32,
        },
    ).with_columns(pl.col("stratum", "items").fill_null(""))  # fmt: skip


def _merged() -> dict[int, int]:
    """Every merged entity → the one that it is now."""
    return dict(execute('SELECT entity, "into" FROM alias WHERE until_seq IS NULL').fetchall())


def _inside(scope: Scope) -> pl.Expr:
    mine_ = pl.any_horizontal(pl.lit(False), *(pl.col("division").str.starts_with(one) for one in scope.divisions))
    return mine_ & pl.col("division").str.starts_with(scope.division)


def _parts(
    scope: Scope, where: str, values: Values, visits: pl.DataFrame, found: Mapping[int, Task], settings: Settings
) -> pl.DataFrame:
    """One row for each visit and organ that has a result to give, with that result where there is one."""
    withdrawn = "EXISTS (SELECT 1 FROM record w WHERE w.identity = x.identity AND w.replaced_seq IS NULL AND w.act = 'withdraw')"
    results = _frame(
        "x.visit_id, x.organ, x.outcome, x.serious_found + x.problems_found + x.minor_found, x.disposal, x.state, "
        f"{_day('x.publish_by')}, {_day('x.published_on')}, CASE WHEN {withdrawn} THEN 1 ELSE 0 END",
        "JOIN visit_result x ON x.visit_id = v.id", where, values,
        {
            "visit": pl.Int64, "organ": pl.String, "outcome": pl.Int32, "problems": pl.Int64, "disposal": pl.String, "result": pl.String,
            "publish_by": pl.Int32, "published_on": pl.Int32, "withdrawn": pl.Int8,
        },
    )  # fmt: skip
    teams = _frame(
        "i.visit_id, i.organ, count(*)", "JOIN visit_inspector i ON i.visit_id = v.id AND i.active", where, values,
        {"visit": pl.Int64, "organ": pl.String, "team": pl.Int64}, group="GROUP BY i.visit_id, i.organ",
    )  # fmt: skip
    leads = _frame(
        "c.visit_id, c.organ, c.state", "JOIN case_lead c ON c.visit_id = v.id", where, values,
        {"visit": pl.Int64, "organ": pl.String, "lead": pl.String},
    )  # fmt: skip
    expected = _expected(where, values, visits, found, settings, scope.last)
    both = ["visit", "organ"]
    rows = expected.join(results, on=both, how="left").join(teams, on=both, how="left").join(leads, on=both, how="left")
    held = (pl.col("withdrawn").fill_null(0) == 0) & pl.col("result").is_not_null()
    rows = rows.with_columns(
        approved=held & pl.col("result").is_in(APPROVED),
        published=held & (pl.col("result") == "published"),
        withdrawn=pl.col("withdrawn").fill_null(0) == 1,
        publish_by=pl.coalesce("publish_by", pl.col("visited").replace_strict(_last_days(visits), default=None, return_dtype=pl.Int32)),
        minutes=pl.col("minutes") * pl.col("team").fill_null(0),
    )  # fmt: skip
    orders = pl.col("approved") & (pl.col("disposal") == "order")
    gives = pl.col("approved") & ((pl.col("disposal") == "lead") | (pl.col("outcome") == REFUSED))
    rows = rows.with_columns(
        orders=orders.fill_null(False), leads=gives.fill_null(False),
        lead_settled=gives.fill_null(False) & pl.col("lead").is_in(SETTLED_LEADS).fill_null(False),
    )  # fmt: skip
    open_order = pl.col("orders") & (pl.col("recheck").fill_null("") != "closed")
    return rows.with_columns(
        outstanding=pl.col("published") & (open_order | (pl.col("leads") & ~pl.col("lead_settled")))
    ).sort("visit", "organ")


def _expected(
    where: str, values: Values, visits: pl.DataFrame, found: Mapping[int, Task], settings: Settings, day: date
) -> pl.DataFrame:
    """The organs whose result each visit waits for, as `results.expected` has it, and the minutes of what each checks there."""
    kinds = visits.select("task", "kind", "items").unique()
    pace = frequency.table(settings).visit(clock.day_number(day))
    plain = inspectors.VISIT_MINUTES if pace is None else pace.minutes
    rows = [
        (task, kind, items, organ, minutes)
        for task, kind, items in kinds.iter_rows()
        for organ, minutes in _asked(found[task], kind, items, plain)
    ]
    schema = {"task": pl.Int64, "kind": pl.String, "items": pl.String, "organ": pl.String, "minutes": pl.Int64}
    all_ = visits.join(pl.DataFrame(rows, schema=schema, orient="row"), on=["task", "kind", "items"], how="inner")
    steps = _frame(
        "v.id, CAST(s.detail AS text)", "JOIN visit_step s ON s.visit_id = v.follows AND s.act = 'recheck_made'", where, values,
        {"visit": pl.Int64, "detail": pl.String},
    )  # fmt: skip
    wanted = pl.DataFrame(
        [(visit, orjson.loads(detail).get("organ", "")) for visit, detail in steps.iter_rows()],
        schema={"visit": pl.Int64, "organ": pl.String}, orient="row",
    ).unique().with_columns(wanted=pl.lit(True))  # fmt: skip
    all_ = all_.join(wanted, on=["visit", "organ"], how="left").with_columns(pl.col("wanted").fill_null(False))
    # A re-check waits for those who wanted it; where none of them checks an item of it, for all.
    return all_.filter(pl.col("wanted") | ~pl.col("wanted").any().over("visit")).drop("wanted")


def _asked(task: Task, kind: str, items: str, plain: int) -> list[tuple[str, int]]:
    """The organs that check something at entities of a kind, each with its minutes on site."""
    organs, minutes = tasks.organs(task), {one["code"]: int(one["minutes"]) for one in task.checklist}
    applying = orjson.loads(items) if items else None
    found = []
    for organ in organs:
        codes = [one["code"] for one in mine(task.items, task.checklist, organ, organs, kind=kind, applying=applying)]
        if codes:
            coded = [minutes[one] for one in codes if one in minutes]
            found.append((organ, sum(coded) or plain))
    return found or [(task.organ, plain)]


def _last_days(visits: pl.DataFrame) -> dict[int, int]:
    """Day of a visit → the last day for publishing what was found, for results that are not entered yet."""
    days = [clock.day_of(one) for one in visits["visited"].drop_nulls().unique()]
    return {
        clock.day_number(day): clock.day_number(workdays.due(day, PARAMETERS["publish_days"].on(day).value))
        for day in days
    }


def _told(visits: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Visits with what all organs together found."""
    told = pl.col("approved")
    looked = told & (~pl.col("outcome").is_in([*SILENT, *OUT_OF_SCOPE]) | (pl.col("problems") > 0))
    seen = parts.group_by("visit").agg(
        published=pl.col("published").all(), outstanding=pl.col("outstanding").any(), told=told.any(),
        met=looked.fill_null(False).any(), minutes=pl.col("minutes").sum(),
        gone=(told & pl.col("outcome").is_in(OUT_OF_SCOPE)).fill_null(False).any(),
        problems=pl.col("problems").filter(told).sum(),
    )  # fmt: skip
    settled = (pl.col("state") == "closed") & pl.col("told")
    return (
        visits.join(seen, on="visit")
        .with_columns(settled=settled)
        .with_columns(met=pl.col("settled") & pl.col("met"), gone=pl.col("settled") & pl.col("gone") & ~pl.col("met"))
        .with_columns(failed=pl.col("met") & (pl.col("problems") > 0))
        .sort("visit")
    )


def ratings(scope: Scope, settings: Settings) -> pl.DataFrame:
    """Ratings of the visits of a scope: visit, score. One query."""
    where, values = _where(scope, settings.jobs.timezone)
    return _frame(
        "a.visit_id, a.score", "JOIN visit_rating a ON a.visit_id = v.id", where, values, {"visit": pl.Int64, "score": pl.Int64}
    )  # fmt: skip


def organs_of(entities: Sequence[int], days: Sequence[date]) -> list[tuple[int, date, str]]:
    """Who checked these entities on these days, of our own tasks and of all organs on the ledger: (entity, day, organ). One query."""
    if not entities:
        return []
    whom, when = ", ".join("?" * len(entities)), ", ".join("?" * len(days))
    sql = (
        f"SELECT v.entity, v.visited_on, t.organ FROM visit v JOIN task t ON t.id = v.task_id WHERE v.entity IN ({whom}) "  # noqa: S608 (marks)
        f"AND v.visited_on IN ({when}) AND v.state <> 'dropped' UNION SELECT r.entity_id, r.happened_on, r.organ FROM record r "
        f"WHERE r.entity_id IN ({whom}) AND r.happened_on IN ({when}) AND r.kind = 'spot_check' AND r.replaced_seq IS NULL "
        "AND r.act IN ('state', 'correct', 'restate', 'end')"
    )
    said = [*entities, *(day.isoformat() for day in days)]
    rows = execute(sql, [*said, *said]).fetchall()
    return [(entity, date.fromisoformat(str(day)), organ) for entity, day, organ in rows]
