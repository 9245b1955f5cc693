"""Factories supply everything that a test's sentence leaves out."""

import itertools
from datetime import date
from typing import Any

from registry.cells.checks import credit_check, organisation_check
from registry.kinds import KINDS
from registry.services import entities, ledger
from registry.services.entities import Party
from tests.conftest import NOW, TODAY

_numbers = itertools.count(10_000_000)


def credit_code(prefix: str = "91", division: str = "990101", number: int | None = None) -> str:
    """A valid credit code in a division that no real entity can have."""
    first8 = str(next(_numbers) if number is None else 10_000_000 + number)
    first17 = f"{prefix}{division}{first8}{organisation_check(first8)}"
    return first17 + credit_check(first17)


def registered(code: str | None = None, *, source: str = "register", now: int = NOW, **given: Any) -> int:
    """Register an entity and return its id."""
    code = code or credit_code()
    name = given.pop("name", f"信衡示例{code[8:16]}有限公司")
    fields: dict[str, Any] = {
        "name": name,
        "subject": "enterprise",
        "division": code[2:8],
        "established": date(2015, 3, 1),
        **given,
    }
    kind = KINDS["registration"]
    statement = kind.state(kind.schema(today=TODAY).load(fields))
    with ledger.writing(now=now, schemes=["general-risk"]) as pen:
        entities.register(pen, [(Party(code=code, organisation_code=code[8:17], name=name), statement)], source=source)
    return entities.match([Party(code=code)])[0].id  # type: ignore[union-attr]


def statement(kind: str, **given: Any) -> Any:
    """A checked statement of a kind, with what its schema needs filled in."""
    defaults: dict[str, dict[str, Any]] = {
        "penalty": {"document_no": f"信市监处罚〔2026〕{next(_numbers)}号", "organ": "信衡市市场监督管理局", "decided_on": date(2026, 3, 2), "kinds": ["fine"], "fine_fen": 5_000_00, "violation": "虚假宣传", "content": "罚款5000元"},
        "abnormal_listing": {"ground": 1, "listed_on": date(2026, 7, 9), "organ": "信衡市市场监督管理局"},
        "serious_listing": {"article": 7, "listed_on": date(2026, 1, 15), "organ": "信衡市市场监督管理局"},
        "spot_check": {"checked_on": date(2026, 5, 5), "results": [{"code": "1"}], "organ": "信衡市市场监督管理局"},
        "item_12315": {"type": "complaint", "received_on": date(2026, 6, 6), "accepted": True, "upheld": True, "document_no": f"T{next(_numbers)}", "organ": "信衡市市场监督管理局"},
        "annual_report": {"year": 2025, "filed_on": date(2026, 4, 1), "organ": "信衡市市场监督管理局"},
    }  # fmt: skip
    declared = KINDS[kind]
    return declared.state(declared.schema(today=TODAY).load({**defaults[kind], **given}))


def record(entity: int, kind: str = "penalty", *, source: str = "test", now: int = NOW, **given: Any) -> ledger.Outcome:
    """Append one record about an entity."""
    with ledger.writing(now=now, schemes=["general-risk"]) as pen:
        return pen.state([(entity, statement(kind, **given))], source=source)[0]
