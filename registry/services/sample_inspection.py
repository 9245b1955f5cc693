"""Loading what inspections need into the sample district: the shipped list of items, its labels, and generated inspectors."""

from datetime import date

import orjson
import polars as pl

from registry.database import execute, insert_rows
from registry.models import InspectionItem
from registry.sample.inspection import draw_inspection
from registry.services import shipped_items
from registry.services.registers import Desk

JSON = ("areas", "items", "certificates")
BY = "sample"
# Who was put in by hand, or declared an interest, so long ago.
SINCE = date(2024, 1, 1)


def load(entities: pl.DataFrame, *, today: date, now: int, seed: int) -> dict[str, int]:
    """Load items, labels, members, inspectors and conflicts inside the current transaction; how many of each.

    The id of an entity is its row number + 1, as the loading of the sample gives it.
    """
    found = shipped_items.load(desk=Desk("xinheng sample", "", today, now))
    codes = [row.code for row in InspectionItem.select(InspectionItem.code).order_by(InspectionItem.code)]
    drawn = draw_inspection(entities, codes, today=today, seed=seed)
    columns = (*drawn.inspectors[0], "actor", "version", "updated_by", "updated_at")
    insert_rows(
        "inspector",
        columns,
        (
            (*(orjson.dumps(value).decode() if name in JSON else value for name, value in one.items()), "", 1, BY, now)
            for one in drawn.inspectors
        ),
    )
    numbers = dict(execute("SELECT staff_no, id FROM inspector").fetchall())
    since = SINCE.isoformat()
    insert_rows(
        "inspector_conflict",
        ("inspector_id", "entity", "why", "from_on", "by", "at"),
        ((numbers[staff], row + 1, why, since, BY, now) for staff, row, why in drawn.conflicts),
    )
    insert_rows(
        "entity_label",
        ("label_id", "entity", "from_on", "by", "at"),
        ((label, row + 1, since, BY, now) for label, rows in sorted(drawn.members.items()) for row in rows),
    )
    return {"items": found.items, "labels": found.labels, "inspectors": len(drawn.inspectors)}
