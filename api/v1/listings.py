"""Listing cases 列入、移出、更正: opened, heard, proposed by one person, audited by another; candidates, batches, reminders."""

from collections.abc import Callable
from typing import Any

from flask import Response

from api import idempotency
from api.auth import allowed, caller, visible_entity
from api.blueprint import Blueprint, gives, takes
from api.context import here
from api.errors import InvalidRequest
from api.schemas import listings as shapes
from api.v1.paper import desk, insider, row
from registry import cursor
from registry.errors import BadCursor, EntityNotFound, IdempotencyConflict, RecordConflict, RecordNotFound
from registry.models import Entity, ListingCase
from registry.services import abnormal_list, listing_batches, listing_cases, listings, reminders, serious_list
from registry.services.documents import BadDocument, UnknownOrgan
from registry.services.listing_cases import ListingCaseNotFound, ListingConflict, ListingRefused

bp = Blueprint("listings", __name__, url_prefix="/api/v1", description="名录管理 Listing and removal")

CASE = "/listings/<int(min=1, max=2147483647):number>"
Said = tuple[ListingCase, bool]
STEP_ERRORS = [
    ListingCaseNotFound, ListingConflict, ListingRefused, UnknownOrgan, BadDocument, RecordConflict, IdempotencyConflict,
]  # fmt: skip
OPEN_ERRORS = [EntityNotFound, RecordNotFound, ListingConflict, ListingRefused, UnknownOrgan, IdempotencyConflict]


@bp.post("/listings/abnormal")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(
    shapes.AbnormalIn(),
    example={"code": "91990101MA00000000", "ground": 1, "year": 2025, "facts": "未按期公示2025年度年度报告。"},
)
@gives(shapes.CaseOut(), 201, also=200, errors=OPEN_ERRORS)
def open_abnormal(given: dict[str, Any]) -> Response:
    """列入立案 Open a case of listing on the abnormal-operation list (individual businesses are marked). Safe to repeat."""
    return _verb(lambda: abnormal_list.open_listing(_visible(given.pop("code")), **given, desk=desk()))


@bp.post("/listings/serious")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(shapes.SeriousIn(), example={"penalty": 812, "article": 7, "facts": "销售不符合安全标准的产品，情节严重。"})
@gives(shapes.CaseOut(), 201, also=200, errors=OPEN_ERRORS)
def open_serious(given: dict[str, Any]) -> Response:
    """严重违法列入立案 Open a case of listing on the serious-violation list, on a heavier penalty of one's own. Safe to repeat."""

    def act() -> Said:
        _visible_record(given["penalty"], "penalty")
        return serious_list.open_listing(given.pop("penalty"), **given, desk=desk())

    return _verb(act)


@bp.post("/listings/removals")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(shapes.RemovalIn(), example={"list": "abnormal", "seq": 812, "cause": 1, "facts": "已补报并公示。"})
@gives(shapes.CaseOut(), 201, also=200, errors=OPEN_ERRORS)
def open_removal(given: dict[str, Any]) -> Response:
    """移出立案 Open a case of removal: by its cause (abnormal), or early with its conditions (serious). Safe to repeat."""

    def act() -> Said:
        _visible_record(given["seq"], listing_cases.KINDS[given["list"]])
        if given["list"] == "serious":
            return serious_list.open_removal(
                given["seq"], facts=given["facts"], conditions=given["conditions"], desk=desk()
            )
        if given["cause"] is None:
            raise InvalidRequest({"cause": ["A removal from the abnormal list needs its cause. Give its code."]})
        return abnormal_list.open_removal(
            given["seq"], cause=given["cause"], facts=given["facts"], proof=given["proof"], desk=desk()
        )

    return _verb(act)


@bp.post("/listings/corrections")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(shapes.WrongIn(), example={"list": "abnormal", "seq": 812, "facts": "该户已按期报告，系同步延迟。"})
@gives(shapes.CaseOut(), 201, also=200, errors=OPEN_ERRORS)
def open_correction(given: dict[str, Any]) -> Response:
    """更正立案 Open a case of correction: the listing was wrong, or its penalty is gone, and will leave public view. Safe to repeat."""

    def act() -> Said:
        _visible_record(given["seq"], listing_cases.KINDS[given["list"]])
        verb = abnormal_list.open_correction if given["list"] == "abnormal" else serious_list.open_withdrawal
        return verb(given["seq"], facts=given["facts"], desk=desk())

    return _verb(act)


@bp.post(f"{CASE}/proposal")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(shapes.OpinionIn(), example={"opinion": "事实清楚，建议列入。"})
@gives(shapes.CaseOut(), 201, also=200, errors=STEP_ERRORS)
def propose_case(given: dict[str, Any], number: int) -> Response:
    """初审 Give the first opinion. Whoever gives it does not audit the case. Safe to repeat."""
    return _verb(lambda: listings.propose(_case(number), opinion=given["opinion"], desk=desk()))


@bp.post(f"{CASE}/audit")
@allowed("listings:audit")
@bp.doc(**idempotency.document())
@takes(shapes.AuditIn(), example={"agree": True, "opinion": "同意。"})
@gives(shapes.CaseOut(), 201, also=200, errors=STEP_ERRORS)
def audit_case(given: dict[str, Any], number: int) -> Response:
    """审核 Agree to a proposed case or refuse it, as another person than proposed it. Document and ledger follow at once,
    except that a serious-violation listing waits for its decision to be delivered. Safe to repeat."""
    return _verb(lambda: listings.decide(_case(number), agree=given["agree"], opinion=given["opinion"], desk=desk()))


@bp.post(f"{CASE}/notice")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@gives(shapes.CaseOut(), 201, also=200, errors=STEP_ERRORS)
def notify_party(number: int) -> Response:
    """告知 Issue the notice of intended listing on the serious-violation list. Safe to repeat."""
    return _verb(lambda: serious_list.notify(_case(number).id, desk=desk()))


@bp.post(f"{CASE}/statement")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(shapes.StatementIn(), example={"statement": "请求从轻处理。", "answer": "理由不成立，不予采纳。"})
@gives(shapes.CaseOut(), 201, also=200, errors=STEP_ERRORS)
def hear_party(given: dict[str, Any], number: int) -> Response:
    """陈述申辩 Put on record what the party stated, or, after its time, that it stated nothing. Safe to repeat."""
    return _verb(lambda: serious_list.hear(_case(number).id, **given, desk=desk()))


@bp.post(f"{CASE}/approval")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(
    shapes.ApprovalIn(),
    example={"organ": "信衡省市场监督管理局", "approval_no": "信省市监信〔2026〕1号", "approved_on": "2026-11-20"},
)
@gives(shapes.CaseOut(), 201, also=200, errors=STEP_ERRORS)
def approve_above(given: dict[str, Any], number: int) -> Response:
    """上级批准 Put the approval of the next higher organ on record. Safe to repeat."""
    return _verb(lambda: serious_list.approve_above(_case(number).id, **given, desk=desk()))


@bp.post(f"{CASE}/effect")
@allowed("listings:audit")
@bp.doc(**idempotency.document())
@gives(shapes.CaseOut(), 201, also=200, errors=STEP_ERRORS)
def take_effect(number: int) -> Response:
    """生效 Let an approved serious-violation listing take effect, once its decision is delivered. Safe to repeat."""
    return _verb(lambda: serious_list.take_effect(_case(number).id, desk=desk()))


@bp.get("/listings")
@allowed("entities:read")
@takes(shapes.CasesQuery(), "query")
@gives(shapes.CasePage(), errors=[BadCursor])
def list_cases(query: dict[str, Any]) -> dict[str, Any]:
    """案件列表 Cases of the key's organ, newest first. Needs `listings:propose` or `listings:audit` too."""
    insider("Listing cases")
    query["list_"] = query.pop("list")
    found = listing_cases.page(organ=caller().organ, divisions=caller().divisions, **query)
    seqs = listing_cases.numbers_of([case for case, _ in found.items])
    return {"items": [shown_case(case, party, seqs) for case, party in found.items], "next": found.next}


@bp.get(CASE)
@allowed("entities:read")
@gives(shapes.CaseOut(), errors=[ListingCaseNotFound])
def read_case(number: int) -> dict[str, Any]:
    """案件详情 One case with its steps. Needs `listings:propose` or `listings:audit` too."""
    insider("Listing cases")
    return _alone(_case(number))


@bp.get("/listings/candidates")
@allowed("listings:propose")
@takes(shapes.CandidatesQuery(), "query")
@gives(shapes.CandidatesOut(), errors=[ListingRefused, BadCursor])
def list_candidates(query: dict[str, Any]) -> dict[str, Any]:
    """待列入名单 Who may be listed: without the report of a year (ground 1), or not reached by two letters (ground 4). A plan."""
    after = int(str(cursor.decode(query["after"], int)[0])) if query["after"] else 0
    plan = listing_batches.candidates(
        ground=query["ground"], year=query["year"], today=here().today(), division=query["division"], divisions=caller().divisions,
        organ=caller().organ, after=after, limit=query["limit"],
    )  # fmt: skip
    return {
        "ground": plan.ground,
        "year": plan.year,
        "uncovered": plan.unknown,
        "items": plan.items,
        "next": None if plan.next is None else cursor.encode(plan.next),
    }


@bp.post("/listings/batches")
@allowed("listings:propose")
@bp.doc(**idempotency.document())
@takes(shapes.ListingBatchIn())
@gives(shapes.BatchSaid(), errors=[ListingConflict, ListingRefused, UnknownOrgan, IdempotencyConflict])
def open_batch(given: dict[str, Any]) -> Response:
    """批量列入 Open and propose one case a row under the name of a batch; rows that cannot be are refused by name.

    Not one transaction: chunks are. Safe to repeat as a whole.
    """

    def act() -> tuple[dict[str, Any], int, bool]:
        rows = [(row["code"], row["reason"]) for row in given.pop("rows")]
        hidden = [(code, f"No entity is registered under credit code {code!r}.") for code, _ in rows if not _sees(code)]
        seen = [row for row in rows if row[0] not in dict(hidden)]
        said = listing_batches.open_batch(given.pop("name"), seen, **given, desk=desk())
        return _batch(said, hidden), 200, True

    return idempotency.at_the_end(act)


@bp.post("/listings/batches/audit")
@allowed("listings:audit")
@bp.doc(**idempotency.document())
@takes(shapes.BatchAuditIn(), example={"name": "2025年报", "agree": True, "opinion": "同意。"})
@gives(shapes.BatchSaid(), errors=[ListingCaseNotFound, UnknownOrgan, IdempotencyConflict])
def audit_batch(given: dict[str, Any]) -> Response:
    """批量审核 Audit the proposed cases of a batch: their documents share one number, N-1, N-2 …. Goes on where it stopped."""

    def act() -> tuple[dict[str, Any], int, bool]:
        at = desk()
        listing_batches.count(given["name"], organ=at.organ.name)
        return (
            _batch(listing_batches.decide_batch(given.pop("name"), only=given.pop("cases"), **given, desk=at)),
            200,
            True,
        )

    return idempotency.at_the_end(act)


@bp.get("/listings/batches")
@allowed("entities:read")
@takes(shapes.BatchQuery(), "query")
@gives(shapes.BatchCountOut(), errors=[ListingCaseNotFound])
def read_batch(query: dict[str, Any]) -> dict[str, Any]:
    """批次统计 A batch in numbers: what it listed, and what of it stands, ended or was corrected."""
    insider("Batches")
    found = listing_batches.count(query["name"], organ=caller().organ)
    return {
        name: getattr(found, name) for name in ("name", "rows", "states", "listed", "standing", "removed", "corrected")
    }


@bp.get("/listings/reminders")
@allowed("entities:read")
@takes(shapes.RemindersQuery(), "query")
@gives(shapes.ReminderPage(), errors=[BadCursor])
def list_reminders(query: dict[str, Any]) -> dict[str, Any]:
    """届满提醒 Listings of the key's organ that are three years old, or end, within sixty days; the nearest first."""
    query["list_"] = query.pop("list")
    found = reminders.page(here().today(), organ=caller().organ, divisions=caller().divisions, **query)
    items = [
        {
            "list": one.reminder.list, "seq": one.seq, "code": one.party.code or one.party.registration_no or "", "name": one.party.name,
            "listed_on": one.reminder.listed_on, "due_on": one.reminder.due_on, "days_left": one.days_left,
        }
        for one in found.items
    ]  # fmt: skip
    return {"items": items, "next": found.next}


@bp.get("/statistics/listings")
@allowed("entities:read")
@gives(shapes.CountsOut())
def count_listings() -> dict[str, Any]:
    """名录统计 Who stands on the lists today, in the key's divisions: subjects 户数 and rows 条数 counted apart."""
    today = here().today()
    return {"on": today, "items": [counted(one) for one in listings.count(today, caller().divisions)]}


def counted(one: listings.Count) -> dict[str, Any]:
    """One line of the statistics; individual businesses are marked, the others listed."""
    treatment = None if one.subject is None else "listed"
    if one.list == "abnormal" and one.subject == "individual":
        treatment = "marked"
    return {"list": one.list, "treatment": treatment, "subject": one.subject, "ground": one.ground,
            "entities": one.entities, "rows": one.rows}  # fmt: skip


def _verb(verb: Callable[[], Said]) -> Response:
    def act(_: None) -> tuple[dict[str, Any], int]:
        case, new = verb()
        return shapes.CaseOut().dump(_alone(case)), 201 if new else 200

    return idempotency.once(lambda: None, act)


def _visible(code: str) -> str:
    return str(visible_entity(code).code or code)


def _visible_record(seq: int, kind: str) -> None:
    """Raise RecordNotFound for what is about an entity that is not the caller's business."""
    entity = listing_cases.party_of(seq, kind)
    if entity is None or not caller().sees(entity.division):
        raise RecordNotFound(f"The ledger has no {kind} {seq}. The entity's records show its number.")


def _sees(code: str) -> bool:
    try:
        visible_entity(code)
    except EntityNotFound:
        return False
    return True


def _case(number: int) -> ListingCase:
    case = listing_cases.get(number, organ=caller().organ)
    if not caller().sees(Entity.get_by_id(case.entity).division):
        raise ListingCaseNotFound(f"There is no listing case {number} of {caller().organ}.")
    return case


def _alone(case: ListingCase) -> dict[str, Any]:
    return shown_case(case, Entity.get_by_id(case.entity), listing_cases.numbers_of([case]))


def shown_case(case: ListingCase, party: Entity, seqs: dict[str, int]) -> dict[str, Any]:
    """One case with its party, and the ledger number of its listing once there is one."""
    return {
        **row(case), "code": party.code or party.registration_no or "", "name": party.name, "seq": seqs.get(case.identity or ""),
    }  # fmt: skip


def _batch(said: listing_batches.Batch, hidden: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    refused = [*(hidden or []), *said.refused]
    shown: dict[str, Any] = shapes.BatchSaid().dump({
        "done": said.opened, "unchanged": said.unchanged, "refused": [{"row": row, "detail": text} for row, text in refused],
    })  # fmt: skip
    return shown
