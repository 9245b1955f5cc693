"""Certification 认证: a certificate of a product, a management system or a service, given by a certification body."""

from collections.abc import Mapping
from typing import Any

from marshmallow import validates_schema

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice, LastDay, in_order
from registry.kinds.validity import DAY, ENDS, SEVERITIES, STANDING, validity

PROGRAMMES = CodeList(
    "xinheng-certification",
    Label("认证项目", "Certification programme"),
    {
        "ccc": Term(1, "强制性产品认证", "compulsory product certification", ("CCC", "3C", "3C认证")),
        "quality": Term(2, "质量管理体系", "quality management", ("ISO 9001", "ISO9001", "GB/T 19001", "QMS")),
        "environment": Term(
            3, "环境管理体系", "environmental management", ("ISO 14001", "ISO14001", "GB/T 24001", "EMS")
        ),
        "occupational_health": Term(
            4, "职业健康安全管理体系", "occupational health and safety", ("ISO 45001", "GB/T 45001", "OHSMS")
        ),
        "haccp": Term(5, "危害分析与关键控制点", "HACCP", ("HACCP", "GB/T 27341")),
        "food_safety": Term(6, "食品安全管理体系", "food safety management", ("ISO 22000", "ISO22000", "FSMS")),
        "gmp": Term(7, "良好生产规范", "good manufacturing practice", ("GMP", "良好操作规范")),
        "organic": Term(8, "有机产品", "organic product", ("有机食品", "有机产品认证")),
        "green_food": Term(9, "绿色食品", "green food"),
        "medical_device": Term(10, "医疗器械质量管理体系", "medical-device quality management", ("ISO 13485",)),
        "information_security": Term(11, "信息安全管理体系", "information security", ("ISO 27001", "ISMS")),
        "energy": Term(12, "节能产品和能源管理体系", "energy saving", ("节能产品认证", "能源管理体系", "ISO 50001")),
        "service": Term(13, "服务认证", "service certification"),
        "other_system": Term(14, "其他管理体系", "other management system", ("管理体系认证",)),
        "other": Term(15, "其他认证", "other"),
    },
    "our own, over the programmes of the national certification register (CNCA); the certificate's own words are kept",
)


class CertificationSchema(RecordSchema):
    PAST = ("issued_on", "standing_on")

    programme = Choice(
        PROGRAMMES,
        otherwise="other",
        within=True,
        required=True,
        metadata={"sees": "public", "description": "Certification programme 认证项目"},
    )
    programme_text = Text(
        200, load_default="", metadata={"sees": "public", "description": "Programme 认证项目原文, as printed"}
    )
    body = Text(200, load_default="", metadata={"sees": "public", "description": "Certification body 认证机构"})
    scope = Text(4000, load_default="", metadata={"sees": "public", "description": "Scope or products 认证范围"})
    issued_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of issue 颁证日期"}
    )
    valid_from = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "First day 有效期自"}
    )
    valid_to = LastDay(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Last day 有效期至"}
    )
    standing = Choice(
        STANDING,
        load_default="valid",
        metadata={"sees": "public", "description": "Standing of the certificate 证书状态"},
    )
    standing_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"sees": "public", "description": "Day on which it was suspended, ended or withdrawn 状态变更日期"},
    )
    standing_reason = Text(
        500, load_default="", metadata={"sees": "public", "description": "Reason of that 状态变更原因"}
    )

    @validates_schema
    def _days_in_order(self, data: dict[str, Any], **_: Any) -> None:
        in_order(data, "valid_from", "valid_to", "End before the start 有效期止早于有效期起")
        in_order(data, "issued_on", "standing_on", "Change of state before the issue 状态变更早于颁证")


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    severity, day, ends = validity(data, data["valid_from"] or data["issued_on"])
    key = key_of("certification", fold_name(organ), document_no, data)
    detail: dict[str, Any] = {"programme": data["programme"], "standing": data["standing"]}
    if document_no:
        detail["printed_no"] = data["document_no"]
    texts = ("programme_text", "body", "scope", "standing_reason", "remark")
    detail |= {name: data[name] for name in texts if data[name]}
    days = ("issued_on", "valid_from", "valid_to", "standing_on")
    detail |= {name: data[name].isoformat() for name in days if data[name]}
    code = PROGRAMMES.terms[data["programme"]].number
    return Statement("certification", code, severity, 0, day, ends, document_no, organ, key, detail)


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    programme, standing = PROGRAMMES.terms[detail["programme"]], STANDING.terms[detail["standing"]]
    until = f"，有效期至 {detail['valid_to']}" if "valid_to" in detail else ""
    return Label(
        f"认证（{standing.zh}）：{detail.get('programme_text') or programme.zh}{until}",
        f"Certificate, {programme.en} ({standing.en}){', until ' + detail['valid_to'] if 'valid_to' in detail else ''}",
    )


KIND = Kind(
    "certification", 11, Label("认证", "Certification"), CertificationSchema, state, line,
    projects=Projection(
        code="programme: " + ", ".join(f"{one.number} {one.zh}" for one in PROGRAMMES.terms.values()),
        severity=SEVERITIES, day=DAY.replace("decided", "issued"), ends=ENDS,
    ),
    lists=(PROGRAMMES, STANDING),
)  # fmt: skip
