"""Tasks: made by one person, approved by another, closed when all is done."""

from datetime import date

import pytest

from registry.config import Settings
from registry.errors import TaskNotFound
from registry.models import Document, Draw, InspectionItem, Visit
from registry.services import documents, draws, inspection_papers, list_slice, printing, tasks
from registry.services.life import SameHands
from registry.services.tasks import TaskConflict, TaskElsewhere, TaskNotApproved, TaskRefused
from tests.conftest import NOW, TODAY
from tests.registry.visiting import ORGAN, PARTNER, desk, listed, task

BOSS = desk("key:approver")
OTHER = "别处市场监督管理局"


def item(code: str = "A01", **given: object) -> InspectionItem:
    fields = {
        "name": "登记事项检查", "basis": "示例依据", "subjects": ["enterprise"], "method": "on_site", "nature": "general",
        "department": ORGAN, "labels": [], "minutes": 40, "harm": [{"from": "2020-01-01", "weight": 100, "basis": "产品默认值"}],
        "questions": [{"code": "1", "text": "住所与登记是否一致", "severity": 2, "basis": ""}], "from_on": date(2020, 1, 1),
        "updated_by": "test", "updated_at": NOW, **given,
    }  # fmt: skip
    return InspectionItem.create(code=code, **fields)


def test_a_task_is_a_draft_until_another_person_approves_it(on_sqlite: Settings) -> None:
    made = task(approve=False)
    with pytest.raises(TaskNotApproved, match="Another person approves it"):
        tasks.approved(made)
    with pytest.raises(SameHands, match="key:planner"):
        tasks.approve(made.id, desk=desk("key:planner"))
    row, new = tasks.approve(made.id, said="同意", desk=BOSS)
    assert (row.state, row.decided_by, row.opinion, new) == ("approved", "key:approver", "同意", True)
    assert tasks.approve(made.id, desk=BOSS)[1] is False
    tasks.approved(row)
    with pytest.raises(TaskConflict, match=r"approved .*by key:approver"):
        tasks.approve(made.id, desk=desk("key:third"))
    with pytest.raises(TaskConflict):
        tasks.refuse(made.id, said="不同意", desk=BOSS)


def test_a_refused_task_says_why_and_nothing_follows_it(on_sqlite: Settings) -> None:
    made = task(approve=False)
    with pytest.raises(TaskRefused, match="why the task is refused"):
        tasks.refuse(made.id, said=" ", desk=BOSS)
    assert tasks.refuse(made.id, said="依据不足", desk=BOSS)[0].opinion == "依据不足"
    assert tasks.refuse(made.id, said="依据不足", desk=BOSS)[1] is False
    with pytest.raises(TaskConflict, match="No list"):
        tasks.growing(tasks.get(made.id, organ=ORGAN))
    with pytest.raises(TaskConflict):
        tasks.cancel(made.id, said="重复", desk=BOSS)


def test_who_was_on_a_list_of_a_refused_task_waits_for_no_visit_any_more(settings: Settings) -> None:
    made = task(approve=False)
    rows = listed(made, 2)
    tasks.refuse(made.id, said="依据不足", desk=BOSS)
    assert tasks.visits_by_state(made.id) == {"dropped": 2}
    assert list_slice.waiting().tolist() == []
    assert Visit.get_by_id(rows[0].id).why == "依据不足"


def test_a_task_without_an_organ_is_refused() -> None:
    with pytest.raises(TaskRefused, match="acts for none"):
        task(organ=" ")


def test_a_task_that_would_last_for_ever_is_refused(on_sqlite: Settings) -> None:
    asked = {
        "type": "random",
        "title": "t",
        "basis": "b",
        "organ": ORGAN,
        "items": ["登记事项"],
        "actor": "key:planner",
        "now": NOW,
    }
    with pytest.raises(TaskRefused, match="longer than five years"):
        tasks.create(**asked, from_on=TODAY, to_on=date(9999, 12, 31))
    assert tasks.create(**asked, from_on=date(2026, 1, 1), to_on=date(2031, 1, 1)).state == "draft"


def test_what_is_over_cannot_be_approved(on_sqlite: Settings) -> None:
    made = task(approve=False)
    with pytest.raises(TaskConflict, match="ended on 2026-12-31"):
        tasks.approve(made.id, desk=desk("key:approver", today=date(2027, 1, 1)))


def test_coded_items_are_frozen_into_the_task_with_their_questions(on_sqlite: Settings) -> None:
    kept = item()
    made = task(items=["公示信息检查"], item_codes=["A01", "A01"])
    assert made.items == ["公示信息检查", "登记事项检查"]
    kept.questions = []
    kept.save()
    again = tasks.get(made.id, organ=ORGAN)
    assert [one["code"] for one in again.checklist] == ["A01"]
    assert again.checklist[0]["questions"][0]["text"] == "住所与登记是否一致"


def test_a_task_checks_something_and_is_not_its_own_partner(on_sqlite: Settings) -> None:
    with pytest.raises(TaskRefused, match="Nothing is to be checked"):
        task(items=[])
    with pytest.raises(TaskRefused, match="own partner"):
        task(partners=[ORGAN])
    with pytest.raises(TaskRefused, match="too many"):
        task(partners=[f"机关{number}" for number in range(21)])


def test_a_partner_sees_a_joint_task_and_decides_nothing_about_it(settings: Settings) -> None:
    joint, alone = task(partners=[PARTNER], approve=False), task()
    assert [one.id for one in tasks.page(organ=PARTNER, after=None, limit=9).items] == [joint.id]
    assert [one.id for one in tasks.page(organ=ORGAN, after=None, limit=1).items] == [alone.id]
    following = tasks.page(organ=ORGAN, after=tasks.page(organ=ORGAN, after=None, limit=1).next, limit=1)
    assert [one.id for one in following.items] == [joint.id]
    assert [one.id for one in tasks.page(organ="", state="draft", after=None, limit=9).items] == [joint.id]
    assert tasks.seen(joint.id, organ=PARTNER).id == joint.id
    with pytest.raises(TaskElsewhere):
        tasks.approve(joint.id, desk=desk("key:approver", PARTNER))
    for organ in (PARTNER, OTHER):
        with pytest.raises(TaskNotFound):
            tasks.seen(alone.id, organ=organ)
    with pytest.raises(TaskNotFound):
        tasks.get(joint.id, organ=PARTNER)


def test_a_task_closes_when_its_visits_are_done_and_says_how_many_are_not(settings: Settings) -> None:
    made = task()
    first, second = listed(made, 2)
    Visit.update(state="closed").where(Visit.id == first.id).execute()
    with pytest.raises(TaskConflict, match=r"1 visit.*not done: 1 open"):
        tasks.close(made.id, desk=BOSS)
    Visit.update(state="non_response").where(Visit.id == second.id).execute()
    assert tasks.visits_by_state(made.id) == {"closed": 1, "non_response": 1}
    row, new = tasks.close(made.id, said="办结", desk=BOSS)
    assert (row.state, row.ended_by, row.ended_why, new) == ("closed", "key:approver", "办结", True)
    assert tasks.close(made.id, desk=BOSS)[1] is False
    with pytest.raises(TaskNotApproved, match="Make another task"):
        tasks.approved(row)
    with pytest.raises(TaskConflict, match="Only an approved task can be closed"):
        tasks.close(task(approve=False).id, desk=BOSS)


def drawn(under: int, state: str) -> Draw:
    return Draw.create(
        task=under, state=state, scheme="general-risk", frequency="f", algorithm="sha256", filters={}, day=0, known=0, pool=1,
        excluded=0, size=1, plan={}, candidates=b"", root="r", commitment="c", seed="s", salt="s", committed_by="key:a",
        committed_at=NOW, committed_seq=1,
    )  # fmt: skip


def test_closing_a_task_reveals_its_draw_and_an_unfinished_draw_holds_it(
    on_sqlite: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, ready = task(), task()
    draw = drawn(waiting.id, "committed")
    with pytest.raises(TaskConflict, match=rf"Draw {draw.id}.*not run"):
        tasks.close(waiting.id, desk=BOSS)
    revealed = []
    monkeypatch.setattr(draws, "reveal", lambda one, *, desk: revealed.append((one.id, desk.actor)))
    wanted = drawn(ready.id, "drawn").id
    with pytest.raises(TaskConflict, match="close the task"):
        tasks.cancel(ready.id, said="重来", desk=BOSS)
    tasks.close(ready.id, desk=BOSS)
    assert revealed == [(wanted, "key:approver")]


def test_a_task_of_which_nothing_was_begun_is_cancelled_with_its_visits(on_sqlite: Settings) -> None:
    made = task()
    (visit,) = listed(made)
    row, new = tasks.cancel(made.id, said="与专项行动重复", desk=BOSS)
    assert (row.state, row.ended_why, new) == ("cancelled", "与专项行动重复", True)
    assert tasks.cancel(made.id, said="再次", desk=BOSS)[1] is False
    assert (Visit.get_by_id(visit.id).state, Visit.get_by_id(visit.id).why) == ("dropped", "与专项行动重复")
    begun = task()
    Visit.update(state="started").where(Visit.id == listed(begun)[0].id).execute()
    with pytest.raises(TaskConflict, match=r"1 visit.*were begun"):
        tasks.cancel(begun.id, said="停", desk=BOSS)


def test_the_approval_form_is_a_numbered_document_about_nobody(on_sqlite: Settings) -> None:
    made = task(approve=False, partners=[PARTNER])
    with pytest.raises(TaskNotApproved):
        inspection_papers.approval_form(made.id, settings=on_sqlite, desk=desk())
    tasks.approve(made.id, said="同意，注意安全", desk=BOSS)
    form, new = inspection_papers.approval_form(made.id, settings=on_sqlite, desk=desk())
    assert (form.printed_no, form.entity, form.about, new) == ("信市监查审〔2026〕1号", None, f"task:{made.id}", True)
    for words in ("检查审批表", "示例任务", f"{ORGAN}、{PARTNER}", "1. 公示信息检查", "同意，注意安全", "key:approver"):
        assert words in form.text
    again, anew = inspection_papers.approval_form(made.id, settings=on_sqlite, desk=desk())
    assert (again.id, anew) == (form.id, False)
    assert documents.unchanged(form)
    assert "检查审批表" in printing.as_html(form)
    assert inspection_papers.last("inspection_approval", f"task:{made.id}", organ=ORGAN).id == form.id
    assert Document.select().count() == 1
    with pytest.raises(TaskElsewhere):
        inspection_papers.approval_form(made.id, settings=on_sqlite, desk=desk(organ=PARTNER))
    with pytest.raises(documents.DocumentNotFound, match="Issue it first"):
        inspection_papers.last("inspection_approval", "task:99", organ=ORGAN)
    assert form.issued_on == TODAY
