"""Draws: committed to before anybody could know them, drawn once, the same to the last name for whoever replays them."""

import json
import runpy
import sys
import threading
from datetime import date
from pathlib import Path

import pytest

from registry import config, database
from registry.errors import ListNotFound
from registry.models import (
    Draw,
    DrawStratum,
    InspectionList,
    InspectionListRow,
    Record,
    Visit,
    VisitInspector,
    VisitStep,
)
from registry.services import (
    audit,
    draw_minutes,
    draw_running,
    draw_views,
    draws,
    grading,
    list_views,
    lists,
    tasks,
    visit_rows,
    visits,
)
from registry.services.draws import DrawConflict, DrawNotFound, DrawRefused, Filters, NoTeam
from registry.services.tasks import TaskElsewhere, TaskNotApproved
from registry.services.visits import VisitNotFound
from tests.registry.drawing import (
    CLASSES,
    DRAWN,
    ORGAN,
    PARTNER,
    SEED,
    WITNESS,
    commit,
    crowd,
    desk_of,
    drawn,
    item,
    run,
    staff,
    task_of,
)

SCRIPT = config.ROOT / "docs" / "verify_draw.py"


def steps(draw):
    """The steps of a draw on the ledger, in order."""
    return list(Record.select().where(Record.about == f"draw:{draw.id}").order_by(Record.seq))


def replay(monkeypatch, capsys, *arguments):
    """The exit status of the auditors' script, and what it says."""
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return left.value.code or 0, capsys.readouterr().out


def test_a_draw_makes_a_list_with_a_visit_for_each_row_and_two_inspectors_for_each_visit(settings):
    classes = crowd()
    staff()
    committed = commit(settings)
    assert (committed.state, committed.pool, committed.size, committed.minutes) == ("committed", 130, 15, None)
    assert draws.list_of(committed) is None
    made = draws.get(run(committed).id)
    found = draws.list_of(made)
    rows = list(InspectionListRow.select().where(InspectionListRow.list == found).order_by(InspectionListRow.position))
    assert (made.state, found.size, len(rows)) == ("drawn", 15, 15)
    counted = {name: sum(row.class_ == name for row in rows) for name in CLASSES}
    assert counted == DRAWN
    assert {row.entity: row.class_ for row in rows}.items() <= classes.items()
    assert all(row.position == row.tour and row.reasons == [] for row in rows), "the order on the list tells no class"
    for visit in Visit.select():
        row = rows[visit.position - 1]
        assert (visit.entity, visit.slice, visit.stratum, visit.state) == (row.entity, "draw", row.class_, "assigned")
        assert visit.inclusion == round(1e6 * DRAWN[row.class_] / CLASSES[row.class_])
        assert VisitInspector.select().where(VisitInspector.visit == visit, VisitInspector.active).count() == 2
        assert VisitStep.get(VisitStep.visit == visit).act == "assigned"
    strata = {row.stratum: (row.class_, row.candidates, row.size) for row in DrawStratum.select()}
    assert strata == {name: (name, CLASSES[name], DRAWN[name]) for name in CLASSES}


def test_every_step_stands_on_the_ledger_with_what_was_announced_and_the_digest_of_the_minutes(on_sqlite):
    made = drawn(on_sqlite)
    draws.reveal(made, desk=desk_of())
    made = draws.get(made.id)
    committed, run_, revealed = steps(made)
    assert (committed.kind, committed.seq, run_.kind, run_.seq, revealed.kind) == (
        "draw_committed", made.committed_seq, "draw_drawn", made.drawn_seq, "draw_revealed",
    )  # fmt: skip
    assert (committed.detail["commitment"], committed.detail["root"], committed.detail["pool"]) == (made.commitment, made.root, 130)  # fmt: skip
    assert (run_.detail["witness"], run_.detail["digest"]) == (WITNESS, made.minutes_digest)
    assert (revealed.detail["seed"], made.state) == (SEED.hex(), "revealed")
    assert draws.reveal(made, desk=desk_of())[1] is False


def test_the_minutes_are_replayed_by_the_script_and_it_finds_another_announcement(
    on_sqlite, tmp_path, monkeypatch, capsys
):
    made = drawn(on_sqlite)
    draws.reveal(made, desk=desk_of())
    made = draws.get(made.id)
    full, public = tmp_path / "full.json", tmp_path / "public.json"
    full.write_bytes(draw_minutes.full_file(made))
    public.write_bytes(draw_minutes.public_file(made))
    told = (full, "--public", public, "--announced", made.commitment)
    assert replay(monkeypatch, capsys, *told, made.root)[0] == 0
    status, said = replay(monkeypatch, capsys, *told, "0" * 64)
    assert (status, "root" in said or "announced" in said) == (1, True)


def test_public_minutes_name_who_was_visited_and_nothing_of_strata_and_are_there_once_revealed(on_sqlite):
    made = drawn(on_sqlite)
    with pytest.raises(DrawConflict, match="once its task is closed"):
        draw_minutes.public_file(made)
    draws.reveal(made, desk=desk_of())
    public = json.loads(draw_minutes.public_file(draws.get(made.id)))
    full = draw_minutes.full(draws.get(made.id))
    assert public["visited"] == full["chosen"]
    assert len(public["commitments"]) == made.pool
    for secret in ("strata", "candidates", "salt", "pools", "tour", "teams", "excluded", "frequency"):
        assert secret in full
        assert secret not in public


def test_who_closes_the_task_reveals_its_draw(on_sqlite):
    task = task_of()
    made = drawn(on_sqlite, task)
    Visit.update(state="closed").execute()
    tasks.close(task.id, desk=desk_of())
    assert draws.get(made.id).state == "revealed"


def test_the_same_request_finds_its_draw_and_another_one_is_refused(on_sqlite):
    crowd()
    staff()
    task = task_of()
    first = commit(on_sqlite, task)
    again = commit(on_sqlite, task, seed=b"x" * 32)
    assert (again.id, again.seed) == (first.id, SEED.hex())
    with pytest.raises(DrawConflict, match=f"has draw {first.id}"):
        commit(on_sqlite, task, division="990101")
    assert len(steps(first)) == 1


def test_the_witness_is_bound_once_and_a_second_run_changes_nothing(on_sqlite):
    made = drawn(on_sqlite)
    again, new = draw_running.run(made.id, witness=WITNESS, token_seed=b"v" * 32, desk=desk_of())
    assert (again.id, new, Visit.select().count()) == (made.id, False, 15)
    with pytest.raises(DrawConflict, match="in other words"):
        run(made, witness="1 1 1 1 1 1")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("  ", "at least 6 characters"),
        ("4 1 6 6 3", "at least 6 characters"),
        ("某某，电话13900001111，掷得 4 1 6", "personal number"),
        ("4 " * 1_001, "may have 2,000"),
    ],
)
def test_a_witness_says_what_was_thrown_in_words_that_are_kept_as_they_were_spoken(on_sqlite, said, why):
    crowd()
    staff()
    made = commit(on_sqlite)
    with pytest.raises(DrawRefused, match=why):
        run(made, witness=said)
    assert draws.get(made.id).witness == "", "nothing was bound"
    assert draws.get(run(made, witness=" 4 1 6 6 3 2 ").id).witness == "4 1 6 6 3 2"


def test_candidates_of_one_class_alone_are_refused_since_who_is_visited_is_public(on_sqlite):
    crowd({"D": 30})
    staff(8)
    with pytest.raises(DrawRefused, match=r"All 30 candidates are of one class.*Widen the filters"):
        commit(on_sqlite)
    assert (Draw.select().count(), Record.select().count()) == (0, 0)
    crowd({"C": 2})
    assert commit(on_sqlite).pool == 32


def test_what_was_cut_off_is_seen_by_nobody_and_goes_on_where_it_stopped(on_sqlite, monkeypatch):
    crowd()
    staff()
    committed = commit(on_sqlite)
    monkeypatch.setattr(draw_running, "CHUNK", 4)
    write, calls = visit_rows.write, []

    def failing(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("the machine lost power")
        return write(*args, **kwargs)

    monkeypatch.setattr(visit_rows, "write", failing)
    with pytest.raises(RuntimeError):
        run(committed)
    half = draws.get(committed.id)
    kept = half.minutes_digest
    assert (half.state, Visit.select().count(), draws.list_of(half)) == ("committed", 8, None)
    assert draw_views.one(half, classes=True)["list"] is None
    assert list_views.every(organ="", after=None, limit=10).items == []
    with pytest.raises(ListNotFound):
        lists.get(InspectionList.get().id, organ="")
    with pytest.raises(DrawConflict, match="minutes are kept of what was drawn"):
        draw_minutes.full_file(half)
    with pytest.raises(VisitNotFound):
        visits.get(Visit.get().id, organ=ORGAN)
    with pytest.raises(DrawConflict, match="witness of draw"):
        draws.void(half.id, reason="不合意", desk=desk_of())
    made = draws.get(run(committed).id)
    assert (made.state, made.minutes_digest, Visit.select().count()) == ("drawn", kept, 15)
    assert InspectionList.select().count() == 1
    assert VisitInspector.select().count() == 30


def test_two_who_run_it_at_once_make_one_list(settings):
    crowd()
    staff()
    committed = commit(settings)
    failed = []

    def go():
        with database.session():
            try:
                run(committed)
            except Exception as error:
                failed.append(error)

    both = [threading.Thread(target=go) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert failed == []
    assert (InspectionList.select().count(), Visit.select().count(), len(steps(committed))) == (1, 15, 2)


def test_a_draw_is_void_before_its_witness_speaks_with_a_reason_and_then_another_can_be_made(on_sqlite):
    crowd()
    staff()
    task = task_of()
    first = commit(on_sqlite, task)
    with pytest.raises(DrawRefused, match="the public reads it"):
        draws.void(first.id, reason=" ", desk=desk_of())
    found, new = draws.void(first.id, reason="遗漏两个街道", desk=desk_of())
    assert (found.state, new, steps(first)[-1].kind, steps(first)[-1].detail["reason"]) == ("void", True, "draw_void", "遗漏两个街道")  # fmt: skip
    assert draws.void(first.id, reason="别的", desk=desk_of())[1] is False
    with pytest.raises(DrawConflict, match="is void"):
        run(first)
    second = run(commit(on_sqlite, task))
    assert second.id != first.id
    with pytest.raises(DrawConflict, match="until it pleases"):
        draws.void(second.id, reason="不合意", desk=desk_of())
    listed = draw_views.public_page().items
    assert [(one["id"], one["state"], one["void_why"]) for one in listed] == [
        (second.id, "drawn", ""), (first.id, "void", "遗漏两个街道"),
    ]  # fmt: skip


def test_a_draw_that_nobody_can_carry_out_says_so_and_may_be_void_after_the_witness(on_sqlite):
    crowd()
    # Days enough in all, but not in the first division: fifteen visits there, two days of four.
    staff(2, areas=["990101"], capacity=1)
    staff(6, areas=["990102"])
    stuck = commit(on_sqlite, ratios={"A": 200, "B": 2000, "C": 6000, "D": 10000})
    for _ in range(2):
        with pytest.raises(NoTeam, match="declares it void"):
            run(stuck)
    assert (draws.get(stuck.id).witness, InspectionList.select().count()) == (WITNESS, 0)
    assert draws.void(stuck.id, reason="检查人员不足", desk=desk_of())[0].state == "void"


def test_only_the_organ_that_leads_an_approved_task_draws_and_partners_send_inspectors_too(on_sqlite):
    crowd()
    staff()
    staff(4, organ=PARTNER)
    task = task_of(partners=[PARTNER], checklist=[item(), item("X01", department=PARTNER, minutes=30)])
    theirs = desk_of("key:zhang", PARTNER)
    with pytest.raises(TaskElsewhere):
        commit(on_sqlite, task, desk=theirs)
    made = commit(on_sqlite, task)
    with pytest.raises(TaskElsewhere):
        run(made, desk=theirs)
    run(made)
    assert {row.organ for row in VisitInspector.select()} == {ORGAN, PARTNER}
    assert VisitInspector.select().count() == 60
    assert draws.get(made.id, organ=PARTNER).id == made.id
    with pytest.raises(DrawNotFound):
        draws.get(made.id, organ="别处市场监督管理局")
    with pytest.raises(DrawNotFound):
        draws.get(made.id, organ=ORGAN, divisions=("990101",))
    with pytest.raises(TaskNotApproved):
        commit(on_sqlite, task_of(state="draft"))
    with pytest.raises(DrawRefused, match="ended on 2026-11-20"):
        commit(on_sqlite, task_of(to_on=date(2026, 11, 20)))


def test_nothing_is_written_by_a_commitment_that_fails(on_sqlite, monkeypatch):
    crowd()
    staff()
    monkeypatch.setattr(audit, "note", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        commit(on_sqlite)
    assert (Draw.select().count(), Record.select().count()) == (0, 0)


def test_the_other_algorithm_and_finer_strata_are_drawn_and_replayed_too(on_sqlite, tmp_path, monkeypatch, capsys):
    crowd({"B": 60, "C": 40, "D": 20})
    staff(8)
    made = run(commit(on_sqlite, strata="class+division", algorithm="sm3"))
    assert {row.stratum for row in DrawStratum.select()} == {f"{name}:{area}" for name in "BCD" for area in ("990101", "990102")}  # fmt: skip
    full = Path(tmp_path / "full.json")
    full.write_bytes(draw_minutes.full_file(draws.get(made.id)))
    assert replay(monkeypatch, capsys, full)[0] == 0


def test_the_seal_says_by_what_it_is_drawn_where_nobody_asks_for_another(on_sqlite):
    crowd()
    staff()
    prepared = draws.prepare(
        task_of(), Filters(), {}, scheme=grading.scheme_named(on_sqlite), salt=SEED, settings=on_sqlite, desk=desk_of()
    )  # fmt: skip
    assert prepared.frame.algorithm == on_sqlite.seal.algorithm
    assert Draw.select().count() == 0, "nothing is written by looking"
