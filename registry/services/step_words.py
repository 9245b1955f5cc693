"""What the steps of the ledger are called, and who may read of them in a timeline. A test fails for a step without words."""

from registry.kinds.codes import Label
from registry.services.visibility import Reader

# Steps in the life of a record.
LIFE: dict[str, Label] = {
    "reviewed": Label("公示审核", "Reviewed for publication"),
    "published": Label("公示", "Published"),
    "not_published": Label("不予公示", "Not published"),
    "blocked": Label("因个人信息暂不公示", "Blocked: personal data in a public field"),
    "stopped": Label("停止公示", "Publication stopped"),
    "retimed": Label("重新计算公示期", "Period of publication counted anew"),
    "objection": Label("提出异议", "Objection received"),
    "objection_accepted": Label("受理异议", "Objection accepted"),
    "objection_refused": Label("不予受理异议", "Objection not accepted"),
    "objection_verified": Label("异议核实结论", "Objection verified"),
    "repair": Label("申请信用修复", "Repair applied for"),
    "repair_accepted": Label("受理信用修复", "Repair accepted"),
    "repair_rejected": Label("不予受理信用修复", "Repair not accepted"),
    "repair_approved": Label("准予信用修复", "Repair approved"),
    "repair_refused": Label("不予信用修复", "Repair refused"),
}
# Those of them that its party is told of: its publication, and what it asked for itself.
_TOLD = (
    "published", "stopped", "retimed", "objection", "objection_accepted", "objection_refused", "objection_verified", "repair",
    "repair_accepted", "repair_rejected", "repair_approved", "repair_refused",
)  # fmt: skip
OWN: dict[str, Label] = {
    **{name: LIFE[name] for name in _TOLD},
    "document": Label("出具文书", "Document issued"),
    "delivery_done": Label("文书送达", "Document delivered"),
    "merge": Label("主体合并", "Merged"),
    "unmerge": Label("撤销主体合并", "Merge undone"),
}
INTERNAL: dict[str, Label] = {
    **{name: label for name, label in LIFE.items() if name not in _TOLD},
    "delivery_sent": Label("文书送出", "Document sent"),
    "delivery_failed": Label("文书未送达", "Document not delivered"),
    "erasure": Label("依法删除部分内容", "Part of it lawfully erased"),
    "capped": Label("职业索赔计入封顶，不再计入", "Beyond the cap of serial claimants: counts no more"),
    "match": Label("经人工认定为该主体", "Decided to be this party's"),
    "drop": Label("经人工认定不在本辖区", "Decided to name nobody who is registered here"),
    "apart": Label("经人工认定不是该主体", "Decided not to be this party's"),
    "undo": Label("撤销人工认定", "Decision about whose it is undone"),
    "listing_opened": Label("名录事项立案", "Listing case opened"),
    "listing_rests_on": Label("名录事项列入依据", "Listing case: what it rests on"),
    "listing_conditions": Label("名录事项移出条件", "Listing case: conditions of the removal"),
    "listing_noticed": Label("名录事项告知", "Listing case: party told beforehand"),
    "listing_heard": Label("名录事项陈述申辩", "Listing case: statement of the party"),
    "listing_proposed": Label("名录事项初审", "Listing case: first opinion given"),
    "listing_superior": Label("名录事项上级机关批准", "Listing case: approved by the superior organ"),
    "listing_audited": Label("名录事项审核", "Listing case: audited by a second person"),
    "listing_decided": Label("名录事项作出决定", "Listing case: decision issued"),
    "listing_effective": Label("名录事项生效", "Listing case: took effect"),
}


def label(name: str) -> Label:
    """What a step is called; a step that an earlier version wrote and this one has no words for, by its name."""
    return OWN.get(name) or INTERNAL.get(name) or Label(f"办理：{name}", name.replace("_", " ").capitalize())


def said_of_step(name: str, reader: Reader) -> Label | None:
    """The name of a step for this reader; None where it is not for him. A step without words is for regulators only."""
    return label(name) if name in OWN or reader.sees("internal") else None
