"""The tamper check of draws, lists and results: whoever changes what was drawn or found in the database is named."""

import pytest

from registry.database import execute
from registry.models import Draw, Visit, VisitInspector
from registry.services import draw_check, draw_minutes, draw_recusals, draws
from rules import draw as lots
from tests.factories import registered
from tests.registry.drawing import commit, desk_of, drawn, task_of
from tests.registry.visited import approved, visit_of
from tests.registry.visiting import listed, task


def found():
    return list(draw_check.differences())


@pytest.fixture
def made(on_sqlite):
    """A draw with a recusal; another that is void, and one that is only committed to."""
    done = drawn(on_sqlite)
    first, last = Visit.get(Visit.position == 1), Visit.get(Visit.position == 15)
    # One visit of the day was begun, and keeps who went.
    begun = Visit.get(Visit.position == 2)
    Visit.update(state="started").where(Visit.id == begun.id).execute()
    for visit in (first, last):
        leaving = VisitInspector.get(VisitInspector.visit == visit, VisitInspector.active).inspector_id
        draw_recusals.recuse(done.id, visit=visit.id, inspector=leaving, why="近亲属", desk=desk_of())
    other = commit(on_sqlite, task_of())
    draws.void(other.id, reason="遗漏", desk=desk_of())
    commit(on_sqlite, task_of())
    return done.id


def test_what_was_drawn_recused_pulled_and_found_follows_from_the_ledger(settings):
    drawn(settings)
    leaving = VisitInspector.get(VisitInspector.visit == Visit.get(Visit.position == 1)).inspector_id
    draw = Draw.get()
    draw_recusals.recuse(
        draw.id, visit=Visit.get(Visit.position == 1).id, inspector=leaving, why="近亲属", desk=desk_of()
    )
    draws.reveal(draw, desk=desk_of())
    listed(task(), 2)
    by_lot = visit_of(registered(address="示例路1号"), slice="random", inclusion=5_000)
    execute("UPDATE inspection_list SET slice_size = 1, slice_pool = 200 WHERE id = ?", (by_lot.list_id,))
    approved(settings, by_lot)
    assert found() == []


def test_every_change_of_a_draw_behind_its_back_is_named(made):
    assert found() == []
    kept = Draw.get_by_id(made)
    visit, other = Visit.get(Visit.position == 3), Visit.get(Visit.position == 4)
    whose = visit.id
    code = execute("SELECT code FROM inspection_list_row WHERE position = 3").fetchone()[0]
    going = VisitInspector.get(VisitInspector.visit == whose, VisitInspector.active).inspector_id
    stranger = next(one for (one,) in execute("SELECT id FROM inspector").fetchall() if one not in {
        row.inspector_id for row in VisitInspector.select().where(VisitInspector.visit == whose)
    })  # fmt: skip
    zeros = "0" * 64
    changed: tuple[tuple[str, tuple[object, ...], str], ...] = (
        ("visit SET inclusion = 999999 WHERE id = ?", (whose,), f"visit {whose} to {code} has another entity, slice, probability"),
        ("visit SET stratum = 'A' WHERE id = ?", (whose,), "probability or stratum than was drawn"),
        ("visit SET entity = ? WHERE id = ?", (other.entity, whose), "another entity"),
        ("visit SET slice = 'priority' WHERE id = ?", (whose,), "another entity, slice"),
        ("visit_inspector SET inspector_id = ? WHERE visit_id = ? AND inspector_id = ?", (stranger, whose, going), "other inspectors than were drawn"),
        ("inspection_list_row SET class = 'A' WHERE position = 3", (), f"is not {code}"),
        ("draw_stratum SET size = size - 1 WHERE stratum = 'D'", (), "table of strata"),
        ("draw_round SET why = '别的' WHERE round = 1", (), "table of recusals"),
        ("draw SET pool = 129 WHERE id = ?", (made,), "pool is not what the ledger says"),
        ("draw SET witness = '别人掷得 1 1 1' WHERE id = ?", (made,), "witness is not what the ledger says"),
        ("draw SET state = 'void' WHERE id = ?", (made,), "state is not what the ledger says"),
        ("draw SET seed = ? WHERE id = ?", (zeros, made), "seed is not the one that was committed to"),
        ("draw SET salt = ? WHERE id = ?", (zeros, made), "not those that were committed to"),
        ("draw SET candidates = x'00' WHERE id = ?", (made,), "cannot be read"),
        ("draw SET void_why = '别的' WHERE id = ?", (made + 1,), "void_why is not what the ledger says"),
    )  # fmt: skip
    for sql, values, said in changed:
        execute("SAVEPOINT before")
        execute(f"UPDATE {sql}", values)
        assert any(said in text for text in found()), (sql, found())
        execute("ROLLBACK TO before")
        execute("RELEASE before")
    assert found() == []
    minutes = draw_minutes.read(kept)
    forged = {**minutes, "chosen": minutes["chosen"][1:]}
    Draw.update(minutes=lots.packed(forged)).where(Draw.id == made).execute()
    assert {f"draw {made}: its minutes are not what list, seed and witness give", f"draw {made}: its minutes are not those whose digest stands on the ledger"} <= set(found())  # fmt: skip


def test_a_visit_that_was_removed_and_a_draw_that_was_removed_or_made_up_are_named(made):
    code = execute("SELECT code FROM inspection_list_row WHERE position = 5").fetchone()[0]
    execute("DELETE FROM visit WHERE position = 5")
    assert found() == [f"draw {made}: the visit to {code}, whom it drew, was removed"]
    execute("UPDATE draw SET id = 77 WHERE id = ?", (made + 2,))
    told, no_step = found()[0], found()[-1]
    assert told == f"draw: the ledger tells of a draw (draw:{made + 2}) that the table does not have"
    assert no_step == "draw 77: no step of the ledger announces it"


def test_a_random_slice_that_lost_a_visit_or_changed_its_chances_is_named(on_sqlite):
    rows = listed(task(), 3)
    number = rows[0].list_id
    execute("UPDATE visit SET slice = 'random', inclusion = 500000 WHERE list_id = ? AND position > 1", (number,))
    execute("UPDATE inspection_list SET slice_size = 2, slice_pool = 4 WHERE id = ?", (number,))
    assert found() == []
    execute("UPDATE visit SET entity = 7 WHERE id = ?", (rows[0].id,))
    assert found() == [f"inspection_list {number}: 1 of its visits are to others than its rows name"]
    execute("UPDATE visit SET inclusion = 900000 WHERE id = ?", (rows[2].id,))
    assert f"inspection_list {number}: visits of its random slice have another probability than 2 of 4" in found()
    execute("DELETE FROM visit WHERE id = ?", (rows[2].id,))
    assert found() == [
        f"inspection_list {number}: says 3 rows, and there are 3 with 2 visits",
        f"inspection_list {number}: says that 2 were drawn by lot, and there are 1",
    ]


def test_a_result_that_was_swapped_made_up_or_removed_is_named(on_sqlite):
    visit = visit_of(registered(address="示例路1号"))
    row, _ = approved(on_sqlite, visit)
    whose = f"visit_result {visit.id} {row.organ}"
    assert found() == []
    execute("UPDATE visit_result SET outcome = 1, problems_found = 0")
    assert found() == [
        f"{whose}: outcome is not what the ledger says",
        f"{whose}: problems_found is not what the ledger says",
    ]
    execute("UPDATE visit_result SET outcome = 2, problems_found = 1")
    execute("UPDATE visit SET visited_on = '2026-11-20', slice = 'random', inclusion = 5 WHERE id = ?", (visit.id,))
    assert {f"{whose}: day of the visit is not what the ledger says", f"{whose}: probability is not what the ledger says"} <= set(found())  # fmt: skip
    execute(
        "UPDATE visit SET visited_on = '2026-11-21', slice = 'designated', inclusion = 0, entity = 1 WHERE id = ?",
        (visit.id,),
    )
    execute("UPDATE inspection_list_row SET entity = 1")
    assert found() == ([] if visit.entity == 1 else [f"{whose}: its visit is to another entity than its record"])
    execute("UPDATE visit_result SET seq = NULL")
    assert f"{whose}: is approved, and no record of the ledger says so" in found()
    execute("DELETE FROM visit_result")
    assert any("the table does not have it" in text for text in found())
