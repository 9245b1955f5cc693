"""Visits: who may go, entering by the code, finishing, and what is recorded where none was made."""

import re
from datetime import date, timedelta

import pytest

from registry import config, database
from registry.config import Settings
from registry.models import InspectorAway, InspectorConflict, Visit, VisitInspector, VisitStep
from registry.services import result_follow, tasks, visit_counts, visit_team, visit_views, visits
from registry.services.tasks import TaskNotApproved
from registry.services.visit_counts import CapReached
from registry.services.visits import STATES, VisitConflict, VisitNotFound, VisitRefused
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry.test_tasks import item
from tests.registry.visiting import DAY, ORGAN, PARTNER, SEED, desk, inspector, listed, pair, task

HERE = desk()
AT_PARTNER = desk("key:partner", PARTNER)


def on(day: date) -> visits.Desk:
    return desk(today=day, now=NOW + (day - TODAY).days * 86_400_000)


def ready(settings: Settings, **given: object) -> tuple[Visit, list[int]]:
    """A visit to which two inspectors are assigned, and who they are."""
    (visit,) = listed(task(**given))
    team = pair()
    return visits.assign(visit.id, inspectors=team, planned_on=DAY, settings=settings, desk=HERE)[0], team


def test_a_visit_goes_from_assigned_to_finished_with_a_step_for_each(settings: Settings) -> None:
    visit, team = ready(settings)
    assert (visit.state, visit.planned_on) == ("assigned", DAY)
    assert visits.assign(visit.id, inspectors=team[::-1], settings=settings, desk=HERE)[1] is False
    there = on(DAY)
    row, new = visits.start(visit.id, token=visit.token, settings=settings, desk=there)
    assert (row.state, row.entered_at, row.visited_on, new) == ("started", there.now, DAY, True)
    # The second of the two scans it as well.
    assert visits.start(visit.id, token=visit.token, settings=settings, desk=there)[1] is False
    assert visits.finish(visit.id, said="已告知", desk=there)[0].state == "finished"
    assert visits.finish(visit.id, desk=there)[1] is False
    steps = visit_views.steps(visit.id)
    assert [(one["act"], one["by"]) for one in steps] == [
        (act, "key:clerk") for act in ("assigned", "started", "finished")
    ]
    assert steps[1]["detail"]["scanned"] is True
    assert [one["id"] for one in steps[1]["detail"]["inspectors"]] == team
    assert all(one["certificate"].startswith("示例") for one in steps[1]["detail"]["inspectors"])
    assert Visit.get_by_id(visit.id).version == 4


def test_every_condition_that_fails_is_named_with_whom_it_fails_for(on_sqlite: Settings) -> None:
    item()
    made = task(item_codes=["A01"], items=[])
    (visit,) = listed(made)
    expired = [{"no": "示例1", "kind": "执法证", "until": "2026-11-30"}]
    bad = [
        inspector(state="suspended"), inspector(certificates=expired), inspector(areas=["9902"]), inspector(items=["B01"]),
        inspector(), inspector(), inspector(capacity=0),
    ]  # fmt: skip
    InspectorConflict.create(inspector=bad[4], entity=visit.entity, why="亲属", from_on=TODAY, by="x", at=NOW)
    InspectorAway.create(inspector=bad[5], from_on=DAY, to_on=DAY)
    with pytest.raises(VisitRefused) as refused:
        visits.assign(visit.id, inspectors=[one.id for one in bad], planned_on=DAY, settings=on_sqlite, desk=HERE)
    failing = refused.value.context["failing"]
    wanted = [
        "is suspended, not active", "has no certificate that is valid on 2026-12-01", "works in 9902, and the entity is in 990101",
        "may not check item A01", "has a conflict of interest", "is away on 2026-12-01", "has no day left in 2026-12: 0 of 0",
    ]  # fmt: skip
    assert len(failing) == 7
    for one, said in zip(bad, wanted, strict=True):
        assert any(one.name in line and said in line for line in failing), said
    assert "亲属" not in refused.value.detail
    assert Visit.get_by_id(visit.id).state == "open"


def test_two_of_each_organ_go_and_each_names_its_own(on_sqlite: Settings) -> None:
    (visit,) = listed(task(partners=[PARTNER]))
    mine, theirs = pair(), pair(PARTNER)
    with pytest.raises(VisitRefused, match="sends 1 inspector"):
        visits.assign(visit.id, inspectors=mine[:1], settings=on_sqlite, desk=HERE)
    with pytest.raises(VisitRefused, match="assigns its own inspectors"):
        visits.assign(visit.id, inspectors=[*mine, *theirs], settings=on_sqlite, desk=HERE)
    with pytest.raises(VisitRefused, match="no inspector 999"):
        visits.assign(visit.id, inspectors=[*mine, 999], settings=on_sqlite, desk=HERE)
    with pytest.raises(VisitRefused, match="No inspector is named"):
        visits.assign(visit.id, inspectors=[], settings=on_sqlite, desk=HERE)
    visits.assign(visit.id, inspectors=mine, planned_on=DAY, settings=on_sqlite, desk=HERE)
    with pytest.raises(VisitConflict, match="planned for 2026-12-01"):
        visits.assign(visit.id, inspectors=theirs, planned_on=DAY + timedelta(1), settings=on_sqlite, desk=AT_PARTNER)
    assert visits.assign(visit.id, inspectors=theirs, settings=on_sqlite, desk=AT_PARTNER)[1] is True
    assert {one.organ for _, one in visit_team.of(visit.id)} == {ORGAN, PARTNER}
    with pytest.raises(VisitNotFound):
        visits.get(visit.id, organ="别处市场监督管理局")
    with pytest.raises(VisitNotFound):
        visits.get(visit.id, organ=ORGAN, divisions=("9902",))
    with pytest.raises(VisitRefused, match="neither the organ"):
        visits.assign(listed(task())[0].id, inspectors=theirs, settings=on_sqlite, desk=desk(organ=""))


def test_nobody_is_sent_under_a_task_that_is_not_approved(on_sqlite: Settings) -> None:
    (visit,) = listed(task(approve=False))
    for verb in (
        lambda: visits.assign(visit.id, inspectors=pair(), settings=on_sqlite, desk=HERE),
        lambda: visits.drop(visit.id, why="不需要", desk=HERE),
        lambda: visits.non_response(visit.id, why="无人", desk=HERE),
    ):
        with pytest.raises(TaskNotApproved):
            verb()


def test_what_others_did_first_stands_and_is_named(on_sqlite: Settings) -> None:
    visit, _ = ready(on_sqlite)
    with pytest.raises(VisitConflict, match=r"assigned .*by key:clerk.* Reassign it"):
        visits.assign(visit.id, inspectors=pair(), settings=on_sqlite, desk=desk("key:other"))
    with pytest.raises(VisitConflict, match="Only a visit that was begun can be finished"):
        visits.finish(visit.id, desk=HERE)
    visits.start(visit.id, why="企业未出示通知书", settings=on_sqlite, desk=on(DAY))
    for verb in (
        lambda: visits.assign(visit.id, inspectors=pair(), settings=on_sqlite, desk=HERE),
        lambda: visits.reassign(visit.id, inspectors=pair(), why="换人", desk=HERE),
        lambda: visits.non_response(visit.id, why="无人", desk=HERE),
        lambda: visits.drop(visit.id, why="不需要", desk=HERE),
    ):
        with pytest.raises(VisitConflict, match="is started"):
            verb()
    visits.finish(visit.id, desk=on(DAY))
    with pytest.raises(VisitConflict, match="is finished"):
        visits.start(visit.id, why="再来", settings=on_sqlite, desk=on(DAY))
    with pytest.raises(VisitConflict, match="is finished"):
        visits.finish(visit.id, on=DAY + timedelta(1), desk=on(DAY + timedelta(1)))


def test_who_is_replaced_stays_on_record(on_sqlite: Settings) -> None:
    visit, (first, second) = ready(on_sqlite)
    third = inspector().id
    with pytest.raises(VisitRefused, match="why it is reassigned"):
        visits.reassign(visit.id, inspectors=[first, third], why="", desk=HERE)
    with pytest.raises(VisitConflict, match="version 2 now, and you saw 1"):
        visits.reassign(visit.id, inspectors=[first, third], why="请假", version=1, desk=HERE)
    row, _ = visits.reassign(visit.id, inspectors=[first, third], why="请假", version=2, desk=HERE)
    assert visits.reassign(visit.id, inspectors=[first, third], why="请假", desk=HERE)[1] is False
    kept = {one.inspector_id: (one.active, one.round) for one in VisitInspector.select()}
    assert kept == {first: (True, 0), second: (False, 0), third: (True, 1)}
    later = DAY + timedelta(days=2)
    back, _ = visits.reassign(visit.id, inspectors=[first, second], planned_on=later, why="销假", desk=HERE)
    assert (row.version, back.version, back.planned_on) == (3, 4, later)
    assert [one["id"] for one in visit_views.one(back)["replaced"]] == [third]
    with pytest.raises(VisitRefused, match="does not lie between 2026-11-21 and 2026-12-31"):
        visits.reassign(visit.id, inspectors=[first, second], planned_on=date(2027, 1, 4), why="推迟", desk=HERE)


def test_the_inspectors_of_a_drawn_visit_are_not_changed_by_hand(on_sqlite: Settings) -> None:
    (visit,) = listed(task(), slice_="draw")
    team = pair()
    visits.assign(visit.id, inspectors=team, planned_on=DAY, settings=on_sqlite, desk=HERE)
    with pytest.raises(VisitRefused, match="recusal"):
        visits.reassign(visit.id, inspectors=pair(), why="换人", desk=HERE)
    later = DAY + timedelta(days=1)
    assert visits.reassign(visit.id, inspectors=team, planned_on=later, why="改期", desk=HERE)[0].planned_on == later


def test_entering_needs_the_code_or_a_reason_and_two_who_are_certified_that_day(on_sqlite: Settings) -> None:
    (visit,) = listed(task())
    with pytest.raises(VisitConflict, match="inspectors are assigned"):
        visits.start(visit.id, token=visit.token, settings=on_sqlite, desk=HERE)
    ends = [{"no": "示例9", "kind": "执法证", "until": "2026-12-05"}]
    first, second, third = inspector(), inspector(), inspector(certificates=ends)
    team = [one.id for one in (first, second, third)]
    visits.assign(visit.id, inspectors=team, planned_on=DAY, settings=on_sqlite, desk=HERE)
    with pytest.raises(VisitRefused, match="not the code of visit"):
        visits.start(visit.id, token="ABCD-EFGH", settings=on_sqlite, desk=on(DAY))
    with pytest.raises(VisitRefused, match="why the code of the notice could not be read"):
        visits.start(visit.id, settings=on_sqlite, desk=on(DAY))
    late = on(date(2026, 12, 6))
    with pytest.raises(VisitRefused, match=rf"{third.name}.*no certificate that is valid on 2026-12-06"):
        visits.start(visit.id, token=visit.token, settings=on_sqlite, desk=late)
    with pytest.raises(VisitRefused, match="sends 1 inspector"):
        visits.start(visit.id, token=visit.token, present=[first.id], settings=on_sqlite, desk=late)
    with pytest.raises(VisitRefused, match="is not assigned to visit"):
        visits.start(visit.id, token=visit.token, present=[first.id, 999], settings=on_sqlite, desk=late)
    grouped = visit.token.lower()[:4] + " - " + visit.token[4:]
    entered = late.now - 3_600_000
    row, _ = visits.start(
        visit.id, token=grouped, present=[first.id, second.id], at=entered, settings=on_sqlite, desk=late
    )
    assert (row.entered_at, row.visited_on) == (entered, date(2026, 12, 6))
    with pytest.raises(VisitRefused, match="does not lie between the entry"):
        visits.finish(visit.id, on=DAY, desk=late)


@pytest.mark.parametrize(
    ("day", "at", "said"),
    [
        (date(2027, 1, 2), None, "Task .* is from 2026-11-21 to 2026-12-31"),
        (DAY, NOW + 30 * 86_400_000, "lies in the future"),
        (DAY, NOW - 5 * 86_400_000, "nothing can be inspected under it then"),
    ],
)
def test_nobody_enters_outside_of_the_task_or_in_the_future(on_sqlite, day, at, said) -> None:
    visit, _ = ready(on_sqlite)
    with pytest.raises(VisitRefused, match=said):
        visits.start(visit.id, token=visit.token, at=at, settings=on_sqlite, desk=on(day))


def test_a_random_visit_is_never_dropped_but_may_be_a_non_response(on_sqlite: Settings) -> None:
    made = task()
    for slice_ in ("draw", "random"):
        (visit,) = listed(made, slice_=slice_)
        with pytest.raises(VisitRefused, match="random: it cannot be dropped"):
            visits.drop(visit.id, why="不想去", desk=HERE)
        row, new = visits.non_response(visit.id, why="大门紧锁", desk=HERE)
        assert (row.state, row.why, row.visited_on, new) == ("non_response", "大门紧锁", None, True)
        assert visits.non_response(visit.id, why="大门紧锁", desk=HERE)[1] is False
        with pytest.raises(VisitConflict, match="is non_response"):
            visits.non_response(visit.id, why="另一个说法", desk=HERE)
    for slice_ in ("priority", "designated", "recheck"):
        (visit,) = listed(made, slice_=slice_)
        with pytest.raises(VisitRefused, match="why it is dropped"):
            visits.drop(visit.id, why="", desk=HERE)
        with pytest.raises(VisitConflict, match="you saw 7"):
            visits.drop(visit.id, why="已由他机关办理", version=7, desk=HERE)
        assert visits.drop(visit.id, why="已由他机关办理，电话13900001111", desk=HERE)[0].state == "dropped"
        assert "13900001111" not in Visit.get_by_id(visit.id).why


def test_the_annual_cap_counts_every_organs_visits_and_holds_an_ordinary_one_back(on_sqlite: Settings) -> None:
    entity = registered()
    for day in (date(2026, 2, 3), date(2026, 5, 6)):
        record(entity, "spot_check", checked_on=day, organ="别处市场监督管理局")
    (visit,) = listed(task(), entities=[entity])
    with pytest.raises(CapReached):
        visits.assign(visit.id, inspectors=pair(), settings=on_sqlite, desk=HERE)
    (exempt,) = listed(task(type="complaint_or_report"), entities=[entity], slice_="designated")
    visits.assign(exempt.id, inspectors=pair(), planned_on=DAY, settings=on_sqlite, desk=HERE)
    visits.start(exempt.id, token=exempt.token, settings=on_sqlite, desk=on(DAY))
    found = visit_views.of_entity(entity, organ=ORGAN, today=DAY)
    assert (found["visited_days"], [one["state"] for one in found["visits"]]) == (3, ["started", "open"])
    assert visit_counts.made([entity], date(2026, 1, 1), date(2026, 12, 31))["visits"].to_list() == [3]
    assert visit_views.of_entity(entity, organ="别处市场监督管理局", today=DAY)["visits"] == []


def test_a_visit_that_is_planned_for_next_year_counts_to_the_cap_of_that_year(on_sqlite: Settings) -> None:
    entity = registered()
    for day in (date(2026, 2, 3), date(2026, 5, 6)):
        record(entity, "spot_check", checked_on=day, organ="别处市场监督管理局")
    (visit,) = listed(task(to_on=date(2027, 1, 31)), entities=[entity])
    with pytest.raises(CapReached):
        visits.assign(visit.id, inspectors=pair(), planned_on=date(2026, 12, 30), settings=on_sqlite, desk=HERE)
    made, new = visits.assign(visit.id, inspectors=pair(), planned_on=date(2027, 1, 12), settings=on_sqlite, desk=HERE)
    assert (made.state, new) == ("assigned", True)


def test_of_two_who_were_sent_to_one_entity_the_first_at_the_door_enters_and_the_cap_stops_the_other(
    settings: Settings,
) -> None:
    entity = registered()
    record(entity, "spot_check", checked_on=date(2026, 2, 3), organ="别处市场监督管理局")
    first, second = (listed(task(), entities=[entity], slice_="draw")[0] for _ in range(2))
    for visit in (first, second):
        # As two draws leave them that were committed to at the same time.
        for one in pair():
            VisitInspector.create(visit=visit.id, inspector=one, organ=ORGAN)
        Visit.update(state="assigned").where(Visit.id == visit.id).execute()
    visits.start(second.id, token=second.token, settings=settings, desk=on(DAY))
    with pytest.raises(CapReached):
        visits.start(first.id, token=first.token, settings=settings, desk=on(date(2026, 12, 2)))
    assert visits.non_response(first.id, why="已达年度检查上限", desk=HERE)[0].state == "non_response"


def test_every_act_that_a_service_writes_into_the_steps_of_a_visit_has_words(on_sqlite: Settings) -> None:
    written = {
        name
        for path in (config.ROOT / "registry" / "services").glob("*.py")
        for name in re.findall(
            r'(?<![\w.])(?:visits\.)?step\(\s*(?:row|visit|at\.visit),\s*"([a-z_]+)"', path.read_text("utf-8")
        )
    }
    assert {"assigned", "redrawn", "result_entered", "recheck_granted", "closed"} <= written
    assert written | set(result_follow.ACTS) | {result_follow.NOT_DONE, *STATES} - {"open"} <= set(visit_views.ACTS)
    (visit,) = listed(task())
    visits.non_response(visit.id, why="无人应门", desk=HERE)
    assert visit_views.steps(visit.id)[0]["title"] == "未能检查"


def test_pages_show_the_field_no_class_and_keep_the_order_of_the_tour(settings: Settings, count_queries) -> None:
    joint = task(partners=[PARTNER])
    shown = listed(joint, 5)
    other = listed(task())
    who = [inspector(actor="key:field").id, inspector().id]
    visits.assign(shown[3].id, inspectors=who, planned_on=DAY, settings=settings, desk=HERE)
    with count_queries() as sent:
        page = visit_views.page(organ=ORGAN, list_=shown[0].list_id, limit=3)
    assert len(sent) == 2
    assert [one["number"] for one in page.items] == [1, 2, 3]
    following = visit_views.page(organ=ORGAN, list_=shown[0].list_id, after=page.next, limit=3)
    assert [one["number"] for one in following.items] == [4, 5]
    assert following.next is None
    for name in ("class", "slice", "inclusion", "stratum", "position", "token"):
        assert name not in page.items[0]
        assert name not in visit_views.one(shown[0])
    supervisor = visit_views.page(organ=ORGAN, list_=shown[0].list_id, supervisor=True).items[0]
    assert (supervisor["class"], supervisor["slice"], supervisor["position"]) == ("D", "priority", 5)
    assert "token" not in supervisor
    ids = {
        "mine": visit_views.page(organ=ORGAN, actor="key:field").items,
        "soon": visit_views.page(organ=ORGAN, due_by=DAY, state="assigned", task=joint.id).items,
        "all": visit_views.page(organ="").items,
        "partner": visit_views.page(organ=PARTNER).items,
        "elsewhere": visit_views.page(organ=PARTNER, divisions=("9902",)).items,
    }
    found = {name: sorted(one["id"] for one in items) for name, items in ids.items()}
    everyone = sorted(one.id for one in shown)
    assert found == {
        "mine": [shown[3].id], "soon": [shown[3].id], "all": sorted([*everyone, other[0].id]), "partner": everyone,
        "elsewhere": [],
    }  # fmt: skip


def test_my_visits_are_found_by_their_index_however_many_others_there_are(on_sqlite: Settings) -> None:
    sent: list[str] = []
    connection = database.db.connection()
    connection.set_trace_callback(sent.append)
    visit_views.page(organ=ORGAN, actor="key:field")
    connection.set_trace_callback(None)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sent[0]}").fetchall()]
    assert any("SEARCH" in step and "visit_inspector_inspector_id" in step for step in plan), plan
    assert not any("SCAN" in step and "visit_inspector" in step for step in plan), plan


def test_what_a_draw_has_not_written_to_its_end_is_nobodys_visit(on_sqlite: Settings) -> None:
    made = task()
    (visit,) = listed(made)
    visit.list.size = 0
    visit.list.save()
    with pytest.raises(VisitNotFound):
        visits.get(visit.id, organ=ORGAN)
    assert visit_views.page(organ=ORGAN).items == []
    assert tasks.visits_by_state(made.id) == {}


def test_a_step_that_fails_leaves_nothing_behind(on_sqlite: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (visit,) = listed(task())

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(visits.audit, "note", broken)
    with pytest.raises(RuntimeError):
        visits.assign(visit.id, inspectors=pair(), settings=on_sqlite, desk=HERE)
    assert Visit.get_by_id(visit.id).state == "open"
    assert VisitInspector.select().count() + VisitStep.select().count() == 0
    assert len(SEED) == 32
