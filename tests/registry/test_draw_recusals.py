"""Recusal: who may not go leaves, another is drawn by the same key, and the minutes say so."""

import pytest

from registry.models import (
    Draw,
    DrawRound,
    InspectionListRow,
    Inspector,
    InspectorConflict,
    Record,
    Visit,
    VisitInspector,
    VisitStep,
)
from registry.services import draw_minutes, draw_recusals, draw_views, draws
from registry.services.draws import DrawConflict, DrawNotFound, DrawRefused, NoTeam
from registry.services.inspectors import InspectorNotFound
from registry.services.tasks import TaskNotApproved
from registry.services.visits import VisitNotFound
from rules import draw as lots
from tests.registry.drawing import PARTNER, commit, crowd, desk_of, drawn, item, run, staff, task_of
from tests.registry.test_draws import replay
from tests.registry.visited import visit_of

WHY = "系被检查企业负责人近亲属"


def team(visit):
    """Who goes on a visit, by id."""
    rows = VisitInspector.select().where(VisitInspector.visit == visit, VisitInspector.active)
    return sorted(row.inspector_id for row in rows)


def recuse(draw, visit, inspector, *, why=WHY, desk=None):
    return draw_recusals.recuse(draw.id, visit=visit, inspector=inspector, why=why, desk=desk or desk_of())


def first_visit():
    return Visit.get(Visit.position == 1).id


def test_another_is_drawn_for_the_whole_day_and_the_recused_one_never_goes_there_again(settings):
    made = drawn(settings)
    visit = first_visit()
    leaving, staying = team(visit)
    round_, new = recuse(made, visit, leaving)
    assert (round_.round, round_.out, new) == (1, leaving, True)
    assert team(visit) == sorted([staying, round_.into])
    assert round_.into not in (leaving, staying)
    conflict = InspectorConflict.get()
    assert (conflict.inspector_id, conflict.entity, conflict.why) == (leaving, Visit.get_by_id(visit).entity, WHY)
    minutes = draw_minutes.full(draws.get(made.id))
    (day,) = [one for one in lots.teams_of(minutes) if minutes["tour"][0][0] in one.codes]
    rows = {row.code: row.position for row in InspectionListRow.select()}
    together = [Visit.get(Visit.position == rows[code]).id for code in day.codes]
    assert len(together) > 1
    assert all(team(one) == team(visit) for one in together)
    assert all(
        VisitStep.select().where(VisitStep.visit == one, VisitStep.act == "redrawn").count() == 1 for one in together
    )
    left = VisitInspector.get(VisitInspector.visit == visit, VisitInspector.inspector == leaving)
    assert (left.active, left.round) == (False, 0)


def test_it_stands_on_the_ledger_and_is_replayed_with_the_minutes(on_sqlite, tmp_path, monkeypatch, capsys):
    made = drawn(on_sqlite)
    visit = first_visit()
    first, _ = recuse(made, visit, team(visit)[0])
    second, _ = recuse(made, visit, first.into, why="本人申请回避")
    assert (second.round, second.out) == (2, first.into)
    assert second.into not in (first.out, first.into)
    made = draws.get(made.id)
    steps = list(Record.select().where(Record.kind == "draw_redrawn").order_by(Record.seq))
    assert [step.seq for step in steps] == [first.seq, second.seq]
    assert steps[-1].detail["digest"] == made.minutes_digest
    assert [(one["round"], one["why"]) for one in draw_views.rounds(made)] == [(1, WHY), (2, "本人申请回避")]
    full = tmp_path / "full.json"
    full.write_bytes(draw_minutes.full_file(made))
    assert replay(monkeypatch, capsys, full)[0] == 0


def test_asking_again_changes_nothing(on_sqlite):
    made = drawn(on_sqlite)
    visit = first_visit()
    leaving = team(visit)[0]
    first, _ = recuse(made, visit, leaving)
    again, new = recuse(made, visit, leaving, why="再说一遍")
    assert (again.round, again.why, new, DrawRound.select().count()) == (first.round, WHY, False, 1)


def test_who_enters_while_another_is_being_drawn_stays_who_he_is(on_sqlite, monkeypatch):
    made = drawn(on_sqlite)
    visit = first_visit()
    going, keep = team(visit), draw_recusals._keep

    def entered_meanwhile(*arguments):
        Visit.update(state="started").where(Visit.id == visit).execute()
        return keep(*arguments)

    monkeypatch.setattr(draw_recusals, "_keep", entered_meanwhile)
    with pytest.raises(DrawConflict, match="before it is begun"):
        recuse(made, visit, going[0])
    assert (team(visit), DrawRound.select().count(), InspectorConflict.select().count()) == (going, 0, 0)
    assert draw_minutes.full(draws.get(made.id))["rounds"] == []


def test_what_no_recusal_can_be_is_refused(on_sqlite):
    made = drawn(on_sqlite)
    visit = first_visit()
    going = team(visit)
    other = next(one.id for one in Inspector.select() if one.id not in going)
    elsewhere = visit_of(Visit.get_by_id(visit).entity, state="open").id
    with pytest.raises(DrawRefused, match="why"):
        recuse(made, visit, going[0], why=" ")
    with pytest.raises(DrawRefused, match="cannot be recused"):
        recuse(made, visit, other)
    with pytest.raises(DrawRefused, match="was not drawn by draw"):
        recuse(made, elsewhere, going[0])
    with pytest.raises(VisitNotFound):
        recuse(made, 999_999, going[0])
    with pytest.raises(InspectorNotFound):
        recuse(made, visit, 999_999)
    with pytest.raises(DrawNotFound):
        recuse(made, visit, going[0], desk=desk_of(organ=PARTNER))
    Visit.update(state="started").where(Visit.id == visit).execute()
    with pytest.raises(DrawConflict, match="before it is begun"):
        recuse(made, visit, going[0])
    draws.reveal(made, desk=desk_of())
    with pytest.raises(DrawConflict, match="is revealed"):
        recuse(made, visit, going[0])
    assert DrawRound.select().count() == 0


def test_where_nobody_else_can_be_sent_it_says_so(on_sqlite):
    crowd()
    staff(2)
    made = run(commit(on_sqlite))
    visit = first_visit()
    with pytest.raises(NoTeam, match="non-response"):
        recuse(made, visit, team(visit)[0])
    assert (DrawRound.select().count(), InspectorConflict.select().count()) == (0, 0)


def test_a_partner_recuses_its_own_inspectors(on_sqlite):
    crowd()
    mine, theirs = staff(), staff(4, organ=PARTNER)
    made = run(commit(on_sqlite, task_of(partners=[PARTNER], checklist=[item(), item("X01", department=PARTNER)])))
    visit = first_visit()
    of_us, of_them = (
        next(one for one in team(visit) if one in {row.id for row in people}) for people in (mine, theirs)
    )
    partner = desk_of("key:zhang", PARTNER)
    with pytest.raises(InspectorNotFound):
        recuse(made, visit, of_us, desk=partner)
    found, _ = recuse(made, visit, of_them, desk=partner)
    assert Inspector.get_by_id(found.into).organ == PARTNER


def test_who_was_overtaken_draws_over_what_the_other_wrote(on_sqlite, monkeypatch):
    made = drawn(on_sqlite)
    visit, other = first_visit(), Visit.get(Visit.position == 15).id
    keep, overtaken = draw_recusals._keep, []

    def later(draw, *given):
        if not overtaken:
            overtaken.append(1)
            recuse(made, other, team(other)[0])
        return keep(draw, *given)

    monkeypatch.setattr(draw_recusals, "_keep", later)
    found, _ = recuse(made, visit, team(visit)[0])
    assert (found.round, DrawRound.select().count()) == (2, 2)
    assert [one[0] for one in draw_minutes.full(Draw.get_by_id(made.id))["rounds"]] == [1, 2]


def test_under_a_task_that_is_not_approved_any_more_nobody_is_drawn(on_sqlite):
    made = drawn(on_sqlite)
    made.task.state = "cancelled"
    made.task.save()
    with pytest.raises(TaskNotApproved):
        recuse(made, first_visit(), team(first_visit())[0])
    assert DrawRound.select().count() == 0
