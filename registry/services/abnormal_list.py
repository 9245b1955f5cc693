"""Abnormal-operation list 经营异常名录 (SAIC Order 68, 2014): listing, removal, correction, by two persons.

Individual businesses 个体工商户 are marked 标记 and restored 恢复 (Order 69) where enterprises and farmers' cooperatives
(Order 70) are listed and removed; branches follow their parent.
"""

from dataclasses import replace
from datetime import date

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.errors import RecordConflict
from registry.kinds import KINDS
from registry.kinds.abnormal_listing import GROUNDS
from registry.kinds.relation import TYPES as RELATIONS
from registry.models import Document, Entity, ListingCase, Record, Relation
from registry.services import documents, entities, ledger, listing_cases, workdays
from registry.services.documents import Desk
from registry.services.ledger import ORGAN, Pen
from registry.services.listing_cases import ListingConflict, ListingRefused
from registry.services.sameness import content_of, identity_of

KIND = KINDS["abnormal_listing"]
BRANCH = RELATIONS.terms["branch"].number
SUBJECTS = ("enterprise", "cooperative", "individual")
# (subject, ground) → the provision. Cooperatives and individual businesses have no ground 2.
BASIS = {
    ("enterprise", 1): "《企业经营异常名录管理暂行办法》第六条",
    ("enterprise", 2): "《企业经营异常名录管理暂行办法》第七条",
    ("enterprise", 3): "《企业经营异常名录管理暂行办法》第八条",
    ("enterprise", 4): "《企业经营异常名录管理暂行办法》第九条",
    ("individual", 1): "《个体工商户年度报告暂行办法》第十三条",
    ("individual", 3): "《个体工商户年度报告暂行办法》第十四条",
    ("individual", 4): "《个体工商户年度报告暂行办法》第十五条",
    ("cooperative", 1): "《农民专业合作社年度报告公示暂行办法》第十条",
    ("cooperative", 3): "《农民专业合作社年度报告公示暂行办法》第十一条",
    ("cooperative", 4): "《农民专业合作社年度报告公示暂行办法》第十二条",
}
# The instrument by which a row ends.
ENDING = {
    "enterprise": "《企业经营异常名录管理暂行办法》关于移出经营异常名录的规定",
    "individual": "《个体工商户年度报告暂行办法》关于恢复正常记载状态的规定",
    "cooperative": "《农民专业合作社年度报告公示暂行办法》关于移出经营异常名录的规定",
}
# Causes of removal (CD72; codes of the Zhejiang platform) and the grounds that each can end; 6 is the three-year transfer.
REMOVALS: dict[int, tuple[str, tuple[int, ...]]] = {
    1: ("补报未报年份的年度报告并公示", (1,)),
    2: ("已履行公示义务", (2,)),
    3: ("已更正其公示的信息", (3,)),
    4: ("依法办理住所或者经营场所变更登记", (4,)),
    5: ("通过登记的住所或者经营场所可以重新取得联系", (4,)),
    6: ("列入满三年，转入严重违法失信名单", (1, 2, 3, 4)),
    7: ("已注销或者被吊销营业执照", (1, 2, 3, 4)),
}
TRANSFER = 6
# Type of document by what is done, for those that are listed and those that are marked.
TYPES = {
    "enter": ("abnormal_enter", "individual_mark"),
    "remove": ("abnormal_remove", "individual_restore"),
    "correct": ("abnormal_correct", "individual_correct"),
}
# Working days: to list after the term or the verification; to remove after the application; to correct what was wrong.
LIST_WITHIN, REMOVE_WITHIN, CORRECT_WITHIN = 10, 5, 5
OPEN, GONE = 1, (2, 3)


def subject_of(entity: Entity) -> str:
    """Under which rules an entity stands: enterprise, cooperative or individual. A branch follows its parent's type.

    The parent is read from the branch's credit code where no relation names it: codes of branches begin as their parents'.
    """
    if entity.kind in SUBJECTS:
        return str(entity.kind)
    if entity.kind == "branch" and entity.code:
        parent = (
            Entity.select()
            .join(Relation, on=(Relation.entity == Entity.id))
            .where((Relation.type == BRANCH) & (Relation.other_code == entity.code) & Relation.gone.is_null())
            .where(Relation.to_on.is_null() & (Entity.kind << SUBJECTS))
            .first()
        )
        if parent is not None:
            return str(parent.kind)
    return {"92": "individual", "93": "cooperative"}.get((entity.code or "")[:2], "enterprise")


def is_marked(entity: Entity) -> bool:
    """Whether an entity is marked 标记 and restored 恢复, not listed and removed."""
    return subject_of(entity) == "individual"


def open_listing(
    code: str, *, ground: int, facts: str, year: int | None = None, order: str = "", verified_on: date | None = None, batch: str = "",
    desk: Desk,
) -> tuple[ListingCase, bool]:  # fmt: skip
    """Open a case of listing; returns it and whether it is new. Safe to repeat: the case that is on its way is returned.

    `year` is the report year (ground 1; of ground 3 where a report was false), `order` the number of the order that was not
    obeyed (ground 2), `verified_on` the day from which the ten working days count. Raises ListingRefused where the ground
    does not apply, ListingConflict where the entity stands on the list for the same year, address or order.
    """
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        return start_listing(
            pen,
            code,
            ground=ground,
            facts=facts,
            year=year,
            order=order,
            verified_on=verified_on,
            batch=batch,
            desk=desk,
        )


def start_listing(
    pen: Pen, code: str, *, ground: int, facts: str, year: int | None, order: str, verified_on: date | None, batch: str, desk: Desk
) -> tuple[ListingCase, bool]:  # fmt: skip
    """The same inside a transaction of the caller's."""
    entity = entities.get(code)
    subject = subject_of(entity)
    _applies(entity, subject, ground)
    cause = cause_of(entity, ground, year, order, desk.today)
    before = listing_cases.pending(entity.id, "abnormal", "enter", ground, cause)
    if before is not None:
        return before, False
    if (standing := same_open(entity, ground, year, cause)) is not None:
        raise ListingConflict(
            f"{entity.code} stands on the list for ground {ground} ({GROUNDS[ground].zh}) already, since {standing.happened_on}, by ledger row "
            f"{standing.seq}: the same {'report year' if ground == 1 else 'cause'} is listed once."
        )
    first = date(year + 1, 6, 30) if ground == 1 and year is not None else verified_on or desk.today
    case = listing_cases.start(
        pen, list_="abnormal", action="enter", entity=entity.id, ground=ground, cause=cause, facts=facts, desk=desk, year=year,
        batch=batch, decide_by=workdays.due(first, LIST_WITHIN),
    )  # fmt: skip
    return case, True


def cause_of(entity: Entity, ground: int, year: int | None, order: str, today: date) -> str:
    """What makes this listing this one: the year, the order, or the address. Raises ListingRefused where it is missing."""
    if ground == 1:
        if year is None or today <= date(year + 1, 6, 30):
            due = "" if year is None else f" The report of {year} is due by {year + 1}-06-30."
            raise ListingRefused(f"Ground 1 needs the year of a report that is overdue on {today}.{due} Give `year`.")
        return str(year)
    if ground == 2:
        if not order.strip():
            raise ListingRefused(
                "Ground 2 needs the number of the order 责令履行公示义务通知书 that was not obeyed. Give `order`."
            )
        return fold_document_no(order)[:200]
    if ground == 3:
        return str(year or "")
    if not entity.address.strip():
        raise ListingRefused(f"{entity.code} has no registered address on record, so nobody can have failed to find it there. Import its registration first.")  # fmt: skip
    return fold_name(entity.address)[:200]


def same_open(entity: Entity, ground: int, year: int | None, cause: str) -> Record | None:
    """The row that lists this entity already for the same year, order or address; rows of other sources count too.

    A row that names no cause is taken for the same: it cannot be told apart.
    """
    rows = Record.select().where(
        (Record.entity == entity) & (Record.kind == KIND.name) & (Record.code == ground) & Record.replaced_seq.is_null()
        & (Record.act != "withdraw") & (Record.act != "step") & Record.ends_on.is_null()
    )  # fmt: skip
    for row in rows:
        known = row.detail.get("cause") or ("" if ground != 1 else str(row.detail.get("year") or ""))
        if not known or known == cause:
            assert isinstance(row, Record)
            return row
    return None


def open_removal(seq: int, *, cause: int, facts: str, proof: str = "", desk: Desk) -> tuple[ListingCase, bool]:
    """Open a case of removal 移出 or restoration 恢复, to be decided within five working days. Safe to repeat.

    `cause` is a code of REMOVALS. `proof` says what shows it where the register does not: cause 1 needs the report of that
    year on record, cause 7 a cancelled or revoked entity. Raises ListingRefused, ListingConflict, RecordNotFound.
    """
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        record = listing_cases.listing(seq, "abnormal")
        before = listing_cases.pending(record.entity_id, "abnormal", "remove", cause, record.identity)
        if before is not None:
            return before, False
        listing_cases.in_force(record, desk.organ.name)
        entity = Entity.get_by_id(record.entity_id)
        shows = _removable(record, entity, cause, proof)
        case = listing_cases.start(
            pen, list_="abnormal", action="remove", entity=entity.id, ground=cause, cause=record.identity, facts=facts, desk=desk,
            identity=record.identity, year=record.detail.get("year"), decide_by=workdays.due(desk.today, REMOVE_WITHIN),
        )  # fmt: skip
        listing_cases.note(pen, case, "conditions", desk, opinion=shows)
        return case, True


def open_correction(seq: int, *, facts: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Open a case of correction 更正（撤销）: the listing was wrong, and will be withdrawn from public view. Safe to repeat."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        record = listing_cases.listing(seq, "abnormal")
        before = listing_cases.pending(record.entity_id, "abnormal", "correct", record.code, record.identity)
        if before is not None:
            return before, False
        if record.organ != desk.organ.name or record.act == "withdraw":
            listing_cases.in_force(record, desk.organ.name)
        case = listing_cases.start(
            pen, list_="abnormal", action="correct", entity=record.entity_id, ground=record.code, cause=record.identity, facts=facts,
            desk=desk, identity=record.identity, decide_by=workdays.due(desk.today, CORRECT_WITHIN),
        )  # fmt: skip
        return case, True


def propose(number: int, *, opinion: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Give the first opinion 初审. Safe to repeat by the same person. Raises ListingConflict."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case = listing_cases.locked(pen, number, desk)
        return case, listing_cases.propose(pen, case, opinion=opinion, desk=desk, ready=("draft",))


def decide(number: int, *, agree: bool, opinion: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Audit 审核 a case: refused, it stays on record; agreed to, document and ledger say it in the same transaction."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case = listing_cases.locked(pen, number, desk)
        return case, settle(pen, case, agree=agree, opinion=opinion, desk=desk)


def settle(pen: Pen, case: ListingCase, *, agree: bool, opinion: str, desk: Desk) -> bool:
    """The same inside a transaction of the caller's; says whether it is new."""
    new = listing_cases.decide(pen, case, agree=agree, opinion=opinion, desk=desk)
    if new and agree:
        EFFECTS[case.action](pen, case, desk)
    return new


def _enter(pen: Pen, case: ListingCase, desk: Desk) -> None:
    entity = Entity.get_by_id(case.entity)
    if (standing := same_open(entity, case.ground, case.year, case.cause)) is not None:
        raise ListingConflict(
            f"{entity.code} was listed for the same cause meanwhile, by ledger row {standing.seq}. Refuse this case."
        )
    subject = subject_of(entity)
    taken = documents.number(TYPES["enter"][subject == "individual"], desk, batch=case.batch)
    said = KIND.schema(today=desk.today).load({
        "organ": desk.organ.name, "document_no": taken.printed, "ground": case.ground, "listed_on": desk.today, "year": case.year,
    })  # fmt: skip
    made = KIND.state(said)
    more = {"cause": case.cause, "printed_no": taken.printed, "case": case.id, "facts": case.facts}
    if subject == "individual":
        more["marked"] = True
    statement = replace(made, detail={**made.detail, **more})
    identity = identity_of(statement, entity.id, content_of(statement), ORGAN)
    (outcome,) = pen.state([(entity.id, statement)], source=ORGAN)
    if outcome.said != "stored":
        raise RecordConflict(
            f"{taken.printed} is on record already, as ledger row {outcome.seq}: another system gave this number. Let the series "
            "begin after its last one: xinheng document begin-series."
        )
    case.identity = identity
    variables = {"facts": case.facts, "basis": BASIS[subject, case.ground]}
    document = documents.issue(pen, taken, desk=desk, entity=entity, variables=variables, about=identity)
    listing_cases.take_effect(pen, case, document=document, desk=desk)


def _remove(pen: Pen, case: ListingCase, desk: Desk) -> None:
    record = listing_cases.in_force(listing_cases.of(case), desk.organ.name)
    entity = Entity.get_by_id(case.entity)
    document = _leave(pen, record, entity, cause=case.ground, facts=case.facts, desk=desk)
    listing_cases.take_effect(pen, case, document=document, desk=desk)


def transfer(pen: Pen, record: Record, entity: Entity, *, desk: Desk) -> None:
    """End a row because its entity goes over to the serious-violation list, with a document of its own."""
    _leave(pen, record, entity, cause=TRANSFER, facts=f"{REMOVALS[TRANSFER][0]}。", desk=desk)


def _leave(pen: Pen, record: Record, entity: Entity, *, cause: int, facts: str, desk: Desk) -> Document:
    """End a row today, with its document; it is shown nowhere any more."""
    taken = documents.number(TYPES["remove"][is_marked(entity)], desk)
    reason = REMOVALS[cause][0]
    listing_cases.end(pen, record, on=desk.today, because=cause, printed=taken.printed, removal_reason=reason)
    listing_cases.take_down(pen, record, on=desk.today, by=desk.actor)
    variables = {
        "facts": facts, "basis": ENDING[subject_of(entity)], "ground": GROUNDS[record.code].zh, **listing_cases.listed(record, desk),
    }  # fmt: skip
    return documents.issue(pen, taken, desk=desk, entity=entity, variables=variables, about=record.identity)


def _correct(pen: Pen, case: ListingCase, desk: Desk) -> None:
    record, entity = listing_cases.of(case), Entity.get_by_id(case.entity)
    taken = documents.number(TYPES["correct"][is_marked(entity)], desk)
    basis = ENDING[subject_of(entity)].partition("关于")[0]
    variables = {"facts": case.facts, "basis": basis, **listing_cases.listed(record, desk)}
    listing_cases.withdraw(pen, record, case, printed=taken.printed, desk=desk)
    document = documents.issue(pen, taken, desk=desk, entity=entity, variables=variables, about=record.identity)
    listing_cases.take_effect(pen, case, document=document, desk=desk)


EFFECTS = {"enter": _enter, "remove": _remove, "correct": _correct}


def _applies(entity: Entity, subject: str, ground: int) -> None:
    if ground not in GROUNDS:
        raise ListingRefused(f"There is no ground {ground}. Grounds are 1 to 4: {'; '.join(f'{k} {v.zh}' for k, v in GROUNDS.items())}.")  # fmt: skip
    if (subject, ground) not in BASIS:
        raise ListingRefused(f"Ground {ground} ({GROUNDS[ground].zh}) is not for {subject}: its rules have grounds 1, 3 and 4 only.")  # fmt: skip
    if entity.provisional:
        raise ListingRefused(f"{entity.code} is not registered yet: only the registering organ lists, and it has not said whom. Import its registration first.")  # fmt: skip
    if entity.status in GONE:
        raise ListingRefused(f"{entity.code} is {'revoked 吊销' if entity.status == 2 else 'cancelled 注销'}: it is not listed any more.")  # fmt: skip


def _removable(record: Record, entity: Entity, cause: int, proof: str) -> str:
    """What shows that the cause of removal is there. Raises ListingRefused."""
    if cause not in REMOVALS or cause == TRANSFER:
        names = "; ".join(f"{code} {text}" for code, (text, _) in REMOVALS.items() if code != TRANSFER)
        raise ListingRefused(f"There is no cause of removal {cause} that a person may give. Causes are: {names}.")
    text, grounds = REMOVALS[cause]
    if record.code not in grounds:
        fitting = ", ".join(
            str(code) for code, (_, ends) in REMOVALS.items() if record.code in ends and code != TRANSFER
        )
        raise ListingRefused(f"Cause {cause} ({text}) does not end a listing for ground {record.code} ({GROUNDS[record.code].zh}). Causes that do: {fitting}.")  # fmt: skip
    if cause == 7:
        if entity.status not in GONE:
            raise ListingRefused(
                f"{entity.code} is neither cancelled nor revoked on record. Import its registration first."
            )
        return f"{text}（登记状态）"
    if cause == 1:
        year = record.detail.get("year")
        report = Record.get_or_none(
            (Record.entity == entity) & (Record.kind == "annual_report") & (Record.code == (year or 0)) & Record.replaced_seq.is_null()
            & (Record.act != "withdraw")
        )  # fmt: skip
        if report is not None:
            return f"{year}年度年度报告已公示（台账{report.seq}号）"
    if not proof.strip():
        raise ListingRefused(f"Say what shows that the cause is there ({text}): give it as proof (`--proof`, or `proof` of the request), for example a report's receipt or a record of the visit.")  # fmt: skip
    return listing_cases.said(f"{text}：{proof}", "proof")
