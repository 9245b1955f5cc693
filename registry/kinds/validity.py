"""What holds from a day to a day: licences and certificates, how they stand, and what of it is projected."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from registry.kinds.codes import CodeList, Label, Term

STANDING = CodeList(
    "xinheng-standing",
    Label("当前状态", "Standing"),
    {
        "valid": Term(0, "有效", "valid", ("正常", "现行有效", "在用")),
        "expired": Term(0, "过期失效", "expired", ("过期", "已过期", "到期失效", "届满")),
        "suspended": Term(1, "暂停", "suspended", ("暂扣", "中止", "暂停使用"), severity=1),
        "ended": Term(2, "注销", "ended", ("无效", "失效", "已注销", "终止", "自愿注销"), severity=2),
        "withdrawn": Term(3, "撤销", "withdrawn", ("吊销", "撤回", "被撤销", "已撤销", "已吊销"), severity=3),
    },
    "our own; one scale over the words of licences and certificates. Severity is a product default 产品默认值",
)
SEVERITIES = (
    "0 valid, or run out in its time, 1 suspended 暂停、暂扣, 2 ended 注销、失效, 3 withdrawn or revoked 撤销、吊销"
)
DAY = "valid from, else decided; where suspended or withdrawn: the day of that"
ENDS = "first day after its last; where ended before: the day of that"


def day_after(last: date | None) -> date | None:
    """A validity is given by its last day; what ends is written as the first day on which it no longer holds."""
    return last + timedelta(days=1) if last else None


def validity(data: Mapping[str, Any], start: date | None) -> tuple[int, date | None, date | None]:
    """(severity, day, ends) of a licence or certificate from `standing`, `standing_on` and `valid_to`.

    To be suspended or to lose it is an event of its own day: without that day the record is undated. What ended on a
    day that nobody says is not taken to be in force on any day.
    """
    standing, on, after = data["standing"], data["standing_on"], day_after(data["valid_to"])
    severity = STANDING.terms[standing].severity
    if standing in ("suspended", "withdrawn"):
        return severity, on, after if standing == "suspended" else None
    if standing == "ended":
        return severity, start, on or start
    if standing == "expired" and after is None:
        return severity, start, on or start
    return severity, start, after
