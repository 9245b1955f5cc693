"""What the steps of the ledger are called, and who may read of them in a timeline."""

from registry.kinds.codes import Label
from registry.services import life
from registry.services.visibility import Reader

# Steps in the life of a record that its party is told of: its publication, and what it asked for itself.
_TOLD = (
    "published", "stopped", "retimed", "objection", "objection_accepted", "objection_refused", "objection_verified", "repair",
    "repair_accepted", "repair_rejected", "repair_approved", "repair_refused",
)  # fmt: skip
OWN: dict[str, Label] = {
    **{name: life.STEPS[name] for name in _TOLD},
    "document": Label("出具文书", "Document issued"),
    "delivery_done": Label("文书送达", "Document delivered"),
    "merge": Label("主体合并", "Merged"),
    "unmerge": Label("撤销主体合并", "Merge undone"),
}
INTERNAL: dict[str, Label] = {
    **{name: label for name, label in life.STEPS.items() if name not in _TOLD},
    "delivery_sent": Label("文书送出", "Document sent"),
    "delivery_failed": Label("文书未送达", "Document not delivered"),
    "erasure": Label("依法删除部分内容", "Part of it lawfully erased"),
    "listing_opened": Label("名录事项立案", "Listing case opened"),
    "listing_noticed": Label("名录事项告知", "Listing case: party told beforehand"),
    "listing_proposed": Label("名录事项提出意见", "Listing case: opinion given"),
    "listing_approved": Label("名录事项审核通过", "Listing case: approved by a second person"),
    "listing_refused": Label("名录事项审核不通过", "Listing case: refused by a second person"),
    "listing_effective": Label("名录事项生效", "Listing case: took effect"),
}


def said_of_step(name: str, reader: Reader) -> Label | None:
    """The name of a step for this reader; None where it is not for him. A step without words is for regulators only."""
    if name in OWN:
        return OWN[name]
    if not reader.sees("internal"):
        return None
    return INTERNAL.get(name) or Label(f"办理：{name}", name.replace("_", " ").capitalize())
