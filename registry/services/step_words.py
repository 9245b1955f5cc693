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
    "held": Label("他机关报送，待审核", "Sent by another organ: waits for a review"),
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
    "override_approved": Label("人工认定生效", "Set by a person: approved"),
    "override_ended": Label("人工认定提前终止", "Set by a person: ended before its day"),
    "raise_confirmed": Label("类别上调生效", "Raise took effect"),
    "raise_ended": Label("类别上调提前终止", "Raise ended before its day"),
    "draw_committed": Label("随机抽取：公告承诺", "Draw: candidates and seed committed to"),
    "draw_drawn": Label("随机抽取：已抽取", "Draw: drawn"),
    "draw_redrawn": Label("随机抽取：人员回避，重新抽取", "Draw: inspector recused, another drawn"),
    "draw_revealed": Label("随机抽取：公开种子和记录", "Draw: seed and minutes made public"),
    "draw_void": Label("随机抽取：作废", "Draw: declared void"),
    "context_built": Label("背景值启用", "Context put in force"),
    "scheme_activated": Label("评价方案启用", "Scheme activated"),
}

# That a class was raised says that it is not the best: told beside the class alone, never in a timeline.
WITH_THE_CLASS = ("raise_confirmed", "raise_ended")

# Where a record stands as a whole (`life.state_of`).
RECORD_STATES: dict[str, Label] = {
    "draft": Label("待审核", "to be reviewed"),
    "reviewed": Label("已审核，待公示", "reviewed, to be published"),
    "refused": Label("审核未通过", "refused by its review"),
    "published": Label("公示中", "published"),
    "blocked": Label("暂不公示：含个人信息", "blocked: personal data"),
    "stopped": Label("已停止公示", "publication stopped"),
    "withdrawn": Label("已撤销", "withdrawn"),
    "repaired": Label("已信用修复", "repaired"),
    "erased": Label("已依法删除", "lawfully erased"),
    "waiting": Label("待确认", "waits to be confirmed"),
}
# Where it stands on one channel, and what a verb did there (`publication.Shown.said`).
CHANNEL_STATES: dict[str, Label] = {
    **{name: RECORD_STATES[name] for name in ("published", "blocked", "stopped")},
    "draft": Label("未公示", "not published"),
    "never": Label("依规不予公示", "never published, by the rules"),
    "unchanged": Label("已在公示，无变化", "unchanged"),
    "over": Label("公示期已满", "period over"),
    "undated": Label("无日期，无法计算公示期", "without a date"),
    "class_unknown": Label("失信类别无法判定", "class cannot be told"),
    "not_reviewed": Label("未经审核", "not reviewed"),
    "same_hands": Label("录入人不得审核", "its own poster may not review it"),
    "record_conflict": Label("记录已变更或已撤销", "replaced or withdrawn"),
    "not_publishable": Label("不得公示", "may not be published"),
    "reviewed": Label("本次审核通过", "passed by this run"),
}
OBJECTION_STATES: dict[str, Label] = {
    "received": Label("已收到，待受理", "received"),
    "accepted": Label("已受理，核实中", "accepted, being verified"),
    "refused": Label("不予受理", "not accepted"),
    "upheld": Label("异议成立", "upheld"),
    "rejected": Label("异议不成立", "rejected"),
}
REPAIR_STATES: dict[str, Label] = {
    "applied": Label("已申请，待受理", "applied"),
    "accepted": Label("已受理，待决定", "accepted, to be decided"),
    "rejected": Label("不予受理", "not accepted"),
    "approved": Label("准予修复", "approved"),
    "refused": Label("不予修复", "refused"),
}
BATCH_STATES: dict[str, Label] = {
    "made": Label("已生成，待报送", "made"),
    "sent": Label("已报送，待回执", "sent"),
    "answered": Label("已回执", "answered"),
}
ROW_STATES: dict[str, Label] = {
    "accepted": Label("接收", "accepted"),
    "refused": Label("退回", "refused"),
    "": Label("未回执", "not answered"),
}
NOTICES: dict[str, Label] = {
    **{name: RECORD_STATES[name] for name in ("withdrawn", "repaired", "stopped", "erased")},
    "corrected": Label("已更正", "corrected"),
}
OUTCOMES: dict[str, Label] = {"passed": Label("审核通过", "passed"), "refused": Label("审核未通过", "refused")}
CLASSES: dict[str, Label] = {
    "none": Label("不分类", "none"),
    "minor": Label("轻微", "minor"),
    "general": Label("一般", "general"),
    "serious": Label("严重", "serious"),
}
CHANNEL_NAMES: dict[str, Label] = {
    "necips": Label("国家企业信用信息公示系统", "necips"),
    "credit_china": Label("信用中国", "credit_china"),
    "site": Label("本平台公示页", "site"),
}
LIST_NAMES: dict[str, Label] = {
    "abnormal": Label("经营异常名录", "abnormal"),
    "serious": Label("严重违法失信名单", "serious"),
}
LIST_ACTIONS: dict[str, Label] = {
    "enter": Label("列入", "enter"),
    "remove": Label("移出", "remove"),
    "correct": Label("更正（撤销）", "correct"),
}


def both(words: dict[str, Label], name: str) -> str:
    """A state in both languages as a table shows it, 公示中 published; one without words by its name."""
    said = words.get(name)
    return name if said is None else f"{said.zh} {said.en}"


def label(name: str) -> Label:
    """What a step is called; a step that an earlier version wrote and this one has no words for, by its name."""
    return OWN.get(name) or INTERNAL.get(name) or Label(f"办理：{name}", name.replace("_", " ").capitalize())


def said_of_step(name: str, reader: Reader) -> Label | None:
    """The name of a step for this reader; None where it is not for him. A step without words is for regulators only."""
    if name in WITH_THE_CLASS:
        return None
    return label(name) if name in OWN or reader.sees("internal") else None
