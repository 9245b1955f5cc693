"""Abnormal-operation listing 经营异常名录 (SAIC Order 68, 2014). Individual businesses are marked 标记, not listed (Order 69)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import labelled

GROUNDS = {
    1: Label("未按规定公示年度报告", "annual report not published"),
    2: Label("未按责令的期限公示有关企业信息", "other information not published in time"),
    3: Label("公示企业信息隐瞒真实情况、弄虚作假", "published information hides the truth or is false"),
    4: Label("通过登记的住所或者经营场所无法联系", "cannot be contacted at the registered address"),
}


class AbnormalListingSchema(RecordSchema):
    PAST = ("listed_on", "removed_on")

    ground = fields.Integer(
        required=True,
        strict=True,
        validate=validate.OneOf(GROUNDS),
        metadata={
            "description": "Ground 列入原因: 1 no annual report (Art. 6), 2 other information (Art. 7), 3 false information (Art. 8), 4 cannot be contacted (Art. 9)"
        },
    )
    listed_on = Day(load_default=None, allow_none=True, metadata={"description": "Day of listing 列入日期"})
    removed_on = Day(
        load_default=None, allow_none=True, metadata={"description": "Day of removal 移出日期; empty while listed"}
    )
    removal_reason = Text(500, load_default="", metadata={"description": "Reason of removal 移出原因"})
    year = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(2013, 2100),
        metadata={"description": "Report year 年报年度, for ground 1"},
    )

    @validates_schema
    def _ends_after_it_starts(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("removed_on") and data.get("listed_on") and data["removed_on"] < data["listed_on"]:
            raise ValidationError(
                {
                    "removed_on": [
                        f"Removal on {data['removed_on']} lies before the listing of {data['listed_on']}. Correct one of the two days."
                    ]
                }
            )


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    key = key_of("abnormal_listing", fold_name(organ), document_no, data)
    if key[1] == "content" and data["listed_on"]:
        # One entity is listed once per ground and day, whatever else a source says of it.
        key = ("abnormal_listing", "ground", str(data["ground"]), data["listed_on"].isoformat())
    detail = {name: data[name] for name in ("removal_reason", "year", "remark") if data[name]}
    return Statement(
        "abnormal_listing", data["ground"], 1, 0, data["listed_on"], data["removed_on"], document_no, organ, key, detail
    )


def line(row: Mapping[str, Any]) -> Label:
    ground = GROUNDS[row["code"]]
    if row["ends_on"]:
        return Label(
            f"列入经营异常名录（已于 {row['ends_on']} 移出）：{ground.zh}",
            f"Listed as abnormal (removed {row['ends_on']}): {ground.en}",
        )
    return Label(f"列入经营异常名录：{ground.zh}", f"Listed as abnormal: {ground.en}")


KIND = Kind(
    "abnormal_listing", 3, Label("经营异常名录", "Abnormal-operation listing"), AbnormalListingSchema, state, line, grave=lambda statement: True,
    projects=Projection(
        code="ground 1 no annual report, 2 other information, 3 false information, 4 cannot be contacted",
        severity="1", day="listed", ends="removed",
    ),
    lists=(
        labelled("order-68", Label("列入原因", "Ground of listing"), GROUNDS, "SAIC Order 68 (2014), Art. 6 to 9", date(2014, 10, 1)),
    ),
)  # fmt: skip
