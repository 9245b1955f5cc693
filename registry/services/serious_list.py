"""Serious-violation list 严重违法失信名单 (SAMR Order 44, in force 2021-09-01): every procedural step on record, then effect.

draft: the heavier penalty it rests on → noticed: 告知 delivered, statement heard → proposed: first opinion → (approval of the
superior organ) → approved: audit by another person, decision issued → effective: decision delivered.
"""

from dataclasses import replace
from datetime import date

from registry import publicity
from registry.errors import RecordNotFound
from registry.kinds import KINDS
from registry.kinds.penalty import SERIOUS
from registry.kinds.serious_listing import ARTICLES
from registry.models import Document, Entity, ListingCase, Record
from registry.services import abnormal_list, deliveries, documents, ledger, listing_cases, workdays
from registry.services.documents import Desk, chinese_date
from registry.services.ledger import ORGAN, Pen
from registry.services.listing_cases import ListingConflict, ListingRefused
from registry.services.sameness import content_of, identity_of

KIND = KINDS["serious_listing"]
ORDER = "《市场监督管理严重违法失信名单管理办法》"
# The rule before 2021-09-01, which `[listings] three_year_transfer` keeps.
TRANSFER_BASIS = "《企业信息公示暂行条例》关于严重违法企业名单的规定"
NUMERALS = {5: "五", 6: "六", 7: "七", 8: "八", 9: "九", 10: "十", 11: "十一"}
# Removal before the term 提前移出, and withdrawal because the penalty is gone or the listing was wrong.
EARLY, PENALTY_GONE, WRONG = 2, 3, 4
# Working days to decide an early removal: Order 107 is in force from its first day, the measure of 2021 before.
ORDER_107 = date(2025, 12, 25)
DECIDE_WITHIN = {True: 7, False: 15}
# What an application for early removal must show, each in words; the register itself looks for another heavier penalty.
CONDITIONS = {"application": "申请", "duties": "履行行政处罚决定中规定的义务", "harm": "消除危害后果和不良影响"}


def is_heavier(penalty: Record) -> bool:
    """Whether a penalty is a heavier one 较重行政处罚 by its kind alone (Order 44, Art. 2); fines go by the discretion standard."""
    return penalty.severity >= 3 or penalty.code in SERIOUS


def open_listing(
    penalty_seq: int, *, article: int, facts: str, heavier_because: str = "", until: date | None = None, desk: Desk
) -> tuple[ListingCase, bool]:  # fmt: skip
    """Open a case on the penalty that it rests on; returns it and whether it is new. Safe to repeat.

    `heavier_because` names the discretion standard where the kind of penalty does not show that it is a heavier one;
    `until` ends a statutory restriction longer than three years. Who penalises lists: the penalty is the organ's own.
    Raises RecordNotFound, ListingRefused, ListingConflict.
    """
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        penalty = Record.get_or_none((Record.seq == penalty_seq) & (Record.kind == "penalty"))
        if penalty is None:
            raise RecordNotFound(f"The ledger has no penalty {penalty_seq}. The entity's records show its number.")
        penalty = listing_cases.current(penalty.identity) or penalty
        before = listing_cases.pending(penalty.entity_id, "serious", "enter", article, penalty.identity)
        if before is not None:
            return before, False
        shows = _may_rest_on(penalty, article, heavier_because, desk)
        case = listing_cases.start(
            pen, list_="serious", action="enter", entity=penalty.entity_id, ground=article, cause=penalty.identity, facts=facts, desk=desk,
            rests_on=penalty.identity, until=until,
        )  # fmt: skip
        listing_cases.note(pen, case, "rests_on", desk, opinion=shows, penalty=penalty.identity)
        return case, True


def open_transfer(pen: Pen, listing: Record, *, desk: Desk) -> tuple[ListingCase, bool]:
    """Open a case for who stands three years on the abnormal-operation list: only with `[listings] three_year_transfer`.

    The case goes through every step of the others; when it takes effect the old row ends. Safe to repeat.
    """
    before = listing_cases.pending(listing.entity_id, "serious", "enter", 0, listing.identity)
    earlier = before or ListingCase.get_or_none(
        (ListingCase.rests_on == listing.identity) & (ListingCase.list == "serious")
    )
    if earlier is not None:
        return earlier, False
    assert listing.happened_on is not None
    facts = f"你单位于{chinese_date(listing.happened_on)}被列入经营异常名录，届满三年仍未履行相关义务。"
    case = listing_cases.start(
        pen, list_="serious", action="enter", entity=listing.entity_id, ground=0, cause=listing.identity, facts=facts, desk=desk,
        rests_on=listing.identity,
    )  # fmt: skip
    listing_cases.note(pen, case, "rests_on", desk, opinion="列入经营异常名录届满三年", listing=listing.identity)
    return case, True


def notify(number: int, *, desk: Desk) -> tuple[ListingCase, bool]:
    """Issue the notice of intended listing 告知书, with its statement period. Safe to repeat."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case = _entering(pen, number, desk)
        if listing_cases.done(case, "noticed") is not None:
            return case, False
        _in(case, "draft", "the notice of intended listing is issued first")
        taken = documents.number("serious_notice", desk)
        variables = {**_grounds(case), "statement_days": str(desk.rules.statement_days)}
        document = documents.issue(pen, taken, desk=desk, entity=Entity.get_by_id(case.entity), variables=variables)
        listing_cases.note(pen, case, "noticed", desk, document=document, state="noticed")
        return case, True


def hear(number: int, *, statement: str, answer: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Put on record what the party stated 陈述申辩 and what came of it; an empty `statement` says that it stated nothing.

    Only once the notice was delivered; that nothing was stated only after the statement period. Safe to repeat. Raises
    ListingConflict and ListingRefused.
    """
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case = _entering(pen, number, desk)
        kept = listing_cases.said(statement, "the statement") if statement.strip() else ""
        before = listing_cases.done(case, "heard")
        if before is not None and before["statement"] == kept:
            return case, False
        _in(case, "noticed", "the statement is heard after the notice and before the first opinion")
        ends = statement_ends(case, desk)
        if not kept and desk.today <= ends:
            raise ListingRefused(
                f"The party may state its case until {ends}. That it did not can be said from the day after."
            )
        if kept and not answer.strip():
            raise ListingRefused(
                "Say what came of the statement: adopted or not, and why (`--answer`, or `answer` of the request)."
            )
        documents.unmasked({"answer": answer}, "The answer to the statement 陈述申辩的答复")
        listing_cases.note(
            pen, case, "heard", desk, opinion=listing_cases.said(answer, "answer") if kept else "", statement=kept
        )
        return case, True


def statement_ends(case: ListingCase, desk: Desk) -> date:
    """The last day on which the party may state its case. Raises ListingConflict while the notice is not delivered."""
    return workdays.add(_delivered_on(case, "noticed", "notice of intended listing"), desk.rules.statement_days)


def propose(number: int, *, opinion: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Give the first opinion 初审: of a listing once the party was heard. Safe to repeat. Raises ListingConflict."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case = listing_cases.locked(pen, number, desk)
        if case.action == "enter" and case.state == "noticed" and listing_cases.done(case, "heard") is None:
            raise ListingConflict(f"Case {case.id}: put on record what the party stated, or that it stated nothing, before the first opinion.")  # fmt: skip
        ready = ("noticed",) if case.action == "enter" else ("draft",)
        return case, listing_cases.propose(pen, case, opinion=opinion, desk=desk, ready=ready)


def approve_above(
    number: int, *, organ: str, approval_no: str, approved_on: date, desk: Desk
) -> tuple[ListingCase, bool]:
    """Put the approval of the next higher organ 上级机关批准 on record. Safe to repeat."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case = _entering(pen, number, desk)
        before = listing_cases.done(case, "superior")
        if before is not None and before["approval_no"] == approval_no.strip():
            return case, False
        _in(case, "proposed", "the superior organ approves what was proposed, before the audit")
        if desk.organ.superior and organ != desk.organ.superior:
            raise ListingRefused(f"The superior of {desk.organ.name} is {desk.organ.superior}, not {organ}.")
        first = listing_cases.done(case, "proposed")
        assert first is not None
        if not date.fromisoformat(first["on"]) <= approved_on <= desk.today:
            raise ListingRefused(f"The approval cannot be of {approved_on}: the case was proposed on {first['on']}, and today is {desk.today}.")  # fmt: skip
        listing_cases.note(
            pen, case, "superior", desk, on=approved_on, organ=listing_cases.said(organ, "organ"), approval_no=listing_cases.said(approval_no, "approval_no"),
        )  # fmt: skip
        return case, True


def decide(number: int, *, agree: bool, opinion: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Audit 审核 a case. Agreed to, a listing gets its decision, which must be delivered before it takes effect; a removal
    or withdrawal takes effect at once, in the same transaction as its document. Safe to repeat."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case = listing_cases.locked(pen, number, desk)
        if case.state == "proposed" and agree and case.action == "enter":
            if desk.rules.superior_approval and listing_cases.done(case, "superior") is None:
                raise ListingConflict(
                    f"Case {case.id} needs the approval of {desk.organ.superior or 'the superior organ'} on record first. Where the law does "
                    "not ask for it any more, set [listings] superior_approval = 0."
                )
            _still_rests(case)
        new = listing_cases.decide(pen, case, agree=agree, opinion=opinion, desk=desk)
        if new and agree:
            (_decision if case.action == "enter" else _leave)(pen, case, desk)
        return case, new


def take_effect(number: int, *, desk: Desk) -> tuple[ListingCase, bool]:
    """Let an approved listing take effect: only with its decision delivered and its penalty still standing. Safe to repeat."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        case = _entering(pen, number, desk)
        if case.state == "effective":
            return case, False
        _in(case, "approved", "it takes effect after the audit")
        _still_rests(case)
        _delivered_on(case, "decided", "decision")
        document = _document(case, "decided")
        entity = Entity.get_by_id(case.entity)
        said = KIND.schema(today=desk.today).load({
            "organ": desk.organ.name, "document_no": document.printed_no, "article": case.ground, "listed_on": desk.today,
            "reason": case.facts, "until": case.until,
        })  # fmt: skip
        made = KIND.state(said)
        statement = replace(
            made, detail={**made.detail, "printed_no": document.printed_no, "case": case.id, "rests_on": case.rests_on}
        )
        case.identity = identity_of(statement, entity.id, content_of(statement), ORGAN)
        (outcome,) = pen.state([(entity.id, statement)], source=ORGAN)
        if outcome.said != "stored":
            raise ListingConflict(
                f"{document.printed_no} is on record already, as ledger row {outcome.seq}. Nothing was changed."
            )
        # The decision was issued before there was a record: from here on it is about that record.
        Document.update(about=case.identity).where(Document.id == document.id).execute()
        _end_transferred(pen, case, entity, desk)
        listing_cases.take_effect(pen, case, document=document, desk=desk)
        return case, True


def open_removal(seq: int, *, facts: str, conditions: dict[str, str], desk: Desk) -> tuple[ListingCase, bool]:
    """Open a case of early removal 提前移出, one year after the listing at the earliest; its conditions go on record.

    `conditions` says of each of CONDITIONS what shows it. Raises ListingRefused, naming every condition that is not met.
    """
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        record = listing_cases.listing(seq, "serious")
        before = listing_cases.pending(record.entity_id, "serious", "remove", EARLY, record.identity)
        if before is not None:
            return before, False
        listing_cases.in_force(record, desk.organ.name)
        _may_leave(record, conditions, desk)
        days = DECIDE_WITHIN[desk.today >= ORDER_107]
        case = listing_cases.start(
            pen, list_="serious", action="remove", entity=record.entity_id, ground=EARLY, cause=record.identity, facts=facts, desk=desk,
            identity=record.identity, decide_by=workdays.due(desk.today, days),
        )  # fmt: skip
        kept = {name: listing_cases.said(conditions[name], name) for name in CONDITIONS}
        listing_cases.note(
            pen, case, "conditions", desk, conditions={**kept, "no_further_penalty": "台账未见列入后的较重行政处罚"}
        )
        return case, True


def open_withdrawal(seq: int, *, facts: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Open a case of withdrawal 撤销: the penalty is gone, or the listing was wrong. It leaves public view. Safe to repeat."""
    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
        return start_withdrawal(pen, listing_cases.listing(seq, "serious"), facts=facts, desk=desk)


def start_withdrawal(pen: Pen, record: Record, *, facts: str, desk: Desk) -> tuple[ListingCase, bool]:
    """The same inside a transaction of the caller's."""
    resting = record.detail.get("rests_on")
    gone = bool(resting) and not listing_cases.holds(resting)
    ground = PENALTY_GONE if gone else WRONG
    before = listing_cases.pending(record.entity_id, "serious", "correct", ground, record.identity)
    if before is not None:
        return before, False
    if record.organ != desk.organ.name or record.act == "withdraw":
        listing_cases.in_force(record, desk.organ.name)
    case = listing_cases.start(
        pen, list_="serious", action="correct", entity=record.entity_id, ground=ground, cause=record.identity, facts=facts, desk=desk,
        identity=record.identity, rests_on=resting, decide_by=workdays.due(desk.today, 3),
    )  # fmt: skip
    return case, True


def without_penalty(*, organ: str | None = None) -> list[Record]:
    """Serious-violation listings, still standing or history, whose penalty was withdrawn since: they must be withdrawn too."""
    cases = ListingCase.select().where(
        (ListingCase.list == "serious") & (ListingCase.action == "enter") & (ListingCase.state == "effective") & (ListingCase.ground != 0)
    )  # fmt: skip
    if organ is not None:
        cases = cases.where(ListingCase.organ == organ)
    found: list[Record] = []
    for case in cases.order_by(ListingCase.id):
        record, penalty = listing_cases.current(case.identity), listing_cases.current(case.rests_on)
        if record is not None and record.act != "withdraw" and penalty is not None and penalty.act == "withdraw":
            found.append(record)
    return found


def _decision(pen: Pen, case: ListingCase, desk: Desk) -> None:
    heard = listing_cases.done(case, "heard")
    above = listing_cases.done(case, "superior")
    assert heard is not None
    variables = {
        **_grounds(case),
        "notice_no": _document(case, "noticed").printed_no,
        "heard": f"你单位提出陈述、申辩，{_ended(heard['opinion'])}" if heard["statement"] else "你单位在规定期限内未提出陈述、申辩。",
        "approval": f"经{above['organ']}批准（{above['approval_no']}）。" if above else "按照规定无须上级机关批准。",
        "term": f"期限至{chinese_date(case.until)}。" if case.until else "期限三年。",
    }  # fmt: skip
    taken = documents.number("serious_enter", desk)
    document = documents.issue(pen, taken, desk=desk, entity=Entity.get_by_id(case.entity), variables=variables)
    listing_cases.note(pen, case, "decided", desk, document=document)


def _leave(pen: Pen, case: ListingCase, desk: Desk) -> None:
    """Early removal or withdrawal: ledger and document in one transaction."""
    record, entity = listing_cases.of(case), Entity.get_by_id(case.entity)
    variables = _leaving(record, case.facts, desk)
    if case.action == "remove":
        listing_cases.in_force(record, desk.organ.name)
        variables["from_on"] = chinese_date(desk.today)
        taken = documents.number("serious_remove", desk)
        end(pen, record, on=desk.today, because="early", printed=taken.printed, today=desk.today, by=desk.actor)
    else:
        taken = documents.number("serious_correct", desk)
        listing_cases.withdraw(pen, record, case, printed=taken.printed, desk=desk)
    document = documents.issue(pen, taken, desk=desk, entity=entity, variables=variables, about=record.identity)
    listing_cases.take_effect(pen, case, document=document, desk=desk)


def end(
    pen: Pen, record: Record, *, on: date, because: str, printed: str = "", today: date, by: str
) -> ledger.Outcome:  # fmt: skip
    """Say in the ledger that a listing ends on a day (see `listing_cases.end`). From `today` on it is shown nowhere any more."""
    outcome = listing_cases.end(pen, record, on=on, because=because, printed=printed)
    listing_cases.take_down(pen, record, on=today, by=by)
    return outcome


def ended_by_term(pen: Pen, record: Record, *, on: date, desk: Desk) -> Document:
    """End a listing whose term is over, with its document, inside a transaction of the caller's."""
    taken = documents.number("serious_remove", desk)
    end(pen, record, on=on, because="term_over", printed=taken.printed, today=desk.today, by=desk.actor)
    facts = f"你单位列入严重违法失信名单的期限已于{chinese_date(on)}届满。"
    entity = Entity.get_by_id(record.entity_id)
    return documents.issue(
        pen,
        taken,
        desk=desk,
        entity=entity,
        variables=_leaving(record, facts, desk) | {"from_on": chinese_date(on)},
        about=record.identity,
    )


def _leaving(record: Record, facts: str, desk: Desk) -> dict[str, str]:
    return {"facts": facts, "basis": f"{ORDER}的规定", **listing_cases.listed(record, desk)}


def _may_rest_on(penalty: Record, article: int, heavier_because: str, desk: Desk) -> str:
    """What makes it a heavier penalty that a listing may rest on. Raises ListingRefused."""
    if article not in ARTICLES or article == 0:
        named = "; ".join(f"{number} {label.zh}" for number, label in ARTICLES.items() if number)
        raise ListingRefused(f"There is no article {article} to list under. Articles of Order 44 are: {named}.")
    if penalty.organ != desk.organ.name:
        raise ListingRefused(
            f"Penalty {penalty.seq} was decided by {penalty.organ or 'an organ that is not named'}. Who penalises lists 谁处罚、谁列入."
        )
    if penalty.act == "withdraw":
        raise ListingRefused(f"Penalty {penalty.seq} was withdrawn: nothing can rest on it.")
    if not listing_cases.holds(penalty.identity):
        raise ListingRefused(f"Penalty {penalty.seq} does not count: it was attached by name alone and waits to be confirmed, or was repaired. Confirm it first.")  # fmt: skip
    standing = _resting_on(penalty.identity)
    if standing is not None:
        raise ListingConflict(f"Penalty {penalty.seq} has led to a listing already, case {standing.id}.")
    if is_heavier(penalty):
        return f"较重行政处罚：{penalty.detail.get('printed_no') or penalty.document_no}"
    if not heavier_because.strip():
        raise ListingRefused(
            f"Penalty {penalty.seq} is not a heavier one by its kind. Where the discretion standard makes its fine one, name that standard: "
            "give `heavier_because`."
        )
    return listing_cases.said(f"较重行政处罚：{heavier_because}", "heavier_because")


def _resting_on(identity: str) -> ListingCase | None:
    """The case that lists on this penalty and whose listing was not withdrawn."""
    for case in ListingCase.select().where(
        (ListingCase.rests_on == identity) & (ListingCase.action == "enter") & (ListingCase.state == "effective")
    ):
        record = listing_cases.current(case.identity)
        if record is not None and record.act != "withdraw":
            assert isinstance(case, ListingCase)
            return case
    return None


def early_from(listed_on: date | None, until: str | None) -> date | None:
    """The first day on which a listing may be removed, or repaired, before its term 提前移出: a year after the listing (Order 44),
    and not before a longer restriction that a law sets (`until`, ISO) is over. None where neither is on record."""
    days = [publicity.add_months(listed_on, 12)] if listed_on else []
    return max([*days, *([date.fromisoformat(until)] if until else [])], default=None)


def _may_leave(record: Record, conditions: dict[str, str], desk: Desk) -> None:
    until = record.detail.get("until")
    first = early_from(record.happened_on, until)
    problems: list[str] = []
    if first is not None and desk.today < first:
        why = f"one year after the listing of {record.happened_on}"
        if until and date.fromisoformat(until) == first:
            why = "when what a law restricts the party for is over"
        problems.append(f"it may be removed from {first} on, {why}")
    problems += [
        f"{name} ({text}) is not shown" for name, text in CONDITIONS.items() if not conditions.get(name, "").strip()
    ]
    later = listing_cases.penalties_since(record.entity_id, record.happened_on)
    problems += [f"penalty {row.seq} of {row.happened_on} is another heavier one" for row in later if is_heavier(row)]
    if problems:
        raise ListingRefused(f"Listing {record.seq} cannot be removed early: {'; '.join(problems)}.", problems=problems)


def _still_rests(case: ListingCase) -> None:
    if case.rests_on is None or not listing_cases.holds(case.rests_on):
        raise ListingConflict(
            f"What case {case.id} rests on was withdrawn, repaired or does not count any more. Refuse the case."
        )


def _end_transferred(pen: Pen, case: ListingCase, entity: Entity, desk: Desk) -> None:
    """Of a three-year transfer: the row of the abnormal-operation list ends with a document of its own."""
    if case.ground != 0 or case.rests_on is None:
        return
    listing = listing_cases.current(case.rests_on)
    assert listing is not None
    if listing.ends_on is not None:
        raise ListingConflict(
            f"The row of the abnormal-operation list was removed on {listing.ends_on}: nothing is transferred."
        )
    abnormal_list.transfer(pen, listing, entity, desk=desk)


def _grounds(case: ListingCase) -> dict[str, str]:
    """Facts, basis and what the listing rests on, as notice and decision say them."""
    assert case.rests_on is not None
    resting = listing_cases.current(case.rests_on)
    assert resting is not None
    number = resting.detail.get("printed_no") or resting.document_no or f"台账{resting.seq}号"
    if case.ground == 0:
        return {"facts": case.facts, "basis": TRANSFER_BASIS, "resting": f"（列入经营异常名录文书号：{number}）"}
    basis = f"{ORDER}第{NUMERALS[case.ground]}条"
    return {"facts": case.facts, "basis": basis, "resting": f"你单位因上述行为受到较重行政处罚（文书号：{number}）。"}


def _entering(pen: Pen, number: int, desk: Desk) -> ListingCase:
    case = listing_cases.locked(pen, number, desk)
    if case.list != "serious" or case.action != "enter":
        raise ListingConflict(f"Case {number} is no listing on the serious-violation list: it has no such step.")
    return case


def _in(case: ListingCase, state: str, why: str) -> None:
    if case.state != state:
        raise ListingConflict(f"Case {case.id} is {listing_cases.shown(case)}, not {state}: {why}.")


def _document(case: ListingCase, step: str) -> Document:
    done = listing_cases.done(case, step)
    assert done is not None
    return documents.get(int(done["document"]))


def _delivered_on(case: ListingCase, step: str, what: str) -> date:
    document = _document(case, step)
    done = deliveries.delivered(document)
    if done is None:
        raise ListingConflict(
            f"The {what}, {document.printed_no}, is not delivered yet. Record its delivery: xinheng document send {document.id}, then delivered."
        )
    assert isinstance(done.delivered_on, date)
    return done.delivered_on


def _ended(text: str) -> str:
    return text if text.endswith("。") else f"{text}。"
