"""Results of visits: entered, reviewed by another person, a record that counts at once, published in time, re-checked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from registry.clock import day_number
from registry.database import dicts, execute, session
from registry.errors import BadCursor
from registry.models import (
    CaseLead,
    Document,
    GradeState,
    InspectionListRow,
    Publication,
    Record,
    Visit,
    VisitDue,
)
from registry.services import (
    grading,
    life,
    result_publish,
    result_recheck,
    result_review,
    results,
    seal,
    visit_views,
    workdays,
)
from registry.services.life import SameHands
from registry.services.result_entry import Entry, ResultRefused
from registry.services.result_recheck import RecheckClosed
from registry.services.results import ResultConflict, ResultElsewhere, ResultNotFound
from registry.services.reviews import ReasonMissing
from registry.services.visits import VisitNotFound
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry.sealing import checked
from tests.registry.visited import (
    ADDRESS,
    CLEAR,
    FIRE,
    FOOD,
    LEAD,
    ORGAN,
    PARTNER,
    acts,
    answers,
    approved,
    desk_of,
    entered,
    found,
    reviewer,
    task_of,
    visit_of,
)


@pytest.fixture
def visit(on_sqlite):
    return visit_of(registered(address=ADDRESS))


# --- the whole way, on both databases ---------------------------------------------------------------------------------


def test_an_approved_result_is_a_record_a_new_grade_and_all_that_follows_in_one_transaction(settings):
    seal.make_log(settings, now=NOW)
    entity = registered(address=ADDRESS)
    grading.due(grading.scheme_named(settings), day=TODAY)
    known = GradeState.get(GradeState.entity == entity).known
    visit = visit_of(entity, task=task_of(type="random"), slice="draw", inclusion=20_000)
    VisitDue.create(entity=entity, due_day=day_number(TODAY) + 5, last_day=day_number(TODAY) - 360, rule="r")
    row, followed = approved(settings, visit)
    record = Record.get(Record.seq == row.seq)
    assert (record.kind, record.code, record.severity, record.organ, record.source) == (
        "spot_check",
        2,
        1,
        ORGAN,
        "organ",
    )
    assert record.happened_on == TODAY
    assert record.document_no == f"信衡检查{visit.task_id}-{visit.id}"
    assert record.detail == {
        "results": [{"system": "xinheng-2026", "code": "2", "text": ""}], "items": ["食品经营"], "type": "双随机抽查", "method": "实地核查",
        "purpose": "routine", "minor_found": 0, "problems_found": 1, "serious_found": 0, "inclusion": 20_000,
    }  # fmt: skip
    facts = execute("SELECT kind, code, severity, amount FROM fact WHERE entity = ? AND known = ? ORDER BY part", (entity, row.seq)).fetchall()  # fmt: skip
    assert [tuple(one) for one in facts] == [(5, 2, 1, 0), (19, 1, 0, 20_000), (19, 1, 2, 1)]
    assert GradeState.get(GradeState.entity == entity).known > known
    assert execute("SELECT count(*) FROM stale WHERE scheme = 'general-risk'").fetchone()[0] == 0
    due = VisitDue.get()
    assert (due.last_day, due.due_day) == (day_number(TODAY), day_number(TODAY) + 365)
    assert (row.state, row.reviewed_by, row.publish_by) == ("approved", "key:zhao", workdays.due(TODAY, 20))
    told = life.of(life.target_of(row.identity))
    assert (told["state"], told["review"]["reviewed_by"]) == ("reviewed", "key:zhao")
    assert life.posted_by(life.target_of(row.identity)) == {"key:wang"}
    # What follows: the order, with a re-check on a list of its own.
    order = Document.get_by_id(followed["order"]["number"])
    assert (order.type, order.about) == ("order_correct", row.identity)
    assert "三批次" in order.text
    assert "20日内改正：下架未标注生产日期的食品。" in order.text
    again = Visit.get_by_id(followed["recheck"]["number"])
    assert (again.follows, again.slice, again.inclusion, again.task_id, again.state) == (
        visit.id,
        "recheck",
        0,
        visit.task_id,
        "open",
    )
    assert again.recheck_by == workdays.due(date(2026, 12, 11), 15)
    assert InspectionListRow.get(InspectionListRow.list == again.list_id).entity == entity
    assert Visit.get_by_id(visit.id).state == "closed"
    assert acts(visit.id) == ["finished", "result_entered", "result_approved", "order_issued", "recheck_made", "closed"]
    # Once more changes nothing, and publication follows by the same record.
    repeated, again_followed, new = result_review.approve(visit.id, ORGAN, desk=reviewer(settings))
    assert (new, repeated.seq, {one["what"] for one in again_followed}) == (False, row.seq, {"order", "recheck"})
    shown, channels, _ = result_publish.publish(visit.id, ORGAN, desk=reviewer(settings))
    assert {one.channel: one.said for one in channels} == {"necips": "published", "site": "published"}
    assert (shown.state, shown.published_on, shown.recheck_until) == ("published", TODAY, TODAY + timedelta(days=15))
    assert {one.state for one in Publication.select()} == {"published"}
    assert (
        Record.select().where(Record.kind == "spot_check").count(),
        Document.select().count(),
        Visit.select().count(),
    ) == (1, 1, 2)
    seal.seal(settings, now=lambda: NOW)
    report = checked(settings)
    assert (report.findings, list(life.derive_life())) == ([], [])


def test_results_are_listed_by_what_must_be_published_first_and_leads_by_age(settings):
    rows = []
    for day in (3, 1, 2):
        visit = visit_of(registered(), visited_on=TODAY - timedelta(days=day), state="finished")
        rows.append((entered(settings, visit, LEAD), visit))
    first = results.page(TODAY, limit=2)
    assert [one["visit"] for one in first.items] == [rows[0][1].id, rows[2][1].id]
    assert [one["visit"] for one in results.page(TODAY, limit=2, after=first.next).items] == [rows[1][1].id]
    late = rows[0][0].publish_by + timedelta(days=1)
    assert [one["overdue"] for one in results.page(late, soon=True).items][:1] == [True]
    assert results.page(TODAY, soon=True).items == []
    assert results.page(TODAY, organ=PARTNER).items == results.page(TODAY, divisions=("11",)).items == []
    with pytest.raises(BadCursor):
        results.page(TODAY, after="WyJ4IiwxLCJ5Il0")


def test_two_inspectors_who_enter_at_once_settle_it_and_the_second_reads_what_stands(settings):
    visit = visit_of(registered())
    first = entered(settings, visit, found())
    with pytest.raises(ResultConflict) as conflict:
        entered(settings, visit, CLEAR, actor="key:zhang")
    assert "key:wang" in conflict.value.detail
    assert conflict.value.context == {"state": "entered", "version": 1, "entered_by": "key:wang", "outcome": 2}
    # The same words by the same person are the same result; with the version that stands it is replaced.
    assert results.enter(visit.id, found(), organ=ORGAN, desk=desk_of(settings)) == (first, False)
    second, new = results.enter(visit.id, CLEAR, organ=ORGAN, version=1, desk=desk_of(settings, "key:zhang"))
    assert (new, second.version, second.entered_by, second.outcome) == (True, 2, "key:zhang", 1)
    with pytest.raises(ResultConflict):
        results.enter(visit.id, found(), organ=ORGAN, version=1, desk=desk_of(settings))
    assert acts(visit.id) == ["finished", "result_entered", "result_entered"]


def test_people_who_act_at_the_same_moment_leave_one_result_and_one_record(settings):
    visit = visit_of(registered(address=ADDRESS))

    def at_once(verb):
        def act(who):
            with session():
                try:
                    return verb(f"key:{who}")
                except ResultConflict as conflict:
                    return conflict

        with ThreadPoolExecutor(4) as people:
            return list(people.map(act, ("a", "b", "c", "d")))

    said = at_once(lambda who: results.enter(visit.id, found(3, disposal="lead"), desk=desk_of(settings, who)))
    entered_, refused = (
        [one for one in said if isinstance(one, tuple)],
        [one for one in said if not isinstance(one, tuple)],
    )
    assert (len(entered_), len(refused)) == (1, 3)
    assert {one.context["entered_by"] for one in refused} == {entered_[0][0].entered_by}
    said = at_once(lambda who: result_review.approve(visit.id, ORGAN, desk=desk_of(settings, f"{who}2")))
    assert sorted(new for _, _, new in said) == [False, False, False, True]
    assert (Record.select().where(Record.kind == "spot_check").count(), CaseLead.select().count()) == (1, 1)
    assert acts(visit.id) == ["finished", "result_entered", "result_approved", "lead_opened", "closed"]


# --- entry --------------------------------------------------------------------------------------------------------------


def test_a_result_is_entered_of_a_visit_that_was_begun_and_finishes_it(on_sqlite, visit):
    waiting = visit_of(registered(), state="assigned")
    with pytest.raises(ResultConflict, match="assigned"):
        entered(on_sqlite, waiting)
    row = entered(on_sqlite, visit, replace(CLEAR, photos=[{"sha256": "ab" * 32, "name": "门头.jpg", "bytes": 9}]))
    again = Visit.get_by_id(visit.id)
    assert (again.state, again.visited_on, row.publish_by) == ("finished", TODAY, workdays.due(TODAY, 20))
    assert results.photo(row, "AB" * 32)["name"] == "门头.jpg"
    assert results.photo(row, "cd" * 32) is None
    sheet = results.sheet(again, TODAY)
    assert [(one["organ"], one["result"]["outcome"], len(one["items"][0]["questions"])) for one in sheet["organs"]] == [
        (ORGAN, 1, 3)
    ]


def test_only_the_organs_of_the_task_and_their_inspectors_enter(on_sqlite, visit):
    with pytest.raises(VisitNotFound):
        results.enter(visit.id, CLEAR, desk=desk_of(on_sqlite, organ="信衡市税务局"))
    with pytest.raises(ResultRefused, match="takes no part"):
        results.enter(visit.id, CLEAR, organ=PARTNER, desk=desk_of(on_sqlite, organ=""))
    with pytest.raises(VisitNotFound):
        results.enter(visit.id + 99, CLEAR, desk=desk_of(on_sqlite))
    joint = visit_of(registered(), task=task_of(partners=(PARTNER,), checklist=[FOOD, FIRE]))
    with pytest.raises(ResultElsewhere, match="inspectors"):
        results.enter(joint.id, CLEAR, organ=ORGAN, desk=desk_of(on_sqlite, organ=PARTNER))
    inspector = desk_of(on_sqlite, "key:i1001", PARTNER)
    assert results.enter(joint.id, CLEAR, organ=ORGAN, desk=inspector)[1]
    none = visit_of(registered(), task=task_of(partners=(PARTNER,)))
    with pytest.raises(ResultRefused, match="checks no item"):
        results.enter(none.id, CLEAR, desk=desk_of(on_sqlite, organ=PARTNER))
    with pytest.raises(VisitNotFound):
        results.visible(visit.id, organ=ORGAN, divisions=("11",))


# --- review -------------------------------------------------------------------------------------------------------------


def test_who_entered_a_result_neither_returns_nor_approves_it_and_another_organ_does_neither(on_sqlite, visit):
    entered(on_sqlite, visit)
    for verb in (
        lambda desk: result_review.return_(visit.id, ORGAN, opinion="补充", desk=desk),
        lambda desk: result_review.approve(visit.id, ORGAN, desk=desk),
    ):
        with pytest.raises(SameHands):
            verb(desk_of(on_sqlite))
        with pytest.raises((ResultElsewhere, VisitNotFound)):
            verb(reviewer(on_sqlite, organ=PARTNER))
    with pytest.raises(ResultNotFound):
        result_review.approve(visit.id, PARTNER, desk=reviewer(on_sqlite))
    assert Record.select().where(Record.kind == "spot_check").count() == 0


def test_a_returned_result_is_entered_again_and_approved_by_whom_it_pleases(on_sqlite, visit):
    entered(on_sqlite, visit)
    with pytest.raises(ReasonMissing):
        result_review.return_(visit.id, ORGAN, opinion=" ", desk=reviewer(on_sqlite))
    row, new = result_review.return_(visit.id, ORGAN, opinion="未说明批次。", desk=reviewer(on_sqlite))
    assert (new, row.state, row.opinion, row.version) == (True, "returned", "未说明批次。", 2)
    assert not result_review.return_(visit.id, ORGAN, opinion="未说明批次。", desk=reviewer(on_sqlite))[1]
    with pytest.raises(ResultConflict, match="entered anew"):
        result_review.approve(visit.id, ORGAN, desk=reviewer(on_sqlite))
    # By the very person who returned it, too: then somebody else reviews it.
    row = entered(on_sqlite, visit, CLEAR, actor="key:zhao")
    assert (row.state, row.reviewed_by, row.opinion, row.version) == ("entered", "", "", 3)
    with pytest.raises(SameHands):
        result_review.approve(visit.id, ORGAN, desk=reviewer(on_sqlite))
    assert result_review.approve(visit.id, ORGAN, desk=desk_of(on_sqlite, "key:sun"))[0].state == "approved"
    with pytest.raises(ResultConflict, match="xinheng correct"):
        entered(on_sqlite, visit, found())
    with pytest.raises(ResultConflict):
        result_review.return_(visit.id, ORGAN, opinion="晚了", desk=desk_of(on_sqlite, "key:sun"))


@pytest.mark.parametrize(
    ("type_", "slice_", "purpose", "inclusion"),
    [
        ("random", "draw", "routine", 500),
        ("key_supervision", "random", "routine", 500),
        ("special_campaign", "priority", "campaign", 500),
        ("complaint_or_report", "designated", "complaint", None),
        ("statutory", "priority", "other", 500),
        ("random", "recheck", "follow_up", None),
    ],
)
def test_why_it_was_checked_and_by_which_chance_go_into_the_record(on_sqlite, type_, slice_, purpose, inclusion):
    visit = visit_of(registered(), task=task_of(type=type_), slice=slice_, inclusion=500)
    said = result_review.statement(visit, entered(on_sqlite, visit, CLEAR), TODAY).detail
    assert (said["purpose"], said.get("inclusion")) == (purpose, inclusion)
    assert (said["serious_found"], said["problems_found"], said["minor_found"]) == (0, 0, 0)


def test_where_nobody_could_look_nobody_counted_and_no_word_of_an_inspector_is_in_the_record(on_sqlite, visit):
    row = entered(on_sqlite, visit, Entry(outcome=5, said="锁门拒检"))
    assert set(result_review.statement(Visit.get_by_id(visit.id), row, TODAY).detail) == {
        "results",
        "items",
        "type",
        "method",
        "purpose",
    }


def test_should_grading_fail_the_result_stands_and_its_mark_with_it(on_sqlite, visit, monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    logged = []
    monkeypatch.setattr(grading, "one", fail)
    monkeypatch.setattr(grading, "log", SimpleNamespace(exception=lambda said, **_: logged.append(said)))
    row, _ = approved(on_sqlite, visit, CLEAR)
    assert row.state == "approved"
    assert execute("SELECT count(*) FROM stale WHERE entity = ?", (visit.entity,)).fetchone()[0] == 1
    assert logged == ["grading.failed"]


def test_a_failure_after_the_record_leaves_nothing_behind(on_sqlite, visit, monkeypatch):
    entered(on_sqlite, visit)
    before = execute("SELECT seq FROM ledger_head").fetchone()
    monkeypatch.setattr(result_review, "_close", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        result_review.approve(visit.id, ORGAN, desk=reviewer(on_sqlite))
    assert execute("SELECT seq FROM ledger_head").fetchone() == before
    assert (results.get(visit.id, ORGAN).state, Document.select().count(), Visit.select().count()) == ("entered", 0, 1)


# --- joint tasks ----------------------------------------------------------------------------------------------------------


def test_each_organ_of_a_joint_task_enters_and_reviews_its_own_and_the_last_closes_the_one_visit(on_sqlite):
    entity = registered(address=ADDRESS)
    visit = visit_of(entity, task=task_of(partners=(PARTNER,), checklist=[FOOD, FIRE]))
    entered(on_sqlite, visit, CLEAR)
    assert Visit.get_by_id(visit.id).state == "started"
    Visit.update(visited_on=None).execute()
    with pytest.raises(ResultConflict, match="not finished"):
        result_review.approve(visit.id, ORGAN, desk=reviewer(on_sqlite))
    Visit.update(visited_on=TODAY).execute()
    theirs = desk_of(on_sqlite, "key:xiao", PARTNER)
    results.enter(visit.id, CLEAR, desk=theirs)
    assert Visit.get_by_id(visit.id).state == "finished"
    result_review.approve(visit.id, ORGAN, desk=reviewer(on_sqlite))
    assert Visit.get_by_id(visit.id).state == "finished"
    result_review.approve(visit.id, PARTNER, desk=reviewer(on_sqlite, organ=PARTNER))
    assert Visit.get_by_id(visit.id).state == "closed"
    checks = Record.select().where(Record.kind == "spot_check")
    assert {(one.organ, one.document_no, tuple(one.detail["items"])) for one in checks} == {
        (ORGAN, f"信衡检查{visit.task_id}-{visit.id}", ("食品经营",)), (PARTNER, f"信衡检查{visit.task_id}-{visit.id}", ("消防设施",)),
    }  # fmt: skip
    days = execute("SELECT count(DISTINCT day) FROM fact WHERE entity = ? AND kind = 5", (entity,)).fetchone()
    assert days[0] == 1, "the annual cap counts one visit"


# --- whatever is done, in whatever order ---------------------------------------------------------------------------------------


def test_whatever_is_done_in_whatever_order_two_persons_stand_behind_every_record(on_sqlite):
    people = ["key:wang", "key:zhao", "key:sun"]

    class Results(RuleBasedStateMachine):
        def __init__(self):
            super().__init__()
            self.visit = visit_of(registered(address=ADDRESS))

        def tried(self, verb):
            try:
                verb()
            except (ResultConflict, SameHands, ResultNotFound, RecheckClosed):
                return

        @rule(
            who=st.sampled_from(people),
            entry=st.sampled_from([CLEAR, found(), LEAD]),
            version=st.sampled_from([None, 1, 2, 3]),
        )
        def enter(self, who, entry, version):
            self.tried(lambda: results.enter(self.visit.id, entry, version=version, desk=desk_of(on_sqlite, who)))

        @rule(who=st.sampled_from(people))
        def approve(self, who):
            self.tried(lambda: result_review.approve(self.visit.id, ORGAN, desk=desk_of(on_sqlite, who)))

        @rule(who=st.sampled_from(people))
        def send_back(self, who):
            self.tried(
                lambda: result_review.return_(self.visit.id, ORGAN, opinion="补充", desk=desk_of(on_sqlite, who))
            )

        @rule(who=st.sampled_from(people))
        def publish(self, who):
            self.tried(lambda: result_publish.publish(self.visit.id, ORGAN, desk=desk_of(on_sqlite, who)))

        @precondition(lambda self: results.found(self.visit.id, ORGAN) is not None)
        @rule()
        def ask(self):
            self.tried(
                lambda: result_recheck.ask(
                    self.visit.id, ORGAN, why="理由", entities=None, desk=desk_of(on_sqlite, "key:firm")
                )
            )

        @invariant()
        def holds(self):
            row = results.found(self.visit.id, ORGAN)
            records = dicts(Record.select().where((Record.kind == "spot_check") & (Record.entity == self.visit.entity)))
            done = row is not None and row.state in results.APPROVED
            assert len(records) == done
            assert (Visit.get_by_id(self.visit.id).state == "closed") == done
            if row is None:
                return
            steps = acts(self.visit.id)
            assert row.version == sum(
                one in ("result_entered", "result_returned", "result_approved", "result_published", "recheck_asked")
                for one in steps
            )
            assert steps.count("result_approved") <= 1
            if done:
                assert row.reviewed_by not in ("", row.entered_by)
                assert (CaseLead.select().where(CaseLead.visit == self.visit.id).count() == 1) == (
                    row.disposal == "lead"
                )
            shown = Publication.select().where(
                (Publication.entity == self.visit.entity) & (Publication.state == "published")
            )
            assert shown.exists() == (row.state == "published")

    run_state_machine_as_test(Results, settings=effort(max_examples=8, stateful_step_count=10, deadline=None))


def test_answers_are_kept_by_question(on_sqlite, visit):
    row = entered(on_sqlite, visit, Entry(outcome=3, items=answers(q2="problem", q3="na"), disposal="lead"))
    assert [(one["question"], one["answer"], one["said"]) for one in row.items[0]["answers"]] == [
        ("q1", "ok", ""), ("q2", "problem", "三批次"), ("q3", "na", ""),
    ]  # fmt: skip


def test_who_is_no_member_of_an_items_special_database_is_not_asked_its_questions(on_sqlite):
    visit = visit_of(registered(), task=task_of(partners=(PARTNER,), checklist=[FOOD, FIRE]))
    assert results.expected(visit) == [ORGAN, PARTNER]
    InspectionListRow.update(items=["B03"]).where(InspectionListRow.list == visit.list_id).execute()
    # Nothing of the partner's applies, so the visit does not wait for it.
    assert results.expected(visit) == [ORGAN]
    assert [one["organ"] for one in results.sheet(visit, TODAY)["organs"]] == [ORGAN]
    shown = visit_views.one(visit)["organs"]
    assert [[item["code"] for item in one["items"]] for one in shown] == [["B03"], []]
    with pytest.raises(ResultRefused, match="checks no item"):
        results.enter(visit.id, CLEAR, organ=PARTNER, desk=desk_of(on_sqlite, organ=PARTNER))
