"""What the numbers that a record projects into `fact` are called, for pages in words.

A code is called what the kind's own list calls it; what a severity is called stands here, as `Projection.severity` says it.
"""

from collections.abc import Mapping

from registry.kinds import KINDS
from registry.kinds.codes import Label
from registry.kinds.spot_check import PURPOSES
from rules.parts import Title

# The list of the kind whose numbers are its codes. Industry and year are numbers of their own.
_LISTS = {
    "penalty": "penalty-kind-2021", "abnormal_listing": "CD71", "serious_listing": "order-44", "spot_check": "xinheng-2026",
    "item_12315": "item-12315-type", "licence": "xinheng-licence-subject", "product_sampling": "xinheng-sampling-domain",
    "registration_change": "xinheng-change-item", "certification": "xinheng-certification",
    "standard_declared": "standard-level", "recall": "xinheng-recall-product", "award": "xinheng-award",
    "outside_list": "xinheng-outside-list", "accident": "xinheng-accident", "relation": "xinheng-relation",
}  # fmt: skip
_STANDING = {
    0: Label("有效或者到期届满", "valid, or run out in its time"),
    1: Label("暂停、暂扣", "suspended"),
    2: Label("注销、失效", "ended"),
    3: Label("撤销、吊销", "withdrawn or revoked"),
}
_GRAVITY = {1: Label("轻微", "minor"), 2: Label("一般", "general"), 3: Label("严重", "serious")}
_SEVERITIES: Mapping[str, Mapping[int, Label]] = {
    "registration": {
        1: Label("存续", "in business"), 2: Label("吊销未注销", "revoked, not cancelled"), 3: Label("注销", "cancelled"),
        4: Label("其他", "other"),
    },
    "penalty": {0: Label("无", "none"), **_GRAVITY},
    "spot_check": {
        0: Label("无问题", "none"), 1: Label("轻微", "minor"), 2: Label("有问题", "problem"), 3: Label("严重", "serious"),
    },
    "check_detail": {0: Label("检查本身", "the check itself"), **_GRAVITY},
    "item_12315": {
        0: Label("不计", "does not count"), 1: Label("已受理未办结", "accepted, still open"), 2: Label("属实", "upheld"),
        3: Label("属实且拒绝调解", "upheld and mediation refused"),
    },
    "annual_report": {
        0: Label("按时", "on time"), 1: Label("逾期", "late"), 2: Label("隐瞒真实情况、弄虚作假", "false or hiding the truth"),
    },
    "licence": _STANDING,
    "product_sampling": {0: Label("合格或者未判定", "passed or not judged"), **_GRAVITY},
    "registration_change": {
        0: Label("其他事项", "other items"),
        1: Label("名称、住所、法定代表人、股东、登记机关", "name, address, legal representative, shareholders, registering organ"),
        2: Label("减资", "capital reduced"),
    },
    "certification": _STANDING,
    "standard_declared": {
        0: Label("未发现问题", "no fault found"), 1: Label("低于强制性标准", "found below compulsory standards"),
    },
    "recall": {
        1: Label("主动", "voluntary"), 2: Label("受调查影响", "after an investigation"), 3: Label("责令、拒不召回", "ordered or refused"),
    },
    "award": {
        1: Label("县级、行业协会或者未注明", "county, association or not stated"), 2: Label("市级", "city"),
        3: Label("省级", "provincial"), 4: Label("国家级", "national"),
    },
    "satisfaction_survey": {
        0: Label("企业自测或者未注明", "the entity itself or not stated"), 1: Label("行业协会", "an association"),
        2: Label("第三方机构", "a third party"), 3: Label("政府部门", "a government body"),
    },
    "outside_list": {
        0: Label("良好或者一般", "good or ordinary"), 1: Label("需关注", "to watch"), 2: Label("较差", "poor"),
        3: Label("最差", "worst"),
    },
    "accident": {
        0: Label("无责任或者未认定", "not responsible, or not found yet"), 1: Label("一般或者未定级", "general or not graded"),
        2: Label("较大", "larger"), 3: Label("重大", "major"), 4: Label("特别重大", "extraordinarily major"),
    },
}  # fmt: skip


def terms() -> dict[str, dict[str, dict[int, Title]]]:
    """Kind → `code` or `severity` → number → what it is called: the form of `rules.words.Terms`."""
    found: dict[str, dict[str, dict[int, Title]]] = {}
    for name, kind in KINDS.items():
        for one in kind.lists:
            if one.id == _LISTS.get(name):
                found.setdefault(name, {})["code"] = {
                    term.number: Title(term.zh, term.en) for term in one.terms.values()
                }
        if name in _SEVERITIES:
            found.setdefault(name, {})["severity"] = _titles(_SEVERITIES[name])
    found["check_detail"] = {
        "code": _titles(dict(PURPOSES.values())), "severity": _titles(_SEVERITIES["check_detail"]),
    }  # fmt: skip
    return found


def _titles(labels: Mapping[int, Label]) -> dict[int, Title]:
    return {number: Title(label.zh, label.en) for number, label in labels.items()}
