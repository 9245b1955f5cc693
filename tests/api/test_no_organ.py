"""A key without an organ: it must not pass for a terminal, which works for every organ."""

import pytest

from registry.models import InspectionList, Visit
from registry.services import draws
from tests.api.conftest import EVERYTHING, ORGAN, calls
from tests.registry.drawing import drawn, task_of

KEY = {"Idempotency-Key": "k"}
LISTS = ("tasks", "lists", "visits", "draws", "results", "case-leads", "inspectors")


@pytest.fixture
def district(on_sqlite):
    """A draw with its list and visits; their numbers."""
    made = draws.get(drawn(on_sqlite).id)
    return {"draw": made.id, "task": made.task_id, "list": InspectionList.get().id, "visit": Visit.get().id}


def test_it_sees_nothing_of_any_organ(lone_app, district):
    nobody, somebody = (calls(lone_app, name, EVERYTHING, organ=organ) for name, organ in (("no", ""), ("yes", ORGAN)))
    for name in LISTS:
        assert nobody.get(f"/api/v1/{name}").json["items"] == [], name
    ones = {
        f"tasks/{district['task']}": "task_not_found",
        f"lists/{district['list']}": "list_not_found",
        f"lists/{district['list']}.csv": "list_not_found",
        f"lists/{district['list']}.html": "list_not_found",
        f"lists/{district['list']}/changes": "list_not_found",
        f"lists/{district['list']}/schedule": "list_not_found",
        f"visits/{district['visit']}": "visit_not_found",
        f"visits/{district['visit']}/results": "visit_not_found",
        f"draws/{district['draw']}": "draw_not_found",
        f"draws/{district['draw']}/minutes.json": "draw_not_found",
        "inspectors/1": "inspector_not_found",
    }
    for path, code in ones.items():
        assert nobody.get(f"/api/v1/{path}").json["code"] == code, path
        assert somebody.get(f"/api/v1/{path}").status_code == 200, path
    code = somebody.get(f"/api/v1/visits/{district['visit']}").json["code"]
    assert nobody.get(f"/api/v1/entities/{code}/inspections").json["visits"] == []


def test_it_does_nothing_for_any_organ(lone_app, district):
    nobody = calls(lone_app, "no", EVERYTHING, organ="")
    draft = task_of(state="draft", decided_by="").id
    posts = [
        (f"tasks/{draft}/approve", {}, "task_not_found"),
        (f"tasks/{district['task']}/close", {}, "task_not_found"),
        ("draws", {"task": district["task"]}, "task_not_found"),
        (f"draws/{district['draw']}/void", {"reason": "x"}, "draw_not_found"),
        (
            f"draws/{district['draw']}/recusals",
            {"visit": district["visit"], "inspector": 1, "why": "x"},
            "draw_not_found",
        ),
        ("lists", {"task": district["task"], "size": 1}, "task_not_found"),
        (f"visits/{district['visit']}/non-response", {"why": "x"}, "visit_not_found"),
        (f"visits/{district['visit']}/start", {"why": "x"}, "visit_not_found"),
        (f"visits/{district['visit']}/results", {"all_clear": True}, "visit_not_found"),
    ]
    for path, body, code in posts:
        assert nobody.post(f"/api/v1/{path}", body, {"Idempotency-Key": path}).json["code"] == code, path
    task = {
        "type": "random",
        "title": "t",
        "basis": "b",
        "items": ["i"],
        "from_on": "2026-11-21",
        "to_on": "2026-12-31",
    }
    assert nobody.post("/api/v1/tasks", task, KEY).json["code"] == "task_refused"
