"""Grades: the current one, its history, its reasons, and how many stand in each class."""

from typing import Any

from flask import Response

from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.schemas.common import PageQuery
from api.schemas.grade import ClassCounts, ExplanationOut, ExplanationQuery, GradeOut, GradePage, GradeQuery
from api.v1.shown import conditional, known_seq
from registry import clock
from registry.errors import BadCursor, EntityNotFound, NotGraded, SchemeNotInForce
from registry.services import book, explanation, model_view, standing, ways

# Made once: making a schema takes longer than looking a grade up.
ONE, PAGE = GradeOut(), GradePage()

bp = Blueprint("grades", __name__, url_prefix="/api/v1", description="风险分类 Grades")


@bp.get("/entities/<code>/grade")
@allowed("grades:read")
@takes(GradeQuery(), "query")
@gives(GradeOut(), errors=[EntityNotFound, NotGraded])
def read_grade(query: dict[str, Any], code: str) -> Response:
    """风险分类 The grade that stands now; with `reasons=true` also why, in a few lines. Carries an ETag.

    While the grade waits to be renewed the reasons are those of the content of the scheme that gave it.
    """
    entity, name = visible_entity(code), here().settings.grading.scheme
    state = explanation.current(entity, name)
    row: dict[str, Any] = {
        "code": entity.code or entity.registration_no,
        "name": entity.name,
        "scheme": name,
        "class_": state.class_,
        "score": state.score,
        "on": clock.day_of(state.day).isoformat(),
        "known_seq": state.known,
        "due_on": None if state.next_day is None else clock.day_of(state.next_day).isoformat(),
        "digest": bytes(state.digest).hex(),
    }
    if query["reasons"]:
        found = explanation.behind(entity, here().scheme, state)
        row["reasons"] = found and explanation.reasons(found)
    return conditional(ONE.dump(row))


@bp.get("/entities/<code>/grades")
@allowed("grades:read")
@takes(PageQuery(), "query")
@gives(GradePage(), errors=[EntityNotFound, BadCursor])
def list_grades(query: dict[str, Any], code: str) -> Response:
    """分类历史 Every grade that the entity has had, newest first. Carries an ETag."""
    found = explanation.history_page(visible_entity(code), here().settings.grading.scheme, **query)
    return conditional(PAGE.dump({"items": found.items, "next": found.next}))


@bp.get("/entities/<code>/explanation")
@allowed("grades:read")
@takes(ExplanationQuery(), "query")
@gives(ExplanationOut(), errors=[EntityNotFound, NotGraded, SchemeNotInForce])
def explain_grade(query: dict[str, Any], code: str) -> dict[str, Any]:
    """分类理由 Why the entity has its grade: indicators, points, records, what was unknown, how far the next class is.

    `on` asks for another day, `known_at` for what was known at a moment. Points add up to the score exactly. What was
    withdrawn since is not shown, whichever moment is asked for. `ways=true` adds what the enterprise can do about its class
    from today on, what waiting alone does, and what would make it worse.
    """
    known = known_seq(query["known_at"])
    entity = visible_entity(code, known=known)
    at = here()
    if known == 0:
        raise explanation.nothing_known(at.settings.jobs.timezone)
    scheme = book.in_force(at.settings, on=query["on"] or at.today(), known=known)
    found = explanation.of(entity, scheme, on=query["on"], known=known, today=at.today())
    body = found.to_dict()
    body["model"] = model_view.of(
        found.entity, found.explanation, worst=found.scheme.classes[-1], settings=at.settings,
        asked_past=bool(query["on"] or query["known_at"]),
    )  # fmt: skip
    if query["ways"]:
        body["ways"] = ways.of(found.entity, at.scheme, found, today=at.today())
    return body


@bp.get("/statistics/classes")
@allowed("grades:read")
@gives(ClassCounts())
def count_classes() -> dict[str, Any]:
    """分类统计 How many entities stand in each class, by kind, in the key's divisions. Counts subjects 户数."""
    scheme = here().scheme
    counts = standing.classes(scheme, caller().divisions)
    items = [
        {"subject": subject, "class": name, "entities": number}
        for subject, by_class in counts.items()
        for name, number in by_class.items()
    ]
    return {"scheme": scheme.id, "items": items}
