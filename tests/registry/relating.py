"""Relations for tests: who is said to represent, own or manage whom."""

from datetime import date

from registry.clock import day_number
from registry.kinds import KINDS
from registry.models import Entity
from registry.services import context, context_building, ledger
from tests.conftest import NOW, TODAY

# Made-up: the check characters are right, the persons do not exist.
PERSON, OTHER_PERSON = "11010119900307109X", "110101199003071233"
DAY = day_number(TODAY)
KIND = KINDS["relation"]


def relate(entity, to=None, *, schemes=("general-risk",), **given):
    """State a relation of an entity to another one (`to`, an id), or to a person; its ledger number."""
    fields = {"type": "shareholder", "organ": "信衡市市场监督管理局", "valid_from": "2020-01-02", **given}
    if to is not None:
        fields["other_code"] = Entity.get_by_id(to).code
    elif "other_code" not in fields:
        fields = {"person_name": "张某某", "person_id": PERSON, **fields}
    with ledger.writing(now=NOW, schemes=list(schemes)) as pen:
        (outcome,) = pen.state([(entity, KIND.state(KIND.schema(today=TODAY).load(fields)))], source="register")
    return outcome.seq


def built(settings, day=TODAY, **given):
    return context_building.build(settings, day=day, now=NOW, **given)


def values(number, *entities):
    """Name → value of one entity, or (entity, name) → value of several."""
    frame = context.values_for(number, entities)
    if len(entities) == 1:
        return dict(frame.select("name", "value").iter_rows())
    return {(entity, name): value for entity, name, value in frame.iter_rows()}


def cover(*kinds, since=date(2014, 1, 1), division=""):
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        for kind in kinds:
            pen.cover(kind, division, since, None, source="test")
