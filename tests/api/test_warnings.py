"""Early warnings over HTTP: worked step by step, by organ and division; and nothing of them for who may not read grades."""

import re
from datetime import timedelta

import pytest

from registry.database import execute
from registry.models import EarlyWarning, Entity
from registry.services import entities, keys
from tests.api.conftest import DIVISION, ORGAN, WITHOUT_GRADES, calls, grade_all
from tests.api.test_leaks import everything_told
from tests.conftest import TODAY
from tests.factories import record, registered
from tests.registry.warned import model, raise_new, say

SCOPES = ["warnings:read", "warnings:work", "grades:read"]
SAID = "预警办理中的某某话"


@pytest.fixture
def worker(app):
    return calls(app, "worker", SCOPES)


@pytest.fixture
def code(app, company):
    """The credit code of whom the only warning is about."""
    codes = [company() for _ in range(4)]
    grade_all(app)
    ids = [entities.get(one).id for one in codes]
    say(model(), {ids[0]: 912_345} | dict.fromkeys(ids[1:], 1_000))
    assert raise_new(app.extensions["xinheng"].settings).raised == 1
    return codes[0]


def number_of(code):
    return EarlyWarning.get(EarlyWarning.entity == entities.get(code).id).id


def post(worker, code, verb, **body):
    return worker.post(f"/api/v1/warnings/{number_of(code)}/{verb}", body)


def test_a_warning_is_worked_from_its_raising_to_its_end(worker, code, monkeypatch):
    (listed,) = worker.get("/api/v1/warnings", state="open").json["items"]
    assert (listed["code"], listed["chance"], listed["class"], listed["state"], listed["raised_on"], listed["due"]) == (
        code, 912_345, "A", "open", "2026-11-21", "2026-11-25",
    )  # fmt: skip
    reply = post(worker, code, "assign", to="李", said=SAID)
    assert (reply.status_code, reply.json["state"], reply.json["organ"], reply.json["to"]) == (
        201,
        "assigned",
        ORGAN,
        "李",
    )
    assert post(worker, code, "assign", to="李", said=SAID).status_code == 200
    assert post(worker, code, "dispose", disposal=3, said=SAID).json["disposal"] == 3
    monkeypatch.setattr("tests.factories.TODAY", TODAY + timedelta(days=9))
    seq = record(entities.get(code).id, "spot_check", checked_on=TODAY + timedelta(days=3), results=[{"code": "5"}]).seq
    shown = worker.get(f"/api/v1/warnings/{listed['id']}").json
    assert [one["seq"] for one in shown["records"]] == [seq]
    assert worker.get("/api/v1/statistics/warnings").json["to_remind"] == 1
    assert post(worker, code, "feedback", outcome=1, said=SAID, record=seq).json["record"] == seq
    closed = post(worker, code, "close", said=SAID).json
    assert [one["act"] for one in closed["steps"]] == ["raised", "assigned", "disposed", "answered", "closed"]
    assert closed["steps"][1]["by"] == "key:worker"
    figures = worker.get("/api/v1/statistics/warnings", since="2026-10-01").json
    assert (figures["states"]["closed"], figures["quarters"][0]["violation"]) == (1, 1)


def test_a_repeated_request_acts_once_with_a_key_or_without(worker, code):
    path, header = f"/api/v1/warnings/{number_of(code)}/assign", {"Idempotency-Key": "one"}
    first, again = (worker.post(path, {"to": "李"}, header) for _ in range(2))
    bare = worker.post(path, {"to": "李"})
    assert (first.status_code, again.status_code, bare.status_code) == (201, 201, 200)
    assert again.headers["Idempotent-Replay"] == "true"
    assert first.json == again.json == bare.json


@pytest.mark.parametrize(
    ("verb", "body", "status", "said"),
    [
        ("assign", {}, 422, "invalid_request"),
        ("assign", {"to": " "}, 422, "invalid_request"),
        ("assign", {"to": "李", "organn": "x"}, 422, "invalid_request"),
        ("dispose", {"disposal": 9, "said": "x"}, 422, "invalid_request"),
        ("dispose", {"disposal": 1, "said": "x"}, 409, "warning_conflict"),
        ("feedback", {"outcome": 1, "said": "x", "record": 0}, 422, "invalid_request"),
        ("feedback", {"outcome": 2, "said": "x"}, 409, "warning_conflict"),
        ("close", {}, 409, "warning_conflict"),
    ],
)
def test_what_does_not_follow_is_a_problem_with_a_code(worker, code, verb, body, status, said):
    reply = post(worker, code, verb, **body)
    assert (reply.status_code, reply.json["code"], reply.mimetype) == (status, said, "application/problem+json")


def test_another_organ_assigns_anew_before_it_works(app, worker, code):
    other = calls(app, "other", SCOPES, organ="信衡市西区市场监督管理局")
    post(worker, code, "assign", to="李")
    reply = post(other, code, "dispose", disposal=1, said="已提醒。")
    assert (reply.status_code, reply.json["code"]) == (403, "warning_elsewhere")
    post(other, code, "assign", to="赵")
    assert post(other, code, "dispose", disposal=2, said="已安排。", task=99).json["code"] == "task_not_found"
    assert post(other, code, "dispose", disposal=1, said="已提醒。").status_code == 201
    assert post(other, code, "feedback", outcome=1, said="有问题。").json["code"] == "warning_refused"


def test_each_path_needs_its_scope_and_the_right_to_read_grades(app, code):
    number = number_of(code)
    reads = [("get", "/warnings"), ("get", f"/warnings/{number}"), ("get", "/statistics/warnings")]
    works = [("post", f"/warnings/{number}/{verb}") for verb in ("assign", "dispose", "feedback", "close")]
    blind = calls(app, "blind", WITHOUT_GRADES)
    reader = calls(app, "reader", ["warnings:read", "grades:read"])
    neither = calls(app, "neither", ["grades:read"])
    for method, path in reads + works:
        assert getattr(blind, method)(f"/api/v1{path}").json["scope"] == "grades:read"
        wanted = "warnings:read" if method == "get" else "warnings:work"
        assert getattr(neither, method)(f"/api/v1{path}").json["scope"] == wanted
    for method, path in works:
        assert getattr(reader, method)(f"/api/v1{path}").json["scope"] == "warnings:work"


def test_another_division_is_as_absent_as_what_does_not_exist(app, worker, code):
    number = number_of(code)
    stranger = calls(app, "stranger", list(keys.SCOPES), divisions=["88"])
    theirs, nobodys = (stranger.get(f"/api/v1/warnings/{one}").json for one in (number, 999_999))
    assert (theirs["code"], nobodys["code"]) == ("warning_not_found", "warning_not_found")
    assert theirs["detail"].replace(f" {number}.", " 999999.", 1) == nobodys["detail"]
    assert stranger.post(f"/api/v1/warnings/{number}/assign", {"to": "李"}).json["code"] == "warning_not_found"
    assert stranger.get("/api/v1/warnings").json["items"] == []
    assert stranger.get("/api/v1/statistics/warnings").json["states"]["open"] == 0
    assert EarlyWarning.get().state == "open"


def test_the_list_is_paged_and_filtered_and_costs_the_same_whatever_its_length(
    app, worker, code, company, count_queries
):
    others = [company(division=f"99020{number}") for number in range(3)]
    grade_all(app)
    champion = EarlyWarning.get().model
    say(champion, dict.fromkeys([entities.get(one).id for one in others], 950_000))
    say(champion, dict.fromkeys([registered() for _ in range(9)], 1))
    assert raise_new(app.extensions["xinheng"].settings).raised == 3
    numbers = [row.id for row in EarlyWarning.select().order_by(EarlyWarning.id.desc())]

    def listed(**query):
        with count_queries() as queries:
            found = worker.get("/api/v1/warnings", **query).json
        return [one["id"] for one in found["items"]], found["next"], len(queries)

    first, token, one = listed(limit=1)
    rest, end, two = listed(limit=50, after=token)
    assert (first + rest, end, one) == (numbers, None, two)
    assert listed(division="9902")[0] == numbers[:3]
    assert listed(division=DIVISION)[0] == numbers[3:]
    assert listed(state="closed")[0] == []
    assert (listed(overdue="yes")[0], listed(overdue="no")[0]) == ([], numbers)
    EarlyWarning.update(assign_by=0).where(EarlyWarning.id == numbers[1]).execute()
    assert listed(overdue="yes")[0] == [numbers[1]]
    assert worker.get("/api/v1/warnings", overdue="maybe").status_code == 422


def test_whoever_may_not_read_grades_and_anyone_reads_nothing_of_a_warning(app, worker, code):
    post(worker, code, "assign", to="承办的某人", said=SAID)
    post(worker, code, "dispose", disposal=3, said=SAID)
    told = everything_told(app, code, Entity.get(Entity.code == code).registered_seq)
    before = told()
    assert sum(status == 200 for status, *_ in before.values()) > 20
    marks = re.compile(f"{SAID}|承办的某人|912345|early_warning|风险预警")
    assert len(set(marks.findall(worker.get(f"/api/v1/warnings/{number_of(code)}").text))) == 3, (
        "else it proves nothing"
    )
    assert [where for where, (_, text, _) in before.items() if marks.search(text)] == []
    # The same to the last byte without the warning: nobody can tell that there is one.
    execute("DELETE FROM warning_step")
    execute("DELETE FROM early_warning")
    execute("DELETE FROM model_score")
    assert told() == before
