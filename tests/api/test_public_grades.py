"""A quality-credit grade on the public page, in the API and in the enterprise's own view; a risk class on none of them."""

import re

import pytest

from api.app import fit
from registry.database import execute
from registry.services import grading, keys
from tests.api.conftest import Caller, grade_all
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.registry.test_public_grades import BASIS, LOCAL, showing


@pytest.fixture
def code(settings):
    code = credit_code()
    registered(code)
    return code


@pytest.fixture
def switched_on(app, settings, code):
    """The application of a district that shows its local quality-credit level, everyone graded under both schemes."""
    fit(app, showing(settings, LOCAL), today=lambda: TODAY, now=lambda: NOW)
    grade_all(app)
    grading.due(grading.scheme_named(showing(settings, LOCAL), LOCAL), day=TODAY)
    return app


@pytest.fixture
def own(app, code):
    secret = keys.create("own", organ="", scopes=["self:read"], divisions=[], entity=code, actor="test", now=NOW)
    return Caller(app, secret)


def test_anyone_sees_title_class_day_and_local_rule_in_two_languages(switched_on, code):
    anyone = Caller(switched_on, None)
    (one,) = anyone.get(f"/api/v1/public/entities/{code}").json["published_grades"]
    assert (one["scheme"], one["class"], one["day"], one["basis"]) == (LOCAL, "BB", "2026-11-21", BASIS)
    assert set(one) == {"scheme", "title", "class", "day", "basis"}
    page = anyone.get(f"/public/{code}").text
    for told in (
        "质量信用等级",
        "Quality-credit grade",
        "<b>BB</b>",
        "2026-11-21",
        BASIS,
        one["title"]["zh"],
        one["title"]["en"],
    ):
        assert told in page
    assert not re.search(r"\b265\b|score|分数", page), "the score is not shown"


def test_the_enterprise_sees_the_same_in_its_own_view(switched_on, own, code):
    anyone = Caller(switched_on, None).get(f"/api/v1/public/entities/{code}").json["published_grades"]
    assert own.get("/api/v1/own").json["published_grades"] == anyone != []
    assert own.get("/api/v1/own", on="2026-01-01").json["published_grades"] == anyone


def test_by_default_nobody_sees_a_grade_although_there_is_one(app, settings, own, code):
    grading.due(grading.scheme_named(showing(settings, LOCAL), LOCAL), day=TODAY)
    assert execute("SELECT count(*) FROM grade_state").fetchone()[0] > 0
    anyone = Caller(app, None)
    assert anyone.get(f"/api/v1/public/entities/{code}").json["published_grades"] == []
    assert own.get("/api/v1/own").json["published_grades"] == []
    assert "质量信用等级" not in anyone.get(f"/public/{code}").text


def test_switched_on_the_answers_follow_the_quality_class_and_nothing_else_of_any_grade(switched_on, own, code):
    anyone, number = Caller(switched_on, None), {"X-Request-ID": "one"}

    def told():
        paths = (f"/api/v1/public/entities/{code}", f"/public/{code}")
        return [anyone.get(path, number).data for path in paths] + [own.get("/api/v1/own", number).data]

    before = told()
    execute("UPDATE grade_state SET class = 'D', rank = 3, score = 999 WHERE scheme = 'general-risk'")
    execute("UPDATE grade SET class = 'D', score = 999")
    execute("UPDATE grade_state SET score = 1, rank = 0 WHERE scheme = ?", (LOCAL,))
    assert told() == before
    assert not [body for body in before if "风险分类 ".encode() in body or b"general-risk" in body]
    execute("UPDATE grade_state SET class = 'AAA' WHERE scheme = ?", (LOCAL,))
    assert all(now != was for now, was in zip(told(), before, strict=True))
