"""kill -9 of an import at random moments: what was acknowledged is there once, and the next run finishes the work."""

import pytest

from registry.models import Entity, ImportReject, ImportRun, Record, Unmatched
from registry.services import imports
from tests.chaos.killing import KILLS, Process, assert_the_ledger_is_whole, environment, moments
from tests.factories import credit_code
from tests.registry.importing import counts_of, imported
from tests.registry.tables import HEADINGS_2021, penalty_row, table

pytestmark = pytest.mark.chaos
ROWS = 900
CHUNK = 20

IMPORT = """
import sys
from datetime import date
from pathlib import Path
from registry import config, database, privacy
from registry.services import imports
settings = config.load()
database.connect(settings)
opened, key = imports.open_source(Path(sys.argv[1])), privacy.key(settings)
print("ready")
imports.run(opened, today=date(2026, 11, 21), key=key, schemes=["general-risk"], chunk=int(sys.argv[2]), actor="test", progress=print)
"""


def row_of(turn, number):
    if number % 10 == 3:
        return penalty_row(code="无", document_no=f"{turn}队{number}号")
    if number % 10 == 7:
        return penalty_row(code=credit_code(number=number % 50), document_no=f"{turn}拒{number}号", fine="-1")
    return penalty_row(code=credit_code(number=number % 50), document_no=f"{turn}存{number}号")


def expected(rows):
    """How many of the first so many rows are stored, wait and are refused."""
    kinds = [number % 10 for number in range(rows)]
    waiting, refused = kinds.count(3), kinds.count(7)
    return {"stored": rows - waiting - refused, "unmatched": waiting, "rejected": refused}


def test_an_import_that_is_killed_loses_nothing_doubles_nothing_and_is_finished_by_the_next(settings, tmp_path):
    random, killed = moments(f"import {settings.database.url.split(':')[0]}"), 0
    for turn in range(KILLS):
        path = table(tmp_path, HEADINGS_2021, [row_of(turn, number) for number in range(ROWS)], name=f"{turn}.csv")
        process = Process(IMPORT, path, CHUNK, environ=environment(settings, tmp_path))
        process.wait_until_ready()
        said = process.kill_after(random.randrange(ROWS // CHUNK), random.uniform(0, 0.03))
        killed += process.was_killed
        done = ROWS * turn
        run = ImportRun.select().where(ImportRun.file == path.name).first()
        position = run.position if run else 0
        # Whatever was told to be done is done; the position never lies, and the counts belong to it.
        assert position >= max(map(int, said), default=0)
        counts = {"stored": run.stored, "unmatched": run.unmatched, "rejected": run.rejected} if run else expected(0)
        assert counts == expected(position)
        assert Record.select().count() == expected(done + position)["stored"]
        assert Unmatched.select().count() == expected(done + position)["unmatched"]
        assert (
            ImportReject.select().where(ImportReject.run == (run and run.id)).count() == expected(position)["rejected"]
        )
        assert_the_ledger_is_whole()
        assert process.was_killed or (run is not None and run.state == "done")
        report = imported(settings, path, chunk=100)
        if run is not None and run.state == "running":
            assert (report.run, report.resumed_at) == (run.id, position)
            assert {name: counts_of(report)[name] for name in expected(ROWS)} == expected(ROWS)
        assert report.counts.read == ROWS
        assert Record.select().count() == expected(done + ROWS)["stored"]
        assert (Entity.select().count(), Unmatched.select().count()) == (40, expected(done + ROWS)["unmatched"])
        assert [one.state for one in ImportRun.select().where(ImportRun.state == "running")] == []
        assert_the_ledger_is_whole()
        again = imported(settings, path)
        assert again.counts.stored == 0
        out = tmp_path / f"{turn}.rejected.csv"
        assert imports.write_rejects(report.run, out) == expected(ROWS)["rejected"]
    assert killed, "no run was killed: every one was over before its moment came"
