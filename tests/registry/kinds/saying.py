"""The least that each new kind needs to be told, and telling it."""

from typing import Any

from registry.kinds import KINDS, Statement
from tests.conftest import TODAY

ORGAN = "信衡市市场监督管理局"
LEAST: dict[str, dict[str, Any]] = {
    "relation": {"type": "股东", "person_name": "张某某", "share": "35.5%", "valid_from": "2020-01-02"},
    "licence": {"certificate": "食品经营许可证", "decided_on": "2025-03-02", "valid_to": "2030-03-01"},
    "product_sampling": {"product": "示例糕点", "result": "合格", "sampled_on": "2026-04-01"},
    "registration_change": {"item": "住所", "changed_on": "2026-02-02", "before": "示例路1号", "after": "示例路2号"},
    "certification": {"programme": "ISO 9001", "issued_on": "2025-01-02", "valid_to": "2028-01-01"},
    "standard_declared": {"document_no": "Q/XH 001-2026", "declared_on": "2026-01-05"},
    "recall": {"product": "示例电热毯", "announced_on": "2026-03-15"},
    "award": {"name": "信衡市市长质量奖", "awarded_on": "2025-11-01"},
    "satisfaction_survey": {"score": 85.2, "surveyed_on": "2026-06-30"},
    "outside_list": {"list": "欠税公告", "listed_on": "2026-05-05", "amount_fen": 12_000_00},
    "accident": {"sort": "特种设备", "occurred_on": "2026-07-01"},
}


def said(kind: str, **given: Any) -> Statement:
    """A checked statement: the least, and what is given beside it."""
    declared = KINDS[kind]
    return declared.state(declared.schema(today=TODAY).load({"organ": ORGAN, **LEAST[kind], **given}))


def told(statement: Statement) -> tuple[str, str]:
    """Its line of the timeline in both languages."""
    row = {
        "code": statement.code, "severity": statement.severity, "amount_fen": statement.amount_fen,
        "happened_on": statement.happened_on, "ends_on": statement.ends_on, "detail": statement.detail,
    }  # fmt: skip
    line = KINDS[statement.kind].line(row)
    return line.zh, line.en


def projected(statement: Statement) -> tuple[Any, ...]:
    """(code, severity, amount, day, end), days as text."""
    days = (None if day is None else day.isoformat() for day in (statement.happened_on, statement.ends_on))
    return (statement.code, statement.severity, statement.amount_fen, *days)
