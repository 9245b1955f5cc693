"""Labels: who is a member is worked out when it is asked."""

from datetime import date, timedelta

import pytest
from marshmallow import ValidationError

from registry.database import execute
from registry.errors import NotAllowed
from registry.kinds import KINDS
from registry.models import Entity, EntityLabel, Label
from registry.services import items, label_members, labels, ledger, merges
from registry.services.labels import UnknownLabel
from registry.services.register_forms import ItemFields, LabelFields
from registry.services.registers import RegisterRefused, VersionConflict
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.registry.registering import ITEM, LABEL, desk, item, label

FOOD = {"licences": ["food_production"]}


def licensed(entity, **given):
    kind = KINDS["licence"]
    said = {
        "document_no": f"SC{entity}", "organ": "信衡市市场监督管理局", "subject": "food_production", "decided_on": date(2024, 1, 1),
        "valid_from": date(2024, 1, 1), "valid_to": date(2028, 12, 31), **given,
    }  # fmt: skip
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.state([(entity, kind.state(kind.schema(today=TODAY).load(said)))], source="test")


def members(*codes, today=TODAY):
    sql, values = labels.condition(codes, today)
    found = execute(f"SELECT e.id FROM entity e WHERE {sql} ORDER BY e.id", values)  # noqa: S608
    by_condition = [row[0] for row in found.fetchall()]
    # One entity's own labels say the same, by another way.
    for entity in Entity.select():
        own = {one["code"] for one in labels.of_entity(entity, today)}
        assert (entity.id in by_condition) == bool(own & set(codes))
    return by_condition


def test_members_are_by_hand_by_valid_licence_and_by_industry_for_as_long_as_that_is_so(settings):
    hand, holder, ended, baker, other = (registered(industry=number) for number in (6513, 6513, 6513, 1411, 6513))
    label("food", **FOOD)
    label("bakers", industries=["141"])
    licensed(holder)
    licensed(ended, valid_to=TODAY - timedelta(days=1))
    label_members.put(Entity.get_by_id(hand), "food", until_on=date(2027, 1, 1), desk=desk())
    assert members("food") == [hand, holder]
    assert members("food", today=date(2027, 1, 1)) == [holder]
    assert members("food", today=date(2029, 1, 1)) == []
    assert members("food", today=date(2024, 6, 1)) == [holder, ended]
    assert members("bakers") == [baker]
    assert members("bakers", "food") == [hand, holder, baker]
    assert labels.condition([], TODAY) == ("1 = 1", [])
    (why,) = labels.of_entity(Entity.get_by_id(hand), TODAY)
    assert (why["why"], why["from_on"], why["until_on"]) == (["hand"], TODAY.isoformat(), "2027-01-01")
    assert labels.of_entity(Entity.get_by_id(other), TODAY) == []
    page = labels.members("food", TODAY, limit=1)
    assert page.items[0]["code"] == Entity.get_by_id(hand).code
    (second,) = labels.members("food", TODAY, after=page.next).items
    assert second["code"] == Entity.get_by_id(holder).code
    with pytest.raises(UnknownLabel, match="nowhere"):
        labels.condition(["food", "nowhere"], TODAY)


def test_an_entity_that_was_merged_brings_its_labels(settings):
    into, gone, listed = registered(), registered(), registered()
    label("food", **FOOD)
    label("hand")
    licensed(gone)
    label_members.put(Entity.get_by_id(listed), "hand", desk=desk())
    root = Entity.get_by_id(into)
    for one in (gone, listed):
        merges.merge(Entity.get_by_id(one).code, root.code, reason="同一主体", actor="test", today=TODAY, now=NOW, schemes=[], scheme=None)  # fmt: skip
    assert {one["code"] for one in labels.of_entity(root, TODAY)} == {"food", "hand"}
    for code in ("food", "hand"):
        assert [one["code"] for one in labels.members(code, TODAY).items] == [root.code]


def test_a_label_of_an_area_holds_entities_of_it_only_and_is_kept_by_keys_of_it_only(on_sqlite):
    here, there = registered(credit_code(division="990101")), registered(credit_code(division="990102"))
    own = {**LABEL, "code": "market", "scope": "county", "division": "990101", "industries": ["00"]}
    with pytest.raises(NotAllowed, match="990101"):
        labels.save(LabelFields().load(own), desk=desk(divisions=("990102",)))
    labels.save(LabelFields().load(own), desk=desk(divisions=("9901",)))
    with pytest.raises(NotAllowed):
        labels.retire("market", version=1, desk=desk(divisions=("990102",)))
    assert members("market") == [here]
    with pytest.raises(RegisterRefused, match="990102"):
        label_members.put(Entity.get_by_id(there), "market", desk=desk())
    assert labels.members("market", TODAY, divisions=["990102"]).items == []


def test_a_change_of_a_label_names_its_version(on_sqlite):
    label()
    changed = LabelFields().load({**LABEL, "industries": ["14"]})
    with pytest.raises(VersionConflict):
        labels.save(changed, desk=desk())
    assert labels.save(changed, version=1, desk=desk())[0].version == 2
    assert labels.save(changed, version=1, desk=desk())[1] == "unchanged"
    with pytest.raises(UnknownLabel):
        labels.save(LabelFields().load({**LABEL, "code": "new"}), version=1, desk=desk())
    assert [one["code"] for one in labels.page(scope="province").items] == ["food"]
    assert labels.page(scope="city").items == []


def test_a_membership_is_put_ended_and_put_again_and_every_step_may_be_repeated(on_sqlite):
    entity = Entity.get_by_id(registered())
    label()
    assert label_members.put(entity, "food", from_on=date(2026, 1, 1), desk=desk())[1] == "stored"
    # Nothing said of the day: it is one since then.
    assert label_members.put(entity, "food", desk=desk())[1] == "unchanged"
    with pytest.raises(RegisterRefused):
        label_members.put(entity, "food", until_on=date(2026, 1, 1), desk=desk())
    assert [label_members.end(entity, "food", desk=desk()) for _ in range(2)] == ["stored", "unchanged"]
    assert EntityLabel.get().until_on == TODAY
    assert members("food") == []
    assert label_members.put(entity, "food", desk=desk())[0].from_on == TODAY
    assert label_members.end(entity, "food", desk=desk()) == "stored"
    assert EntityLabel.select().count() == 0
    with pytest.raises(UnknownLabel):
        label_members.end(entity, "nowhere", desk=desk())


def test_a_label_goes_when_no_item_names_it_and_nobody_is_in_it_by_hand(on_sqlite):
    entity = Entity.get_by_id(registered())
    label()
    item("Y01", labels=["food"])
    with pytest.raises(RegisterRefused, match="Y01"):
        labels.retire("food", version=1, desk=desk())
    items.save(ItemFields().load({**ITEM, "labels": []}), version=1, desk=desk())
    label_members.put(entity, "food", from_on=date(2026, 1, 1), desk=desk())
    with pytest.raises(RegisterRefused, match="members by hand: 1"):
        labels.retire("food", version=1, desk=desk())
    label_members.end(entity, "food", desk=desk())
    assert [labels.retire("food", version=1, desk=desk()) for _ in range(2)] == ["stored", "unchanged"]
    assert Label.select().count() == 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "专项库"}, "code"),
        ({"scope": "county"}, "division"),
        ({"division": "99a"}, "division"),
        ({"industries": ["1"]}, "industries"),
        ({"industries": ["14", "14"]}, "industries"),
        ({"licences": ["driving"]}, "licences"),
    ],
)
def test_what_cannot_be_a_label_is_refused_by_field(wrong, field):
    with pytest.raises(ValidationError) as error:
        LabelFields().load({**LABEL, **wrong})
    assert list(error.value.normalized_messages()) == [field]


def test_the_labels_of_an_entity_cost_the_same_however_many_there_are(on_sqlite, count_queries):
    entity = Entity.get_by_id(registered(industry=1411))

    def queries():
        with count_queries() as sent:
            labels.of_entity(entity, TODAY)
        return len(sent)

    label("first", industries=["14"])
    few = queries()
    for number in range(20):
        label(f"l{number}", industries=["14"], licences=["food_production"])
    assert queries() == few
    assert len(labels.of_entity(entity, TODAY)) == 21
