"""The approved repair of a listing 名录信用修复 as a case of removal 移出: two persons, a document, every step on record."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from registry.config import Settings
from registry.models import Document, ListingCase, Record
from registry.services import answers, documents, life, listing_cases, listings, serious_list
from registry.services.ledger import Pen
from registry.services.life import Target
from registry.services.listing_cases import ListingConflict

# Cause of removal from the abnormal-operation list (abnormal_list.REMOVALS) by its ground: what a repair shows of it.
CAUSES = {1: 1, 2: 2, 3: 3, 4: 5}
LISTS = {kind: name for name, kind in listing_cases.KINDS.items()}


def accepted_by(repair: Mapping[str, Any]) -> str:
    """Who accepted a repair that stands accepted: its newest step says so."""
    return str(Record.get(Record.seq == repair["seq"]).source)


def two_persons(repair: Mapping[str, Any], actor: str) -> None:
    """Raise SameHands where who accepted the repair of a listing would approve it as well."""
    did = f"accepted repair {repair['id']} of a listing"
    life.two_keys(actor[:64], [accepted_by(repair)], what="approve it", did=did)


def remove(
    pen: Pen, target: Target, repair: Mapping[str, Any], paper: Mapping[str, str], *, settings: Settings | None, actor: str, today: date
) -> None:  # fmt: skip
    """Put the removal of a listing that a repair ends on record as a case, inside the approval's transaction.

    Who accepted the repair gave the first opinion 初审, who approves it audits 审核, and the approval is the document. A case
    of removal that is on its way already is the one. Nothing is done where the organ of the listing keeps no cases here.
    Raises ListingConflict where its document could not be made, and where `actor` gave the first opinion.
    """
    if settings is None or not listings.by_cases(target.kind, target.organ, settings):
        return
    if "document" not in paper:
        raise ListingConflict(
            f"The removal of listing {target.seq} needs its document, and it cannot be made: {paper.get('no_document', '')} "
            "Approve the repair after that. Nothing was changed."
        )
    desk = documents.desk(settings, organ=target.organ, actor=actor, today=today, now=pen.now, schemes=pen.schemes)
    first = replace(desk, actor=accepted_by(repair), today=repair["accepted_on"])
    case = ListingCase.get_or_none(
        (ListingCase.identity == target.identity) & (ListingCase.action == "remove") & ListingCase.state.in_(listing_cases.PENDING)
    )  # fmt: skip
    if case is None:
        record = Record.get(Record.seq == target.seq)
        case = listing_cases.start(
            pen, list_=LISTS[target.kind], action="remove", entity=target.entity.id, cause=target.identity,
            ground=serious_list.EARLY if target.kind == "serious_listing" else CAUSES[record.code],
            facts=answers.met(repair["conditions"]), desk=first, identity=target.identity, decide_by=repair["decide_by"],
        )  # fmt: skip
    listing_cases.note(pen, case, "conditions", desk, repair=repair["id"], conditions=dict(repair["conditions"]))
    if case.state == "draft":
        listing_cases.propose(
            pen, case, opinion=f"受理信用修复申请（{repair['id']}号）。", desk=first, ready=("draft",)
        )
    listing_cases.decide(pen, case, agree=True, opinion=f"准予信用修复（{repair['id']}号）。", desk=desk)
    made = Document.get((Document.printed_no == paper["document"]) & (Document.about == target.identity))
    listing_cases.take_effect(pen, case, document=made, desk=desk)
