"""Figures of inspections: what is counted, of how many, for whom; rates that do not depend on who was chosen; nothing without ground."""

from contextlib import contextmanager
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine

from registry.clock import day_number
from registry.database import write
from registry.models import (
    CaseLead,
    InspectionList,
    InspectionListRow,
    Task,
    Visit,
    VisitInspector,
    VisitRating,
    VisitResult,
)
from registry.services import (
    frequency,
    inspection_figures,
    inspection_material,
    inspection_page,
    ledger,
    result_publish,
    visit_counts,
)
from registry.services.complaints import BadPeriod
from registry.services.inspection_material import Scope, year_before
from tests.api.conftest import EVERYTHING, WITHOUT_GRADES, calls
from tests.api.test_cli import caller, read
from tests.conftest import NOW, TODAY
from tests.factories import registered
from tests.registry import counting, drawing, visited, visiting

ORGAN, PARTNER = drawing.ORGAN, drawing.PARTNER
PATH = "/api/v1/statistics/inspections"
CLEAR, FOUND, UNREACHABLE, REFUSED, GONE = 1, 2, 4, 5, 7


def figures(settings, *, first=TODAY - timedelta(days=30), last=TODAY, **given) -> dict[str, Any]:
    return inspection_figures.figures(Scope(first, last, given.pop("today", TODAY), **given), settings=settings)


def result(visit: int, outcome: int = CLEAR, *, organ: str = ORGAN, state: str = "published", **given: Any) -> None:
    """A result as its review and publication leave it; with it the visit is closed."""
    problems = 1 if outcome == FOUND else 0
    VisitResult.create(
        **{
            "visit": visit, "organ": organ, "outcome": outcome, "items": [], "problems_found": problems, "disposal": "none", "state": state,
            "entered_by": "key:a", "entered_at": NOW, "publish_by": TODAY + timedelta(days=28), "published_on": TODAY, **given,
        }
    )  # fmt: skip
    Visit.update(state="closed", visited_on=TODAY).where(Visit.id == visit).execute()


def listed(
    under: Task, chosen: list[tuple[str, str]], *, pool: int = 0, division: str = "990101", now: int = NOW
) -> list[int]:
    """A list of (slice, class) rows under a task; `pool`: of how many its random slice was drawn. The visits' ids."""
    with write():
        visits = visiting.listed(under, entities=[registered() for _ in chosen])
        random = sum(name == "random" for name, _ in chosen)
        InspectionList.update(slice_pool=pool, slice_size=random, created_at=now).where(
            InspectionList.id == visits[0].list_id
        ).execute()
        for visit, (name, class_) in zip(visits, chosen, strict=True):
            Visit.update(slice=name).where(Visit.id == visit.id).execute()
            row = (InspectionListRow.list == visit.list_id) & (InspectionListRow.position == visit.position)
            InspectionListRow.update(class_=class_, division=division).where(row).execute()
    return [visit.id for visit in visits]


def by(rows: list[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {row[name]: row for row in rows}


def test_rates_of_a_draw_weigh_each_class_by_all_who_could_be_drawn(settings):
    draw = drawing.drawn(settings)
    visits = list(Visit.select().order_by(Visit.stratum, Visit.id))
    classes = dict(InspectionListRow.select(InspectionListRow.position, InspectionListRow.class_).tuples())
    seen: dict[str, int] = {}
    for visit in visits:
        class_ = classes[visit.position]
        seen[class_] = seen.get(class_, 0) + 1
        # One of the five C, three of the seven D; the last D is not met.
        found = (class_ == "C" and seen[class_] == 1) or (class_ == "D" and seen[class_] <= 3)
        result(visit.id, UNREACHABLE if class_ == "D" and seen[class_] == 7 else FOUND if found else CLEAR)
    assert seen == drawing.DRAWN
    said = figures(settings)
    plain = by(said["classes"], "class")
    assert plain["C"]["found"] == {"part": 1, "of": 5, "share": 0.2, "low": pytest.approx(0.036, abs=0.001), "high": pytest.approx(0.624, abs=0.001)}  # fmt: skip
    assert (plain["D"]["found"]["part"], plain["D"]["found"]["of"], plain["D"]["not_met"]["share"]) == (3, 6, pytest.approx(1 / 7, abs=1e-6))  # fmt: skip
    (pooled,) = said["unbiased"]["pooled"]
    rates = by(pooled["items"], "class")
    assert (rates["D"]["rate"], rates["D"]["represents"], rates["D"]["total_failures"]) == (0.5, 10.0, 5.0)
    assert rates["C"]["rate"] == 0.2
    assert rates["A"]["rate"] == 0.0
    # 20 C of which a fifth fail, 10 D of which half do, of 130; the plain share of the same visits is 4 of 14.
    assert rates["all"]["rate"] == pytest.approx((20 * 0.2 + 10 * 0.5) / 130, abs=1e-6)
    assert rates["all"]["low"] < rates["all"]["rate"] < 4 / 14 < rates["all"]["high"]
    assert rates["D"]["least"] == pytest.approx(3 / 7, abs=1e-6)
    assert rates["D"]["most"] == pytest.approx(4 / 7, abs=1e-6)
    (of_task,) = said["unbiased"]["tasks"]
    assert of_task["task"] == draw.task_id
    assert of_task["items"] == pooled["items"]
    assert said["total"]["visits"]["completion"] == {"part": 15, "of": 15, "share": 1.0}


def test_the_random_slice_stands_for_its_pool_and_the_prioritised_for_themselves(settings):
    """Who is visited for certain counts once, who was drawn for as many as the lot passed over."""
    under = visiting.task(organ=ORGAN)
    first, second, third, *drawn = listed(
        under, [("priority", "D")] * 3 + [("random", "A")] * 4 + [("random", "D")], pool=100
    )
    for number in (first, second):
        result(number, FOUND)
    result(third)
    result(drawn[0], FOUND)
    result(drawn[1])
    result(drawn[2], GONE)
    result(drawn[4])
    # A list without a lot says nothing of those who are not on it.
    (named,) = listed(under, [("designated", "A")])
    result(named, FOUND)
    said = figures(settings)
    (pooled,) = said["unbiased"]["pooled"]
    rates = by(pooled["items"], "class")
    assert (pooled["lots"], pooled["visits"], pooled["pending"]) == (1, 8, 1)
    # Three prioritised; of 100, a fifth for each that was drawn: three of them A and in business, one of these not visited yet.
    assert rates["A"]["represents"] == 60.0
    assert rates["A"]["rate"] == 0.5
    assert rates["D"]["represents"] == 23.0
    # Three of the four D that were met were visited for certain: the one by lot says too little of the other twenty.
    assert [rates["D"][name] for name in ("rate", "low", "high", "total_failures", "total_high", "least", "most")] == [
        None
    ] * 7
    assert "Only 1 of those who were met" in rates["D"]["withheld"]
    assert "Only 3 of those who were met" in rates["all"]["withheld"]
    assert rates["A"]["withheld"] == ""
    assert rates["B"] == {**dict.fromkeys(rates["B"]), "class": "B", "drawn": 0, "answered": 0, "failures": 0, "represents": 0.0, "withheld": ""}  # fmt: skip
    slices = by(said["slices"], "slice")
    assert slices["random"]["found"]["share"] == pytest.approx(1 / 3, abs=1e-6)
    assert slices["random"]["gone"] == 1
    assert slices["priority"]["found"]["part"] == 2
    assert slices["random"]["pending"] == 1


def test_a_visit_is_closed_when_its_order_was_rechecked_and_its_lead_settled(settings):
    under = visiting.task(organ=ORGAN)
    ordered, late, led, refused, open_, left, gone = listed(under, [("priority", "D")] * 7)
    result(ordered, FOUND, disposal="order")
    result(late, published_on=TODAY + timedelta(days=40))
    result(led, FOUND, disposal="lead")
    result(refused, REFUSED, state="approved", publish_by=TODAY - timedelta(days=1), published_on=None)
    Visit.update(state="finished", visited_on=TODAY).where(Visit.id == open_).execute()
    Visit.update(state="dropped", why="停业").where(Visit.id == gone).execute()
    for visit, organ in ((led, ORGAN), (refused, ORGAN)):
        CaseLead.create(visit=visit, organ=organ, entity=1, facts="x", opened_on=TODAY)
    (again,) = listed(under, [("recheck", "D")])
    Visit.update(follows=ordered, recheck_by=TODAY - timedelta(days=1)).where(Visit.id == again).execute()
    said = figures(settings)["total"]
    assert (said["visits"]["to_check"], said["visits"]["published"], said["visits"]["closed"]) == (8, 3, 1)
    assert said["visits"]["dropped"] == 1
    assert said["visits"]["visited"] == 5
    assert said["rechecks"] == {"orders": 1, "ordered": 1, "done": {"part": 0, "of": 1, "share": 0.0}, "overdue": 1, "without_visit": 0}  # fmt: skip
    assert said["publication"] == {"in_time": 2, "late": 1, "open": 1, "overdue": 1, "withdrawn": 0, "punctual": {"part": 2, "of": 4, "share": 0.5}}  # fmt: skip
    result(again)
    CaseLead.update(state="filed").where(CaseLead.visit == led).execute()
    said = figures(settings)["total"]
    assert said["visits"]["closure"] == {"part": 4, "of": 4, "share": 1.0}
    assert said["leads"] == {"part": 1, "of": 2, "share": 0.5}
    assert said["rechecks"]["done"]["share"] == 1.0
    assert left
    assert said["entities"]["to_check"] == 8


def test_what_the_verbs_leave_is_counted_and_a_withdrawn_result_is_none(settings):
    """Entered, reviewed and published as anybody does it, with the order's re-check; then the record is withdrawn."""
    entity = registered(address="示例路1号")
    visit = visited.visit_of(entity, slice="priority")
    row, _ = visited.approved(settings, visit)
    result_publish.publish(visit.id, ORGAN, desk=visited.reviewer(settings))
    said = figures(settings)
    (organ,) = said["organs"]
    assert organ["organ"] == ORGAN
    assert organ["visits"] == said["total"]["visits"]
    assert (organ["visits"]["to_check"], organ["visits"]["published"], organ["visits"]["closed"]) == (2, 1, 0)
    assert (organ["entities"]["to_check"], organ["entities"]["completion"]["share"]) == (1, 1.0)
    assert organ["rechecks"]["done"] == {"part": 0, "of": 1, "share": 0.0}
    found = by(said["slices"], "slice")
    assert (found["priority"]["found"]["share"], found["recheck"]["pending"]) == (1.0, 1)
    assert by(said["effort"], "slice")["priority"]["per_found"] == 2 * visited.FOOD["minutes"]
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        pen.withdraw(row.seq, source=ledger.ORGAN, reason="撤销")
    said = figures(settings)
    assert (said["total"]["visits"]["published"], said["total"]["publication"]["withdrawn"]) == (0, 1)
    assert by(said["slices"], "slice")["priority"]["found"]["share"] is None


def test_effort_is_held_against_the_lot_and_the_year_before(on_sqlite):
    pace = frequency.table(on_sqlite).visit(day_number(TODAY)).minutes
    coded = drawing.item("B03", minutes=120)
    under = visiting.task(organ=ORGAN)
    Task.update(checklist=[coded], items=[coded["name"]]).where(Task.id == under.id).execute()
    many = listed(under, [("priority", "D")] * 2 + [("random", "A")] * 4, pool=50)
    for visit in many:
        for number in visiting.pair():
            VisitInspector.create(visit=visit, inspector=number, organ=ORGAN)
        result(visit, FOUND if visit in (many[0], many[1], many[2]) else CLEAR)
    before = NOW - 365 * 86_400_000
    (old,) = listed(visiting.task(organ=ORGAN, from_on=date(2025, 1, 1)), [("priority", "D")], now=before)
    for number in visiting.pair():
        VisitInspector.create(visit=old, inspector=number, organ=ORGAN)
    result(old, FOUND)
    effort = by(figures(on_sqlite)["effort"], "slice")
    assert (effort["priority"]["minutes"], effort["priority"]["per_found"]) == (2 * 2 * 120, 240.0)
    assert (effort["lot"]["per_found"], effort["priority"]["of_lot"]) == (960.0, 0.25)
    # The year before the task had no coded items, so each visit takes what an ordinary one does.
    assert effort["priority"]["last_year"]["per_found"] == 2 * pace
    assert effort["priority"]["of_last_year"] == pytest.approx(240 / (2 * pace), abs=1e-6)
    assert effort["random"]["of_last_year"] is None
    assert year_before(date(2024, 2, 29)) == date(2023, 2, 28)


def test_ratings_are_told_from_five_on_and_a_rate_without_ground_is_null(on_sqlite):
    under = visiting.task(organ=ORGAN)
    visits = listed(under, [("priority", "C")] * 6)
    empty = figures(on_sqlite, task=under.id)
    assert empty["total"]["visits"]["completion"]["share"] == 0.0
    assert empty["total"]["visits"]["closure"] == {"part": 0, "of": 0, "share": None}
    assert by(empty["classes"], "class")["C"]["found"] == {"part": 0, "of": 0, "share": None, "low": None, "high": None}
    assert empty["unbiased"] == {"pooled": [], "tasks": [], "tasks_in_all": 0}
    assert empty["effort"] == []
    for visit in visits[:4]:
        VisitRating.create(visit=visit, score=5, day=day_number(TODAY))
    assert figures(on_sqlite)["total"]["ratings"] is None
    for visit in visits[4:]:
        VisitRating.create(visit=visit, score=2, day=day_number(TODAY))
    # Six of them: their number is told in fives, so that no two figures tell a single one.
    assert figures(on_sqlite)["total"]["ratings"] == {"at_least": 5, "mean": 4.0}
    for days in (
        {"first": TODAY + timedelta(days=1)},
        {"first": date(1, 1, 1), "last": date(1, 2, 1)},
        {"last": date.max},
    ):
        with pytest.raises(BadPeriod, match="There are no figures from"):
            figures(on_sqlite, **days)


def test_of_a_joint_task_each_organ_has_its_own_part(on_sqlite):
    items = [drawing.item("B03", minutes=90), {**drawing.item("X01", minutes=30), "department": PARTNER}]
    under = visiting.task(organ=ORGAN, partners=[PARTNER])
    Task.update(checklist=items, items=[one["name"] for one in items]).where(Task.id == under.id).execute()
    both, half = listed(under, [("priority", "D")] * 2)
    for visit, organ in ((both, ORGAN), (both, PARTNER), (half, PARTNER)):
        result(visit, organ=organ)
    Visit.update(state="finished").where(Visit.id == half).execute()
    said = figures(on_sqlite)
    organs = by(said["organs"], "organ")
    assert said["total"]["visits"]["completion"] == {"part": 1, "of": 2, "share": 0.5}
    assert organs[PARTNER]["visits"]["completion"]["share"] == 1.0
    assert organs[ORGAN]["visits"]["published"] == 1
    assert [one["organ"] for one in figures(on_sqlite, organ=PARTNER)["organs"]] == [PARTNER]
    assert figures(on_sqlite, organ="信衡市文化和旅游局")["lists"] == 0


def test_who_was_visited_beyond_the_cap_is_named_with_the_organs(on_sqlite):
    entity = registered()
    days = [TODAY - timedelta(days=back) for back in range(12)]
    counting.visited(entity, *days)
    (one,) = figures(on_sqlite)["beyond_cap"]
    assert one["visits"] == 12
    assert one["cap"] < 12
    assert {organ for day in one["days"] for organ in day["organs"]} == {"信衡市市场监督管理局"}
    assert figures(on_sqlite, divisions=("45",))["beyond_cap"] == []
    assert figures(on_sqlite, last=TODAY - timedelta(days=12))["beyond_cap"] == []


def test_more_visits_take_no_more_queries(on_sqlite, count_queries, monkeypatch):
    asked, read = [], []
    for module in (inspection_material, visit_counts):
        reads = module.read_frame
        monkeypatch.setattr(module, "read_frame", lambda *given, reads=reads: read.append(given[0]) or reads(*given))
    for number in (1, 12):
        under = visiting.task(organ=ORGAN)
        for visit in listed(under, [("random", "A")] * number + [("priority", "D")] * number, pool=40):
            result(visit, FOUND)
        with count_queries() as queries:
            figures(on_sqlite)
        asked.append((len(queries), len(read)))
        read.clear()
    assert asked[0] == asked[1]
    assert sum(asked[0]) < 40


def test_a_key_is_told_of_its_organ_and_divisions_and_needs_the_right_to_classes(lone_app, on_sqlite):
    under = visiting.task(organ=ORGAN)
    here, _ = listed(under, [("random", "D"), ("random", "A")], pool=20)
    (there,) = listed(under, [("priority", "D")], division="990299")
    result(here, FOUND)
    result(there, FOUND)
    whole = calls(lone_app, "whole", EVERYTHING).get(PATH).json
    assert (whole["total"]["visits"]["to_check"], whole["slices"][0]["slice"]) == (3, "random")
    part = calls(lone_app, "part", EVERYTHING, ["990299"])
    assert part.get(PATH).json["total"]["visits"]["to_check"] == 1
    # Of the lot nobody lies there: its rate is of nobody.
    assert part.get(PATH).json["unbiased"]["pooled"][0]["items"][-1]["rate"] is None
    assert part.get(PATH, division="9901").json["total"]["visits"]["to_check"] == 0
    other = calls(lone_app, "other", EVERYTHING, organ=PARTNER)
    assert other.get(PATH).json["lists"] == 0
    assert other.get(PATH, task=under.id).status_code == 404
    for scopes in (WITHOUT_GRADES, ["grades:read"]):
        for path in (PATH, f"{PATH}.html"):
            assert calls(lone_app, f"few{len(scopes)}{len(path)}", scopes).get(path).status_code == 403
    turned = part.get(PATH, **{"from": "2026-05-01", "to": "2026-04-30"})
    assert (turned.status_code, turned.json["code"]) == (422, "bad_period")


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.names.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.names.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_holds_its_pictures_and_loads_nothing(lone_app, on_sqlite):
    under = visiting.task(organ=ORGAN)
    for visit in listed(under, [("random", "D"), ("priority", "<b>")], pool=20):
        result(visit, FOUND)
    reply = calls(lone_app, "page", EVERYTHING).get(f"{PATH}.html")
    text = reply.get_data(as_text=True)
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.names.count("svg") == 2
    assert not {"script", "link", "img"} & {*tags.names}
    assert "<b></text>" not in text
    assert "&lt;b&gt;" in text
    assert "100.0%" in text
    assert "all 不予估计 withheld: Only 1 of those who were met" in text
    assert inspection_page.STYLE_HASH in reply.headers["Content-Security-Policy"]


def test_the_command_prints_the_same_figures_and_writes_the_page(on_sqlite, tmp_path):
    under = visiting.task(organ=ORGAN)
    for visit in listed(under, [("random", "D"), ("priority", "D")], pool=20):
        result(visit, FOUND)
    asked = ("figures", "--from", "2026-11-01", "--to", TODAY, "--task", under.id)
    file = tmp_path / "figures.html"
    with time_machine.travel("2026-11-21T09:00:00+08:00", tick=False), contextmanager(caller)(on_sqlite) as call:
        assert read(call(*asked, "--json"))["total"]["visits"]["completion"]["share"] == 1.0
        shown = call(*asked, "--division", "9901").stdout
        assert "100.0% 2/2" in shown
        assert "beyond the annual cap: none" in shown
        assert "D: 不予估计 withheld. Only 1 of those" in call(*asked).stderr
        assert "written" in call(*asked, "--html", file).stdout
        assert "six digits" in call("figures", "--division", "北京", status=2).stderr
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
