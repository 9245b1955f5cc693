"""Serious-violation listing 严重违法失信名单 (SAMR Order 44, in force 2021-09-01)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import labelled

ARTICLES = {
    0: Label("未注明", "not stated"),
    5: Label("食品安全", "food"),
    6: Label("药品、医疗器械、化妆品", "drugs, devices, cosmetics"),
    7: Label("质量安全", "quality and safety"),
    8: Label("侵害消费者权益", "consumer rights"),
    9: Label("破坏公平竞争和市场秩序", "fair competition and market order"),
    10: Label("其他严重违法", "other"),
    11: Label("拒不履行行政决定", "refuses to perform a decision"),
}
# Order 44, in force since; before it SAIC Order 83 (2015) named other grounds.
ARTICLE_LIST = labelled(
    "order-44",
    Label("列入条款", "Article of listing"),
    ARTICLES,
    "SAMR Order 44 (2021), Art. 5 to 11",
    date(2021, 9, 1),
)
# Order 44: removed three years after listing, unless a law sets a longer restriction.
TERM_YEARS = 3


class SeriousListingSchema(RecordSchema):
    PAST = ("listed_on", "removed_on")

    article = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.OneOf(ARTICLES),
        metadata={"sees": "public", "description": "Article of Order 44 列入条款 (5 to 11); 0 not stated"},
    )
    reason = Text(4000, load_default="", metadata={"sees": "public", "description": "Reason of listing 列入原因"})
    listed_on = Day(required=True, metadata={"sees": "public", "description": "Day of listing 列入日期"})
    removed_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day of removal 移出日期; empty while listed"},
    )
    until = Day(
        load_default=None,
        allow_none=True,
        metadata={
            "sees": "public",
            "description": "End of a longer statutory restriction 法定限制期满日, where a law sets more than three years",
        },
    )

    @validates_schema
    def _article_holds(self, data: dict[str, Any], **_: Any) -> None:
        article, on = data.get("article"), data.get("listed_on")
        why = ARTICLE_LIST.refusal(str(article), on) if article else None
        if why:
            before = " A listing of before rests on SAIC Order 83: leave `article` out and give its ground as `reason`."
            raise ValidationError({"article": [why + (before if on and not ARTICLE_LIST.holds(on) else "")]})

    @validates_schema
    def _ends_after_it_starts(self, data: dict[str, Any], **_: Any) -> None:
        for name in ("removed_on", "until"):
            if data.get(name) and data[name] < data["listed_on"]:
                raise ValidationError(
                    {
                        name: [
                            f"{data[name]} lies before the listing of {data['listed_on']}. Correct one of the two days."
                        ]
                    }
                )


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    key = key_of("serious_listing", fold_name(organ), document_no, data)
    if key[1] == "content":
        key = ("serious_listing", "article", str(data["article"]), data["listed_on"].isoformat())
    detail = {name: data[name] for name in ("reason", "remark") if data[name]}
    if data["until"]:
        detail["until"] = data["until"].isoformat()
    return Statement(
        "serious_listing", data["article"], 1, 0, data["listed_on"], data["removed_on"], document_no, organ, key, detail
    )


def line(row: Mapping[str, Any]) -> Label:
    article = ARTICLES[row["code"]]
    if row["ends_on"]:
        return Label(
            f"列入严重违法失信名单（已于 {row['ends_on']} 移出）：{article.zh}",
            f"On the serious-violation list until {row['ends_on']}: {article.en}",
        )
    return Label(f"列入严重违法失信名单：{article.zh}", f"On the serious-violation list: {article.en}")


KIND = Kind(
    "serious_listing", 4, Label("严重违法失信名单", "Serious-violation listing"), SeriousListingSchema, state, line, grave=lambda statement: True,
    projects=Projection(
        code="article of Order 44 (5–11), 0 unknown", severity="1", day="listed", ends="removed",
    ),
    lists=(ARTICLE_LIST,),
)  # fmt: skip
