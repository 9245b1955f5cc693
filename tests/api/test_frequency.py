"""The frequency table over HTTP and at a terminal, and what a plan under it takes."""

from datetime import date

import pytest

from registry import config
from registry.clock import day_number
from registry.models import Entity, Inspector
from registry.services import frequency, items, visit_due
from tests.api.conftest import ORGAN, calls
from tests.api.test_cli import Call, caller, read
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.counting import graded

CLASSES = "A" * 60 + "B" * 20 + "C" * 10 + "D" * 4
BAYANNUR = config.ROOT / "rules" / "inspection" / "frequency-bayannur.toml"


def district() -> list[int]:
    """60 of A, 20 of B, 10 of C and 4 of D; the last of D was checked last week, the first of C twice this year."""
    made = [registered(credit_code(division="990101"), industry=6513) for _ in CLASSES]
    graded(*zip(made, CLASSES, strict=True))
    for day in (date(2026, 2, 2), date(2026, 5, 5)):
        record(made[80], "spot_check", checked_on=day)
    record(made[-1], "spot_check", checked_on=date(2026, 11, 14))
    return made


def inspector(number: int, **given) -> None:
    fields = {
        "organ": ORGAN, "staff_no": f"N{number}", "name": "某某", "level": "county", "areas": [""], "items": ["*"],
        "certificates": [{"no": "1", "kind": "执法证", "until": "2028-01-01"}], "capacity": 20, "updated_by": "t", "updated_at": NOW,
    }  # fmt: skip
    Inspector.create(**{**fields, **given})


# --- HTTP ----------------------------------------------------------------------------------------------------------


def test_the_table_is_for_who_reads_classes_or_makes_tasks_and_holds_on_the_day_asked_for(lone_app, lone_officer):
    for number, (scopes, status) in enumerate(
        [(["entities:read", "grades:read"], 200), (["entities:read", "tasks:write"], 200), (["entities:read"], 403)]
    ):
        assert calls(lone_app, f"one-{number}", scopes).get("/api/v1/frequency").status_code == status
    body = lone_officer.get("/api/v1/frequency").json
    expected = frequency.table(config.load(environ={})).as_dict(day_number(TODAY))
    assert body == expected
    before = lone_officer.get("/api/v1/frequency", on="2024-06-01").json
    assert before["annual_cap"] is None
    assert next(row for row in before["rows"] if row["id"] == "general_c")["basis"]["kind"] == "product_default"


def test_a_plan_has_candidates_bounds_and_numbers_by_class_and_the_days_that_it_takes(app, officer):
    district()
    found = officer.get("/api/v1/frequency/plan", type="random", inspectors=4, days=20).json
    told = [(one["class"], one["candidates"], one["least"], one["most"], one["number"]) for one in found["strata"]]
    assert told == [("A", 60, 1, 1, 1), ("B", 20, 1, 4, 1), ("C", 9, 2, 5, 2), ("D", 3, 2, 3, 2)]
    assert found["excluded"] == {"annual_cap": 1, "recently_checked": 1}
    assert found["workload"] == {
        "visits": 6, "minutes": 90, "team": 2, "needed": 4, "available": 80, "inspectors": 4, "fits": True,
    }  # fmt: skip
    assert found["frequency"]["hash"] == officer.get("/api/v1/frequency").json["hash"]
    # Under a task that the cap does not hold back, who was visited as often as it allows is a candidate.
    found = officer.get("/api/v1/frequency/plan", type="complaint_or_report", inspectors=4, days=20).json
    assert found["excluded"] == {"recently_checked": 1}


def test_a_plan_beyond_the_inspectors_of_the_organ_is_refused_with_the_numbers(lone_app, lone_officer):
    district()
    for number in range(2):
        inspector(number)
    inspector(2, certificates=[{"no": "1", "kind": "执法证", "until": "2026-11-30"}])
    refused = lone_officer.get("/api/v1/frequency/plan", type="random", until="2026-11-21")
    assert (refused.status_code, refused.json["code"]) == (422, "plan_too_large")
    assert "6 visits of 90 minutes by 2 inspectors each: 4 inspector-days. There are 0" in refused.json["detail"]
    found = lone_officer.get("/api/v1/frequency/plan", type="random").json
    assert (found["workload"]["inspectors"], found["workload"]["fits"]) == (2, True)
    elsewhere = calls(lone_app, "elsewhere", ["grades:read", "tasks:write"], ["9902"])
    assert elsewhere.get("/api/v1/frequency/plan", type="random").json["strata"] == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"inspectors": 4}, "Give inspectors and days together"),
        ({"until": "2026-11-20"}, "is past"),
        ({"until": "2032-01-01"}, "up to the end of 2031"),
        ({"items": "NONE"}, "NONE"),
        ({"items": ",".join("X" * 21)}, "separated by commas"),
        ({"division": "99x"}, "digits"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_words(lone_officer, query, says):
    refused = lone_officer.get("/api/v1/frequency/plan", type="random", **query)
    assert refused.status_code in (404, 422)
    assert says in refused.text


# --- at a terminal -------------------------------------------------------------------------------------------------


@pytest.fixture
def call(on_sqlite):
    yield from caller(on_sqlite)


def test_the_table_is_shown_and_another_one_checked(call: Call, tmp_path):
    page = call("frequency", "show", "--on", "2026-11-21").stdout
    for said in (
        "general_c",
        "21 %–60 %",
        "大庆市林甸县按信用等级的抽查比例和频次",
        "年度检查上限 annual cap: 2",
        "产品默认值",
    ):
        assert said in page
    assert read(call("frequency", "show", "--on", "2026-11-21", "--json"))["id"] == "district"
    assert "bayannur: in order; " in call("frequency", "check", BAYANNUR).stdout
    assert len(read(call("frequency", "check", BAYANNUR, "--json"))["hash"]) == 64
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(BAYANNUR.read_text(encoding="utf-8").replace("highest = 500", "highest = 50000"), encoding="utf-8")
    assert "wrong.toml: row.general_b.values.highest: is 50000" in call("frequency", "check", wrong, status=3).stderr


def test_a_plan_is_shown_even_where_it_is_refused(call: Call):
    district()
    plan = ("frequency", "plan", "random")
    done = call(*plan, "--inspectors", 4, "--days", 20, "--ratio", "B=20", "--class", "B", "--class", "A").stdout
    assert "5 visits 户次 × 90 min × 2 = 4 inspector-days" in done
    refused = call(*plan, "--inspectors", 2, "--days", 1, status=3)
    assert "6 visits 户次" in refused.stdout
    assert "There are 2, of 2 inspectors: enough for about 4 visits" in refused.stderr
    said = call(*plan, "--inspectors", 4, "--days", 20, "--ratio", "A=3").stdout
    assert "不抽取 A: 3 % was asked for, and row general_a lets 0 % to 2 % be drawn" in said
    for number in range(4):
        inspector(number)
    body = read(call(*plan, "--organ", ORGAN, "--nature", "key", "--json"))
    assert (body["nature"], body["workload"]["inspectors"]) == ("key", 4)
    assert body["strata"][0]["highest"] == 10_000
    assert "--inspectors and --days" in call(*plan, status=2).stderr
    assert "is no ratio" in call(*plan, "--inspectors", 4, "--days", 20, "--ratio", "A", status=2).stderr


def test_a_class_too_small_for_its_bound_is_named_and_an_item_says_how_long_a_visit_takes(call: Call):
    made = [registered(credit_code(division="990101"), industry=6513) for _ in range(13)]
    graded(*((entity, "A" if place else "D") for place, entity in enumerate(made)))
    from tests.registry.counting import item

    item("A10", minutes=400, nature="key")
    body = read(call("frequency", "plan", "random", "--item", "A10", "--inspectors", 2, "--days", 20, "--json"))
    assert [(one["class"], one["number"]) for one in body["strata"]] == [("A", 1), ("D", 1)]
    assert (body["nature"], body["workload"]["minutes"], body["workload"]["needed"]) == ("key", 400, 8)
    general = read(call("frequency", "plan", "random", "--inspectors", 2, "--days", 20, "--json"))
    assert general["strata"][0]["conflict"].startswith("Of 12 candidates row general_a lets at most 0 be drawn")
    assert items.named(["A10"], TODAY)[0]["minutes"] == 400


# --- the job -------------------------------------------------------------------------------------------------------


def test_the_job_marks_who_is_due(on_sqlite):
    from jobs.tasks.inspections import mark_due
    from tests.jobs.test_raise_jobs import run

    entity = registered(industry=1431)
    graded((entity, "D"))
    found = run("mark_due", on_sqlite)
    assert found.result | {"due": 1, "overdue": 1, "written": 1, "removed": 0} == found.result
    assert run("mark_due", on_sqlite, 1).result["written"] == 0
    assert visit_due.due(on_sqlite, today=TODAY)["entity"].to_list() == [Entity.get().id]
    assert "Repeatable" in (mark_due.__doc__ or "")
