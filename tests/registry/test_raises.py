"""Raises: a model suggests, an officer decides, a ledger step lets it count; and every end of it leaves the past as it was."""

from datetime import timedelta

import pytest

from registry.clock import day_number, day_of
from registry.database import execute
from registry.models import Audit, Entity, GradeRaise, GradeState, Record
from registry.services import (
    changes,
    explanation,
    grading,
    ledger,
    merges,
    models,
    overrides,
    raise_check,
    raise_suggesting,
    raises,
    rederive,
    step_words,
)
from registry.services.raises import RaiseConflict, RaiseNotFound, RaiseRefused
from registry.services.visibility import ENTERPRISE, PUBLIC, REGULATOR
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry.raising import (
    champion,
    confirmed,
    desk,
    graded_and_scored,
    off,
    state_of,
    suggest,
    suggested,
    town,
)

LATER = NOW + 86_400_000
QUARTER = TODAY + timedelta(days=90)


def due(settings, day=TODAY):
    grading.due(grading.scheme_named(settings, on=day), day=day)


def digest_of(settings, entity, on=TODAY, known=None):
    scheme = grading.scheme_named(settings, on=on)
    found = explanation.of(Entity.get_by_id(entity), scheme, on=on, known=known or ledger.head(), today=on)
    return found.explanation.digest, found.reproduced


# --- suggested -----------------------------------------------------------------------------------------------------


def test_who_stands_far_above_the_mean_is_suggested_with_reasons_and_no_class_changes(settings):
    champion(settings)
    entity = town(settings)
    before, head = state_of(entity), ledger.head()
    made = suggest(settings)
    row = GradeRaise.get()
    assert (made.suggested, made.counted, row.entity, row.state, row.class_) == (1, 0, entity, "suggested", before[0])
    assert row.chance >= made.line
    assert [(one["value"], one["points"], one["over"]) for one in row.reasons] == [(1, 200, 200)]
    assert (state_of(entity), ledger.head()) == (before, head)


def test_many_are_suggested_at_once_and_who_stands_already_is_left_alone(settings):
    model = champion(settings)

    def many(first, last):
        return [
            GradeRaise(entity=one, scheme="general-risk", model=model, chance=one, class_="A", reasons=[{"feature": "f"}], from_day=1,
                       until_day=91, state="suggested", suggested_at=NOW)
            for one in range(first, last)
        ]  # fmt: skip

    assert raise_suggesting._store(settings, model, many(1, 61), NOW) == 60
    assert raise_suggesting._store(settings, model, many(51, 171), NOW) == 110
    rows = list(GradeRaise.select().order_by(GradeRaise.entity))
    assert [(row.entity, row.chance, row.class_, row.reasons, row.state, row.automatic) for row in rows] == [
        (one, one, "A", [{"feature": "f"}], "suggested", False) for one in range(1, 171)
    ]


def test_suggesting_again_suggests_nothing_twice(settings):
    row = suggested(settings)
    assert suggest(settings).suggested == 0
    assert GradeRaise.select().count() == 1
    assert GradeRaise.get().id == row.id


def test_without_a_champion_nothing_is_suggested(settings):
    champion(settings)
    town(settings)
    models.retire(1, why="一季度漂移", settings=settings, by="key:乙", now=NOW)
    made = suggest(settings)
    assert (made.line, made.suggested, GradeRaise.select().count()) == (None, 0, 0)


def test_neither_the_worst_class_nor_a_veto_nor_a_persons_word_is_suggested_against(settings):
    champion(settings)
    entity = town(settings)
    record(entity, "serious_listing")
    graded_and_scored(settings)
    assert state_of(entity)[0] == "D"
    other = registered()
    record(other)
    graded_and_scored(settings)
    _set_class(settings, other, "B")
    made = suggest(settings)
    assert (made.suggested, GradeRaise.select().count()) == (0, 0)


def test_a_suggestion_lapses_when_the_model_does_not_say_so_any_more(settings):
    row = suggested(settings)
    execute("UPDATE model_score SET chance = 10 WHERE entity = ?", (row.entity,))
    assert suggest(settings).lapsed == 1
    assert GradeRaise.get().state == "lapsed"
    with pytest.raises(RaiseConflict, match="is lapsed already"):
        raises.confirm(row.id, why="迟了", desk=desk(settings))


def test_what_an_officer_dismissed_is_not_suggested_again_for_half_a_year(settings):
    row = suggested(settings)
    raises.dismiss(row.id, why="上月已现场核查，未发现问题", desk=desk(settings))
    assert suggest(settings).suggested == 0
    after = NOW + 181 * 86_400_000
    assert suggest(settings, day=TODAY + timedelta(days=181), now=after).suggested == 1


# --- decided -------------------------------------------------------------------------------------------------------


def test_a_confirmed_raise_moves_the_class_by_one_at_once_and_a_step_says_so(settings):
    row = suggested(settings)
    before = state_of(row.entity)
    row, new = raises.confirm(row.id, why="两次抽检不合格", desk=desk(settings))
    classes = grading.scheme_named(settings).classes
    assert new
    assert classes.index(state_of(row.entity)[0]) == classes.index(before[0]) + 1
    assert (day_of(row.from_day), day_of(row.until_day), raises.standing(row, TODAY)) == (TODAY, QUARTER, "in_force")
    step = Record.get(Record.seq == row.known)
    assert (step.act, step.kind, step.entity_id, step.source) == ("step", "raise_confirmed", row.entity, "key:李")
    assert (step.detail["said"], step.detail["model"]) == ("两次抽检不合格", row.model.hash)
    (change,) = changes.page("general-risk", after=None, limit=10).items
    assert change["causes"] == ["raise"]
    found = explanation.of(Entity.get_by_id(row.entity), grading.scheme_named(settings), today=TODAY)
    assert found.reproduced
    told = explanation.decided(found.explanation)
    assert (told["rule"], told["raise"]["id"], told["raise"]["decided_by"]) == (f"raise:{row.known}", row.id, "key:李")


def test_every_verb_may_be_repeated_and_is_audited_once(settings):
    first = confirmed(settings)
    head = ledger.head()
    assert raises.confirm(first.id, why="两次抽检不合格", desk=desk(settings))[1] is False
    assert ledger.head() == head
    assert raises.end(first.id, why="复查合格", desk=desk(settings))[1]
    assert raises.end(first.id, why="复查合格", desk=desk(settings))[1] is False
    verbs = [row.verb for row in Audit.select().where(Audit.verb.startswith("raise")).order_by(Audit.id)]
    assert verbs == ["raise.suggested", "raise.confirmed", "raise.ended"]


def test_a_dismissed_one_changes_nothing_and_cannot_be_confirmed(settings):
    row = suggested(settings)
    before, head = state_of(row.entity), ledger.head()
    assert raises.dismiss(row.id, why="已核查", desk=desk(settings))[1]
    assert raises.dismiss(row.id, why="已核查", desk=desk(settings))[1] is False
    assert (state_of(row.entity), ledger.head()) == (before, head)
    with pytest.raises(RaiseConflict, match="is dismissed already"):
        raises.confirm(row.id, why="改变意见", desk=desk(settings, "key:王"))


def test_what_may_not_be_decided_is_refused_with_what_to_do(settings):
    row = suggested(settings)
    for verb in (raises.confirm, raises.dismiss):
        with pytest.raises(RaiseRefused, match="The reason is missing"):
            verb(row.id, why="  ", desk=desk(settings))
    with pytest.raises(RaiseNotFound, match="There is no raise 99"):
        raises.confirm(99, why="x", desk=desk(settings))
    with pytest.raises(RaiseConflict, match="xinheng raise dismiss"):
        raises.end(row.id, why="x", desk=desk(settings))
    with pytest.raises(RaiseRefused, match="Models are switched off here"):
        raises.confirm(row.id, why="x", desk=desk(off(settings)))
    with pytest.raises(RaiseConflict, match="waited until"):
        raises.confirm(row.id, why="x", desk=desk(settings, day=QUARTER))
    record(row.entity, "serious_listing")
    with pytest.raises(RaiseRefused, match="nothing acts against a veto"):
        raises.confirm(row.id, why="x", desk=desk(settings))
    assert GradeRaise.get().state == "suggested"


def test_a_scheme_that_says_automatic_lets_it_count_at_once_by_a_step_of_the_system(settings, monkeypatch):
    from dataclasses import replace

    champion(settings)
    entity = town(settings)
    scheme = replace(grading.scheme_named(settings), raises="automatic")
    monkeypatch.setattr(grading, "scheme_named", lambda *_args, **_more: scheme)
    before = state_of(entity)[0]
    made = suggest(settings)
    row = GradeRaise.get()
    assert (made.suggested, made.counted, row.state, row.automatic) == (0, 1, "confirmed", True)
    assert Record.get(Record.seq == row.known).source == raises.SYSTEM
    assert scheme.classes.index(state_of(entity)[0]) == scheme.classes.index(before) + 1
    assert suggest(settings).counted == 0


# --- ends ----------------------------------------------------------------------------------------------------------


def test_on_its_day_the_class_is_the_rules_again_and_it_lapses_without_a_step(settings):
    row = confirmed(settings)
    raised = state_of(row.entity)[0]
    assert GradeState.get(GradeState.entity == row.entity).next_day <= day_number(QUARTER)
    due(settings, QUARTER - timedelta(days=1))
    assert state_of(row.entity)[0] == raised
    head = ledger.head()
    raises.settle(settings, NOW + 90 * 86_400_000)
    due(settings, QUARTER)
    assert state_of(row.entity)[0] != raised
    row = raises.get(row.id)
    assert (row.state, raises.standing(row, QUARTER), ledger.head()) == ("lapsed", "over", head)
    assert list(raise_check.differences()) == []


def test_ended_early_the_class_comes_back_at_once_and_the_past_still_reproduces(settings):
    row = confirmed(settings)
    known, raised = ledger.head(), digest_of(settings, row.entity)
    assert raised[1]
    row, _ = raises.end(row.id, why="复查合格", desk=desk(settings, now=LATER))
    assert state_of(row.entity)[0] == row.class_
    assert Record.get(Record.seq == row.gone).detail["why"] == "复查合格"
    assert digest_of(settings, row.entity, known=known) == raised
    assert digest_of(settings, row.entity)[1]
    assert suggest(settings).suggested == 0  # an officer has just ended it


def test_when_its_model_retires_every_raise_ends_and_what_waited_lapses(settings):
    row = confirmed(settings)
    known, raised = ledger.head(), digest_of(settings, row.entity)
    other = registered()
    record(other)
    graded_and_scored(settings)
    suggest(settings)
    models.retire(row.model.id, why="漂移超限", settings=settings, by="key:丙", now=NOW)
    states = {one.entity: (one.state, one.ended_why) for one in GradeRaise.select()}
    assert states[row.entity] == ("ended", "漂移超限")
    assert all(state in ("ended", "lapsed") for state, _ in states.values())
    assert state_of(row.entity)[0] == row.class_
    assert digest_of(settings, row.entity, known=known) == raised
    assert raises.end_all_of(row.model, "漂移超限", settings=settings, now=NOW) == 0


def test_an_officer_who_confirms_while_the_model_retires_loses_no_step_and_his_raise_ends(settings, monkeypatch):
    """The suggestion is read as waiting by who ends everything of the model; then the officer confirms it."""
    row = suggested(settings)
    read = raises._standing_of

    def read_and_overtaken(model, state, limit):
        found = read(model, state, limit)
        if state == "suggested" and found:
            raises.confirm(row.id, why="两次抽检不合格", desk=desk(settings))
        return found

    monkeypatch.setattr(raises, "_standing_of", read_and_overtaken)
    assert raises.end_all_of(row.model, "漂移超限", settings=settings, now=NOW) == 1
    assert (raises.get(row.id).state, list(raise_check.differences())) == ("ended", [])


def test_nothing_of_a_model_that_has_just_retired_is_confirmed_or_suggested(settings, monkeypatch):
    """The champion is asked for before the model retires, and its place is looked at again in the transaction."""
    row = suggested(settings)
    before = models.champion("general-risk", settings)
    models.retire(before.id, why="漂移", settings=settings, by="key:丙", now=NOW)
    GradeRaise.update(state="suggested").where(GradeRaise.id == row.id).execute()
    monkeypatch.setattr(models, "champion", lambda *_: before)
    with pytest.raises(RaiseRefused, match="not in use any more"):
        raises.confirm(row.id, why="x", desk=desk(settings))
    GradeRaise.delete().execute()
    raise_suggesting._store(settings, before, [GradeRaise(**{**row.__data__, "id": None})], NOW)
    assert GradeRaise.select().count() == 0


def test_switched_off_every_raise_ends_by_a_step_at_the_next_start(settings):
    row = confirmed(settings)
    known, raised = ledger.head(), digest_of(settings, row.entity)
    assert raises.settle(settings, NOW) == 0
    assert raises.settle(off(settings), NOW) == 1
    assert raises.settle(off(settings), NOW) == 0
    assert (raises.get(row.id).state, raises.get(row.id).ended_by) == ("ended", raises.SYSTEM)
    assert state_of(row.entity)[0] == row.class_
    assert digest_of(settings, row.entity, known=known) == raised
    assert suggest(settings).suggested == 1  # switched on again, the model speaks again


def test_while_a_veto_or_a_person_decides_a_raise_sleeps_and_then_holds_again(settings):
    row = confirmed(settings)
    raised = state_of(row.entity)
    _set_class(settings, row.entity, "A")
    assert state_of(row.entity)[0] == "A"
    overrides.end(1, why="查明无事实", desk=desk(settings, "key:李"))
    assert state_of(row.entity) == raised
    record(row.entity, "serious_listing")
    due(settings)
    found = explanation.of(Entity.get_by_id(row.entity), grading.scheme_named(settings), today=TODAY)
    assert found.explanation.decided_by.startswith("veto:")
    assert row.known not in found.explanation.records


def test_a_raise_of_an_entity_that_is_merged_away_sleeps_until_the_merge_is_undone(settings):
    row = confirmed(settings)
    raised, winner = state_of(row.entity), registered()
    codes = [Entity.get_by_id(one).code for one in (row.entity, winner)]
    how = {
        "actor": "test",
        "today": TODAY,
        "now": NOW,
        "schemes": ["general-risk"],
        "scheme": grading.scheme_named(settings),
    }
    merges.merge(*codes, reason="同一企业", **how)
    assert not GradeState.select().where(GradeState.entity == row.entity).exists()
    scheme = grading.scheme_named(settings)
    assert explanation.of(Entity.get_by_id(winner), scheme, today=TODAY).explanation.decided_by is None
    merges.unmerge(codes[0], reason="不是同一企业", **how)
    assert state_of(row.entity) == raised


# --- the ledger and its readers ------------------------------------------------------------------------------------


def test_the_table_follows_from_the_ledger_and_what_was_changed_in_it_is_named(settings):
    row = confirmed(settings)
    assert list(raise_check.differences()) == []
    execute("UPDATE grade_raise SET until_day = until_day + 1, chance = 5 WHERE id = ?", (row.id,))
    assert sorted(raise_check.differences()) == [
        f"grade_raise {row.id}: chance is not what the ledger says",
        f"grade_raise {row.id}: until_day is not what the ledger says",
    ]
    made_up = {**row.__data__, "id": row.id + 1, "entity": registered()}
    GradeRaise.create(**made_up)
    execute("DELETE FROM grade_raise WHERE id = ?", (row.id,))
    missing, invented = sorted(raise_check.differences(), key=len, reverse=True)
    assert "that the table does not have" in missing
    assert invented == f"grade_raise {row.id + 1}: holds, and no step of the ledger says so"


def test_verify_holds_the_raises_against_the_ledger(settings, monkeypatch):
    monkeypatch.setattr(rederive.raise_check, "differences", lambda: iter(["a difference of raises"]))
    found = rederive.Findings()
    rederive.check(found, rederive.Special(), lambda _: None)
    assert any("a difference of raises" in one.text for one in found.items)


def test_no_timeline_tells_of_a_raise_whoever_reads(settings):
    for name in (raises.CONFIRMED, raises.ENDED):
        assert [step_words.said_of_step(name, who) for who in (REGULATOR, PUBLIC, ENTERPRISE)] == [None, None, None]


def test_pages_are_newest_first_cost_one_query_and_are_only_of_ones_own_divisions(settings, count_queries):
    row = confirmed(settings)
    with count_queries() as queries:
        ((found, party),) = raises.page(divisions=("99",)).items
        shown = raises.as_dict(found, party, TODAY)
    assert len(queries) == 1
    assert (shown["id"], shown["standing"], shown["model_hash"]) == (row.id, "in_force", row.model.hash)
    assert raises.page(divisions=("88",)).items == []
    assert raises.page(state="suggested").items == []
    assert len(raises.page(entity=row.entity, scheme="general-risk", state="confirmed").items) == 1


def _set_class(settings, entity, class_):
    code = Entity.get_by_id(entity).code
    row, _ = overrides.propose(
        code, scheme="general-risk", class_=class_, reason="专项整治", basis="方案第三条", until_on=QUARTER,
        desk=desk(settings, "key:王"),
    )  # fmt: skip
    overrides.approve(row.id, desk=desk(settings, "key:李"))
