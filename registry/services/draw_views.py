"""Draws as their readers see them: who makes them, who may read classes too, and everybody."""

from typing import Any

import orjson

from registry import clock, cursor
from registry.database import dicts
from registry.models import Draw, DrawRound, InspectionList, Task
from registry.page import Page
from registry.services import draw_minutes, draws, tasks

# What a page needs of a draw: not the frozen candidates and the minutes, which are megabytes.
COLUMNS = (
    Draw.id, Draw.task, Task.organ, Draw.state, Draw.algorithm, Draw.day, Draw.pool, Draw.size, Draw.commitment, Draw.root,
    Draw.witness, Draw.committed_by, Draw.committed_at, Draw.committed_seq, Draw.drawn_at, Draw.drawn_seq, Draw.revealed_at,
    Draw.void_why, Draw.minutes_digest, Draw.filters,
)  # fmt: skip
# Of the public minutes, what is shown beside the announcement; the list of commitments stands in the file.
IN_THE_FILE = "commitments"


def page(
    *, organ: str, divisions: tuple[str, ...] = ("",), after: str | None = None, limit: int = 50
) -> Page[dict[str, Any]]:
    """Draws under the tasks of an organ and those that it is a partner of (empty: of all), newest first, as :func:`one` without
    classes. One query. Those made among other divisions too are left out, so a page may hold fewer than `limit`. Raises BadCursor."""
    query = _rows()
    if organ:
        query = query.where(tasks.of_organ(organ))
    found = _page(query, after, limit, lambda row: (row["filters"], _shown(row)))
    return Page([shown for filters, shown in found.items if draws.within(filters, divisions)], found.next)


def one(draw: Draw, *, classes: bool) -> dict[str, Any]:
    """One draw; with `classes` also filters, strata and workload, which tell of classes."""
    (row,) = dicts(_rows().where(Draw.id == draw.id))
    told = _shown(row)
    if classes:
        plan = draw.plan
        told |= {
            "scheme": draw.scheme, "filters": draw.filters, "frequency": draw.frequency, "excluded": plan["excluded"],
            "strata": plan["strata"], "workload": plan["workload"],
        }  # fmt: skip
    return told


def round_of(made: DrawRound) -> dict[str, Any]:
    """A recusal that was honoured."""
    row = made.__data__
    return {
        **{name: row[name] for name in ("draw", "round", "visit", "out", "into", "why", "seq")},
        "at": clock.moment_text(row["at"]),
    }  # fmt: skip


def rounds(draw: Draw) -> list[dict[str, Any]]:
    """The recusals of a draw, in order."""
    return [round_of(made) for made in DrawRound.select().where(DrawRound.draw == draw.id).order_by(DrawRound.round)]


def public_page(*, after: str | None = None, limit: int = 50) -> Page[dict[str, Any]]:
    """What was announced of every draw of every organ, also of the void ones, newest first. One query. Raises BadCursor."""
    return _page(_rows(), after, limit, _announced)


def public_one(number: int) -> dict[str, Any]:
    """What was announced of one draw and, once it is revealed, its public minutes without the list of commitments.

    Raises DrawNotFound.
    """
    rows = dicts(_rows().where(Draw.id == number))
    if not rows:
        raise draws.DrawNotFound(number)
    minutes = None
    if rows[0]["state"] == "revealed":
        minutes = orjson.loads(draw_minutes.public_file(draws.get(number)))
        del minutes[IN_THE_FILE]
    return {**_announced(rows[0]), "minutes": minutes}


def _rows() -> Any:
    lists = InspectionList.select(InspectionList.id).where((InspectionList.draw == Draw.id) & (InspectionList.size > 0))
    return Draw.select(*COLUMNS, lists.alias("list")).join(Task)


def _page(query: Any, after: str | None, limit: int, shown: Any) -> Page[Any]:
    if after is not None:
        query = query.where(Draw.id < cursor.decode(after, int)[0])
    rows = dicts(query.order_by(Draw.id.desc()).limit(limit + 1))
    return Page(
        [shown(row) for row in rows[:limit]], cursor.encode(rows[limit - 1]["id"]) if len(rows) > limit else None
    )


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    same = (
        "id", "task", "organ", "state", "algorithm", "pool", "size", "commitment", "root", "witness", "committed_by",
        "committed_seq", "drawn_seq", "void_why", "list",
    )  # fmt: skip
    return {
        **{name: row[name] for name in same},
        "day": clock.day_of(row["day"]),
        "committed_at": clock.moment_text(row["committed_at"]),
        **{name: None if row[name] is None else clock.moment_text(row[name]) for name in ("drawn_at", "revealed_at")},
        "digest": "" if row["state"] == "committed" else row["minutes_digest"],
    }


def _announced(row: dict[str, Any]) -> dict[str, Any]:
    same = ("id", "task", "organ", "algorithm", "commitment", "root", "pool", "state", "void_why", "committed_seq")
    return {
        **{name: row[name] for name in same},
        "day": clock.day_of(row["day"]),
        "announced_at": clock.moment_text(row["committed_at"]),
    }
