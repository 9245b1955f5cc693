"""Merging: two entities are one from a ledger row on, records stay where they are, and all of it can be taken back."""

import itertools

import pytest

from registry import database
from registry.errors import EntityNotFound
from registry.models import Alias, Audit, Entity, GradeState, Record
from registry.services import aliases, entities, explanation, frames, grading, ledger, merges, records, search
from registry.services.entities import Party
from registry.services.merges import MergeRefused
from registry.services.search import Query
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement

SCHEMES = ["general-risk"]


def coded(entity):
    return Entity.get_by_id(entity).code


def merge(loser, winner, **given):
    return merges.merge(
        coded(loser), coded(winner), **{"reason": "同一企业", "actor": "test", "today": TODAY, "now": NOW, "schemes": SCHEMES, **given}
    )  # fmt: skip


def unmerge(loser):
    return merges.unmerge(coded(loser), reason="两家企业", actor="test", today=TODAY, now=NOW, schemes=SCHEMES)


@pytest.fixture
def scheme(settings):
    return grading.scheme_named(settings)


def provisional(name="信衡示例有限公司"):
    code = credit_code()
    with ledger.writing(now=NOW, schemes=SCHEMES) as pen:
        return entities.provisional(pen, [Party(code=code, organisation_code=code[8:17], name=name)])[code]


def penalties_of(entity, known=None):
    facts = frames.facts_of([entity], {2}, ledger.head() if known is None else known)
    return sorted(facts["amount"].to_list())


def standing():
    return {row.entity: (row.class_, row.score) for row in GradeState.select()}


def due_equals_all(scheme):
    """What the nightly run leaves is what a run over everyone leaves."""
    grading.due(scheme, day=TODAY)
    nightly = standing()
    grading.everyone(scheme, day=TODAY, range_size=2, now=lambda: NOW)
    assert standing() == nightly
    return nightly


def test_the_records_of_a_merged_entity_count_for_who_it_is_and_do_not_move(scheme):
    winner, loser = registered(), provisional()
    record(winner, document_no="信1号", fine_fen=100, content="")
    record(loser, document_no="信2号", fine_fen=200, content="")
    before = ledger.head()
    merge(loser, winner)
    assert (penalties_of(winner), penalties_of(loser)) == ([100, 200], [100, 200])
    assert (penalties_of(winner, before), penalties_of(loser, before)) == ([100], [200])
    assert {row.entity_id for row in Record.select().where(Record.kind == "penalty")} == {winner, loser}


def test_a_grade_before_a_merge_is_given_again_as_it_was(scheme):
    winner, loser = registered(), registered()
    record(loser, "serious_listing")
    grading.due(scheme, day=TODAY)
    before = ledger.head()
    given = {
        one: explanation.of(Entity.get_by_id(one), scheme, on=TODAY, known=before, today=TODAY)
        for one in (winner, loser)
    }
    merge(loser, winner)
    grading.due(scheme, day=TODAY)
    for one, old in given.items():
        again = explanation.of(Entity.get_by_id(one), scheme, on=TODAY, known=before, today=TODAY)
        assert (again.explanation.digest, again.reproduced) == (old.explanation.digest, True)
    now = explanation.of(Entity.get_by_id(winner), scheme, today=TODAY)
    assert (now.explanation.class_, now.reproduced) == ("D", True)
    assert entities.get(coded(loser), known=before).id == loser
    assert entities.get(coded(loser)).id == winner


def test_due_equals_all_through_a_merge_and_an_unmerge(scheme):
    winner, loser, other = registered(), registered(), registered()
    record(loser, "serious_listing")
    record(other, "serious_listing")
    apart = due_equals_all(scheme)
    assert set(apart) == {winner, loser, other}
    merge(loser, winner)
    together = due_equals_all(scheme)
    assert set(together) == {winner, other}
    assert together[winner][0] == "D" != apart[winner][0]
    record(loser, document_no="信9号", kinds=["revoked_licence"])  # whoever posts under the old code
    assert due_equals_all(scheme)[winner][1] >= together[winner][1]
    unmerge(loser)
    again = due_equals_all(scheme)
    assert set(again) == set(apart)
    assert again[winner] == apart[winner]


def test_a_merge_grades_the_winner_at_once_where_a_scheme_is_given(scheme):
    winner, loser = registered(), provisional()
    record(loser, "serious_listing")
    merge(loser, winner, scheme=scheme)
    assert standing()[winner][0] == "D"
    assert loser not in standing()


def test_a_decision_on_record_for_both_counts_once(scheme):
    winner, loser = registered(), provisional()
    for one in (winner, loser):
        record(one, document_no="信1号", fine_fen=100, content="", source=f"source {one}")
    merge(loser, winner)
    assert penalties_of(winner) == [100]
    assert frames.facts_in(1, 10, {2}, ledger.head())["amount"].to_list() == [100]


def test_the_registration_of_who_it_is_is_the_only_one(scheme):
    winner, loser = registered(capital_fen=500), registered(capital_fen=900)
    merge(loser, winner)
    assert frames.facts_of([winner], {1}, ledger.head())["amount"].to_list() == [500]


def test_chains_are_flattened_and_unmerging_the_middle_takes_its_own_along(scheme):
    one, two, three, four = (registered() for _ in range(4))
    merge(one, two)
    merge(two, three)
    merge(three, four)
    assert aliases.roots([one, two, three, four]) == {one: four, two: four, three: four}
    unmerge(two)
    assert aliases.roots([one, two, three, four]) == {one: two, three: four}
    merge(two, four)
    unmerge(one)
    assert aliases.roots([one, two, three, four]) == {two: four, three: four}


def test_at_every_ledger_number_everyone_leads_where_they_did_then(scheme):
    ids = [registered() for _ in range(4)]
    seen = []
    for act, *who in [("m", 0, 1), ("m", 1, 2), ("u", 0), ("m", 0, 3), ("u", 1), ("m", 3, 2)]:
        merge(ids[who[0]], ids[who[1]]) if act == "m" else unmerge(ids[who[0]])
        seen.append((ledger.head(), aliases.roots(ids)))
    for seq, roots in seen:
        assert aliases.roots(ids, known=seq) == roots
        assert not set(roots.values()) & set(roots)  # nobody leads to one who leads on
    assert aliases.roots(ids, known=seen[0][0] - 1) == {}


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_circle_is_refused(scheme, length):
    ids = [registered() for _ in range(length)]
    for one, other in itertools.pairwise(ids):
        merge(one, other)
    with pytest.raises(MergeRefused):
        merge(ids[-1], ids[0])


def test_a_merge_twice_is_one_and_a_second_target_is_refused(scheme):
    one, two, three = registered(), registered(), registered()
    first = merge(one, two)
    again = merge(one, two)
    assert (first.said, again.said, again.seq, Alias.select().count()) == ("merged", "unchanged", first.seq, 1)
    with pytest.raises(MergeRefused, match="Unmerge it first"):
        merge(one, three)
    assert (unmerge(one).said, unmerge(one).said) == ("unmerged", "unchanged")
    assert merge(one, three).said == "merged"


def test_a_registered_entity_is_not_merged_into_a_provisional_one(scheme):
    winner, loser = provisional(), registered()
    with pytest.raises(MergeRefused, match="is provisional"):
        merge(loser, winner)
    with pytest.raises(EntityNotFound):
        merges.merge(credit_code(), coded(loser), reason="x", actor="x", today=TODAY, now=NOW, schemes=[])
    with pytest.raises(MergeRefused, match="needs a reason"):
        merge(winner, loser, reason=" ")
    assert Alias.select().count() == 0


def test_who_merged_when_and_why_is_on_record_twice(scheme):
    winner, loser = registered(), registered()
    made = merge(loser, winner, reason="张三身份证11010119900307803X核实")
    step = Record.get(Record.seq == made.seq)
    assert (step.act, step.kind, step.entity_id, step.source) == ("step", "merge", winner, "test")
    assert step.detail["reason"] == "张三身份证(个人证件号)核实"
    (noted,) = Audit.select().where(Audit.verb == "entity.merged")
    assert (noted.actor, noted.detail["into"]) == ("test", coded(winner))


def test_a_merged_entity_is_found_and_shown_as_who_it_is(scheme):
    winner, loser = registered(name="信衡甲有限公司"), registered(name="信衡乙有限公司")
    merge(loser, winner)
    (item,) = search.page(Query(q="信衡乙"), scheme="general-risk", with_class=True, after=None, limit=5).items
    assert (item["id"], item["merged_into"], item["class"]) == (loser, coded(winner), None)
    (item,) = search.page(Query(q="信衡甲"), scheme="general-risk", with_class=False, after=None, limit=5).items
    assert item["merged_into"] is None
    assert [one.id for one in merges.merged_into(winner)] == [loser]


def test_the_page_of_records_holds_those_of_merged_entities(scheme, count_queries):
    winner, loser = registered(), provisional()
    record(winner, document_no="信1号")
    record(loser, document_no="信2号")
    merge(loser, winner)
    whole = Entity.get_by_id(winner)
    with count_queries() as queries:
        page = records.page(whole, kind="penalty", after=None, limit=10)
    assert ({one.row["document_no"] for one in page.items}, len(queries)) == ({"信1号", "信2号"}, 1)


def test_the_explanation_names_the_records_of_merged_entities(scheme):
    winner, loser = registered(), provisional()
    listed = record(loser, "serious_listing")
    merge(loser, winner, scheme=scheme)
    told = explanation.of(Entity.get_by_id(winner), scheme, today=TODAY)
    assert listed.seq in told.records
    assert told.reproduced is True


def old_number(serial):
    with ledger.writing(now=NOW, schemes=SCHEMES) as pen:
        said = statement_of_register(f"9901000{serial:07d}")
        entities.register(pen, [said], source="register")
    return entities.numbered(said[0].registration_no).id


def statement_of_register(first14):
    from registry.cells.checks import registration_check
    from registry.kinds import KINDS

    number = first14 + registration_check(first14)
    kind = KINDS["registration"]
    given = {"name": "信衡示例有限公司", "subject": "enterprise", "division": "990101"}
    return Party(registration_no=number, name=given["name"]), kind.state(kind.schema(today=TODAY).load(given))


def test_a_provisional_twin_of_an_entity_known_by_its_old_number_is_proposed_until_somebody_decides(scheme):
    winner = old_number(1)
    twin = provisional("信衡示例有限公司")
    provisional("信衡别家有限公司")
    (pair,) = merges.proposals().items
    assert (pair.loser.id, pair.winner.id) == (twin, winner)
    assert merges.proposals(divisions=("88",)).items == []
    merges.merge(
        coded(twin), pair.winner.registration_no, reason="同一企业", actor="t", today=TODAY, now=NOW, schemes=[]
    )
    assert merges.proposals().items == []
    unmerge(twin)
    assert merges.proposals().items == []  # somebody said that they are two


def test_two_that_have_the_name_are_not_proposed(scheme):
    old_number(1)
    old_number(2)
    provisional("信衡示例有限公司")
    assert merges.proposals().items == []


def test_what_is_said_of_a_merged_entity_makes_the_winner_due(scheme):
    winner, loser = registered(), provisional()
    merge(loser, winner)
    grading.due(scheme, day=TODAY)
    database.execute("DELETE FROM stale")
    with ledger.writing(now=NOW, schemes=SCHEMES) as pen:
        pen.state([(loser, statement("serious_listing"))], source="test")
    marked = {row[0] for row in database.execute("SELECT entity FROM stale").fetchall()}
    assert winner in marked
