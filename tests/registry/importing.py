"""Import a small table in one short call, and look at what became of it."""

import csv
import dataclasses

from registry import database, privacy
from registry.models import Fact, ImportRun, Record, Unmatched
from registry.services import imports
from tests.conftest import NOW, TODAY

SCHEMES = ["general-risk"]


def imported(settings, path, *, chunk=400, now=NOW, progress=None, source=None, today=TODAY, **given):
    opened = imports.open_source(path, source=source, **given)
    return imports.run(
        opened,
        today=today,
        key=privacy.key(settings),
        schemes=SCHEMES,
        chunk=chunk,
        actor="test",
        now=lambda: now,
        progress=progress,
    )


def counts_of(report):
    """Counts that are not zero, by name."""
    return {name: number for name, number in dataclasses.asdict(report.counts).items() if number}


def refused(run):
    """(row, column, value, reason) of every refusal of a run."""
    rows = database.execute(
        'SELECT "row", "column", value, reason FROM import_reject WHERE run_id = ? ORDER BY "row", number', (run,)
    )
    return [tuple(row) for row in rows.fetchall()]


def penalties():
    return list(Record.select().where((Record.kind == "penalty") & Record.replaced_seq.is_null()).order_by(Record.seq))


def stored_state():
    """What the registry holds, but for moments of the clock: two ways to the same end must leave the same."""
    return (
        sorted((one.identity, one.content, one.kind, one.act) for one in Record.select()),
        sorted((one.kind, one.code, one.severity, one.amount, one.day) for one in Fact.select()),
        sorted((one.identity, one.reason) for one in Unmatched.select()),
    )


def rejects_file(path):
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.reader(handle))


def runs():
    return [(one.state, one.position) for one in ImportRun.select().order_by(ImportRun.id)]
