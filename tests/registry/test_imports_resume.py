"""An import that was cut off goes on where it was; two at once store once."""

import subprocess
import sys

import pytest

from registry import config, database, owner
from registry.errors import RecordConflict
from registry.models import Entity, ImportReject, ImportRun, Record
from registry.services import imports, queue
from tests.conftest import NOW
from tests.factories import credit_code
from tests.registry.importing import counts_of, imported, penalties, runs, stored_state
from tests.registry.tables import HEADINGS_2021, penalty_row, table

IMPORT = """
import sys
from datetime import date
from pathlib import Path
from registry import config, database, privacy
from registry.services import imports, queue
settings = config.load()
database.connect(settings)
sys.stdin.readline()
report = imports.run(imports.open_source(Path(sys.argv[1])), today=date(2026, 11, 21), key=privacy.key(settings),
                     schemes=["general-risk"], chunk=20, actor="test")
print(report.counts.read, report.counts.stored, report.counts.unchanged, flush=True)
"""


class CutOff(Exception):
    """What a power cut is to a process, as far as a test can raise it."""


def cut_off_after(rows):
    def progress(position):
        if position >= rows:
            raise CutOff

    return progress


def many(tmp_path, count=50):
    rows = [
        penalty_row(code=credit_code(number=n % 9), document_no=f"信{n}号", fine="-1" if n % 10 == 3 else "0.5")
        for n in range(count)
    ]
    return table(tmp_path, HEADINGS_2021, rows)


def test_a_run_that_an_error_cut_off_goes_on_at_its_position(settings, tmp_path):
    with pytest.raises(CutOff):
        imported(settings, many(tmp_path), chunk=8, progress=cut_off_after(24))
    assert runs() == [("running", 24)]
    report = imported(settings, many(tmp_path), chunk=8)
    assert report.resumed_at == 24
    assert counts_of(report) == {"stored": 45, "rejected": 5, "provisional": 9}
    assert runs() == [("done", 50)]
    assert (len(penalties()), Entity.select().count(), ImportReject.select().count()) == (45, 9, 5)


def test_an_error_inside_a_chunk_leaves_nothing_of_that_chunk(settings, tmp_path, monkeypatch):
    before = queue.queue
    calls = []

    def failing(*given):
        calls.append(given)
        if len(calls) == 3:
            raise CutOff
        before(*given)

    monkeypatch.setattr(queue, "queue", failing)
    with pytest.raises(CutOff):
        imported(settings, many(tmp_path), chunk=8)
    assert runs() == [("running", 16)]
    assert len(penalties()) + ImportReject.select().count() == 16
    monkeypatch.setattr(queue, "queue", before)
    assert counts_of(imported(settings, many(tmp_path), chunk=8)) == {"stored": 45, "rejected": 5, "provisional": 9}


def left_by_a_dead_process(settings, tmp_path):
    with pytest.raises(CutOff):
        imported(settings, many(tmp_path), chunk=8, progress=cut_off_after(16))
    machine = owner.me().split(":")[0]
    database.execute("UPDATE import_run SET owner = ?", (f"{machine}:999999:1",))


def test_the_run_of_a_dead_process_is_taken_over_at_its_position(settings, tmp_path):
    left_by_a_dead_process(settings, tmp_path)
    report = imported(settings, many(tmp_path), chunk=5)
    assert report.resumed_at == 16
    assert counts_of(report) == {"stored": 45, "rejected": 5, "provisional": 9}
    assert ImportRun.select().count() == 1


def test_whether_it_was_cut_off_or_not_the_same_is_stored(settings, tmp_path):
    left_by_a_dead_process(settings, tmp_path)
    imported(settings, many(tmp_path), chunk=5)
    after = stored_state()
    assert counts_of(imported(settings, many(tmp_path), chunk=50)) == {"unchanged": 45, "rejected": 5}
    assert stored_state() == after


def test_the_run_of_a_living_process_is_left_alone(settings, tmp_path):
    left_by_a_dead_process(settings, tmp_path)
    database.execute("UPDATE import_run SET owner = ?, updated_at = ?", ("another-machine:1:1", NOW))
    report = imported(settings, many(tmp_path), chunk=5, now=NOW + imports.ABANDONED - 1)
    assert report.resumed_at == 0
    assert report.counts.unchanged + report.counts.stored == 45
    assert sorted(runs()) == [("done", 50), ("running", 16)]


def test_a_run_of_another_machine_that_stands_still_is_taken_over_in_the_end(settings, tmp_path):
    left_by_a_dead_process(settings, tmp_path)
    database.execute("UPDATE import_run SET owner = ?, updated_at = ?", ("another-machine:1:1", NOW))
    assert imported(settings, many(tmp_path), chunk=5, now=NOW + imports.ABANDONED + 1).resumed_at == 16


def test_a_process_whose_run_was_taken_over_stops_and_stores_nothing_more(settings, tmp_path):
    def taken_over(position):
        database.execute("UPDATE import_run SET owner = ?", ("another-machine:1:1",))

    with pytest.raises(RecordConflict, match="taken over by another process"):
        imported(settings, many(tmp_path), chunk=8, progress=taken_over)
    assert runs() == [("running", 8)]


def test_a_file_that_was_changed_meanwhile_is_another_file(settings, tmp_path):
    left_by_a_dead_process(settings, tmp_path)
    path = many(tmp_path, count=51)
    assert imported(settings, path).resumed_at == 0


def test_a_dead_run_of_another_source_is_not_ours(settings, tmp_path):
    left_by_a_dead_process(settings, tmp_path)
    assert imported(settings, many(tmp_path), source="court").resumed_at == 0


def test_two_importers_of_one_file_at_once_store_it_once(settings, tmp_path):
    path = many(tmp_path, count=400)
    environment = {"XINHENG_DATABASE_URL": settings.database.url, "PATH": "/usr/bin:/bin",
                   "XINHENG_PRIVACY_KEY_FILE": str(tmp_path / "privacy.key")}  # fmt: skip
    both = [
        subprocess.Popen([sys.executable, "-c", IMPORT, path], env=environment, cwd=config.ROOT, text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=120) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    read, stored, unchanged = (sum(column) for column in zip(*(map(int, out.split()) for out, _ in said), strict=True))
    assert (read, stored, unchanged) == (800, 360, 360)
    assert (len(penalties()), Entity.select().count()) == (360, 9)
    assert [record.seq for record in Record.select().order_by(Record.seq)] == list(range(1, 361))
