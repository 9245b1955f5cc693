"""Cases of listing 列入, removal 移出 and correction 更正: what was done, by whom, in order, and what may come next.

A case moves draft → (noticed →) proposed → approved or refused → effective. Who gave the first opinion 初审 does not audit
审核 it. Every step is a row of the ledger, and refused cases stay on record.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from registry import cursor
from registry.cells.personal import mask_personal
from registry.database import dicts
from registry.divisions import in_query
from registry.errors import RecordNotFound, RegistryError
from registry.kinds import Statement
from registry.models import Document, Entity, ListingCase, Record, Uncounted
from registry.page import Page
from registry.services import audit, documents, life, publication
from registry.services.documents import Desk, chinese_date
from registry.services.ledger import ORGAN, Outcome, Pen

ACTIONS = {"enter": "列入", "remove": "移出", "correct": "更正（撤销）"}
STATES = {
    "draft": "草稿",
    "noticed": "已告知",
    "proposed": "待审核",
    "approved": "已同意",
    "refused": "不予同意",
    "effective": "已生效",
}
KINDS = {"abnormal": "abnormal_listing", "serious": "serious_listing"}
PENDING = ("draft", "noticed", "proposed", "approved")
LONGEST_FACTS = 4000


class ListingCaseNotFound(RegistryError):
    code = "listing_case_not_found"
    status = 404


class ListingConflict(RegistryError):
    """A step that does not follow: the case stands elsewhere, somebody else must do it, or it was done."""

    code = "listing_conflict"
    status = 409


class ListingRefused(RegistryError):
    """What was asked for does not meet the conditions of the law."""

    code = "listing_refused"
    status = 422


def get(number: int, *, organ: str | None = None) -> ListingCase:
    """One case, of one organ where given. Raises ListingCaseNotFound."""
    found = ListingCase.get_or_none(ListingCase.id == number)
    if found is None or (organ is not None and found.organ != organ):
        raise ListingCaseNotFound(f"There is no listing case {number}{f' of {organ}' if organ else ''}. `GET /api/v1/listings` and `xinheng listing cases` show them.")  # fmt: skip
    assert isinstance(found, ListingCase)
    return found


def page(
    *, organ: str | None, state: str = "", list_: str = "", batch: str = "", entity: int | None = None, divisions: Sequence[str] = ("",),
    after: str | None = None, limit: int = 50,
) -> Page[tuple[ListingCase, Entity]]:  # fmt: skip
    """Cases of one organ (of all where None) with their parties, newest first; only of entities in these divisions."""
    query = ListingCase.select(ListingCase, Entity).join(Entity, on=(Entity.id == ListingCase.entity), attr="party")
    for column, value in ((ListingCase.organ, organ), (ListingCase.state, state), (ListingCase.list, list_),
                          (ListingCase.batch, batch), (ListingCase.entity, entity)):  # fmt: skip
        if value not in (None, ""):
            query = query.where(column == value)
    query = in_query(query, Entity.division, divisions)
    if after is not None:
        query = query.where(ListingCase.id < cursor.decode(after, int)[0])
    rows: list[Any] = list(query.order_by(ListingCase.id.desc()).limit(limit + 1))
    items = [(row, row.party) for row in rows[:limit]]
    return Page(items, cursor.encode(rows[limit - 1].id) if len(rows) > limit else None)


def pending(entity: int, list_: str, action: str, ground: int, cause: str) -> ListingCase | None:
    """The case of this very matter that is still on its way, if there is one."""
    found: ListingCase | None = ListingCase.get_or_none(
        (ListingCase.entity == entity) & (ListingCase.list == list_) & (ListingCase.action == action)
        & (ListingCase.ground == ground) & (ListingCase.cause == cause) & ListingCase.state.in_(PENDING)
    )  # fmt: skip
    return found


def start(
    pen: Pen, *, list_: str, action: str, entity: int, ground: int, cause: str, facts: str, desk: Desk, **more: Any
) -> ListingCase:
    """Open a case as a draft. The database refuses a second one of the same matter.

    Raises BadDocument where the facts hold a number of a person: its document could not be signed.
    """
    documents.unmasked({"facts": facts}, "A case 名录事项")
    case: ListingCase = ListingCase.create(
        list=list_, action=action, entity=entity, ground=ground, cause=cause, organ=desk.organ.name, facts=said(facts, "facts"),
        state="draft", opened_on=desk.today, **more,
    )  # fmt: skip
    note(pen, case, "opened", desk, opinion=case.facts)
    return case


def note(
    pen: Pen, case: ListingCase, step: str, desk: Desk, *, opinion: str = "", document: Document | None = None, state: str = "",
    on: date | None = None, **more: Any,
) -> None:  # fmt: skip
    """Put a step of a case on record: in the ledger, in the case, in the audit log. `state` is where the case stands then."""
    detail = {"case": case.id, "list": case.list, "action": case.action, "opinion": opinion, **more}
    if document is not None:
        detail["document"] = document.printed_no
    written = pen.step(
        f"listing_{step}", about=case.identity or f"case:{case.id}", entity=case.entity, key=[case.id, len(case.steps)],
        on=on or desk.today, detail=detail, by=desk.actor,
    )  # fmt: skip
    done = {
        "step": step,
        "by": desk.actor,
        "on": (on or desk.today).isoformat(),
        "opinion": opinion,
        "seq": written.seq,
        **more,
    }
    if document is not None:
        done["document"] = document.id
    case.steps = [*case.steps, done]
    case.state = state or case.state
    case.save()
    audit.note(f"listing.{step}", actor=desk.actor, subject=f"listing case {case.id}", now=desk.now, state=case.state)


def done(case: ListingCase, step: str) -> dict[str, Any] | None:
    """The newest step of this name, if it was done."""
    return next((one for one in reversed(case.steps) if one["step"] == step), None)


def locked(pen: Pen, number: int, desk: Desk) -> ListingCase:
    """A case of the desk's organ, read inside the write transaction. Raises ListingCaseNotFound."""
    assert pen.now == desk.now  # the pen holds the head of the ledger: nobody else moves the case meanwhile
    return get(number, organ=desk.organ.name)


def propose(pen: Pen, case: ListingCase, *, opinion: str, desk: Desk, ready: Iterable[str]) -> bool:
    """Give the first opinion 初审; says whether it is new. `ready` are the states in which it may be given."""
    if case.state == "proposed" and case.proposed_by == desk.actor:
        return False
    if case.state not in ready:
        raise ListingConflict(f"Case {case.id} is {shown(case)}: a first opinion is given once, before the audit.")
    case.proposed_by = desk.actor
    note(pen, case, "proposed", desk, opinion=said(opinion, "opinion"), state="proposed")
    return True


def decide(pen: Pen, case: ListingCase, *, agree: bool, opinion: str, desk: Desk) -> bool:
    """Audit 审核 a proposed case; says whether it is new. Raises ListingConflict for the person who proposed it."""
    before = done(case, "audited")
    if before is not None and before["by"] == desk.actor and before["agree"] == agree:
        return False
    if case.state != "proposed":
        raise ListingConflict(f"Case {case.id} is {shown(case)}: only a proposed case is audited, and only once.")
    if case.proposed_by == desk.actor:
        raise ListingConflict(
            f"Case {case.id} was proposed by {desk.actor}. Two persons decide on a list: let somebody else audit it, with a key of his own."
        )
    case.audited_by = desk.actor
    note(
        pen,
        case,
        "audited",
        desk,
        opinion=said(opinion, "opinion"),
        state="approved" if agree else "refused",
        agree=agree,
    )
    return True


def take_effect(pen: Pen, case: ListingCase, *, document: Document | None, desk: Desk) -> None:
    """The last step: the list says it now."""
    case.effective_on = desk.today
    note(pen, case, "effective", desk, document=document, state="effective")


def shown(case: ListingCase) -> str:
    return f"{STATES[case.state]} {case.state}"


def said(text: str, what: str) -> str:
    """A text that must say something, masked. Raises ListingRefused."""
    kept = mask_personal(text.strip())
    if not 1 <= len(kept) <= LONGEST_FACTS:
        raise ListingRefused(f"Give {what}: 1 to {LONGEST_FACTS} characters, not {len(kept)}.")
    return kept


def listing(seq: int, list_: str) -> Record:
    """The listing on record that a ledger number leads to, in its present words. Raises RecordNotFound."""
    kind = KINDS[list_]
    record = Record.get_or_none((Record.seq == seq) & (Record.kind == kind))
    if record is not None and record.replaced_seq is not None:
        record = current(record.identity)
    if record is None:
        raise RecordNotFound(f"The ledger has no {kind} {seq}. The entity's records show its number.")
    assert isinstance(record, Record)
    return record


def party_of(seq: int, kind: str) -> Entity | None:
    """The entity that a record of this kind is about; None where there is none."""
    record = Record.get_or_none((Record.seq == seq) & (Record.kind == kind))
    found: Entity | None = None if record is None else Entity.get_or_none(Entity.id == record.entity_id)
    return found


def numbers_of(cases: Sequence[ListingCase]) -> dict[str, int]:
    """The present ledger number of the listing that each case is about, by identity: one query."""
    wanted = sorted({case.identity for case in cases if case.identity is not None})
    if not wanted:
        return {}
    rows = Record.select(Record.identity, Record.seq).where(Record.identity.in_(wanted) & Record.replaced_seq.is_null())
    return {row["identity"]: row["seq"] for row in dicts(rows)}


def end(
    pen: Pen, record: Record, *, on: date, because: str | int, printed: str = "", **more: Any
) -> Outcome:  # fmt: skip
    """Say in the ledger that a listing ends on a day, and why; `printed` is the number of its document, `more` more of its detail.

    Under the source of the listing: its old words do not reopen it. What is published of it is the caller's to take down.
    """
    detail = {**record.detail, **more, "removed_because": because} | ({"removal_no": printed} if printed else {})
    said = Statement(
        record.kind, record.code, record.severity, record.amount_fen, record.happened_on, on, record.document_no, record.organ, (), detail
    )  # fmt: skip
    return pen.correct(record.seq, said, source=record.source, act="end")


def withdraw(pen: Pen, record: Record, case: ListingCase, *, printed: str, desk: Desk) -> None:
    """Withdraw a listing that was wrong, by the document of this number: it leaves public view and never counts again."""
    publication.withdraw(
        pen, life.target_of(record.identity), source=ORGAN, reason=f"{printed}：{case.facts}", by=desk.actor, on=desk.today, now=desk.now
    )  # fmt: skip


def listed(record: Record, desk: Desk) -> dict[str, str]:
    """When, by whom and under which number a party was listed, as a document of this desk says it."""
    on = chinese_date(record.happened_on) if record.happened_on else "（日期未载明）"
    number = record.detail.get("printed_no") or record.document_no
    return {"listed_on": on, "listed_by": documents.by_organ(record.organ, number, desk)}


def take_down(pen: Pen, record: Record, *, on: date, by: str) -> None:
    """Stop showing a listing that was just ended, on every channel; recipients hear of it."""
    pen.flush()
    publication.take_down(pen, life.target_of(record.identity), "removed", on=on, by=by, now=pen.now)


def current(identity: str | None) -> Record | None:
    """The present words of a record; None where it is not on record."""
    found: Record | None = Record.get_or_none((Record.identity == identity) & Record.replaced_seq.is_null())
    return found


def of(case: ListingCase) -> Record:
    """The listing that a case of removal or correction is about, in its present words."""
    record = current(case.identity)
    assert record is not None, "such a case is opened on a listing, and nothing leaves the ledger"
    return record


def in_force(record: Record, organ: str) -> Record:
    """A listing that stands, of one's own organ. Raises ListingConflict otherwise: who lists removes 谁列入谁移出."""
    if record.organ != organ:
        raise ListingConflict(
            f"Listing {record.seq} was decided by {record.organ or 'an organ that is not named'}: that organ removes it."
        )
    if record.act == "withdraw":
        raise ListingConflict(f"Listing {record.seq} was withdrawn. Nothing is left to remove.")
    if record.ends_on is not None:
        raise ListingConflict(f"Listing {record.seq} was removed on {record.ends_on}.")
    return record


def holds(identity: str) -> bool:
    """Whether a record holds and counts: not withdrawn, not repaired, not waiting for confirmation."""
    record = current(identity)
    return (
        record is not None
        and record.act != "withdraw"
        and Uncounted.get_or_none(Uncounted.identity == identity) is None
    )


def penalties_since(entity: int, day: date | None, *, besides: str = "") -> list[Record]:
    """Penalties of a party decided after a day that hold and count: not repaired, and surely its own. None without a day."""
    return list(
        Record.select().where(
            Record.entity.in_(life.family(entity))
            & (Record.kind == "penalty")
            & Record.replaced_seq.is_null()
            & (Record.act != "withdraw")
            & (Record.identity != besides)
            & (Record.happened_on > day)
            & Record.identity.not_in(Uncounted.select(Uncounted.identity))
        )
    )
