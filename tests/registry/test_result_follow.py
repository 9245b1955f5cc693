"""What follows of an approved result: listings, leads, orders, re-checks, publication before its last day."""

from datetime import date, timedelta

import pytest

from registry.models import (
    CaseLead,
    Document,
    Entity,
    ListingCase,
    Task,
    Visit,
)
from registry.services import (
    grading,
    records,
    result_follow,
    result_publish,
    result_recheck,
    result_review,
    results,
    workdays,
)
from registry.services.life import SameHands
from registry.services.result_entry import Entry
from registry.services.result_recheck import RecheckClosed
from registry.services.results import ResultConflict, ResultElsewhere, ResultNotFound
from registry.services.reviews import ReasonMissing
from registry.services.visits import VisitNotFound
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry.visited import (
    ADDRESS,
    CLEAR,
    FIRE,
    FOOD,
    ORDER,
    ORGAN,
    PARTNER,
    acts,
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


def published(settings, visit, entry=CLEAR, today=TODAY):
    approved(settings, visit, entry)
    return result_publish.publish(visit.id, ORGAN, desk=reviewer(settings, today))[0]


# --- what follows ----------------------------------------------------------------------------------------------------------


def test_who_cannot_be_reached_gets_a_case_of_the_abnormal_list(on_sqlite, visit):
    _, followed = approved(on_sqlite, visit, Entry(outcome=4))
    case = ListingCase.get_by_id(followed["abnormal_listing"]["number"])
    assert (case.list, case.action, case.ground, case.state, case.decide_by) == (
        "abnormal",
        "enter",
        4,
        "draft",
        workdays.due(TODAY, 10),
    )


def test_what_is_refused_stays_on_record_with_its_reason_and_is_made_up_for_once(on_sqlite):
    entity = registered()  # without an address nobody can have failed to find it there
    visit = visit_of(entity)
    row, followed = approved(on_sqlite, visit, Entry(outcome=4))
    refused = followed["abnormal_listing"]
    assert (row.state, refused["said"], refused["number"]) == ("approved", "refused", None)
    assert "no registered address" in refused["why"]
    desk = reviewer(on_sqlite)
    assert result_follow.again(visit.id, ORGAN, desk=desk) == [refused]
    assert acts(visit.id).count("follow_refused") == 1
    Entity.update(address=ADDRESS).where(Entity.id == entity).execute()
    (made,) = result_follow.again(visit.id, ORGAN, desk=desk)
    assert made["said"] == "done", made
    assert result_follow.again(visit.id, ORGAN, desk=desk) == [made]
    assert ListingCase.select().count() == 1


def test_an_organ_without_numbers_of_its_own_orders_by_hand_and_its_recheck_stands(on_sqlite):
    visit = visit_of(registered(), task=task_of(organ=PARTNER, checklist=[{**FOOD, "department": PARTNER}]))
    results.enter(visit.id, ORDER, desk=desk_of(on_sqlite, organ=PARTNER))
    _, followed, _ = result_review.approve(visit.id, PARTNER, desk=reviewer(on_sqlite, organ=PARTNER))
    told = {one["what"]: one for one in followed}
    assert (told["order"]["said"], told["recheck"]["said"]) == ("refused", "done")
    assert "issues no documents here" in told["order"]["why"]
    assert Document.select().count() == 0


def test_an_order_whose_last_day_has_passed_is_not_issued_any_more(on_sqlite, visit):
    _, followed = approved(on_sqlite, visit, today=date(2026, 12, 11))
    assert "has passed" in followed["order"]["why"]
    assert followed["recheck"]["said"] == "done"


def test_leads_say_what_was_found_and_a_refusal_that_it_alone_lists_nobody(on_sqlite, visit):
    _, followed = approved(on_sqlite, visit, found(3, disposal="lead", said="拟移送执法机构。"))
    lead = CaseLead.get_by_id(followed["case_lead"]["number"])
    assert (lead.organ, lead.entity, lead.state) == (ORGAN, visit.entity, "open")
    assert lead.facts == "食品经营：是否标注生产日期，三批次；拟移送执法机构。"
    other = visit_of(registered())
    _, followed = approved(on_sqlite, other, Entry(outcome=5, said="锁门拒检。"))
    assert CaseLead.get(CaseLead.visit == other.id).facts == "拒绝、阻挠检查：锁门拒检。"
    assert "rests on a penalty" in followed["case_lead"]["why"]


def test_an_organ_that_is_told_is_named(on_sqlite, visit):
    _, followed = approved(on_sqlite, visit, found(disposal="copied", copied_to="信衡市税务局"))
    assert followed["copied"]["why"] == "信衡市税务局"


def test_nothing_follows_before_the_approval_or_of_a_clean_visit(on_sqlite, visit):
    entered(on_sqlite, visit, CLEAR)
    with pytest.raises(ResultConflict, match="Nothing follows"):
        result_follow.again(visit.id, ORGAN, desk=reviewer(on_sqlite))
    assert result_review.approve(visit.id, ORGAN, desk=reviewer(on_sqlite))[1] == []


# --- publication -------------------------------------------------------------------------------------------------------------


def test_a_result_is_published_once_approved_and_a_corrected_record_waits_for_its_review(on_sqlite, visit):
    entered(on_sqlite, visit, CLEAR)
    with pytest.raises(ResultConflict, match="once it is approved"):
        result_publish.publish(visit.id, ORGAN, desk=reviewer(on_sqlite))
    result_review.approve(visit.id, ORGAN, desk=reviewer(on_sqlite))
    with pytest.raises((ResultElsewhere, VisitNotFound)):
        result_publish.publish(visit.id, ORGAN, desk=reviewer(on_sqlite, organ=PARTNER))
    assert result_publish.publish(visit.id, ORGAN, desk=reviewer(on_sqlite))[2]
    assert not result_publish.publish(visit.id, ORGAN, desk=reviewer(on_sqlite))[2]
    assert acts(visit.id)[-1] == "result_published"


def test_what_no_channel_takes_stays_approved_and_says_why(on_sqlite, visit, monkeypatch):
    approved(on_sqlite, visit, CLEAR)
    monkeypatch.setattr("registry.services.publication.personal_in", lambda _: [("items", "resident_id")])
    row, shown, new = result_publish.publish(visit.id, ORGAN, desk=reviewer(on_sqlite))
    assert (new, row.state, {one.said for one in shown}) == (False, "approved", {"blocked"})
    assert result_publish.settle(visit.id, ORGAN, desk=reviewer(on_sqlite)).startswith("blocked")


# --- re-check ----------------------------------------------------------------------------------------------------------------


def test_the_enterprise_asks_within_fifteen_days_and_gets_another_visit(on_sqlite, visit):
    published(on_sqlite, visit)
    family = [visit.entity]
    for day, why in ((TODAY + timedelta(days=15), "照片并非本企业。"), (TODAY + timedelta(days=40), "再次")):
        desk = desk_of(on_sqlite, "key:firm", "", day)
        row, new = result_recheck.ask(visit.id, ORGAN, why=why, entities=family, desk=desk)
        assert (new, row.recheck_asked_on) == (why != "再次", TODAY + timedelta(days=15)), "asked once"
    (told,) = result_recheck.own(family)
    assert (told["visit"], told["recheck_until"], told["answer"]) == (visit.id, TODAY + timedelta(days=15), None)
    day = TODAY + timedelta(days=17)
    with pytest.raises(SameHands):
        result_recheck.answer(visit.id, ORGAN, granted=True, desk=desk_of(on_sqlite, "key:firm", "", day))
    made, new = result_recheck.answer(visit.id, ORGAN, granted=True, desk=reviewer(on_sqlite, day))
    assert (new, made.slice, made.follows, made.recheck_by) == (True, "recheck", visit.id, workdays.due(day, 15))
    assert result_recheck.answer(visit.id, ORGAN, granted=True, desk=reviewer(on_sqlite, day)) == (made, False)
    with pytest.raises(ResultConflict, match="granted by key:zhao"):
        result_recheck.answer(visit.id, ORGAN, granted=False, said="不予复查", desk=reviewer(on_sqlite, day))
    assert result_recheck.own(family)[0]["answer"] == {"granted": True, "said": ""}


def test_a_recheck_is_refused_after_its_days_of_other_peoples_visits_and_before_anybody_was_told(on_sqlite, visit):
    def ask(day=TODAY, entities=None, why="理由"):
        return result_recheck.ask(
            visit.id, ORGAN, why=why, entities=entities, desk=desk_of(on_sqlite, "key:firm", "", day)
        )

    entered(on_sqlite, visit, CLEAR)
    with pytest.raises(ResultNotFound):
        ask()
    with pytest.raises(ResultConflict, match="Nobody has asked"):
        result_recheck.answer(visit.id, ORGAN, granted=True, desk=reviewer(on_sqlite))
    result_review.approve(visit.id, ORGAN, desk=reviewer(on_sqlite))
    with pytest.raises(ResultNotFound):
        ask(entities=[visit.entity + 1])
    with pytest.raises(ReasonMissing):
        ask(why=" ")
    with pytest.raises(RecheckClosed) as late:
        ask(TODAY + timedelta(days=16))
    assert "until 2026-12-06; today is 2026-12-07" in late.value.detail
    assert Visit.select().count() == 1


def test_a_recheck_that_is_not_granted_is_answered_in_words(on_sqlite, visit):
    approved(on_sqlite, visit, CLEAR)
    result_recheck.ask(visit.id, ORGAN, why="理由", entities=None, desk=desk_of(on_sqlite, "key:window"))
    desk = reviewer(on_sqlite)
    with pytest.raises(ReasonMissing):
        result_recheck.answer(visit.id, ORGAN, granted=False, desk=desk)
    assert result_recheck.answer(visit.id, ORGAN, granted=False, said="照片清晰。", desk=desk) == (None, True)
    assert result_recheck.answer(visit.id, ORGAN, granted=False, said="照片清晰。", desk=desk) == (None, False)
    with pytest.raises(ResultConflict, match="refused by"):
        result_recheck.answer(visit.id, ORGAN, granted=True, desk=desk)
    assert result_recheck.own([visit.entity])[0]["answer"] == {"granted": False, "said": "照片清晰。"}


def test_an_order_and_a_request_share_one_recheck_and_under_a_closed_task_it_gets_a_task_to_approve(on_sqlite):
    visit = visit_of(registered(address=ADDRESS))
    _, followed = approved(on_sqlite, visit)
    result_recheck.ask(visit.id, ORGAN, why="理由", entities=None, desk=desk_of(on_sqlite, "key:window"))
    made, _ = result_recheck.answer(visit.id, ORGAN, granted=True, desk=reviewer(on_sqlite))
    assert (made.id, Visit.select().count()) == (followed["recheck"]["number"], 2)
    other = visit_of(registered())
    approved(on_sqlite, other, CLEAR)
    Task.update(state="closed").execute()
    result_recheck.ask(other.id, ORGAN, why="理由", entities=None, desk=desk_of(on_sqlite, "key:window"))
    made, _ = result_recheck.answer(other.id, ORGAN, granted=True, desk=reviewer(on_sqlite))
    assert (made.task.state, made.task.title, made.task.checklist) == (
        "draft",
        "复查：食品经营专项",
        other.task.checklist,
    )
    assert len(made.token) == 24
    assert made.token not in {visit.token, other.token}


def test_of_a_recheck_only_the_organ_that_wanted_it_enters_a_result(on_sqlite):
    visit = visit_of(
        registered(address=ADDRESS), task=task_of(partners=(PARTNER,), checklist=[FOOD, FIRE]), state="finished"
    )
    _, followed = approved(on_sqlite, visit)
    again = Visit.get_by_id(followed["recheck"]["number"])
    assert results.expected(again) == [ORGAN]
    assert results.expected(visit) == [ORGAN, PARTNER]


# --- the night -----------------------------------------------------------------------------------------------------------------


def test_nothing_that_is_due_lapses_without_being_told(on_sqlite):
    seen = [visit_of(registered(address=ADDRESS), state="finished") for _ in range(4)]
    approved(on_sqlite, seen[0], CLEAR)
    withdrawn, _ = approved(on_sqlite, seen[1], CLEAR)
    entered(on_sqlite, seen[2], CLEAR)
    near = withdrawn.publish_by - timedelta(days=7)
    assert result_publish.due(near - timedelta(days=1)) == []
    assert [visit for visit, _ in result_publish.due(near)] == [seen[0].id, seen[1].id]
    records.withdraw(
        withdrawn.seq, "spot_check", organ=ORGAN, source="organ", reason="查错对象", actor="key:sun", today=near, now=NOW,
        scheme=grading.scheme_named(on_sqlite), schemes=[],
    )  # fmt: skip
    assert [visit for visit, _ in result_publish.due(near)] == [seen[0].id]
    assert result_publish.settle(seen[1].id, ORGAN, desk=reviewer(on_sqlite, near)) == "withdrawn"
    assert result_publish.settle(seen[0].id, ORGAN, desk=reviewer(on_sqlite, near)) == "published"
    assert result_publish.settle(seen[0].id, ORGAN, desk=reviewer(on_sqlite, near)) == "unchanged"
    told = result_publish.standing(near)
    assert (told["near"], told["overdue"]) == (2, 0)
    assert [(one["visit"], one["state"]) for one in told["results"]] == [
        (seen[2].id, "entered"),
        (seen[3].id, "missing"),
    ]
    assert result_publish.standing(withdrawn.publish_by + timedelta(days=1))["overdue"] == 2
    assert result_publish.standing(TODAY)["results"] == []


def test_what_an_enterprise_reads_costs_two_queries_however_much_it_is(on_sqlite, count_queries):
    entity = registered(address=ADDRESS)
    for size in (1, 3):
        while len(result_recheck.own([entity])) < size:
            visit = visit_of(entity)
            approved(on_sqlite, visit, CLEAR)
            result_recheck.ask(visit.id, ORGAN, why="理由", entities=[entity], desk=desk_of(on_sqlite, "key:firm"))
            result_recheck.answer(visit.id, ORGAN, granted=False, said="照片清晰。", desk=reviewer(on_sqlite))
        with count_queries() as sent:
            assert [one["answer"]["said"] for one in result_recheck.own([entity])] == ["照片清晰。"] * size
        assert len(sent) == 2
