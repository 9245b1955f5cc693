"""Early warnings 风险预警 as readers of classes see them: pages, one with its steps, and the records that may show how it ended."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from peewee import JOIN

from registry import clock, cursor
from registry.database import dicts
from registry.divisions import in_query
from registry.kinds import KINDS
from registry.models import EarlyWarning, Entity, Fact, GradeState, Model, WarningStep
from registry.page import Page
from registry.services import aliases

# What may show how a warning ended: a visit, or what came of one.
SHOWING = {KINDS[name].number: name for name in ("spot_check", "penalty")}


def page(
    today: date, *, state: str = "", overdue: bool | None = None, division: str = "", divisions: Sequence[str] = ("",),
    after: str | None = None, limit: int = 50,
) -> Page[dict[str, Any]]:  # fmt: skip
    """Warnings as :func:`one` shows them, without steps and records, newest first, in divisions with these prefixes.

    One query, whatever the size. `overdue` True: only those whose next step is past its last day; False: only the others.
    Raises BadCursor for a token that is not of this list.
    """
    query = in_query(_shown(), Entity.division, divisions)
    if state:
        query = query.where(EarlyWarning.state == state)
    if division:
        query = in_query(query, Entity.division, [division])
    if overdue is not None:
        query = query.where(is_late(today) if overdue else ~is_late(today))
    if after is not None:
        query = query.where(EarlyWarning.id < cursor.decode(after, int)[0])
    rows = dicts(query.order_by(EarlyWarning.id.desc()).limit(limit + 1))
    items = [_as_dict(row, today) for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1]["id"]) if len(rows) > limit else None)


def one(warning: EarlyWarning, today: date) -> dict[str, Any]:
    """A warning with its entity, today's class, its deadline and steps, and the rows that may show how it ended.

    For readers of classes only.
    """
    (row,) = dicts(_shown().where(EarlyWarning.id == warning.id))
    steps = [
        {"act": one.act, "by": one.by, "at": clock.moment_text(one.at), "said": one.said, "detail": one.detail}
        for one in WarningStep.select().where(WarningStep.warning == warning.id).order_by(WarningStep.number)
    ]
    return {**_as_dict(row, today), "steps": steps, "records": records_since(warning.entity, warning.day)}


def is_late(today: date) -> Any:
    """The condition that a warning's next step is past its last day."""
    day = clock.day_number(today)
    return ((EarlyWarning.state == "open") & (EarlyWarning.assign_by < day)) | (
        EarlyWarning.state.in_(("assigned", "disposed")) & (EarlyWarning.answer_by < day)
    )


def records_since(entity: int, day: int) -> list[dict[str, Any]]:
    """Spot checks and penalties about an entity, or what was merged into it, from a day (number) on, as they count now.

    Oldest first: seq, kind, day, and whether it `found` anything.
    """
    rows = (
        Fact.select(Fact.known, Fact.kind, Fact.severity, Fact.day)
        .where(
            Fact.entity.in_(aliases.family(aliases.root(entity))) & Fact.kind.in_(list(SHOWING)) & Fact.gone.is_null()
            & (Fact.day >= day)
        )
        .order_by(Fact.day, Fact.known)
    )  # fmt: skip
    return [
        {"seq": row.known, "kind": SHOWING[row.kind], "day": clock.day_of(row.day).isoformat(), "found": row.severity > 0}
        for row in rows
    ]  # fmt: skip


def _shown() -> Any:
    """Every column of a warning with its entity, model and the entity's class, by name."""
    graded = (GradeState.entity == EarlyWarning.entity) & (GradeState.scheme == Model.grades)
    return (
        EarlyWarning.select(
            EarlyWarning, Entity.code, Entity.registration_no, Entity.name, Entity.division.alias("place"),
            Model.name.alias("model_name"), Model.hash.alias("model_hash"), GradeState.class_.alias("class"),
        )
        .join(Entity, on=(Entity.id == EarlyWarning.entity))
        .switch(EarlyWarning).join(Model, on=(Model.id == EarlyWarning.model))
        .switch(EarlyWarning).join(GradeState, JOIN.LEFT_OUTER, on=graded)
    )  # fmt: skip


def _as_dict(row: dict[str, Any], today: date) -> dict[str, Any]:
    due = {"open": row["assign_by"], "assigned": row["answer_by"], "disposed": row["answer_by"]}.get(row["state"])
    return {
        "id": row["id"], "code": row["code"] or row["registration_no"] or "", "name": row["name"], "division": row["place"],
        "model": {"name": row["model_name"], "hash": row["model_hash"]}, "chance": row["chance"], "class": row["class"],
        "reasons": row["reasons"], "raised_on": clock.day_of(row["day"]).isoformat(), "state": row["state"],
        "due": None if due is None else clock.day_of(due).isoformat(),
        "overdue": due is not None and due < clock.day_number(today), "organ": row["organ"], "to": row["assigned_to"],
        "disposal": row["disposal"] or None, "task": row["task"], "outcome": row["outcome"] or None, "record": row["record"],
        "closed_at": None if row["closed_at"] is None else clock.moment_text(row["closed_at"]),
    }  # fmt: skip
