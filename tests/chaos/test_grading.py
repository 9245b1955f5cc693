"""kill -9 of grading at random moments: the next run finishes the work, and no history is written twice."""

from datetime import timedelta

import pytest

from registry.clock import day_number
from registry.database import execute
from registry.models import GradeRange, GradeRun, GradeState, Stale
from registry.services import grading
from registry.services.sampling import load_sample
from tests.chaos.killing import (
    KILLS,
    Process,
    assert_history_has_changes_only,
    assert_the_ledger_is_whole,
    environment,
    moments,
)
from tests.conftest import NOW, TODAY
from tests.factories import record
from tests.registry.worlds import from_scratch, state_of

pytestmark = pytest.mark.chaos
SIZE, RANGE = 3_000, 100
BATCH = 60  # entities of one piece of the due run in the process that is killed

GRADE = """
import sys
from datetime import date
from registry import config, database
from registry.services import grading
settings = config.load()
database.connect(settings)
scheme, day = grading.scheme_named(settings), date.fromisoformat(sys.argv[2])
grading.BATCH = 60
print("ready")
if sys.argv[1] == "everyone":
    grading.everyone(scheme, day=day, range_size=100, progress=lambda done, of: print(done))
else:
    grading.due(scheme, day=day, progress=lambda done, of: print(done))
"""


@pytest.mark.parametrize("way", ["everyone", "due"])
def test_a_grading_that_is_killed_is_finished_by_the_next_as_if_nothing_had_happened(settings, tmp_path, way):
    scheme = grading.scheme_named(settings)
    load_sample(settings, size=SIZE, density=2, today=TODAY, now=NOW)
    random, killed = moments(f"grade {way} {settings.database.url.split(':')[0]}"), 0
    for turn in range(KILLS):
        day = TODAY + timedelta(days=41 * turn)
        for entity in range(1 + turn, SIZE, 60):
            record(entity, "spot_check", document_no=f"检{turn}号")
        # Everyone is due, so that every turn has as much to do as the first.
        execute("UPDATE grade_state SET next_day = ?", (day_number(day),))
        process = Process(GRADE, way, day.isoformat(), environ=environment(settings, tmp_path))
        process.wait_until_ready()
        pieces = SIZE // (RANGE if way == "everyone" else BATCH)
        said = process.kill_after(random.randrange(pieces - 1), random.uniform(0, 0.03))
        killed += process.was_killed
        assert_history_has_changes_only()
        if way == "everyone":
            told = max(map(int, said), default=0)
            finished = {row.first for row in GradeRange.select().join(GradeRun).where(GradeRun.day == day_number(day))}
            assert set(range(1, told, RANGE)) <= finished
            again = grading.everyone(scheme, day=day, range_size=RANGE, now=lambda: NOW)
            assert again.entities == GradeState.select().count()
            assert [run.state for run in GradeRun.select().where(GradeRun.state == "running")] == []
        else:
            grading.due(scheme, day=day)
        assert state_of(scheme) == from_scratch(scheme, day, width=2_000)[0]
        assert Stale.select().count() == 0
        assert_history_has_changes_only()
        assert grading.due(scheme, day=day).changed == 0
        assert_the_ledger_is_whole()
    assert killed, "no run was killed: every one was over before its moment came"
