"""Repair 信用修复: applied for, accepted within 2 working days, decided within 5, 7 or 15; after it nothing of it is used.

An approved repair stops publicity, sharing and use (NDRC measure): the record is taken down everywhere, recipients are told,
and it does not count from that ledger row on. It stays in the file, for those with a purpose.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from registry import clock, publicity
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.database import execute
from registry.errors import RegistryError
from registry.kinds import KINDS
from registry.models import Publication, Record, Repair
from registry.page import Page
from registry.services import (
    answers,
    applications,
    audit,
    ledger,
    life,
    listing_cases,
    notices,
    publication,
    publication_terms,
    repair_cases,
    serious_list,
    workdays,
)
from registry.services.applications import Sort
from registry.services.documents import chinese_date
from registry.services.ledger import Pen
from registry.services.life import Change, Target
from registry.services.reviews import ReasonMissing
from registry.services.step_words import REPAIR_STATES

LISTINGS = ("abnormal_listing", "serious_listing")
# Kinds of which only a fault can be repaired.
CHECKS = ("spot_check", "product_sampling")


class RepairNotFound(RegistryError):
    code = "repair_not_found"
    status = 404


class NotRepairable(RegistryError):
    code = "not_repairable"
    status = 422


class ConditionsNotMet(RegistryError):
    code = "conditions_not_met"
    status = 422


SORT = Sort(
    "repair", Repair, REPAIR_STATES, RepairNotFound, first="applied", due="decide_by", decided="decided",
    busy="of this record is open already. It is decided first.", did="applied for this repair",
    whose="Who decided a record repairs it (谁处罚、谁修复).",
)  # fmt: skip


def apply(
    seq: int, kind: str, *, statement: str, entities: Collection[int] | None, actor: str, today: date, now: int
) -> dict[str, Any]:
    """Receive an application and return it with the conditions that will be asked, and the day of acceptance.

    `statement` is what the applicant states and commits to. `entities` is the enterprise itself where it comes itself. While
    one is open the same applicant gets it again, unchanged. Raises RecordNotFound, RecordConflict, NotRepairable,
    WrongState where another's is open.
    """
    with ledger.writing(now=now, schemes=[]) as pen:
        target = applications.about(seq, kind, entities)
        if (open_ := applications.open_one(SORT, target, actor)) is not None:
            return open_
        rule = publicity.repair_rule(kind, today)
        if rule is None or (kind in CHECKS and target.severity == 0):
            what = "has no fault to repair" if rule else f"is of kind {kind}, which the rules of {today} do not repair"
            raise NotRepairable(
                f"Record {seq} {what}. registry/publicity/repairs.toml has the kinds and their conditions."
            )
        if kind in LISTINGS and target.ends_on is not None:
            raise NotRepairable(f"The listing {seq} was ended on {target.ends_on} already. There is nothing to repair.")
        values = {
            "regime": rule.id, "statement": mask_personal(statement.strip()), "applied_on": today,
            "conditions": _conditions(target, rule, {}, today),
        }  # fmt: skip
        return applications.begin(pen, SORT, target, values, within=rule.accept_within, by=actor, on=today, now=now)


def accept(
    number: int, *, accepted: bool, reason: str = "", organ: str | None, actor: str, today: date, now: int, settings: Settings | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Accept an application, or turn it away with a reason (for example: the shortest period is not over). Safe to repeat.

    With `settings` the applicant gets its notice 受理（不予受理）通知书 in the same transaction; `document` has its number,
    `no_document` why there is none. Raises RepairNotFound, SameHands for the applicant himself, ReasonMissing, WrongState.
    """
    state = "accepted" if accepted else "rejected"
    with ledger.writing(now=now, schemes=[]) as pen:
        found, target = _open(number, organ, actor)
        reason = mask_personal(reason.strip())
        if found["state"] == state:
            return found
        applications.must_be_new(SORT, found)
        if not accepted and not reason:
            raise ReasonMissing("Turning an application away needs a `reason`: the applicant reads it.")
        values: dict[str, Any] = {"state": state}
        if accepted:
            rule = _rule(found, target)
            values |= {"accepted_on": today, "decide_by": workdays.due(today, rule.decide_within)}
            says = {"decide_by": chinese_date(values["decide_by"])}
        else:
            values |= {"closed_on": today, "answer": reason}
            says = {"facts": answers.sentence(reason)}
        says |= {"applied_on": chinese_date(found["applied_on"])}
        paper = answers.issue(pen, f"repair_{state}", target, says, settings=settings, actor=actor, today=today)
        applications.put(
            pen, SORT, f"repair_{state}", target, number, values, on=today, by=actor, now=now, reason=reason, **paper
        )
        pen.flush()
        return get(number)


def decide(
    number: int,
    *,
    approved: bool,
    conditions: Mapping[str, bool],
    reason: str = "",
    organ: str | None,
    actor: str,
    schemes: list[str],
    today: date,
    now: int,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Approve or refuse an accepted repair. Safe to repeat. With `settings` the decision gets its document, as in `accept`.

    `conditions` are the officer's answers to the conditions that he checks; the others are worked out from the ledger.
    Approved: in one transaction the listing ends (where it is one), publicity stops on every channel, the record does not
    count any more, and recipients are told. A listing takes two persons: who accepted does not approve; where its organ
    decides on lists here, its removal is a case on record (see `repair_cases.remove`).

    Raises RepairNotFound, SameHands, ReasonMissing, WrongState, ListingConflict where that case lacks its document, and
    ConditionsNotMet, naming each one, where an approval lacks some.
    """
    state = "approved" if approved else "refused"
    with ledger.writing(now=now, schemes=schemes) as pen:
        found, target = _open(number, organ, actor)
        reason = mask_personal(reason.strip())
        if found["state"] == state:
            return found
        applications.must_be_accepted(SORT, found)
        if approved and target.kind in LISTINGS:
            repair_cases.two_persons(found, actor)
        rule = _rule(found, target)
        answered = _conditions(target, rule, conditions, today)
        missing = [name for name, one in answered.items() if one["met"] is not True]
        if approved and missing:
            listed = "; ".join(
                f"{name} ({publicity.condition(name).en} {publicity.condition(name).zh})" for name in missing
            )
            raise ConditionsNotMet(
                f"Repair {number} cannot be approved, these conditions are not met or not answered: {listed}. Answer those "
                "that an officer checks (`xinheng repair decide --met NAME`, or `conditions` of the request), or refuse with a reason.",
                missing=missing,
            )
        if not approved and not reason:
            raise ReasonMissing("A refusal needs a `reason`: the applicant reads it.")
        values = {"state": state, "closed_on": today, "conditions": answered, "answer": reason}
        change = Change("repair", {"id": number}, values)
        facts = f"{answers.met(answered)}{answers.leaving(target, today)}" if approved else answers.sentence(reason)
        says = {
            "facts": facts,
            "basis": answers.instrument(rule.basis),
            "applied_on": chinese_date(found["applied_on"]),
        }
        paper = answers.issue(pen, f"repair_{state}", target, says, settings=settings, actor=actor, today=today)
        if approved:
            if target.kind in LISTINGS and target.ends_on is None:
                whole = found | {"conditions": answered}
                repair_cases.remove(pen, target, whole, paper, settings=settings, actor=actor, today=today)
            _approve(pen, target, change, reason, paper, actor=actor, today=today, now=now)
        else:
            life.step(pen, "repair_refused", target, [change], on=today, by=actor, reason=reason, **paper)
        audit.note(f"repair.{state}", actor=actor, subject=f"repair {number}", now=now, record=target.seq)
        pen.flush()
        return get(number)


def _approve(
    pen: Pen, target: Target, change: Change, reason: str, paper: dict[str, Any], *, actor: str, today: date, now: int
) -> None:  # fmt: skip
    if target.kind in LISTINGS and target.ends_on is None:
        row = Record.get(Record.seq == target.seq)
        listing_cases.end(pen, row, on=today, because="repaired", printed=paper.get("document", ""))
        pen.flush()
    done = life.step(
        pen, "repair_approved", target, [change], on=today, by=actor, reason=reason, leaves_out="repaired", **paper
    )
    pen.flush()
    publication.take_down(pen, target, "repaired", on=today, by=actor, now=now, reason=reason, tell=False)
    if notices.reached(target.identity):
        notices.tell(
            seq=done.seq, what="repaired", identity=target.identity, entity=target.entity.id, kind=target.kind,
            document_no=target.document_no, organ=target.organ, on=today,
        )  # fmt: skip


def conditions_of(target: Target, today: date) -> dict[str, dict[str, Any]]:
    """What a repair of this record would ask for on a day, and what the registry can already say of it; empty for none."""
    rule = publicity.repair_rule(target.kind, today)
    return {} if rule is None else _conditions(target, rule, {}, today)


def _conditions(
    target: Target, rule: publicity.RepairRule, given: Mapping[str, bool], today: date
) -> dict[str, dict[str, Any]]:
    """Each condition of a rule: its words, who checks it, and whether it is met (None: not answered yet).

    What the registry was to check and cannot tell from the ledger, the officer answers.
    """
    strange = sorted(set(given) - set(rule.conditions))
    if strange:
        raise ConditionsNotMet(
            f"{', '.join(strange)} is no condition of this repair. Its conditions are: {', '.join(rule.conditions)}.",
            missing=strange,
        )
    found: dict[str, dict[str, Any]] = {}
    for name in rule.conditions:
        one = publicity.condition(name)
        met = _met(name, target, today) if one.checked == "registry" else None
        checked = "officer" if met is None else one.checked
        if checked == "registry" and name in given and given[name] != met:
            raise ConditionsNotMet(
                f"{name} ({one.en} {one.zh}) is worked out from the ledger and is {'met' if met else 'not met'}. Leave it out.",
                missing=[name],
            )
        met = given.get(name) if checked == "officer" else met
        found[name] = {"zh": one.zh, "en": one.en, "checked": checked, "met": met}
    return found


def _met(name: str, target: Target, today: date) -> bool | None:
    """A condition that follows from the ledger alone, on the facts that hold now; None where the ledger cannot tell."""
    if name == "minimum_over":
        return _minimum_over(target, today)
    if name == "not_listed":
        marks = ", ".join(str(KINDS[kind].number) for kind in LISTINGS)
        whose = life.family(target.entity.id)
        sql = (
            f"SELECT count(*) FROM fact WHERE entity IN ({', '.join('?' * len(whose))}) AND kind IN ({marks}) "  # noqa: S608
            "AND gone IS NULL AND (ends IS NULL OR ends > ?)"
        )
        return not execute(sql, (*whose, clock.day_number(today))).fetchone()[0]
    later = listing_cases.penalties_since(target.entity.id, target.happened_on, besides=target.identity)
    if name == "no_heavy_penalty":
        return not any(serious_list.is_heavier(row) for row in later)
    assert name == "no_repeat", name
    mine = str(target.detail.get("violation", ""))
    theirs = [str(row.detail.get("violation", "")) for row in later]
    if mine and mine in theirs:
        return False
    # A case whose type nobody wrote down may be of the same kind.
    return None if "" in theirs or (theirs and not mine) else True


def _minimum_over(target: Target, today: date) -> bool | None:
    first = shortest_over(target, today)
    return None if first is None else first <= today


def shortest_over(target: Target, today: date) -> date | None:
    """The first day on which the shortest period of publication is over on every channel where a record is, or was, published.

    What was never published here has the periods all the same: it was to be published elsewhere, by the last legal day. A
    serious-violation listing stays as long as it may not be removed early in any case (`serious_list.early_from`): no repair
    shortens what a law restricts its party for. `today` where there is no period to wait for, None where none can be told: no
    date, or a penalty whose class the table does not give.
    """
    rows = life.rows_of(Publication, identity=target.identity)
    days = [row["earliest"] for row in rows if row["published_on"] is not None]
    if not days:
        if target.happened_on is None:
            return None
        for channel in publicity.channels_of(target.kind):
            before = next((row for row in rows if row["channel"] == channel), None)
            terms = publication_terms.legal_terms(target, channel, before, today=today)
            if terms is None:
                return None
            days.append(terms.earliest if terms.published else None)
    if target.kind == "serious_listing":
        days.append(serious_list.early_from(target.happened_on, target.detail.get("until")))
    return max((day for day in days if day is not None), default=today)


def _rule(found: Mapping[str, Any], target: Target) -> publicity.RepairRule:
    rule = publicity.repair_rule(target.kind, found["applied_on"])
    assert rule is not None, "it was there when the repair was applied for"
    return rule


def _open(number: int, organ: str | None, actor: str) -> tuple[dict[str, Any], Target]:
    found, target = applications.taken_up(SORT, number, organ, actor)
    if found["state"] in SORT.open:
        life.alive(target)
    return found, target


def get(number: int) -> dict[str, Any]:
    """One repair, with what its newest step says of its document (see `answers.of`). Raises RepairNotFound."""
    return applications.get(SORT, number)


def page(
    *, organ: str | None = None, divisions: tuple[str, ...] = ("",), today: date, after: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Open repairs of an organ's records, the most urgent first, so that what is overdue stands on top. One query."""
    return applications.page(SORT, organ=organ, divisions=divisions, today=today, after=after, limit=limit)
