"""Notices, on-site records, and what an enterprise does with its code."""

import pytest

from registry.config import Settings
from registry.models import Audit, Document, Visit, VisitRating, VisitResult
from registry.services import documents, inspection_papers, printing, seal, verify, visit_ratings, visits
from registry.services.visit_ratings import CodeUnknown, RatingConflict
from registry.services.visits import VisitConflict
from tests.conftest import NOW, TODAY
from tests.registry.test_tasks import item
from tests.registry.visiting import DAY, ORGAN, PARTNER, desk, inspector, listed, pair, task

HERE = desk()
THERE = desk(today=DAY, now=NOW + 10 * 86_400_000)


def ready(settings: Settings, **given: object) -> tuple[Visit, list[int]]:
    (visit,) = listed(task(**given))
    # A certificate whose number could be a telephone: it is printed all the same.
    certified = [{"no": "15010012345", "kind": "执法证", "until": "2028-12-31"}]
    team = [inspector(certificates=certified).id, inspector().id]
    return visits.assign(visit.id, inspectors=team, planned_on=DAY, settings=settings, desk=HERE)[0], team


def test_a_notice_tells_who_comes_the_right_to_recusal_and_the_code(settings: Settings) -> None:
    visit, team = ready(settings)
    made, new = inspection_papers.notice(visit.id, settings=settings, desk=HERE)
    assert (made.printed_no, made.entity, new) == ("信市监检通〔2026〕1号", visit.entity, True)
    for words in ("2026年12月1日", "1. 公示信息检查", "执法证号15010012345", "有权申请回避", "应当出示执法证件"):
        assert words in made.text
    code = inspection_papers.grouped(visit.token)
    assert code in made.text
    assert code.replace("-", "") == visit.token
    assert documents.unchanged(made)
    assert inspection_papers.notice(visit.id, settings=settings, desk=HERE) == (made, False)
    visits.reassign(visit.id, inspectors=[team[0], *pair()], why="请假", desk=HERE)
    again, anew = inspection_papers.notice(visit.id, settings=settings, desk=HERE)
    assert (again.printed_no, anew) == ("信市监检通〔2026〕2号", True)
    assert code in printing.as_html(again)
    seal.make_log(settings, now=NOW)
    seal.seal(settings, now=lambda: NOW)
    assert verify.verify(settings).findings == []


def test_no_notice_of_a_visit_to_which_nobody_is_assigned_and_no_record_before_the_entry(on_sqlite: Settings) -> None:
    (visit,) = listed(task())
    with pytest.raises(VisitConflict, match="no inspector is assigned"):
        inspection_papers.notice(visit.id, settings=on_sqlite, desk=HERE)
    assigned, _ = ready(on_sqlite)
    with pytest.raises(VisitConflict, match="A record is made of a visit that was begun"):
        inspection_papers.record(assigned.id, settings=on_sqlite, desk=HERE)


def test_an_on_site_record_lists_questions_first_and_answers_once_there_are_results(on_sqlite: Settings) -> None:
    item()
    item("B01", name="食品生产检查", department=PARTNER)
    visit, team = ready(on_sqlite, item_codes=["A01", "B01"], partners=[PARTNER])
    visits.assign(visit.id, inspectors=pair(PARTNER), settings=on_sqlite, desk=desk(organ=PARTNER))
    visits.start(visit.id, token=visit.token, settings=on_sqlite, desk=THERE)
    blank, _ = inspection_papers.record(visit.id, settings=on_sqlite, desk=THERE)
    assert blank.printed_no == "信市监查录〔2026〕1号"
    assert "1.1 住所与登记是否一致\n□符合　□发现问题　□不适用" in blank.text
    assert "食品生产检查" not in blank.text, "that is the partner's part"
    assert "2. 公示信息检查" in blank.text
    theirs, _ = inspection_papers.record(
        visit.id, settings=on_sqlite, desk=desk(organ=PARTNER, today=DAY, now=THERE.now)
    )
    assert theirs.printed_no.startswith("信衡澜市监查录")
    assert "食品生产检查" in theirs.text
    answers = [{"question": "1", "answer": "problem", "said": "实际住所为示例路9号"}]
    VisitResult.insert(
        visit=visit.id, organ=ORGAN, outcome=2, items=[{"item": "A01", "answers": answers, "said": "当场告知"}], disposal="order",
        correct_by=DAY, said="已责令改正。", state="entered", entered_by="key:clerk", entered_at=NOW,
    ).execute()  # fmt: skip
    filled, new = inspection_papers.record(visit.id, settings=on_sqlite, desk=THERE)
    assert new is True
    for words in (
        "发现问题：实际住所为示例路9号",
        "说明：当场告知",
        "发现问题已责令改正；处理：责令改正，限2026年12月1日前改正。已责令改正。",
    ):
        assert words in filled.text
    assert inspection_papers.record(visit.id, settings=on_sqlite, desk=THERE) == (filled, False)
    assert inspection_papers.last("on_site_record", f"visit:{visit.id}", organ=ORGAN).id == filled.id
    assert Document.select().count() == 3
    assert len(team) == 2


def test_the_enterprise_sees_who_may_enter_and_nothing_of_why(on_sqlite: Settings) -> None:
    (waiting,) = listed(task(), slice_="draw")
    door = visit_ratings.who_may_enter(waiting.token, today=TODAY)
    assert (door["state"], door["inspectors"], door["may_be_rated"]) == ("open", [], False)
    assert "任何人不得" in door["says"]
    visit, _ = ready(on_sqlite)
    door = visit_ratings.who_may_enter(inspection_papers.grouped(visit.token).lower(), today=TODAY)
    assert next(one["certificate"] for one in door["inspectors"]) == "15010012345"
    assert (door["planned_on"], door["items"]) == (DAY, ["公示信息检查"])
    assert not {"class", "slice", "stratum", "score", "position"} & set(door)
    visits.drop(visit.id, why="由他机关办理", desk=HERE)
    assert visit_ratings.who_may_enter(visit.token, today=TODAY)["inspectors"] == []
    with pytest.raises(CodeUnknown, match="do not let anyone in"):
        visit_ratings.who_may_enter("x" * 24, today=TODAY)


def test_a_visit_is_rated_once_after_it_was_begun_and_only_the_day_is_kept(on_sqlite: Settings) -> None:
    visit, _ = ready(on_sqlite)
    with pytest.raises(RatingConflict, match="only a visit that was begun"):
        visit_ratings.rate(visit.token, score=5, today=TODAY)
    visits.start(visit.id, token=visit.token, settings=on_sqlite, desk=THERE)
    entries = Audit.select().count()
    assert visit_ratings.rate(visit.token, score=4, said="用时短，电话13900001111", today=DAY) is True
    assert visit_ratings.rate(visit.token, score=4, said="用时短，电话13900001111", today=DAY) is False
    with pytest.raises(RatingConflict, match="rated already"):
        visit_ratings.rate(visit.token, score=1, today=DAY)
    (kept,) = VisitRating.select().dicts()
    assert kept == {"visit": visit.id, "score": 4, "said": "用时短，电话(电话)", "day": 20788}
    assert Audit.select().count() == entries, "an audit entry would hold the moment"
    assert visit_ratings.who_may_enter(visit.token, today=DAY)["may_be_rated"] is False
