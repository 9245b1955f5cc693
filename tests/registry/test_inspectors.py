"""The inspectors: who may be sent, whom conflicts keep away, how many days are left; kept by their own organ."""

from datetime import date

import pytest
from marshmallow import ValidationError

from registry.errors import NotAllowed
from registry.models import Audit, Entity, InspectionList, Inspector, Task, Visit, VisitInspector
from registry.services import inspector_keeping, inspectors, merges
from registry.services.inspectors import InspectorNotFound
from registry.services.register_forms import InspectorFields
from registry.services.registers import RegisterRefused, VersionConflict
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry.registering import INSPECTOR, ORGAN, desk, inspector, item

FIRST, LAST = date(2026, 12, 1), date(2026, 12, 31)


def pool(items=("Y01",), division="990101", organs=(ORGAN,)):
    return [one.staff_no for one in inspectors.pool(organs, items, division, FIRST, LAST)]


def test_the_pool_has_who_is_active_certified_through_the_last_day_allowed_in_area_and_there(settings):
    item("Y01")
    item("Y02")
    inspector("B2", until="2026-12-31", items=["Y01", "Y02"])
    inspector("B1", areas=["990101", "990102"])
    inspector("expired", until="2026-12-30")
    inspector("none", certificates=[])
    inspector("gone", state="left")
    inspector("other_item", items=["Y02"])
    inspector("other_area", areas=["990102"])
    inspector("A1", organ="别处市场监督管理局", areas=[""])
    away = inspector("away")
    inspector_keeping.send_away(away.id, from_on=date(2026, 11, 30), to_on=LAST, desk=desk())
    assert pool() == ["B1", "B2"]
    assert pool(items=()) == ["B1", "B2", "other_item"]
    assert pool(items=("Y01", "Y02")) == ["B1", "B2"]
    assert pool(division=None) == ["B1", "B2", "other_area"]
    assert pool(division="9901") == ["B2"]
    assert sorted(pool(organs=(ORGAN, "别处市场监督管理局"))) == ["A1", "B1", "B2"]
    inspector_keeping.call_back(away.id, from_on=date(2026, 11, 30), desk=desk())
    assert pool() == ["B1", "B2", "away"]


def test_a_conflict_keeps_an_inspector_away_while_it_holds_and_after_a_merge_too(settings):
    one, two = inspector("A1"), inspector("A2")
    held, ended, later, merged, free = (registered() for _ in range(5))

    def declare(who, entity, **given):
        inspector_keeping.declare(who.id, Entity.get_by_id(entity), why="近亲属任职", desk=desk(), **given)

    declare(one, held, until_on=date(2026, 12, 2))
    declare(one, ended, until_on=FIRST)
    declare(two, later, from_on=date(2027, 1, 1))
    declare(two, merged)
    into = Entity.get_by_id(free)
    merges.merge(Entity.get_by_id(merged).code, into.code, reason="同一主体", actor="test", today=TODAY, now=NOW, schemes=[], scheme=None)  # fmt: skip
    everyone = [held, ended, later, free]
    assert inspectors.conflicts([one, two], everyone, FIRST, LAST) == {(one.id, held), (two.id, free)}
    assert inspectors.conflicts([two.id], everyone, date(2027, 1, 1), LAST.replace(year=2027)) == {
        (two.id, later),
        (two.id, free),
    }
    assert inspectors.conflicts([], everyone, FIRST, LAST) == set()


def visit(task, made, position, who, **given):
    found = Visit.create(
        task=task, list=made, position=position, entity=position, slice="priority", inclusion=0, token=f"t{position}", **given
    )  # fmt: skip
    VisitInspector.insert(visit=found.id, inspector=who.id, organ=who.organ).execute()


def work(**given):
    task = Task.create(
        type="statutory", title="检查", basis="计划", organ=ORGAN, items=["检查"], from_on=FIRST, to_on=LAST, created_by="key:a",
        created_at=NOW, **given,
    )  # fmt: skip
    return task, InspectionList.create(
        task=task, scheme="general-risk", filters={}, known=0, size=1, created_by="key:a", created_at=NOW
    )


def test_the_days_left_are_working_days_less_absences_and_plans_within_the_capacity(settings, count_queries):
    full, away, busy, idle = (inspector(f"A{number}", capacity=31) for number in range(4))
    idle.capacity = 5
    idle.save()
    inspector_keeping.send_away(away.id, from_on=date(2026, 11, 1), to_on=date(2026, 12, 7), desk=desk())
    task, made = work(checklist=[{"minutes": 90}, {"minutes": 60}])
    for position, day in enumerate((date(2026, 12, 1), date(2026, 12, 1), date(2026, 12, 2)), start=1):
        visit(task, made, position, busy, planned_on=day)
    visit(task, made, 4, busy, planned_on=date(2026, 12, 3), state="dropped")
    # Three visits of 150 minutes without a day yet: 450 minutes, two days of 360.
    for position in (5, 6, 7):
        visit(task, made, position, busy)
    with count_queries() as sent:
        found = inspectors.days([full, away, busy, idle], FIRST, LAST)
    # December 2026 has 23 working days, five of them before the 8th.
    assert found == {full.id: 23, away.id: 18, busy.id: 23 - 2 - 2, idle.id: 5}
    assert len(sent) == 4
    assert inspectors.days([idle], date(2026, 11, 30), LAST) == {idle.id: 1 + 5}
    assert inspectors.days([], FIRST, LAST) == {}


def test_an_organ_keeps_its_own_inspectors_in_its_own_area_and_names_the_version(on_sqlite):
    own = desk(organ=ORGAN, divisions=("9901",))
    given = InspectorFields().load(INSPECTOR)
    row, outcome = inspector_keeping.save({**given, "organ": ""}, desk=own)
    assert (row.organ, row.version, outcome) == (ORGAN, 1, "stored")
    assert inspector_keeping.save(given, desk=own)[1] == "unchanged"
    with pytest.raises(VersionConflict):
        inspector_keeping.save({**given, "capacity": 3}, desk=own)
    assert inspector_keeping.save({**given, "capacity": 3}, version=1, desk=own)[0].version == 2
    for other in (desk(organ="别处市场监督管理局"), desk(organ=ORGAN, divisions=("9902",))):
        with pytest.raises(NotAllowed):
            inspector_keeping.save({**given, "capacity": 4}, version=2, desk=other)
    with pytest.raises(NotAllowed, match="everywhere"):
        inspector_keeping.save({**given, "areas": [""]}, version=2, desk=own)
    with pytest.raises(RegisterRefused, match="Y77"):
        inspector_keeping.save({**given, "items": ["Y77"]}, version=2, desk=own)
    with pytest.raises(RegisterRefused, match="所属机关"):
        inspector_keeping.save({**given, "organ": ""}, desk=desk())
    with pytest.raises(InspectorNotFound):
        inspector_keeping.save({**given, "staff_no": "new"}, version=1, desk=own)
    with pytest.raises(InspectorNotFound):
        inspector_keeping.set_state(row.id, "left", version=2, desk=desk(organ="别处市场监督管理局"))
    assert inspector_keeping.set_state(row.id, "left", version=2, desk=own)[1] == "stored"
    assert inspector_keeping.set_state(row.id, "left", version=2, desk=own)[1] == "unchanged"
    with pytest.raises(VersionConflict):
        inspector_keeping.set_state(row.id, "active", version=2, desk=own)
    assert [one.verb for one in Audit.select().order_by(Audit.id)] == [
        "inspector.added", "inspector.changed", "inspector.state",
    ]  # fmt: skip


def test_conflicts_and_days_away_may_be_noted_ended_and_noted_again(on_sqlite):
    who, entity = inspector(), Entity.get_by_id(registered())
    own = desk(organ=ORGAN)
    with pytest.raises(RegisterRefused, match="no conflict"):
        inspector_keeping.end_conflict(who.id, entity, desk=own)
    with pytest.raises(RegisterRefused, match="reason"):
        inspector_keeping.declare(who.id, entity, why=" ", desk=own)
    said = [inspector_keeping.declare(who.id, entity, why="电话13800138000联系过", desk=own) for _ in range(2)]
    assert said == ["stored", "unchanged"]
    assert inspectors.declared(who)[0]["why"] == "电话(电话)联系过"
    assert inspectors.declared(who, divisions=["9902"]) == []
    with pytest.raises(RegisterRefused):
        inspector_keeping.end_conflict(who.id, entity, on=date(2026, 1, 1), desk=own)
    assert [inspector_keeping.end_conflict(who.id, entity, desk=own) for _ in range(2)] == ["stored", "unchanged"]
    assert inspectors.declared(who)[0]["until_on"] == TODAY.isoformat()
    with pytest.raises(RegisterRefused):
        inspector_keeping.declare(who.id, entity, why="又有", until_on=TODAY, desk=own)
    away = {"from_on": FIRST, "to_on": LAST, "why": "培训", "desk": own}
    assert [inspector_keeping.send_away(who.id, **away) for _ in range(2)] == ["stored", "unchanged"]
    with pytest.raises(RegisterRefused):
        inspector_keeping.send_away(who.id, from_on=LAST, to_on=FIRST, desk=own)
    assert inspectors.absences(who) == [{"from_on": "2026-12-01", "to_on": "2026-12-31", "why": "培训"}]
    back = [inspector_keeping.call_back(who.id, from_on=FIRST, desk=own) for _ in range(2)]
    assert back == ["stored", "unchanged"]


def test_certificates_that_run_out_are_seen_before_they_do(on_sqlite, count_queries):
    inspector("A1", until="2026-11-20")
    inspector("A2", until="2026-12-20")
    inspector("A3", until="2026-12-21")
    inspector("A4", state="left", until="2026-11-20")

    def found(**asked):
        with count_queries() as sent:
            page = inspectors.page(TODAY, **asked)
        assert len(sent) == 1
        return [(one["staff_no"], one["certified"]) for one in page.items], page.next

    assert found(expiring=30)[0] == [("A1", False), ("A2", True)]
    assert found(expiring=0)[0] == [("A1", False)]
    first, after = found(limit=2)
    assert [one[0] for one in first] == ["A1", "A2"]
    assert [one[0] for one in found(after=after)[0]] == ["A3", "A4"]
    assert found(state="left")[0] == [("A4", False)]
    assert found(organ="别处市场监督管理局", item="Y01")[0] == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "示例 13800138000"}, "name"),
        ({"staff_no": "110101194910010015"}, "staff_no"),
        ({"certificates": [{"no": "110101194910010015", "until": "2028-01-01"}]}, "certificates"),
        ({"certificates": [{"no": "1；2", "until": "2028-01-01"}]}, "certificates"),
        ({"areas": ["99x"]}, "areas"),
        ({"areas": ["", "9901"]}, "areas"),
        ({"items": ["*", "Y01"]}, "items"),
        ({"items": ["Y01", "Y01"]}, "items"),
        ({"capacity": 32}, "capacity"),
        ({"state": "asleep"}, "state"),
        ({"phone": "1"}, "phone"),
    ],
)
def test_what_cannot_be_kept_of_an_inspector_is_refused_by_field(wrong, field):
    with pytest.raises(ValidationError) as error:
        InspectorFields().load({**INSPECTOR, **wrong})
    assert list(error.value.normalized_messages()) == [field]


def test_no_column_of_an_inspector_is_for_a_number_of_a_person():
    columns = {field.name for field in Inspector._meta.sorted_fields}
    assert columns == {
        "id", "organ", "staff_no", "name", "level", "position", "areas", "items", "certificates", "expert", "capacity", "actor",
        "state", "version", "updated_by", "updated_at",
    }  # fmt: skip
