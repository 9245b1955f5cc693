"""The frequency table 抽查比例和频次, and what a plan under it takes."""

from datetime import date
from typing import Any

from api.auth import allowed, caller, own_organ
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import InvalidRequest, MissingScope
from api.schemas.frequency import FrequencyOut, OnQuery, PlanOut, PlanQuery, both_or_none
from registry import clock
from registry.services import frequency, frequency_plan
from registry.services.draw_candidates import Filters
from registry.services.frequency import BadFrequencyTable, PlanTooLarge
from registry.services.frequency_plan import NoFrequency
from registry.services.items import UnknownItem

bp = Blueprint(
    "frequency", __name__, url_prefix="/api/v1", description="抽查比例和频次 How often each class is visited"
)
# How far ahead inspector-days are counted day by day.
YEARS = 5


@bp.get("/frequency")
@allowed("entities:read")
@takes(OnQuery(), "query")
@gives(FrequencyOut(), errors=[MissingScope, BadFrequencyTable])
def read_frequency(query: dict[str, Any]) -> dict[str, Any]:
    """抽查比例和频次 The frequency table as it holds on a day, with the basis of every value. Needs grades:read or tasks:write too."""
    if not (caller().may("grades:read") or caller().may("tasks:write")):
        raise MissingScope("grades:read", "The frequency table")
    at = here()
    return frequency.table(at.settings).as_dict(clock.day_number(query["on"] or at.today()))


@bp.get("/frequency/plan")
@allowed("grades:read", "tasks:write")
@takes(PlanQuery(), "query")
@gives(PlanOut(), errors=[PlanTooLarge, NoFrequency, UnknownItem, BadFrequencyTable])
def read_plan(query: dict[str, Any]) -> dict[str, Any]:
    """抽查方案测算 What a draw today would take: by class the candidates, bounds and numbers; inspector-days against those there are.

    Writes nothing. Refused with the numbers (422 plan_too_large) where it takes more inspector-days than there are.
    """
    if not both_or_none(query):
        raise InvalidRequest({"days": ["Give inspectors and days together, or neither."]})
    at, who = here(), caller()
    today = at.today()
    codes = [code.strip() for code in query["items"].split(",") if code.strip()]
    last = query["until"] or date(today.year, 12, 31)
    if last < today:
        raise InvalidRequest({"until": [f"{last} is past. Give today or a later day."]})
    if last.year > today.year + YEARS:
        raise InvalidRequest({"until": [f"{last} is too far. Give a day up to the end of {today.year + YEARS}."]})
    staff = (
        frequency_plan.staff_of(own_organ(), codes, division=query["division"], first=today, last=last)
        if query["inspectors"] is None
        else frequency_plan.Staff(query["inspectors"], query["inspectors"] * query["days"])
    )
    found = frequency_plan.plan(
        at.settings, at.scheme, task_type=query["type"],
        filters=Filters(division=query["division"], industry=query["industry"], divisions=who.divisions),
        item_codes=codes, staff=staff, today=today, nature=query["nature"],
    )  # fmt: skip
    found.refuse()
    return found.as_dict()
