"""Desks, parties and cases for the tests of lists and documents."""

from dataclasses import replace
from datetime import date
from typing import Any

from registry.models import Entity, ListingCase, Record
from registry.services import abnormal_list, deliveries, documents, listings, serious_list
from registry.services.documents import Desk
from tests.conftest import NOW, TODAY
from tests.factories import record, registered

ORGAN = "信衡市市场监督管理局"
ADDRESS = "信衡市信东区示例路9号"


def desk_of(settings: Any, actor: str = "key:first", today: date = TODAY, organ: str = ORGAN, **rules: Any) -> Desk:
    made = documents.desk(settings, organ=organ, actor=actor, today=today, now=NOW, schemes=["general-risk"])
    return replace(made, rules=replace(made.rules, **rules)) if rules else made


def party(**given: Any) -> str:
    """The code of a registered entity with an address."""
    return code_of(registered(**{"address": ADDRESS, **given}))


def code_of(entity: int) -> str:
    return str(Entity.get_by_id(entity).code)


def entity_of(code: str) -> Entity:
    found: Entity = Entity.get(Entity.code == code)
    return found


def second(desk: Desk) -> Desk:
    """Another person at the same desk."""
    return replace(desk, actor="key:second")


def listed(
    desk: Desk, code: str | None = None, *, ground: int = 1, year: int | None = 2025, **given: Any
) -> ListingCase:
    """A listing on the abnormal list that went all the way."""
    year = year if ground == 1 else None
    case, _ = abnormal_list.open_listing(
        code or party(), ground=ground, year=year, desk=desk, **{"facts": "未按期公示年度报告。", **given}
    )
    return through(case, desk)


def through(case: ListingCase, desk: Desk) -> ListingCase:
    """Propose a case and let a second person agree."""
    listings.propose(case, opinion="建议同意。", desk=desk)
    done, _ = listings.decide(case, agree=True, opinion="同意。", desk=second(desk))
    return done


def heavy_penalty(entity: int, **given: Any) -> int:
    """Ledger number of a penalty that is heavier by its kind."""
    said = {"kinds": ["revoked_licence"], "content": "吊销许可证", "organ": ORGAN, **given}
    return record(entity, source="organ", **said).seq


def serious_decided(desk: Desk, days: list[date], entity: int | None = None, **given: Any) -> ListingCase:
    """A case of the serious list up to its decision. `days`: opened and notified, heard, proposed and decided."""
    party_ = registered(address=ADDRESS) if entity is None else entity
    first, heard, decided = (replace(desk, today=day) for day in days)
    case, _ = serious_list.open_listing(
        heavy_penalty(party_), article=7, facts="销售不合格特种设备，情节严重。", desk=first, **given
    )
    serious_list.notify(case.id, desk=first)
    deliver(step_document(case.id, "noticed"), first)
    serious_list.hear(case.id, statement="请求从轻处理。", answer="理由不成立，不予采纳。", desk=heard)
    serious_list.propose(case.id, opinion="建议列入。", desk=decided)
    serious_list.approve_above(
        case.id,
        organ="信衡省市场监督管理局",
        approval_no="信省市监信〔2026〕1号",
        approved_on=decided.today,
        desk=decided,
    )
    done, _ = serious_list.decide(case.id, agree=True, opinion="同意。", desk=second(decided))
    return done


def serious_listed(desk: Desk, days: list[date], **given: Any) -> ListingCase:
    """The same, delivered and in effect on the last of `days`."""
    case = serious_decided(desk, days, **given)
    last = replace(desk, today=days[-1])
    deliver(step_document(case.id, "decided"), last)
    done, _ = serious_list.take_effect(case.id, desk=last)
    return done


def step_document(number: int, step: str) -> int:
    case = ListingCase.get_by_id(number)
    return int(next(one["document"] for one in reversed(case.steps) if one["step"] == step))


def deliver(document: int, desk: Desk, method: str = "direct") -> None:
    made, _ = deliveries.send(documents.get(document), method=method, sent_on=desk.today, desk=desk)
    deliveries.succeeded(made.id, delivered_on=desk.today, proof="送达回证", desk=desk)


def on_record(case: ListingCase) -> Record:
    found: Record = Record.get((Record.identity == case.identity) & Record.replaced_seq.is_null())
    return found
