"""Files that wait are imported by the worker: each once, each answered for, whatever interrupts it."""

import csv
import dataclasses
import os

import orjson
import pytest

from jobs.run import Interrupted, Run
from jobs.tasks import JOBS
from jobs.tasks.files import import_files
from registry.models import Entity, ImportRun, Record, Upload
from registry.services import dropfolder, imports, uploads
from registry.services.uploads import Options
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered

HEADER = [
    "行政相对人名称",
    "统一社会信用代码",
    "行政处罚决定书文号",
    "处罚决定日期",
    "处罚类别",
    "罚款金额(万元)",
    "处罚机关",
]
ORGAN = "信衡市市场监督管理局"
SUB = "market"


def rows(codes, *, day="2026-03-02"):
    return [
        ["信衡示例有限公司", code, f"信市监处罚〔2026〕{number}号", day, "罚款", "0.2", ORGAN]
        for number, code in enumerate(codes, 1)
    ]


def csv_bytes(body, header=HEADER):
    return "".join(",".join(row) + "\r\n" for row in [header, *body]).encode("gb18030")


@pytest.fixture
def place(settings, tmp_path):
    """Settings with a spool and a drop folder of their own."""
    return at(settings, tmp_path)


@pytest.fixture
def lone_place(on_sqlite, tmp_path):
    return at(on_sqlite, tmp_path)


def at(settings, tmp_path):
    (tmp_path / "drop" / SUB).mkdir(parents=True)
    given = dataclasses.replace(
        settings.import_, spool=str(tmp_path / "spool"), drop_folder=str(tmp_path / "drop"), chunk_rows=2
    )
    return dataclasses.replace(settings, import_=given)


def sent(settings, content, *, name="penalties.csv", sender="key:test", now=NOW, **options):
    folder = settings.path(settings.import_.spool)
    spooled = uploads.spool(folder, [content[:10], content[10:]], limit=1 << 20)
    given = Options(**{"source": ORGAN, **options})
    upload, fresh = uploads.accept(
        spooled, folder, name=name, via="api", sender=sender, organ=ORGAN, options=given, now=now
    )
    return upload, fresh


def work(settings, *, must_stop=lambda: "", later=60_000):
    # The files of a test are as young as the test: the run's clock is that of the machine, a minute on.
    run = Run("import_files", settings=settings, now=lambda: real_now() + later, must_stop=must_stop)
    import_files(run, today=TODAY)
    return run


def real_now():
    from registry import clock

    return clock.now()


def dropped(settings, name, content, *, sub=SUB):
    path = settings.path(settings.import_.drop_folder) / sub / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def receipt(settings, name, *, sub=SUB):
    path = settings.path(settings.import_.drop_folder) / "receipts" / sub / f"{name}.receipt.json"
    return orjson.loads(path.read_bytes()) if path.exists() else None


def files_below(settings):
    folder = settings.path(settings.import_.drop_folder)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_that_waits_is_imported_and_says_what_became_of_it(place):
    codes = [credit_code() for _ in range(5)]
    upload, fresh = sent(place, csv_bytes([*rows(codes), ["某", "123", "号", "昨天", "", "", ""]]))
    assert (fresh, upload.state) == (True, "waiting")
    assert JOBS["import_files"].wanted(place)
    run = work(place)
    upload = uploads.get(upload.id, organ=ORGAN)
    assert (upload.state, upload.error) == ("done", "")
    counts = uploads.counts_of(upload)
    assert (counts["read"], counts["stored"], counts["rejected"]) == (6, 5, 1)
    assert [row[:2] for row in uploads.rejects(upload)] == [(7, "处罚决定日期")]
    assert upload.understanding["mapping"] == "penalty-legal-person"
    assert upload.understanding["file"] == ImportRun.get().file == "penalties.csv"
    assert (run.items, run.failures, run.result["stored"]) == (1, 0, 5)
    assert not JOBS["import_files"].wanted(place)
    assert list(place.path(place.import_.spool).iterdir()) == []
    assert {one.source for one in Record.select()} == {ORGAN}


def test_the_same_file_again_is_the_same_upload_and_other_options_are_another(place):
    content = csv_bytes(rows([credit_code()]))
    first, _ = sent(place, content)
    again, fresh = sent(place, content, name="other name.csv")
    assert (again.id, again.name, fresh) == (first.id, "penalties.csv", False)
    assert sent(place, content, dry_run=True)[0].id != first.id
    assert sent(place, content, sender="key:another")[0].id != first.id
    work(place)
    again, fresh = sent(place, content)
    assert (again.id, again.state, fresh) == (first.id, "done", False)
    assert [path.name for path in place.path(place.import_.spool).iterdir()] == []


def test_a_dry_run_tells_what_it_understood_and_stores_nothing(place):
    upload, _ = sent(place, csv_bytes(rows([credit_code()])), dry_run=True)
    work(place)
    upload = uploads.get(upload.id, organ=ORGAN)
    assert (upload.state, upload.run, Record.select().count()) == ("done", None, 0)
    assert upload.understanding["counts"] == {"read": 1, "stored": 1, "unmatched": 0, "rejected": 0, "undated": 0}
    assert upload.understanding["encoding"] == "gb18030"


def test_a_file_that_cannot_be_read_is_refused_and_may_be_sent_again(place):
    content = b"name,number\r\na,1\r\n"
    upload, _ = sent(place, content, name="strange.csv")
    run = work(place)
    upload = uploads.get(upload.id, organ=ORGAN)
    assert (upload.state, run.failures) == ("refused", 0)
    assert "No mapping fits" in upload.error or "none of the 2 cells" in upload.error
    assert upload.request not in upload.error
    again, fresh = sent(place, content)
    assert (again.id, again.state, again.error, fresh) == (upload.id, "waiting", "", True)


def test_a_file_that_breaks_off_is_failed_and_the_rows_before_it_are_stored(place):
    content = csv_bytes(rows([credit_code() for _ in range(3)])) + b'"never closed,'
    upload, _ = sent(place, content)
    work(place)
    upload = uploads.get(upload.id, organ=ORGAN)
    assert upload.state == "failed"
    assert "penalties.csv line" in upload.error
    assert (uploads.counts_of(upload)["stored"], Record.select().count()) == (3, 3)


@pytest.mark.parametrize(("allowed", "state"), [(False, "refused"), (True, "done")])
def test_registrations_need_the_right_to_them(lone_place, allowed, state):
    header = ["企业名称", "统一社会信用代码", "成立日期"]
    upload, _ = sent(
        lone_place, csv_bytes([["信衡示例有限公司", credit_code(), "2020-01-01"]], header), registrations=allowed
    )
    work(lone_place)
    upload = uploads.get(upload.id, organ=ORGAN)
    assert (upload.state, Entity.select().count()) == (state, int(allowed))
    assert ("registrations:write" in upload.error) is not allowed


def test_an_interrupted_import_goes_on_at_its_position(place):
    upload, _ = sent(place, csv_bytes(rows([credit_code() for _ in range(7)])))
    asked = iter(["", "", "", "told to stop"])
    with pytest.raises(Interrupted):
        work(place, must_stop=lambda: next(asked, "told to stop"))
    half = uploads.get(upload.id, organ=ORGAN)
    assert half.state == "running"
    assert 0 < half.run.position < 7
    work(place)
    whole = uploads.get(upload.id, organ=ORGAN)
    assert (whole.state, whole.run_id, uploads.counts_of(whole)["stored"]) == ("done", half.run_id, 7)
    assert Record.select().where(Record.kind == "penalty").count() == 7


def test_an_error_that_nobody_expected_fails_one_file_and_not_the_others(lone_place, monkeypatch):
    bad, _ = sent(lone_place, csv_bytes(rows([credit_code()])), name="bad.csv")
    good, _ = sent(lone_place, csv_bytes(rows([credit_code()], day="2026-03-03")), name="good.csv")
    real = imports.run

    def broken(opened, **given):
        if opened.file.path.name == bad.request:
            raise RuntimeError("91990101MA00000000 must not be shown")
        return real(opened, **given)

    monkeypatch.setattr(imports, "run", broken)
    run = work(lone_place)
    assert (run.items, run.failures) == (2, 1)
    assert [uploads.get(one.id, organ=ORGAN).state for one in (bad, good)] == ["failed", "done"]
    assert uploads.get(bad.id, organ=ORGAN).error.startswith("RuntimeError")


def test_what_nobody_waits_for_is_swept_out_of_the_spool_folder(lone_place):
    upload, _ = sent(lone_place, csv_bytes(rows([credit_code()])))
    folder = lone_place.path(lone_place.import_.spool)
    for name in (".left.part", "f" * 32):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (1, 1))
    assert uploads.sweep(folder) == 2
    assert [path.name for path in folder.iterdir()] == [upload.request]


def test_a_failed_file_that_is_sent_again_at_once_keeps_its_new_file(place, monkeypatch):
    content = csv_bytes(rows([credit_code()])) + b'"never closed,'
    upload, _ = sent(place, content)
    process = uploads.process

    def and_again(*given):
        ended = process(*given)
        assert sent(place, content)[0].state == "waiting"
        return ended

    monkeypatch.setattr(uploads, "process", and_again)
    work(place)
    assert [path.name for path in place.path(place.import_.spool).iterdir()] == [upload.request]
    monkeypatch.undo()
    work(place)
    upload = uploads.get(upload.id, organ=ORGAN)
    assert (upload.state, "not in the spool folder" in upload.error) == ("failed", False)


def test_sweeping_keeps_a_file_that_was_sent_again_while_it_swept(place, monkeypatch):
    content = csv_bytes(rows([credit_code()])) + b'"never closed,'
    upload, _ = sent(place, content)
    work(place)
    folder = place.path(place.import_.spool)
    (folder / upload.request).write_bytes(content)  # left behind by a worker that died
    listed = list(folder.iterdir())
    assert sent(place, content)[0].state == "waiting"
    monkeypatch.setattr(type(folder), "iterdir", lambda _: iter(listed))
    assert uploads.sweep(folder) == 0
    assert (folder / upload.request).is_file()


def test_what_a_worker_left_of_an_ended_upload_is_swept(place):
    content = csv_bytes(rows([credit_code()]))
    upload, _ = sent(place, content)
    work(place)
    folder = place.path(place.import_.spool)
    (folder / upload.request).write_bytes(content)
    assert (uploads.sweep(folder), list(folder.iterdir())) == (1, [])


def test_a_dropped_file_is_imported_once_and_answered_by_a_receipt(place):
    code = credit_code()
    dropped(place, "处罚 11月.csv", csv_bytes([*rows([code]), ["某", "123", "号", "昨天", "", "", ""]]))
    assert JOBS["import_files"].wanted(place)
    work(place)
    said = receipt(place, "处罚 11月.csv")
    assert (said["state"], said["source"], said["mapping"]) == ("done", SUB, "penalty-legal-person")
    assert {name: said["counts"][name] for name in ("read", "stored", "rejected")} == {
        "read": 2,
        "stored": 1,
        "rejected": 1,
    }
    assert files_below(place) == [
        f"done/{SUB}/处罚 11月.csv", f"receipts/{SUB}/处罚 11月.csv.receipt.json", f"receipts/{SUB}/处罚 11月.csv.rejected.csv",
    ]  # fmt: skip
    rejected = place.path(place.import_.drop_folder) / "receipts" / SUB / said["rejected_file"]
    with rejected.open(encoding="utf-8-sig", newline="") as handle:
        assert [row[:2] for row in csv.reader(handle)][1:] == [["3", "处罚决定日期"]]
    assert Record.get().source == SUB
    assert not JOBS["import_files"].wanted(place)
    work(place)
    assert len(files_below(place)) == 3


def test_a_file_is_left_alone_until_it_has_been_still_for_ten_seconds(lone_place):
    dropped(lone_place, "young.csv", csv_bytes(rows([credit_code()])))
    dropped(lone_place, "half.csv.part", b"x")
    dropped(lone_place, ".hidden.csv", b"x")
    work(lone_place, later=9_000)
    assert files_below(lone_place) == [f"{SUB}/.hidden.csv", f"{SUB}/half.csv.part", f"{SUB}/young.csv"]
    work(lone_place, later=12_000)
    assert receipt(lone_place, "young.csv")["state"] == "done"
    assert f"{SUB}/half.csv.part" in files_below(lone_place)


def test_a_dropped_file_that_cannot_be_read_gets_a_receipt_that_says_why(lone_place):
    dropped(lone_place, "report.pdf", b"%PDF-1.7 rest")
    work(lone_place)
    said = receipt(lone_place, "report.pdf")
    assert said["state"] == "refused"
    assert "report.pdf" in said["error"]
    assert "PDF" in said["error"]
    assert files_below(lone_place) == [f"receipts/{SUB}/report.pdf.receipt.json", f"refused/{SUB}/report.pdf"]


def test_a_dropped_file_that_cannot_be_opened_gets_a_receipt_as_well(lone_place, monkeypatch):
    dropped(lone_place, "locked.csv", b"x")

    def locked(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(dropfolder, "register", locked)
    dropfolder.take(lone_place.path(lone_place.import_.drop_folder), dropfolder.Place(SUB, "locked.csv"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dropfolder, "receipt_of", None)
        work(lone_place)
    assert "Permission denied" in receipt(lone_place, "locked.csv")["error"]
    assert f"refused/{SUB}/locked.csv" in files_below(lone_place)


def test_the_same_content_under_another_name_is_not_imported_twice(place):
    content = csv_bytes(rows([credit_code()]))
    dropped(place, "monday.csv", content)
    work(place)
    dropped(place, "tuesday.csv", content)
    dropped(place, "monday.csv", content)
    work(place)
    assert receipt(place, "monday.csv")["upload"] == receipt(place, "tuesday.csv")["upload"]
    assert ImportRun.select().count() == 1
    done = [name for name in files_below(place) if name.startswith("done/")]
    assert done == [f"done/{SUB}/monday-2.csv", f"done/{SUB}/monday.csv", f"done/{SUB}/tuesday.csv"]


def test_refused_content_that_is_put_down_again_is_tried_again(lone_place, monkeypatch):
    header = [*HEADER, "案件来源"]
    content = csv_bytes([[*rows([credit_code()])[0], "举报"]], header)
    dropped(lone_place, "first.csv", content)
    work(lone_place)
    assert receipt(lone_place, "first.csv")["state"] == "refused"
    from registry import mappings

    monkeypatch.setattr(mappings, "unknown_headings", lambda *_: {})
    dropped(lone_place, "second.csv", content)
    work(lone_place)
    assert receipt(lone_place, "second.csv")["state"] == "done"
    assert Upload.select().count() == 1


def test_a_worker_that_dies_before_the_receipt_leaves_it_to_the_next(place, monkeypatch):
    dropped(place, "late.csv", csv_bytes(rows([credit_code()])))
    with monkeypatch.context() as patch:
        patch.setattr(dropfolder, "answer", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        assert work(place).failures == 1
    assert receipt(place, "late.csv") is None
    assert files_below(place) == [f"taken/{SUB}/late.csv"]
    assert JOBS["import_files"].wanted(place)
    work(place)
    assert receipt(place, "late.csv")["state"] == "done"
    assert (ImportRun.select().count(), Record.select().count()) == (1, 1)


def test_a_link_in_the_drop_folder_is_not_followed(lone_place, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_bytes(csv_bytes(rows([credit_code()])))
    (lone_place.path(lone_place.import_.drop_folder) / SUB / "link.csv").symlink_to(secret)
    work(lone_place)
    assert (Upload.select().count(), secret.exists()) == (0, True)


def test_a_name_as_long_as_a_file_system_takes_it_is_answered_too(lone_place):
    registered()
    name = "处" * 80 + ".csv"
    dropped(lone_place, name, csv_bytes(rows([credit_code()])))
    work(lone_place)
    assert [one for one in files_below(lone_place) if one.endswith(".receipt.json")]
    assert f"done/{SUB}/{name}" in files_below(lone_place)
