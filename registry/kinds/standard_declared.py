"""Standard declared 企业标准自我声明: the standards that an enterprise says in public it works to (Standardization Law, Art. 27)."""

from collections.abc import Mapping
from typing import Any

from marshmallow import validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term, folded
from registry.kinds.terms import Choice, Flag, in_order

LEVELS = CodeList(
    "standard-level",
    Label("标准层级", "Level of the standard"),
    {
        "enterprise": Term(1, "企业标准", "enterprise standard", ("企标",)),
        "group": Term(2, "团体标准", "group standard", ("团标",)),
        "local": Term(3, "地方标准", "local standard", ("地标",)),
        "industry": Term(4, "行业标准", "industry standard", ("行标",)),
        "national": Term(5, "国家标准", "national standard", ("国标",)),
        "other": Term(6, "其他标准", "other standard", ("国际标准", "国外标准")),
    },
    "Standardization Law 2017, Art. 2",
)
# How a standard's number begins: Q/ABC 001-2024, T/CAQ 20301, DB21/T 0125, GB/T 23791; any other letters are an industry's.
_PREFIXES = (
    ("Q/", "enterprise"),
    ("T/", "group"),
    ("DB", "local"),
    ("GB", "national"),
    ("ISO", "other"),
    ("IEC", "other"),
)


class StandardDeclaredSchema(RecordSchema):
    PAST = ("declared_on", "abolished_on")

    title = Text(300, load_default="", metadata={"sees": "public", "description": "Title of the standard 标准名称"})
    level = Choice(
        LEVELS,
        load_default="other",
        metadata={
            "sees": "public",
            "description": "Level of the standard 标准层级; empty: read from its number, given as `document_no`",
        },
    )
    products = Text(
        2000, load_default="", metadata={"sees": "public", "description": "Products that follow it 执行产品"}
    )
    declared_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day of the declaration 公开日期"},
    )
    abolished_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day on which it was abolished or replaced 废止日期"},
    )
    falls_short = Flag(
        load_default=False,
        metadata={"sees": "public", "description": "A check found it below compulsory standards 低于强制性标准要求"},
    )

    @validates_schema
    def _ends_after_it_starts(self, data: dict[str, Any], **_: Any) -> None:
        in_order(data, "declared_on", "abolished_on", "Abolished before it was declared 废止早于公开")


def level_of(number: str) -> str:
    """Level of a standard from how its number begins; `other` where there is none."""
    plain = folded(number)
    for prefix, level in _PREFIXES:
        if plain.startswith(prefix):
            return level
    return "industry" if plain[:2].isascii() and plain[:2].isalpha() else "other"


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    level = data["level"] if data["level"] != "other" else level_of(data["document_no"])
    key = key_of("standard_declared", fold_name(organ), document_no, data)
    detail: dict[str, Any] = {"level": level, "falls_short": data["falls_short"]}
    if document_no:
        detail["printed_no"] = data["document_no"]
    detail |= {name: data[name] for name in ("title", "products", "remark") if data[name]}
    return Statement(
        "standard_declared", LEVELS.terms[level].number, int(data["falls_short"]), 0, data["declared_on"],
        data["abolished_on"], document_no, organ, key, detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    level = LEVELS.terms[detail["level"]]
    named = " ".join(part for part in (detail.get("printed_no", ""), detail.get("title", "")) if part)
    ended = f"（已于 {row['ends_on']} 废止）" if row["ends_on"] else ""
    short = "，经检查低于强制性标准" if row["severity"] else ""
    return Label(
        f"自我声明公开{level.zh}{ended}：{named}{short}",
        f"Declared {level.en}{', falls short of compulsory standards' if row['severity'] else ''}",
    )


KIND = Kind(
    "standard_declared", 12, Label("企业标准自我声明", "Standard declared"), StandardDeclaredSchema, state, line,
    projects=Projection(
        code="level: " + ", ".join(f"{one.number} {one.zh}" for one in LEVELS.terms.values()),
        severity="0 no fault found, 1 found below compulsory standards", day="declared", ends="abolished or replaced",
    ),
    lists=(LEVELS,),
)  # fmt: skip
