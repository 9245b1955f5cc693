"""An explanation adds up to its score, names exactly the records that were read, and is what was given at the time."""

from datetime import date, timedelta

import polars as pl
import pytest

from registry.clock import day_number, day_of
from registry.errors import NotGraded
from registry.models import Entity, Grade, GradeState, Record
from registry.services import book, explanation, frames, grading, ledger
from registry.services.sampling import load_sample
from rules.engine import facts_needed, grade
from rules.scheme import load
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry import worlds
from tests.registry.test_grading import copy_of
from tests.registry.worlds import SCHEMES


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


def graded(scheme, day=TODAY):
    grading.due(scheme, day=day)


def explained(scheme, entity, **given):
    return explanation.of(Entity.get_by_id(entity), scheme, today=TODAY, **given)


@pytest.fixture
def district(settings, scheme):
    """A synthetic district of 150, graded."""
    load_sample(settings, size=150, density=4, today=TODAY, now=NOW)
    graded(scheme)
    return settings


def test_the_rows_of_every_entity_add_up_to_its_score_and_its_digest_is_reproduced(district, scheme):
    states = list(GradeState.select())
    assert len(states) == 150
    for state in states:
        found = explained(scheme, state.entity)
        body = found.explanation
        assert sum(row.points for row in body.points) == body.score == state.score
        assert (body.class_, body.digest) == (state.class_, bytes(state.digest).hex())
        assert (found.reproduced, found.differs) == (True, "")


def test_removing_a_named_record_changes_something_and_removing_any_other_changes_nothing(district, scheme):
    for state in list(GradeState.select().order_by(GradeState.score.desc()).limit(25)):
        entity, known = state.entity, state.known
        population = frames.population_as_known(entity, known).with_columns(day=pl.lit(state.day, pl.Int32))
        facts, coverage = frames.facts_of([entity], facts_needed(scheme), known), frames.coverage(known)
        found = explained(scheme, entity)
        named = set(found.explanation.records)
        assert named == {seq for one in found.explanation.indicators for seq in one.records}
        assert set(found.records) == named
        for seq in facts["seq"].unique().to_list():
            without = grade(population, facts.filter(pl.col("seq") != seq), coverage, scheme)["digest"][0]
            assert (without != bytes(state.digest)) == (seq in named), seq


def test_every_row_of_points_names_only_records_that_the_explanation_knows(district, scheme):
    for state in GradeState.select().order_by(GradeState.score.desc()).limit(30):
        found = explained(scheme, state.entity)
        for row in found.explanation.points:
            assert set(row.records) <= set(found.records)


def test_a_past_day_with_what_was_known_then_gives_what_was_given_then(scheme):
    entity = registered(industry=5200, capital_fen=1_000_000_00)
    first = record(entity, document_no="信1号", fine_fen=200_000_00, content="", decided_on=date(2026, 3, 2))
    graded(scheme, date(2026, 4, 1))
    then = Grade.get()
    record(entity, document_no="信1号", fine_fen=0, content="", decided_on=date(2026, 3, 2), kinds=["warning"])
    record(entity, "serious_listing")
    graded(scheme, date(2026, 5, 1))
    past = explained(scheme, entity, on=date(2026, 4, 1), known=then.known)
    assert (past.explanation.class_, past.explanation.score, past.reproduced) == (then.class_, then.score, True)
    assert first.seq in past.records
    assert explained(scheme, entity).explanation.class_ == "D" != past.explanation.class_


def test_a_change_of_the_registration_since_does_not_change_what_was_given(scheme):
    code = credit_code()
    entity = registered(code)
    record(entity)
    graded(scheme)
    then = Grade.get()
    registered(code, subject="individual", division="990203")
    graded(scheme)
    assert explained(scheme, entity, on=TODAY, known=then.known).reproduced is True
    registered(code, subject="individual", division="990203", status=3)
    graded(scheme)
    assert explained(scheme, entity, on=TODAY, known=then.known).reproduced is True
    with pytest.raises(NotGraded, match="cancelled 注销: it is no longer registered"):
        explained(scheme, entity)


def test_a_grade_that_is_due_differs_and_says_why(scheme):
    entity = registered()
    graded(scheme)
    record(entity)
    found = explained(scheme, entity, on=TODAY)
    assert found.reproduced is False
    assert found.differs == (
        f"The last grade stored, of {TODAY} (class A, score 0), is another: since then 1 facts about it were added or taken "
        "away. It is due."
    )
    assert found.to_dict()["differs"] == found.differs


def test_a_grade_is_explained_by_the_content_that_gave_it_whatever_holds_today(scheme, settings, tmp_path):
    entity = registered()
    record(entity)
    graded(scheme)
    changed = load(copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path))
    found = explained(changed, entity)
    assert (found.reproduced, found.differs, found.scheme_hash) == (True, "", scheme.hash)
    assert changed.hash != scheme.hash


def test_where_another_content_was_activated_since_the_grade_differs_and_that_is_said(scheme, settings, tmp_path):
    entity = registered()
    record(entity)
    graded(scheme, TODAY - timedelta(days=2))
    changed = load(copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path))
    worlds.activate(changed, TODAY - timedelta(days=1))
    then = explained(changed, entity, on=TODAY - timedelta(days=2))
    assert (then.reproduced, then.scheme_hash) == (True, scheme.hash)
    record(entity, document_no="信2号")
    now = explained(changed, entity, on=TODAY)
    assert (now.reproduced, now.scheme_hash) == (False, changed.hash)
    assert now.differs == "The scheme has changed since this grade was given."


def test_where_no_grade_was_given_nothing_is_said_to_be_reproduced(scheme):
    entity = registered()
    found = explained(scheme, entity)
    assert (found.day, found.known, found.reproduced, found.differs) == (TODAY, ledger.head(), None, "")


def test_a_day_with_later_knowledge_was_never_graded_and_that_is_said(scheme):
    entity = registered()
    record(entity, document_no="信1号", decided_on=date(2025, 3, 2))
    graded(scheme, date(2025, 6, 1))
    graded(scheme, date(2026, 6, 1))
    record(entity, document_no="信2号", decided_on=date(2025, 4, 2), fine_fen=500_000_00)
    graded(scheme, date(2026, 6, 2))
    found = explained(scheme, entity, on=date(2025, 6, 1), known=ledger.head())
    assert found.reproduced is None
    assert "a later day had been graded" in found.differs


def test_without_a_day_the_grade_that_stands_is_explained(scheme):
    entity = registered()
    graded(scheme, TODAY - timedelta(days=9))
    record(entity)  # not graded yet: the explanation is of the grade that stands
    found = explained(scheme, entity)
    state = GradeState.get()
    assert (day_number(found.day), found.known, found.reproduced) == (state.day, state.known, True)
    assert day_of(state.day) == TODAY - timedelta(days=9)


def test_a_provisional_and_a_future_entity_are_not_graded_and_the_reason_is_given(scheme):
    with ledger.writing(now=NOW, schemes=SCHEMES) as pen:
        from registry.services import entities

        made = entities.provisional(pen, [entities.Party(code=credit_code(), name="信衡")])
    (entity,) = made.values()
    with pytest.raises(NotGraded, match="is provisional"):
        explained(scheme, entity)
    with pytest.raises(NotGraded, match="is provisional"):
        explanation.current(Entity.get_by_id(entity), scheme.id)
    other = registered()
    with pytest.raises(NotGraded, match="was not registered"):
        explained(scheme, other, known=0)
    with pytest.raises(NotGraded, match="has not been graded yet"):
        explanation.current(Entity.get_by_id(other), scheme.id)
    kind = registered(subject="other")
    with pytest.raises(NotGraded, match="does not grade entities of kind other"):
        explained(scheme, kind)


def test_the_grade_that_stands_is_gone_with_the_entity_and_the_reason_is_given(scheme):
    code = credit_code()
    entity = registered(code)
    graded(scheme)
    assert explanation.current(Entity.get_by_id(entity), scheme.id).entity == entity
    registered(code, status=3)
    graded(scheme)
    with pytest.raises(NotGraded, match="cancelled 注销: it is no longer registered"):
        explanation.current(Entity.get_by_id(entity), scheme.id)


def test_the_records_say_what_they_are_in_both_languages(scheme):
    entity = registered()
    seq = record(entity, document_no="信市监处罚〔2026〕9号").seq
    graded(scheme)
    said = explained(scheme, entity).to_dict()
    (penalty,) = [one for one in said["records"] if one["seq"] == seq]
    assert (penalty["kind"], penalty["happened_on"], penalty["document_no"]) == (
        "penalty",
        "2026-03-02",
        "信市监处罚〔2026〕9号",
    )
    assert "虚假宣传" in penalty["line"]["zh"]
    assert penalty["line"]["en"].startswith("Fine, 5,000.00 yuan")


def test_history_has_every_grade_newest_first_at_the_same_cost(scheme, count_queries):
    entity = registered()
    for number in range(4):
        record(entity, document_no=f"信{number}号", decided_on=date(2026, 3, 2 + number))
        graded(scheme)
    with count_queries() as queries:
        found = explanation.history(Entity.get_by_id(entity), scheme.id)
    assert len(queries) == 2  # the entity of this test's own asking, and the history
    assert [one["known_seq"] for one in found] == [5, 4, 3, 2]
    assert all(len(one["digest"]) == 64 and one["scheme_hash"] == scheme.hash for one in found)


def test_an_explanation_costs_the_same_however_many_records_there_are(scheme, count_queries):
    few, many = registered(), registered()
    record(few)
    for number in range(20):
        record(many, document_no=f"信{number}号")
    graded(scheme)
    costs = []
    for entity in (few, many):
        with count_queries() as queries:
            explained(scheme, entity)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_no_record_is_named_that_the_ledger_does_not_have(district, scheme):
    known = {row.seq for row in Record.select(Record.seq)}
    for state in GradeState.select().limit(20):
        assert set(explained(scheme, state.entity).records) <= known


def test_a_content_that_was_activated_after_the_grade_of_the_same_day_is_another(scheme, settings, tmp_path):
    entity = registered()
    record(entity)
    graded(scheme)
    before = ledger.head()
    changed = load(copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path))
    worlds.activate(changed, TODAY)
    then = explained(book.in_force(settings, on=TODAY, known=before), entity, on=TODAY, known=before)
    assert (then.reproduced, then.scheme_hash) == (True, scheme.hash)
    now = explained(book.in_force(settings, on=TODAY), entity, on=TODAY)
    assert now.scheme_hash == changed.hash


def test_another_content_of_a_scheme_that_is_read_is_another_content(settings, tmp_path):
    entity = registered()
    record(entity)
    combined = book.in_force(settings, "combined", on=TODAY)
    graded(combined)
    tomorrow = TODAY + timedelta(days=1)
    worlds.activate(load(copy_of(settings.path(settings.grading.book) / "general-risk", tmp_path)), tomorrow)
    rebased = book.in_force(settings, "combined", on=tomorrow)
    assert explained(rebased, entity, on=TODAY).scheme_hash == combined.hash
    assert explained(rebased, entity, on=tomorrow).scheme_hash == rebased.hash
