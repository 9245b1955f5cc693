"""Openings of a test period: the look that a release is allowed, and every further one with its reason."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Any

from registry import clock, cursor
from registry.cells.personal import mask_personal
from registry.config import ROOT
from registry.database import execute, write
from registry.errors import RegistryError
from registry.models import ModelOpening
from registry.page import Page
from registry.services import audit

# What is evaluated here, beside the targets of benchmarks.
LEDGER = "ledger"


class TestPeriodOpened(RegistryError):
    """This release has had its look at the test period of this target."""

    __test__ = False  # for pytest, which collects what is called so
    code = "test_period_opened"
    status = 409


@cache
def release() -> str:
    """The version of the product that is at work."""
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return found


def open_period(
    target: str, *, model: str, from_day: int, until_day: int, why: str = "", by: str, now: int
) -> ModelOpening:
    """Put on record that the test period of a target is looked at with a model (the hash of its bundle).

    Call it before the look. The first look of a release needs no reason, and neither does the same look again: the same
    model over the same days says the same, and nothing is written. Every other one needs a reason and is marked as what it
    is: figures of a period that was seen before are no proof. Raises TestPeriodOpened, saying when and with which model it
    was opened, where the reason lacks.
    """
    said = mask_personal(why).strip()[:2_000]
    asked = (target, release(), model, from_day, until_day)
    with write():
        # Two who look at once: the second waits here, and then finds the row of the first.
        opened = _insert(asked, said, by, now)
        held = _first(target)
        if not opened and (held.model, held.from_day, held.until_day) == asked[2:]:
            return held
        if not opened:
            if not said:
                raise TestPeriodOpened(_seen(held))
            held = ModelOpening.create(
                target=target, release=release(), model=model, from_day=from_day, until_day=until_day, first=False, why=said,
                by=by, at=now,
            )  # fmt: skip
        audit.note(
            "model.opened",
            actor=by,
            subject=f"opening {held.id}",
            now=now,
            target=target,
            model=model,
            first=held.first,
        )
    return held


def _insert(asked: tuple[str, str, str, int, int], why: str, by: str, now: int) -> bool:
    """Insert it as the first look of the release; False where that was taken."""
    sql = (
        'INSERT INTO model_opening (target, release, model, from_day, until_day, first, why, "by", at) '
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    )
    return bool(execute(sql, (*asked, True, why, by, now)).rowcount == 1)


def _first(target: str) -> ModelOpening:
    found = ModelOpening.get(
        (ModelOpening.target == target) & (ModelOpening.release == release()) & (ModelOpening.first == True)  # noqa: E712
    )
    assert isinstance(found, ModelOpening)
    return found


def _seen(held: ModelOpening) -> str:
    return (
        f"Release {held.release} has looked at the test period of {held.target!r} already: {clock.moment_text(held.at)}, by {held.by}, with "
        f"model {held.model[:12]}, from {clock.day_of(held.from_day)} until {clock.day_of(held.until_day)}. What is tuned after a look is no "
        "longer tested by it. Look again only with a reason, which stays on record: --again WHY. `xinheng model openings` lists them."
    )


def of_models(hashes: Sequence[str]) -> ModelOpening | None:
    """The first look that was taken at the ledger's own test period with one of these models; None where there was none."""
    looks = ModelOpening.select().where((ModelOpening.target == LEDGER) & ModelOpening.model.in_(list(hashes)))
    found = looks.order_by(ModelOpening.id).first()
    assert found is None or isinstance(found, ModelOpening)
    return found


def page(*, target: str = "", after: str | None = None, limit: int = 50) -> Page[ModelOpening]:
    """Openings, newest first. One query."""
    query = ModelOpening.select()
    if target:
        query = query.where(ModelOpening.target == target)
    if after is not None:
        query = query.where(ModelOpening.id < cursor.decode(after, int)[0])
    rows = list(query.order_by(ModelOpening.id.desc()).limit(limit + 1))
    return Page(rows[:limit], cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def as_dict(row: ModelOpening) -> dict[str, Any]:
    """An opening as lists show it."""
    return {
        "id": row.id, "target": row.target, "release": row.release, "model": row.model, "from": clock.day_of(row.from_day).isoformat(),
        "until": clock.day_of(row.until_day).isoformat(), "first": row.first, "why": row.why, "by": row.by,
        "at": clock.moment_text(row.at),
    }  # fmt: skip
