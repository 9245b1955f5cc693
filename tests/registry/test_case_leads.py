"""Case leads that visits found: filed with the penalty that came of them, or closed with a reason; what is late is told."""

from datetime import date, timedelta

import pytest

from registry.models import Audit, CaseLead, Uncounted
from registry.services import case_leads, result_review, results, workdays
from registry.services.case_leads import LeadConflict, LeadNotFound, LeadRefused
from registry.services.result_entry import Entry
from registry.services.reviews import ReasonMissing
from tests.conftest import TODAY
from tests.factories import record, registered
from tests.registry.visited import ORGAN, PARTNER, desk_of, found, reviewer, visit_of

LATER = TODAY + timedelta(days=40)


def lead_of(settings, entry=None, today=TODAY):
    visit = visit_of(registered())
    results.enter(visit.id, entry or found(3, disposal="lead"), organ=ORGAN, desk=desk_of(settings, today=today))
    result_review.approve(visit.id, ORGAN, desk=reviewer(settings, today))
    return CaseLead.get(CaseLead.visit == visit.id)


def test_leads_are_listed_by_age_with_what_is_late(settings):
    first, refusal = lead_of(settings), lead_of(settings, Entry(outcome=5, said="锁门拒检。"))
    page = case_leads.page(TODAY, organ=ORGAN, limit=1)
    assert [(one["id"], one["kind"], one["due"], one["overdue"]) for one in page.items] == [
        (first.id, "violation", workdays.due(TODAY, 15), False)
    ]
    (second,) = case_leads.page(TODAY, organ=ORGAN, limit=1, after=page.next).items
    assert (second["id"], second["kind"], second["facts"]) == (refusal.id, "refusal", "拒绝、阻挠检查：锁门拒检。")
    due = workdays.due(TODAY, 15)
    assert case_leads.page(due, overdue=True).items == []
    late = case_leads.page(due + timedelta(days=1), overdue=True).items
    assert [(one["id"], one["overdue"]) for one in late] == [(first.id, True), (refusal.id, True)]
    case_leads.close(refusal.id, said="事后配合。", desk=desk_of(settings))
    assert [one["id"] for one in case_leads.page(LATER, overdue=True).items] == [first.id]
    assert [one["id"] for one in case_leads.page(TODAY, state="closed").items] == [refusal.id]
    assert case_leads.page(TODAY, organ=PARTNER).items == case_leads.page(TODAY, divisions=("11",)).items == []


def test_a_lead_is_filed_at_once_or_in_two_steps_and_once(on_sqlite, monkeypatch):
    monkeypatch.setattr("tests.factories.TODAY", LATER)
    lead, desk = lead_of(on_sqlite), desk_of(on_sqlite)
    row, new = case_leads.file(lead.id, said="已立案，联系13812345678。", desk=desk)
    assert (new, row.state, row.record, row.said, row.settled_by) == (
        True,
        "filed",
        None,
        "已立案，联系(电话)。",
        "key:wang",
    )
    assert case_leads.file(lead.id, said="已立案。", desk=desk) == (row, False)
    penalty = record(lead.entity, decided_on=TODAY + timedelta(days=20)).seq
    row, new = case_leads.file(
        lead.id, said="已处罚。", record=penalty, desk=desk_of(on_sqlite, "key:sun", today=LATER)
    )
    assert (new, row.record, row.settled_on, row.settled_by) == (True, penalty, TODAY, "key:wang")
    assert not case_leads.file(lead.id, record=penalty, desk=desk)[1]
    with pytest.raises(LeadConflict, match=f"penalty {penalty}"):
        case_leads.file(lead.id, record=penalty + 1, desk=desk)
    with pytest.raises(LeadConflict):
        case_leads.close(lead.id, said="不予立案。", desk=desk)
    assert [one.verb for one in Audit.select().where(Audit.verb.startswith("lead.")).order_by(Audit.id)] == [
        "lead.filed"
    ] * 2


def test_only_a_penalty_that_can_have_come_of_the_visit_is_named(on_sqlite, monkeypatch):
    monkeypatch.setattr("tests.factories.TODAY", LATER)
    lead, desk = lead_of(on_sqlite), desk_of(on_sqlite)
    check = record(lead.entity, "spot_check").seq
    other = record(registered(), decided_on=LATER).seq
    early = record(lead.entity, decided_on=date(2026, 11, 20)).seq
    waits = record(lead.entity, decided_on=LATER)
    Uncounted.create(identity=on_identity(waits.seq), entity=lead.entity, why="review", seq=waits.seq)
    for seq, said in ((check, "no penalty"), (other, "no penalty"), (10**9, "no penalty"), (early, "cannot have come"), (waits.seq, "does not count")):  # fmt: skip
        with pytest.raises(LeadRefused, match=said):
            case_leads.file(lead.id, record=seq, desk=desk)
    assert case_leads.get(lead.id).state == "open"


def test_a_lead_is_closed_with_a_reason_and_belongs_to_its_organ(on_sqlite):
    lead, desk = lead_of(on_sqlite), desk_of(on_sqlite)
    with pytest.raises(ReasonMissing):
        case_leads.close(lead.id, said=" ", desk=desk)
    for organ, number in ((PARTNER, lead.id), (ORGAN, lead.id + 9)):
        with pytest.raises(LeadNotFound):
            case_leads.close(number, said="不予立案。", desk=desk_of(on_sqlite, organ=organ))
    with pytest.raises(LeadNotFound):
        case_leads.get(lead.id, divisions=("11",))
    assert case_leads.close(lead.id, said="不予立案。", desk=desk)[1]
    assert not case_leads.close(lead.id, said="不予立案。", desk=desk)[1]
    with pytest.raises(LeadConflict, match="closed"):
        case_leads.file(lead.id, desk=desk)
    assert case_leads.shown(case_leads.get(lead.id), LATER)["overdue"] is False


def on_identity(seq):
    from registry.models import Record

    return Record.get(Record.seq == seq).identity
