"""Annual report 年报: published by the enterprise between 1 January and 30 June for the year before."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from registry.kinds.base import Day, Fen, Kind, Label, Projection, RecordSchema, Statement


class AnnualReportSchema(RecordSchema):
    PAST = ("filed_on",)

    year = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(2013, 2100),
        metadata={"sees": "public", "description": "Year reported on 年报年度"},
    )
    filed_on = Day(required=True, metadata={"sees": "public", "description": "Day of publication 公示日期"})
    false = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"sees": "public", "description": "Verified to hide the truth or be false 隐瞒真实情况、弄虚作假"},
    )

    turnover_fen = Fen(
        load_default=0,
        metadata={"sees": "regulator", "description": "Turnover of the year 营业总收入, in fen; 0 not published"},
    )
    employees = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(0, 10**8),
        metadata={"sees": "regulator", "description": "People employed 从业人数; empty: not published"},
    )

    @validates_schema
    def _after_the_year(self, data: dict[str, Any], **_: Any) -> None:
        if data["filed_on"] <= date(data["year"], 12, 31):
            raise ValidationError(
                {
                    "filed_on": [
                        f"A report on {data['year']} cannot be published before the year is over. Correct the year or the day."
                    ]
                }
            )


def state(data: dict[str, Any]) -> Statement:
    late = data["filed_on"] > date(data["year"] + 1, 6, 30)
    # One entity reports once a year: a second statement about the same year is the same record.
    key = ("annual_report", "year", str(data["year"]))
    detail = {"remark": data["remark"]} if data["remark"] else {}
    detail |= {name: data[name] for name in ("turnover_fen", "employees") if data[name]}
    return Statement(
        "annual_report",
        data["year"],
        2 if data["false"] else int(late),
        data["turnover_fen"],
        data["filed_on"],
        None,
        "",
        data["organ"],
        key,
        detail,
    )


def line(row: Mapping[str, Any]) -> Label:
    how = {0: ("按时公示", "on time"), 1: ("逾期公示", "late"), 2: ("隐瞒真实情况、弄虚作假", "false")}[row["severity"]]
    return Label(f"{row['code']} 年度报告：{how[0]}", f"Annual report {row['code']}: {how[1]}")


KIND = Kind(
    "annual_report", 7, Label("年报", "Annual report"), AnnualReportSchema, state, line,
    projects=Projection(
        code="year reported on", severity="0 on time, 1 late, 2 false or hiding the truth", day="filed",
        amount="turnover of the year (0 not published): the size that counts may be measured against",
    ),
    amount="regulator",
)  # fmt: skip
