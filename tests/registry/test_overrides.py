"""Overrides: two persons set a class in place of the scheme's, until a day; what they said is in the ledger, and who may not
read grades reads nothing of it."""

from datetime import timedelta

import pytest

from registry.clock import day_number
from registry.database import execute
from registry.errors import EntityNotFound
from registry.models import Audit, Entity, GradeOverride, GradeState, Record
from registry.services import grading, ledger, merges, override_check, overrides, step_words
from registry.services.life import SameHands
from registry.services.overrides import Desk, OverrideConflict, OverrideNotFound, OverrideRefused
from registry.services.visibility import ENTERPRISE, PUBLIC, REGULATOR
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered

REASON, BASIS = "专项整治中查明涉嫌养老诈骗，登记信息尚未反映", "信衡市专项行动方案第三条"
UNTIL = TODAY + timedelta(days=90)


def coded(entity):
    return Entity.get_by_id(entity).code


@pytest.fixture
def desk(settings):
    def make(actor="key:王", day=TODAY):
        return Desk(settings, actor, day, NOW)

    return make


@pytest.fixture
def entity(settings):
    """A graded enterprise."""
    made = registered()
    grading.due(grading.scheme_named(settings), day=TODAY)
    return made


def propose(desk, entity, **given):
    fields = {"scheme": "general-risk", "class_": "D", "reason": REASON, "basis": BASIS, "until_on": UNTIL, **given}
    return overrides.propose(coded(entity), **fields, desk=desk)


def approved(desk, entity, **given):
    row, _ = propose(desk("key:王"), entity, **given)
    return overrides.approve(row.id, desk=desk("key:李"))[0]


def class_of(entity):
    row = GradeState.get(GradeState.scheme == "general-risk", GradeState.entity == entity)
    return row.class_


# --- two persons ---------------------------------------------------------------------------------------------------


def test_a_proposal_changes_no_class_and_its_approval_does_at_once(desk, entity):
    before = class_of(entity)
    row, new = propose(desk(), entity)
    assert (new, row.state, class_of(entity)) == (True, "proposed", before)
    row, new = overrides.approve(row.id, desk=desk("key:李"))
    assert (new, row.state, overrides.standing(row, TODAY), before, class_of(entity)) == (
        True, "approved", "in_force", "A", "D",
    )  # fmt: skip
    step = Record.get(Record.seq == row.known)
    assert (step.act, step.kind, step.entity_id, step.source) == ("step", "override_approved", entity, "key:李")
    assert (step.detail["class"], step.detail["reason"], step.detail["basis"]) == ("D", REASON, BASIS)


def test_who_proposed_decides_nothing(desk, entity):
    row, _ = propose(desk(), entity)
    with pytest.raises(SameHands, match="Another person"):
        overrides.approve(row.id, desk=desk())
    with pytest.raises(SameHands, match="Another person"):
        overrides.refuse(row.id, why="不成立", desk=desk())
    assert GradeOverride.get_by_id(row.id).state == "proposed"
    overrides.approve(row.id, desk=desk("key:李"))
    with pytest.raises(SameHands, match="Another person ends it"):
        overrides.end(row.id, why="不成立", desk=desk())
    assert class_of(entity) == "D"


def test_a_refused_proposal_has_no_effect_and_cannot_be_approved(desk, entity):
    row, _ = propose(desk(), entity)
    before = ledger.head()
    row, _ = overrides.refuse(row.id, why="证据不足", desk=desk("key:李"))
    assert (row.state, row.decided_why, class_of(entity), ledger.head()) == ("refused", "证据不足", "A", before)
    with pytest.raises(OverrideConflict, match="is refused already"):
        overrides.approve(row.id, desk=desk("key:李"))


def test_every_verb_may_be_repeated(desk, entity):
    first, _ = propose(desk(), entity)
    again, new = propose(desk(), entity)
    assert (again.id, new) == (first.id, False)
    overrides.approve(first.id, desk=desk("key:李"))
    head = ledger.head()
    row, new = overrides.approve(first.id, desk=desk("key:李"))
    assert (new, row.known, ledger.head()) == (False, head, head)
    overrides.end(first.id, why="查明无事实", desk=desk("key:李"))
    head = ledger.head()
    row, new = overrides.end(first.id, why="查明无事实", desk=desk("key:李"))
    assert (new, row.gone, ledger.head()) == (False, head, head)
    other, _ = propose(desk(), entity)
    overrides.refuse(other.id, why="不成立", desk=desk("key:李"))
    assert overrides.refuse(other.id, why="不成立", desk=desk("key:李"))[1] is False
    assert [row.verb for row in Audit.select().where(Audit.verb.startswith("override")).order_by(Audit.id)] == [
        "override.proposed", "override.approved", "override.ended", "override.proposed", "override.refused",
    ]  # fmt: skip


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scheme": "no-such"}, "No scheme 'no-such' grades here. Schemes that do: general-risk"),
        ({"class_": "E"}, "has no class 'E'. Its classes, from the best: A, B, C, D"),
        ({"reason": " "}, "The reason is missing"),
        ({"basis": ""}, "The basis is missing"),
        ({"until_on": TODAY}, "is the first day without it"),
        ({"from_on": TODAY - timedelta(days=1)}, "before today"),
        ({"until_on": TODAY + timedelta(days=366)}, "366 days from today; at most 365 are allowed"),
    ],
)
def test_what_may_not_be_proposed_is_refused_with_what_to_do(desk, entity, given, message):
    with pytest.raises(OverrideRefused, match=message):
        propose(desk(), entity, **given)
    assert not GradeOverride.select().exists()


def test_the_longest_term_is_allowed(desk, entity):
    assert propose(desk(), entity, until_on=TODAY + timedelta(days=365))[1]


def test_who_is_not_graded_is_not_set(desk, entity):
    with pytest.raises(OverrideRefused, match="does not grade"):
        propose(desk(), registered(status=3))
    with pytest.raises(EntityNotFound):
        overrides.propose(
            credit_code(), scheme="general-risk", class_="D", reason=REASON, basis=BASIS, until_on=UNTIL, desk=desk()
        )
    with pytest.raises(OverrideNotFound, match="There is no override 9"):
        overrides.approve(9, desk=desk())


def test_one_is_in_force_at_a_time_and_one_proposal_waits(desk, entity):
    first = approved(desk, entity)
    with pytest.raises(OverrideConflict, match=f"Override {first.id} of this entity"):
        propose(desk(), entity, class_="C")
    following, _ = propose(desk(), entity, class_="C", from_on=UNTIL, until_on=UNTIL + timedelta(days=10))
    with pytest.raises(OverrideConflict, match=f"Override {following.id}.*waits to be decided"):
        propose(desk("key:李"), entity, class_="B", from_on=UNTIL, until_on=UNTIL + timedelta(days=10))
    overrides.approve(following.id, desk=desk("key:李"))
    assert class_of(entity) == "D"


def test_two_proposals_for_the_same_days_cannot_both_be_approved(desk, entity):
    first, _ = propose(desk(), entity)
    copy = GradeOverride.create(**{name: value for name, value in first.__data__.items() if name != "id"})
    overrides.approve(first.id, desk=desk("key:李"))
    with pytest.raises(OverrideConflict, match=f"Override {first.id} of this entity"):
        overrides.approve(copy.id, desk=desk("key:李"))


def test_a_proposal_that_was_left_lying_beyond_its_days_cannot_be_approved(desk, entity):
    row, _ = propose(desk(), entity)
    with pytest.raises(OverrideRefused, match="would have ended on"):
        overrides.approve(row.id, desk=desk("key:李", UNTIL))


# --- ends ----------------------------------------------------------------------------------------------------------


def test_the_day_after_it_is_over_the_class_is_the_schemes_again_by_the_nightly_run(desk, entity, settings):
    row = approved(desk, entity)
    scheme = grading.scheme_named(settings)
    assert GradeState.get(GradeState.scheme == scheme.id, GradeState.entity == entity).next_day <= day_number(UNTIL)
    grading.due(scheme, day=UNTIL - timedelta(days=1))
    assert class_of(entity) == "D"
    grading.due(scheme, day=UNTIL)
    assert class_of(entity) != "D"
    assert (GradeOverride.get_by_id(row.id).state, overrides.standing(row, UNTIL)) == ("approved", "over")
    with pytest.raises(OverrideConflict, match="ended by itself"):
        overrides.end(row.id, why="已到期", desk=desk("key:李", UNTIL))


def test_one_that_begins_later_is_set_by_the_nightly_run_of_its_first_day(desk, entity, settings):
    start = TODAY + timedelta(days=10)
    row = approved(desk, entity, from_on=start)
    assert (class_of(entity), overrides.standing(row, TODAY)) == ("A", "coming")
    scheme = grading.scheme_named(settings)
    grading.due(scheme, day=start - timedelta(days=1))
    assert class_of(entity) == "A"
    grading.due(scheme, day=start)
    assert class_of(entity) == "D"


def test_one_that_is_ended_early_gives_the_class_back_at_once_and_says_why(desk, entity):
    row = approved(desk, entity)
    row, _ = overrides.end(row.id, why="查明无事实", desk=desk("key:李"))
    assert (row.state, class_of(entity)) == ("ended", "A")
    step = Record.get(Record.seq == row.gone)
    assert (step.kind, step.detail["why"]) == ("override_ended", "查明无事实")
    with pytest.raises(OverrideConflict, match="only an approved one"):
        overrides.end(propose(desk(), entity)[0].id, why="撤", desk=desk())


def test_a_proposal_about_a_merged_entity_is_about_the_one_that_it_is(desk, entity):
    loser = registered()
    merges.merge(
        coded(loser), coded(entity), reason="同一企业", actor="test", today=TODAY, now=NOW, schemes=["general-risk"]
    )
    assert approved(desk, loser).entity == entity
    assert class_of(entity) == "D"


# --- the ledger and its readers ------------------------------------------------------------------------------------


def test_the_table_follows_from_the_ledger_and_what_was_changed_in_it_is_named(desk, entity):
    row = approved(desk, entity)
    ended = overrides.end(approved(desk, registered()).id, why="查明无事实", desk=desk("key:李"))[0]
    propose(desk(), registered())
    assert list(override_check.differences()) == []
    execute("UPDATE grade_override SET class = 'A', until_day = until_day + 1 WHERE id = ?", (row.id,))
    execute("UPDATE grade_override SET gone = NULL, state = 'approved' WHERE id = ?", (ended.id,))
    assert sorted(override_check.differences()) == [
        f"grade_override {row.id}: class is not what the ledger says",
        f"grade_override {row.id}: until_day is not what the ledger says",
        f"grade_override {ended.id}: gone is not what the ledger says",
        f"grade_override {ended.id}: state is not what the ledger says",
    ]


def test_an_override_that_no_step_tells_of_and_one_that_was_removed_are_named(desk, entity):
    row = approved(desk, entity)
    made = GradeOverride.create(**{**row.__data__, "id": row.id + 1})
    execute("DELETE FROM grade_override WHERE id = ?", (row.id,))
    missing, made_up = sorted(override_check.differences(), key=len, reverse=True)
    assert "that the table does not have" in missing
    assert made_up == f"grade_override {made.id}: holds, and no step of the ledger says so"


def test_the_words_of_its_steps_say_no_class_and_are_for_regulators_alone(desk, entity):
    overrides.end(approved(desk, entity).id, why="查明无事实", desk=desk("key:李"))
    for name in (overrides.APPROVED, overrides.ENDED):
        said = step_words.said_of_step(name, REGULATOR)
        assert said is not None
        assert (step_words.said_of_step(name, PUBLIC), step_words.said_of_step(name, ENTERPRISE)) == (None, None)


def test_pages_are_newest_first_and_only_of_ones_own_divisions(desk, settings):
    mine, theirs = registered(), registered(credit_code(division="880101"))
    grading.due(grading.scheme_named(settings), day=TODAY)
    made = [propose(desk(), one)[0].id for one in (mine, theirs)]
    found = overrides.page(limit=1)
    assert [row.id for row, _ in found.items] == made[1:]
    assert [row.id for row, _ in overrides.page(limit=1, after=found.next).items] == made[:1]
    assert [row.id for row, _ in overrides.page(divisions=("9901",)).items] == made[:1]
    assert overrides.page(state="approved").items == []
    shown = overrides.as_dict(*overrides.page(entity=mine).items[0], TODAY)
    assert (shown["class"], shown["standing"], shown["until"], shown["code"]) == (
        "D",
        "proposed",
        UNTIL.isoformat(),
        coded(mine),
    )
