"""The frozen context: what it counts of others, from what was known, and that it never changes."""

import dataclasses
import random
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import parameters
from registry.database import execute, insert_rows
from registry.models import ContextValue, Entity, GradeContext, GradeState
from registry.services import context, context_building, context_norms, context_values, grading, leases, ledger, merges
from registry.services.context import NoContext
from registry.services.context_building import ContextConflict
from rules.given import CONTEXT, NORMS
from rules.kinds import CONTEXT_AREAS, CONTEXT_NORMS, CONTEXT_VALUES
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.relating import DAY, OTHER_PERSON, built, cover, relate, values

TOMORROW = TODAY + timedelta(days=1)
ADDRESS = "信衡市示例路 1-2 号(东楼)"


# --- values --------------------------------------------------------------------------------------------------------


def test_both_ends_of_a_relation_are_related_and_each_other_one_counts_once(settings):
    mother, child, branch = registered(), registered(), registered()
    relate(child, mother, share=60)
    relate(mother, child, type="investment")
    relate(mother, branch, type="branch")
    number = built(settings).context.id
    assert values(number, mother) == {"related": 2}
    assert values(number, child) == values(number, branch) == {"related": 1}


def test_the_other_entities_of_a_legal_representative_are_found_by_his_hash(settings):
    mine, managed, owned, revoked, stranger = (registered(status=2 if at == 3 else 1) for at in range(5))
    relate(mine, type="legal_representative")
    relate(managed, type="manager")
    relate(owned)
    relate(revoked, type="legal_representative")
    relate(stranger, type="legal_representative", person_id=OTHER_PERSON)
    number = built(settings).context.id
    assert values(number, mine) == {
        "representative_others": 2,
        "representative_revoked": 1,
        "related": 3,
        "related_revoked": 1,
    }
    # He is not their representative: they are related to his entities, and have no others of his.
    assert values(number, managed) == {"related": 2, "related_revoked": 1}
    assert values(number, stranger) == {}


def test_two_who_merely_share_an_owner_are_not_related(settings):
    one, other = registered(), registered()
    relate(one)
    relate(other)
    assert values(built(settings).context.id, one) == {}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("related_abnormal", "abnormal_listing"),
        ("related_serious", "serious_listing"),
        ("related_penalised", "penalty"),
    ],
)
def test_a_listing_or_penalty_of_a_related_entity_raises_the_count(settings, name, kind):
    mine, other = registered(), registered()
    said = relate(mine, other)
    before = built(settings)
    record(other, kind)
    after = built(settings, TOMORROW)
    assert (values(before.context.id, mine).get(name), values(after.context.id, mine)[name]) == (None, 1)
    assert name in after.context.names
    row = ContextValue.get(
        ContextValue.context == after.context.id, ContextValue.entity == mine, ContextValue.name == name
    )
    assert row.behind == f"[{said}]"


def test_a_listing_counts_while_it_stands_and_a_penalty_for_a_year(settings):
    mine, other = registered(), registered()
    relate(mine, other)
    record(other, "abnormal_listing", listed_on=date(2025, 1, 1), removed_on=TODAY)
    record(other, "penalty", decided_on=TODAY - timedelta(days=365))
    assert values(built(settings).context.id, mine) == {"related": 1}
    record(other, "penalty", decided_on=TODAY - timedelta(days=364))
    assert values(built(settings, TOMORROW).context.id, mine) == {"related": 1}
    record(other, "penalty", decided_on=TODAY - timedelta(days=2))
    assert values(built(settings, TODAY + timedelta(days=2)).context.id, mine) == {"related": 1, "related_penalised": 1}


def test_who_is_in_the_worst_class_counts_as_it_was_graded(settings):
    mine, other = registered(), registered()
    relate(mine, other)
    record(other, "serious_listing")
    assert "related_worst" not in built(settings).context.names
    grading.due(grading.scheme_named(settings), day=TODAY)
    found = built(settings, TOMORROW).context
    assert values(found.id, mine)["related_worst"] == 1
    assert "related_worst" in found.names


def test_a_relation_that_is_over_or_was_withdrawn_or_leads_nowhere_does_not_count(settings):
    mine, other = registered(), registered()
    relate(mine, other, valid_to=TODAY - timedelta(days=1))
    gone = relate(mine, other, type="branch")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(gone, source="register", reason="误报")
    relate(mine, other_code=credit_code())
    relate(mine, mine, type="investment")
    assert values(built(settings).context.id, mine) == {}


def test_who_is_cancelled_is_nobodys_company_and_has_none(settings):
    mine, gone = registered(address=ADDRESS), registered(address=ADDRESS, status=3)
    relate(mine, gone)
    number = built(settings).context.id
    assert values(number, mine) == values(number, gone) == {}


def test_addresses_compare_folded_and_without_one_nobody_is_beside_anybody(settings):
    one, other = registered(address=ADDRESS), registered(address="信衡市示例路１—２号（东楼）")
    elsewhere = registered(credit_code(division="880101"), address=ADDRESS)
    nowhere, blank = registered(), registered(address=" ")
    number = built(settings).context.id
    assert values(number, one) == values(number, other) == {"same_address": 1}
    assert [values(number, entity) for entity in (elsewhere, nowhere, blank)] == [{}, {}, {}]


def test_a_merged_entity_counts_as_the_one_that_it_is(settings):
    mine, winner, loser = registered(address=ADDRESS), registered(address=ADDRESS), registered(address=ADDRESS)
    relate(mine, winner)
    relate(loser, mine, type="investment")
    record(loser, "serious_listing")
    merges.merge(
        Entity.get_by_id(loser).code, Entity.get_by_id(winner).code, reason="同一企业", actor="test", today=TODAY, now=NOW,
        schemes=["general-risk"],
    )  # fmt: skip
    number = built(settings).context.id
    assert values(number, mine) == {"related": 1, "related_serious": 1, "same_address": 1}
    assert values(number, winner) == {"related": 1, "same_address": 1}
    assert values(number, loser) == {}


# --- knowledge and time --------------------------------------------------------------------------------------------


def test_a_context_never_sees_what_was_known_after_it(settings):
    mine, other = registered(address=ADDRESS), registered(address="信衡市别处")
    relate(mine, other)
    cover("penalty", "spot_check", "item_12315", "abnormal_listing")
    grading.due(grading.scheme_named(settings), day=TODAY)
    known = ledger.head()
    before = context_values.read(settings, day=TODAY, known=known)
    late = registered(address=ADDRESS)
    relate(mine, late)
    for kind in ("abnormal_listing", "serious_listing", "penalty", "item_12315", "spot_check"):
        record(other, kind)
    registered(Entity.get_by_id(other).code, address=ADDRESS, status=2, name="信衡改名有限公司")
    cover("serious_listing")
    grading.due(grading.scheme_named(settings), day=TODAY)
    assert context_values.read(settings, day=TODAY, known=known).hash == before.hash
    assert context_values.read(settings, day=TODAY, known=ledger.head()).hash != before.hash


def test_building_twice_changes_nothing_and_says_so(settings):
    mine, other = registered(address=ADDRESS), registered(address=ADDRESS)
    relate(mine, other)
    first = built(settings)
    record(other, "abnormal_listing")
    again = built(settings)
    assert (first.said, again.said) == ("built", "unchanged")
    assert (again.context.id, again.context.hash, again.values) == (first.context.id, first.context.hash, first.values)
    assert GradeContext.select().count() == 1


def test_grades_that_rest_on_a_context_are_not_read_for_it_again(settings):
    mine, other = registered(), registered()
    relate(mine, other)
    scheme = grading.scheme_named(settings)
    grading.due(scheme, day=TODAY)
    first = built(settings)
    version = execute("SELECT id FROM scheme_version").fetchone()[0]
    execute("DELETE FROM grade WHERE entity = ? AND day <> ?", (other, DAY))
    columns = ("entity", "version_id", "day", "known", "class", "score", "digest", "context")
    insert_rows(
        "scheme_version", ("id", "scheme", "hash", "content", "first_seq"), [(version + 1, scheme.id, "x", "{}", 0)]
    )
    insert_rows("grade", columns, [(other, version + 1, DAY, ledger.head(), "D", 900, b"x" * 32, first.context.hash)])
    assert built(settings).said == "unchanged"


def test_a_context_that_stands_is_refused_in_other_words_and_so_is_one_before_it(settings):
    mine, other = registered(), registered()
    relate(mine, other)
    first = built(settings)
    relate(registered(), other)
    with pytest.raises(ContextConflict, match=f"stands as {first.context.hash[:12]}.*build one for a later day"):
        built(settings, known=ledger.head())
    with pytest.raises(ContextConflict, match="would change grades of the past"):
        built(settings, TODAY - timedelta(days=1))
    with pytest.raises(ContextConflict, match="would change grades of the past"):
        built(settings, TOMORROW, known=first.context.known - 1)
    assert GradeContext.select().count() == 1


def test_two_builds_at_once_are_settled_by_a_lease(settings):
    lease = leases.acquire(context_building.LEASE, now=NOW, length=60_000)
    with pytest.raises(ContextConflict, match="Another build"):
        built(settings)
    leases.release(lease)
    assert built(settings).said == "built"


def test_what_a_build_that_was_cut_off_left_behind_is_in_force_for_nobody_and_goes(settings, monkeypatch):
    mine, other = registered(), registered()
    relate(mine, other)
    monkeypatch.setattr(context_building, "ROWS", 1)
    monkeypatch.setattr(context_building.leases, "renew", lambda *_args, **_more: None)
    with pytest.raises(ContextConflict, match="took over"):
        built(settings)
    assert context.in_force(DAY, ledger.head()) is None
    insert_rows("context_value", context_building.COLUMNS, [(9, entity, "related", 7, "") for entity in (1, 2, 3)])
    monkeypatch.undo()
    monkeypatch.setattr(context_building, "ROWS", 1)
    number = built(settings).context.id
    assert {row.context for row in ContextValue.select()} == {number}
    assert values(number, mine) == {"related": 1}


def test_the_context_in_force_is_the_newest_that_had_begun_and_was_known(settings):
    registered()
    first = built(settings)
    record(registered())
    second = built(settings, TOMORROW)
    head = ledger.head()

    def found(day, known):
        one = context.in_force(day, known)
        return None if one is None else one.id

    assert found(DAY - 1, head) is None
    assert found(DAY, first.context.known - 1) is None
    assert [found(DAY, head), found(DAY + 1, head), found(DAY + 900, head)] == [1, 2, 2]
    assert found(DAY + 1, second.context.known - 1) == 1


def test_the_frames_are_what_the_rules_take(settings):
    mine, other = registered(industry=1431), registered(industry=1431)
    relate(mine, other)
    cover("penalty")
    found = built(settings).context
    one, several = context.values_of(found.id, mine, mine), context.values_for(found.id, [other, mine, mine])
    assert (one.schema, several.schema) == (pl.Schema(CONTEXT), pl.Schema(CONTEXT))
    assert (one["entity"].to_list(), sorted(several["entity"].to_list())) == ([mine], [mine, other])
    assert context.values_for(found.id, []).schema == pl.Schema(CONTEXT)
    assert context.norms_of(found).schema == pl.Schema(NORMS)
    assert set(found.names) <= {*CONTEXT_VALUES, *CONTEXT_NORMS}


def test_which_context_holds_is_one_query_and_its_norms_are_read_once(settings, count_queries):
    registered(industry=1431)
    cover("penalty")
    found = built(settings).context
    context.norms_of(found)
    with count_queries() as queries:
        again = context.in_force(DAY, found.seq)
        assert context.norms_of(again).height > 0
    assert len(queries) == 1


def test_what_is_shown_of_one_entity_names_the_relations_behind_it(settings):
    mine, other = registered(industry=1431), registered()
    said = relate(mine, other)
    cover("penalty")
    with pytest.raises(NoContext, match="No context is in force"):
        context.shown(Entity.get_by_id(mine), on=TODAY, known=ledger.head())
    built(settings)
    shown = context.shown(Entity.get_by_id(mine), on=TODAY, known=ledger.head())
    told = {one.name: (one.value, one.behind) for one in (*shown.values, *shown.norms)}
    assert set(told) == {*CONTEXT_VALUES, *CONTEXT_NORMS, *CONTEXT_AREAS}
    assert (told["related"], told["same_address"], told["penalties"]) == ((1, (said,)), (0, ()), (0, ()))
    # No feed of listings or complaints was ever connected here, and nobody was graded.
    assert [told[name][0] for name in ("related_abnormal", "related_worst", "complaints")] == [None, None, None]
    assert all(context.label(name).en for name in told)


def test_a_context_that_was_changed_in_the_database_is_named(settings):
    mine, other = registered(address=ADDRESS, industry=1431), registered(address=ADDRESS)
    relate(mine, other)
    cover("penalty")
    built(settings)
    built(settings, TOMORROW)
    assert list(context_building.differences()) == []
    execute("UPDATE context_value SET value = 0 WHERE context = 2 AND name = 'related' AND entity = ?", (mine,))
    (said,) = context_building.differences()
    assert said.startswith(f"The context of {TOMORROW} was changed")


def test_a_new_context_makes_the_grades_that_read_it_due(settings):
    mine, other = registered(), registered()
    relate(mine, other)
    cover("relation", "serious_listing")
    record(other, "serious_listing")
    scheme = grading.scheme_named(settings)
    grading.due(scheme, day=TODAY)
    assert grading.due(scheme, day=TODAY).entities == 0
    before = score_of(mine)
    found = built(settings, TOMORROW).context
    assert grading.due(scheme, day=TODAY).entities == 0
    assert grading.due(scheme, day=TOMORROW).entities == 2
    assert GradeState.get(GradeState.entity == mine).context == found.id
    assert score_of(mine) > before


def score_of(entity):
    return GradeState.get(GradeState.entity == entity).score


# --- norms ---------------------------------------------------------------------------------------------------------


def norm_of(found, name, code):
    return next(
        (v for n, low, high, v in context.norms_of(found).iter_rows() if n == name and low <= code <= high), None
    )


def test_norms_count_those_whom_a_feed_covers(settings):
    busy, quiet = registered(industry=1431), registered(industry=6210)
    uncovered = registered(credit_code(division="880101"), industry=1431)
    for entity in (busy, uncovered, uncovered):
        record(entity, "item_12315")
        record(entity, "spot_check", results=[{"code": "3"}])
    record(quiet, "item_12315", type="report")
    record(quiet, "spot_check", results=[{"code": "6"}])
    cover("item_12315", "spot_check", division="9901")
    found = built(settings).context
    # One complaint over two entities; the only check that checked anything found something. Of penalties nothing is known.
    assert (norm_of(found, "complaints", 9999), norm_of(found, "violations", 9999)) == (500, 1000)
    assert norm_of(found, "complaints", 6210) < norm_of(found, "complaints", 1450) < norm_of(found, "complaints", 1431)
    assert "penalties" not in found.names


def test_a_norm_is_the_shrunk_rate_per_entity_of_its_class(settings):
    peers = [registered(industry=1431) for _ in range(4)]
    others = [registered(industry=5211) for _ in range(6)]
    for entity in (peers[0], peers[0], peers[1], others[0]):
        record(entity, "item_12315")
    record(others[1], "item_12315", received_on=TODAY - timedelta(days=365))
    cover("item_12315")
    found = built(settings).context
    weight = parameters.shipped("context")["weight_entities"].on(TODAY).value
    everyone = 4 * 1000 / 10
    division = context_norms.shrunk(3, 4, int(everyone), weight)
    assert norm_of(found, "complaints", 9999) == everyone
    assert norm_of(found, "complaints", 1499) == division == round((3 * 1000 + weight * everyone) / (4 + weight))
    assert norm_of(found, "complaints", 1431) == round((3 * 1000 + weight * division) / (4 + weight))


def test_an_unknown_industry_counts_in_the_whole_and_has_the_norm_of_all(settings):
    record(registered(), "item_12315")
    registered(industry=1431)
    cover("item_12315")
    found = built(settings).context
    assert (norm_of(found, "complaints", 0), norm_of(found, "complaints", 5100)) == (500, 500)


counts = st.integers(0, 40)
groups = st.lists(st.tuples(st.integers(0, 9_999), counts, counts), max_size=30)


@given(st.integers(0, 5_000), st.integers(0, 500), st.integers(0, 20_000), st.integers(0, 500))
def test_a_shrunk_rate_lies_between_its_own_and_the_wider_one(events, units, wider, weight):
    if units + weight == 0 or (units == 0 and events):
        return
    found = context_norms.shrunk(events, units, wider, weight)
    own = 1_000 * events / units if units else wider
    assert min(own, wider) - 0.5 <= found <= max(own, wider) + 0.5
    if not units:
        assert found == wider
    if not weight:
        assert found == context_norms.rate(events, units)


@given(groups, st.integers(0, 100), st.randoms(use_true_random=False))
def test_norms_do_not_depend_on_the_order_or_the_pieces_of_what_was_seen(seen, weight, shuffle):
    found = context_norms.ranges(seen, weight)
    pieces = [(code, part, units) for code, events, units in seen for part, units in ((events, 0), (0, units))]
    shuffle.shuffle(pieces)
    assert context_norms.ranges(pieces, weight) == found


@given(groups, st.integers(0, 100))
def test_ranges_name_every_code_once_and_every_code_seen_by_itself(seen, weight):
    found = context_norms.ranges(seen, weight)
    if not sum(units for _, _, units in seen):
        assert found == []
        return
    assert [code for low, high, _ in found for code in range(low, high + 1)] == list(range(10_000))
    alone = {low for low, high, _ in found if low == high}
    assert {code for code, _, units in seen if units and code >= 100} <= alone


def test_the_order_in_which_relations_arrive_changes_no_value(on_sqlite):
    entities = [registered(address=ADDRESS) for _ in range(6)]
    ties = [(one, other) for one in entities for other in entities if one < other]
    random.Random(7).shuffle(ties)
    for one, other in ties[:8]:
        relate(one, other, type="investment")
    number = built(on_sqlite).context.id
    expected = {(entity, "related"): sum(entity in tie for tie in ties[:8]) for entity in entities}
    expected = {key: value for key, value in expected.items() if value}
    expected |= {(entity, "same_address"): 5 for entity in entities}
    assert values(number, *entities) == expected
    made = context_values.read(on_sqlite, day=TODAY, known=ledger.head())
    shuffled = context_values.Made(
        made.day, made.known, made.names, made.norms, made.values.sample(fraction=1, shuffle=True, seed=3)
    )
    assert shuffled.hash == made.hash


def test_the_range_size_of_a_run_changes_nothing(on_sqlite):
    entities = [registered(address=ADDRESS, industry=1431 + at % 2) for at in range(7)]
    relate(entities[0], entities[6])
    record(entities[6], "serious_listing")
    cover("item_12315", "penalty")
    small = dataclasses.replace(on_sqlite, grading=dataclasses.replace(on_sqlite.grading, range_size=2))
    known = ledger.head()
    assert (
        context_values.read(small, day=TODAY, known=known).hash
        == context_values.read(on_sqlite, day=TODAY, known=known).hash
    )
