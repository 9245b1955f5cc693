"""The numbered documents that tell a party what came of its repair 信用修复 or its objection 异议, where its organ issues them here."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from registry.cells.documents import printed_document_no
from registry.config import Settings
from registry.database import write
from registry.kinds import KINDS
from registry.models import Record
from registry.services import abnormal_list, documents
from registry.services.documents import LONGEST_VALUE, BadDocument, UnknownOrgan, chinese_date
from registry.services.ledger import Pen
from registry.services.life import Target

NO_ORGAN = (
    "The record names no organ, so nobody can issue a document about it here. Correct the record before the next step, and "
    "issue this document outside."
)
# What was decided on an objection, as its answer says it: upheld and withdrawn, upheld in part, rejected, not accepted.
DECISIONS = {
    "withdrawn": "异议成立，撤回该信息，停止公示。",
    "upheld": "异议成立，停止公示该信息，更正并经审核后再行公示。",
    "rejected": "异议不成立，该信息予以维持。",
    "refused": "不予受理。",
}


def issue(
    pen: Pen, type_: str, target: Target, variables: Mapping[str, str], *, settings: Settings | None, actor: str, today: date
) -> dict[str, Any]:  # fmt: skip
    """Issue a document on a repair or objection inside its transaction, by the organ of the record; what the step says of it.

    `variables` are those of the template without `about`. Returns `document`, its printed number; or `no_document`, why there
    is none: the organ issues no documents here, or its table in the file of `[listings] organs` lacks what the template
    needs. A document that cannot be made never holds up the decision, and takes no number. Without `settings` nothing is
    issued, and nothing is said.
    """
    if settings is None:
        return {}
    if not target.organ:
        return {"no_document": NO_ORGAN}
    try:
        desk = documents.desk(
            settings, organ=target.organ, actor=actor, today=today, now=pen.now, schemes=pen.schemes
        )  # fmt: skip
        with write():  # a savepoint: the number of a document that cannot be made is given back
            made = documents.issue(
                pen, documents.number(type_, desk), desk=desk, entity=target.entity, about=target.identity,
                variables={"about": named(target), **{name: text[:LONGEST_VALUE] for name, text in variables.items()}},
            )  # fmt: skip
    except (UnknownOrgan, BadDocument) as error:
        return {"no_document": error.detail}
    return {"document": made.printed_no}


def of(seq: int) -> dict[str, str]:
    """What the step in ledger row `seq` says of its document: `document` and `no_document`, each "" where it says nothing."""
    row = Record.get_or_none(Record.seq == seq)
    detail: dict[str, Any] = {} if row is None else row.detail
    return {name: str(detail.get(name, "")) for name in ("document", "no_document")}


def named(target: Target) -> str:
    """A record as a document names it: its kind and number, or its day where it has no number."""
    number = target.detail.get("printed_no") or printed_document_no(target.document_no)
    on = "日期未载明" if target.happened_on is None else f"{chinese_date(target.happened_on)}作出"
    return f"{KINDS[target.kind].title.zh}信息（{number or on}）"


def met(conditions: Mapping[str, Mapping[str, Any]]) -> str:
    """What an approval rests on: the conditions of the repair, all of which are met."""
    return f"你单位的申请符合下列条件：{'；'.join(str(one['zh']) for one in conditions.values())}。"


def leaving(target: Target, today: date) -> str:
    """What a repair does to a listing, in words; "" for a record that is none, or for one that was ended already."""
    if target.ends_on is not None:
        return ""
    if target.kind == "serious_listing":
        return f"自{chinese_date(today)}起，你单位移出严重违法失信名单。"
    if target.kind == "abnormal_listing":
        marked = abnormal_list.is_marked(target.entity)
        return f"自{chinese_date(today)}起，你单位{'恢复正常记载状态' if marked else '移出经营异常名录'}。"
    return ""


def instrument(basis: str) -> str:
    """The instrument that a decision on a repair cites: the first that its rule rests on, without our notes on periods."""
    return re.split("[；：]", basis)[0]


def sentence(text: str) -> str:
    """Words of an officer as a sentence of a document."""
    return text if text.endswith(("。", "！", "？")) else f"{text}。"
