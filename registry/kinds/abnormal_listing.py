"""Abnormal-operation listing 经营异常名录 (SAIC Order 68, 2014). Individual businesses are marked 标记, not listed (Order 69)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term, labelled
from registry.kinds.terms import Choice

GROUNDS = {
    1: Label("未按规定公示年度报告", "annual report not published"),
    2: Label("未按责令的期限公示有关企业信息", "other information not published in time"),
    3: Label("公示企业信息隐瞒真实情况、弄虚作假", "published information hides the truth or is false"),
    4: Label("通过登记的住所或者经营场所无法联系", "cannot be contacted at the registered address"),
}
# Order 68; nobody was on the list before.
GROUND_LIST = labelled(
    "CD71",
    Label("列入原因", "Ground of listing"),
    GROUNDS,
    "code set CD71; SAIC Order 68 (2014), Art. 6 to 9",
    date(2014, 10, 1),
)
REMOVALS = CodeList(
    "CD72",
    Label("移出原因", "Cause of removal"),
    {
        "1": Term(1, "补报未报年份的年度报告并公示", "missed reports supplied", ("补报", "已补报未报年份的年度报告并公示")),
        "2": Term(2, "已经履行公示义务", "duty to publish performed", ("履行公示", "已履行公示义务")),
        "3": Term(3, "更正其公示的信息", "information corrected", ("更正", "已更正公示信息")),
        "4": Term(4, "依法办理住所或者经营场所变更登记", "address changed by registration", ("变更住所", "已办理住所变更登记")),
        "5": Term(5, "通过登记的住所或者经营场所可以重新取得联系", "contactable again", ("重新取得联系", "可以取得联系")),
        "6": Term(6, "届满三年列入严重违法失信名单", "three years over, moved to the serious list", ("届满列严违",)),
        "7": Term(7, "注销或者被吊销", "cancelled or revoked", ("注(吊)销", "注销", "吊销")),
    },
    "code set CD72, with the codes seen in Zhejiang; causes of SAIC Order 68, Art. 10",
    date(2014, 10, 1),
)  # fmt: skip


class AbnormalListingSchema(RecordSchema):
    PAST = ("listed_on", "removed_on")

    ground = fields.Integer(
        required=True,
        strict=True,
        validate=validate.OneOf(GROUNDS),
        metadata={
            "sees": "public",
            "description": "Ground 列入原因: 1 no annual report (Art. 6), 2 other information (Art. 7), 3 false information (Art. 8), 4 cannot be contacted (Art. 9)",
        },
    )
    listed_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of listing 列入日期"}
    )
    removed_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day of removal 移出日期; empty while listed"},
    )
    removal_reason = Text(
        500, load_default="", metadata={"sees": "public", "description": "Reason of removal 移出原因"}
    )
    removal_cause = Choice(
        REMOVALS,
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Cause of removal 移出原因代码"},
    )
    year = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(2013, 2100),
        metadata={"sees": "public", "description": "Report year 年报年度, for ground 1"},
    )

    @validates_schema
    def _codes_hold(self, data: dict[str, Any], **_: Any) -> None:
        if "ground" in data and (why := GROUND_LIST.refusal(str(data["ground"]), data.get("listed_on"))):
            raise ValidationError({"ground": [why]})
        cause, removed = data.get("removal_cause"), data.get("removed_on")
        if cause and not removed:
            raise ValidationError(
                {
                    "removal_cause": [
                        "A listing that stands has no cause of removal. Give `removed_on`, or leave this out."
                    ]
                }
            )
        if cause and (why := REMOVALS.refusal(cause, removed)):
            raise ValidationError({"removal_cause": [why]})

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
    detail = {name: data[name] for name in ("removal_reason", "removal_cause", "year", "remark") if data[name]}
    if data["removal_cause"]:  # the code means what its list says: code, system and text stay together
        detail["removal_system"] = REMOVALS.id
        detail.setdefault("removal_reason", REMOVALS.terms[data["removal_cause"]].zh)
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
    lists=(GROUND_LIST, REMOVALS), derived={"removal_system": "public"},
)  # fmt: skip
