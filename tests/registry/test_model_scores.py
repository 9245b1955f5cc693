"""What models say of everyone: kept where it changed, put beside the grades, cleared when it may have no effect."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from registry.clock import day_number
from registry.database import execute
from registry.models import Entity, GradeState, ModelScore
from registry.services import grading, leases, model_scores, models
from registry.services.model_scores import ScoringBusy
from registry.services.models import ModelConflict
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry.modelling import counting, kept, scheme_of

# log-odds -2 ln 2 and 0 as chances in millionths.
LOW, HIGH = 200_000, 500_000


@pytest.fixture
def town(settings):
    """Three graded enterprises; the second has a penalty."""
    made = [registered() for _ in range(3)]
    record(made[1])
    grading.due(grading.scheme_named(settings), day=TODAY)
    return made


@pytest.fixture
def champion(settings, town):
    return models.promote(kept(settings).id, settings=settings, by="key:乙", now=NOW)[0]


def score(settings, **given):
    return model_scores.score_all(settings, **{"day": TODAY, "now": lambda: NOW, **given})


def chances():
    return [
        row.chance for row in GradeState.select().where(GradeState.scheme == "general-risk").order_by(GradeState.entity)
    ]


def off(settings):
    return replace(settings, model=replace(settings.model, use="off"))


def test_the_champion_says_a_chance_beside_every_grade(settings, town, champion):
    done = score(settings)
    assert chances() == [LOW, HIGH, LOW]
    assert (done.entities, done.chances, done.models[champion.id]) == (
        3,
        3,
        {"scored": 3, "no_ground": 0, "written": 3},
    )
    said = model_scores.of(champion, town[1])
    assert said == {"points": 0, "chance": HIGH, "day": TODAY.isoformat(), "known_seq": ModelScore.get().known}
    assert model_scores.mean_chance(champion) == 300_000


def test_scoring_again_writes_only_what_changed(settings, town, champion):
    score(settings)
    assert score(settings, day=TODAY + timedelta(days=1)).models[champion.id]["written"] == 0
    assert {row.day for row in ModelScore.select()} == {day_number(TODAY)}
    record(town[2])
    again = score(settings)
    assert (again.models[champion.id]["written"], again.chances, chances()) == (1, 1, [LOW, HIGH, HIGH])


def test_ranges_of_any_size_give_the_same(settings, town, champion):
    small = replace(settings, grading=replace(settings.grading, range_size=1))
    told = []
    score(small, progress=lambda done, total: told.append((done, total)))
    assert (chances(), told) == ([LOW, HIGH, LOW], [(1, 3), (2, 3), (3, 3)])


def test_a_new_line_from_points_to_chances_renews_the_chances_and_no_points(settings, town, champion):
    score(settings)
    champion.metrics = {**champion.metrics, "calibration_line": {"slope": 1.0, "intercept": -math.log(4)}}
    champion.save()
    done = score(settings)
    assert (chances(), done.models[champion.id]["written"]) == ([58_824, LOW, 58_824], 3)
    assert model_scores.of(champion, town[1])["points"] == 0


def test_what_was_said_after_a_number_is_not_known_at_it(settings, town, champion):
    record(town[0])
    before = execute("SELECT max(seq) FROM record").fetchone()[0] - 1
    score(settings, known=before)
    assert chances() == [LOW, HIGH, LOW]


def test_a_chance_outlives_a_new_grade_of_its_entity_and_is_no_part_of_it(settings, town, champion):
    score(settings)
    digest = GradeState.get(GradeState.entity == town[1]).digest
    record(town[1], fine_fen=9_000_00)
    grading.due(grading.scheme_named(settings), day=TODAY)
    row = GradeState.get(GradeState.entity == town[1])
    assert (row.chance, row.digest != digest) == (HIGH, True)


def test_who_is_no_ground_to_judge_has_no_score_and_the_chance_nothing(settings, town):
    scheme = scheme_of(settings)
    model = kept(settings, grounds={counting(scheme): 1})
    models.promote(model.id, settings=settings, by="key:乙", now=NOW)
    done = score(settings)
    assert (chances(), done.models[model.id]) == ([0, HIGH, 0], {"scored": 1, "no_ground": 2, "written": 1})
    assert model_scores.of(model, town[0]) is None


def test_a_shadow_says_its_scores_beside_and_moves_no_chance(settings, town):
    model = kept(settings)
    models.shadow(model.id, by="key:甲", now=NOW)
    score(settings)
    assert (chances(), ModelScore.select().count()) == ([0, 0, 0], 3)


def test_an_entity_that_is_gone_keeps_no_score(settings, town, champion):
    score(settings)
    Entity.update(status=3).where(Entity.id == town[1]).execute()
    score(settings)
    assert [row.entity for row in ModelScore.select().order_by(ModelScore.entity)] == [town[0], town[2]]
    assert chances()[1] == 0


def test_a_champion_whose_bundle_was_changed_has_no_effect_and_the_others_are_scored(settings, town, champion):
    score(settings)
    other = kept(settings, name="second")
    models.shadow(other.id, by="key:甲", now=NOW)
    execute("UPDATE model SET bundle = '{}' WHERE id = ?", (champion.id,))
    with pytest.raises(ModelConflict, match="no bundle any more"):
        score(settings)
    assert chances() == [0, 0, 0]
    assert {row.model_id for row in ModelScore.select()} >= {other.id}


# --- without effect ------------------------------------------------------------------------------------------------


def test_switched_off_every_chance_is_cleared_and_none_is_said(settings, town, champion):
    score(settings)
    done = score(off(settings))
    assert (chances(), done.models) == ([0, 0, 0], {})
    assert models.settle(settings, NOW) is False
    score(settings)
    assert chances() == [LOW, HIGH, LOW]
    assert (models.settle(off(settings), NOW), chances()) == (True, [0, 0, 0])


def test_a_champion_that_retires_leaves_no_chance_and_no_score(settings, town, champion):
    score(settings)
    models.retire(champion.id, why="漂移", settings=settings, by="job:watch_model", now=NOW)
    assert (chances(), ModelScore.select().count()) == ([0, 0, 0], 0)
    assert score(settings).models == {}


def test_a_shadow_that_retires_leaves_the_champions_chances_alone(settings, town, champion):
    score(settings)
    other = kept(settings, name="second")
    models.shadow(other.id, by="key:甲", now=NOW)
    models.retire(other.id, why="不如在用模型", settings=settings, by="key:乙", now=NOW)
    models.retire(other.id, why="不如在用模型", settings=settings, by="key:乙", now=NOW)
    assert chances() == [LOW, HIGH, LOW]


def test_a_new_champion_begins_without_the_chances_of_the_one_before(settings, town, champion):
    score(settings)
    other = kept(settings, name="second")
    models.promote(other.id, settings=settings, by="key:乙", now=NOW)
    assert chances() == [0, 0, 0]
    score(settings)
    assert (chances(), {row.model_id for row in ModelScore.select()}) == ([LOW, HIGH, LOW], {other.id})


def test_a_scoring_that_is_overtaken_by_a_retirement_writes_nothing_back(settings, town, champion):
    """The model is asked for at the start; it retires before its first rows are written."""
    at_work = [(one, models.bundle_at(one)) for one in models.at_work()]
    models.retire(champion.id, why="漂移", settings=settings, by="job:watch_model", now=NOW)
    result = model_scores.Scored()
    model_scores._score_range(at_work, 1, max(town), TODAY, 10**6, result)
    assert (chances(), ModelScore.select().count()) == ([0, 0, 0], 0)


def test_what_is_left_of_a_model_that_retired_goes_with_the_next_scoring(settings, town, champion, monkeypatch):
    """Whoever retired it was killed before anything of it was removed."""
    score(settings)
    with monkeypatch.context() as killed:
        killed.setattr(models, "_without_effect", lambda *_, **__: None)
        models.retire(champion.id, why="漂移", settings=settings, by="job:watch_model", now=NOW)
    assert ModelScore.select().count() == 3
    score(settings)
    assert (chances(), ModelScore.select().count()) == ([0, 0, 0], 0)


def test_two_scorings_at_once_are_refused(on_sqlite):
    leases.acquire(model_scores.LEASE, now=NOW, length=3_600_000)
    with pytest.raises(ScoringBusy, match="Another scoring"):
        score(on_sqlite)


def test_clearing_takes_short_transactions_and_reaches_everybody(on_sqlite, monkeypatch):
    monkeypatch.setattr(model_scores, "ROWS", 2)
    made = [registered() for _ in range(5)]
    grading.due(grading.scheme_named(on_sqlite), day=TODAY)
    GradeState.update(chance=7).where(GradeState.entity != made[1]).execute()
    assert (model_scores.clear("food-producer"), model_scores.clear(), chances()) == (0, 4, [0] * 5)
    assert model_scores.clear() == 0
