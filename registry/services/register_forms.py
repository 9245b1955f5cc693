"""The forms of the one list and the two databases 一单两库: what an item, a label and an inspector are, and what is refused.

The same checks hold for the API, for files and for the shipped list: marshmallow schemas, and the code lists they read by.
"""

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from registry.kinds.base import Day, Text
from registry.kinds.codes import CodeList, Label, Term
from registry.kinds.licence import SUBJECTS as LICENCES
from registry.kinds.registration import SUBJECTS
from registry.kinds.terms import Choice, Flag
from registry.services.registers import Plain

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,31}")
METHODS = CodeList(
    "inspection-method",
    Label("检查方式", "How it is checked"),
    {
        "on_site": Term(1, "实地核查", "on site", ("实地", "现场检查", "实地检查")),
        "written": Term(2, "书面检查", "in writing", ("书面",)),
        "department": Term(
            3, "部门核查结果或专业意见", "a department's result or a professional opinion", ("部门核查",)
        ),
        "testing": Term(4, "检验检测", "testing", ("抽样检验", "检测")),
        "network": Term(5, "网络监测", "network monitoring", ("网络",)),
        "commissioned": Term(6, "委托专业机构", "a commissioned professional body", ("委托",)),
    },
    "Check method 核查方式 of the spot-check result tables",
)
NATURES = CodeList(
    "inspection-item-nature",
    Label("事项类别", "Nature of the item"),
    {
        "general": Term(1, "一般检查事项", "general", ("一般",)),
        "key": Term(2, "重点检查事项", "key", ("重点",)),
    },
    "Implementing notice of 国发〔2019〕5号: general items have a strict ratio, key items none",
)
ENTITY_KINDS = CodeList(
    "xinheng-entity-kind",
    Label("主体类型", "Kind of entity"),
    {name: Term(place, zh, name) for place, (name, zh) in enumerate(SUBJECTS.items(), start=1)},
    "our own",
)
SCOPES = CodeList(
    "xinheng-label-scope",
    Label("标签范围", "Who maintains the label"),
    {
        "province": Term(1, "全省", "province", ("省", "省级")),
        "city": Term(2, "全市", "city", ("市", "市级")),
        "county": Term(3, "全县（区）", "county", ("县", "区", "县级", "区县")),
        "office": Term(4, "本所", "office", ("所", "站所")),
    },
    "scopes of labels in provincial platforms; the terms are ours",
)
LEVELS = CodeList(
    "xinheng-inspector-level",
    Label("层级", "Level"),
    {
        "province": Term(1, "省", "province", ("省级",)),
        "city": Term(2, "市", "city", ("市级",)),
        "county": Term(3, "县", "county", ("县级", "区", "区县", "区县级")),
        "station": Term(4, "所", "station", ("站所", "基层所")),
    },
    "levels of inspectors in provincial platforms; the terms are ours",
)
STATES = CodeList(
    "xinheng-inspector-state",
    Label("状态", "State"),
    {
        "active": Term(1, "在岗", "active", ("有效", "在职")),
        "suspended": Term(2, "暂停", "suspended", ("停用",)),
        "left": Term(3, "离岗", "left", ("离职", "退休", "调离", "无效")),
    },
    "our own",
)
EVERYTHING = "*"
HEAVIEST, SEVEREST, MOST_QUESTIONS = 1_000, 3, 60
# Marks that part what stands in one cell of a file.
_PARTS = re.compile(r"[|\r\n]")
MOST_DAYS = 31
_MARKS = set("|;；、\r\n")


def _code(text: str) -> None:
    if CODE.fullmatch(text) is None:
        raise ValidationError("A code has 1 to 32 letters, digits, dots, hyphens and underscores, for example A01.")


def _one_cell(text: str) -> None:
    if _PARTS.search(text):
        raise ValidationError("A line break or a bar (|) cannot stand here: in files they part one from the next.")


class HarmFields(Schema):
    """What an overlooked violation weighs from a day on."""

    from_ = Day(data_key="from", required=True, metadata={"description": "First day 起始日"})
    weight = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, HEAVIEST), metadata={"description": "1 to 1000 危害权重"}
    )
    basis = Text(200, required=True, metadata={"description": "What it rests on 依据"})

    @validates_schema
    def _parted(self, data: dict[str, Any], **_: Any) -> None:
        _one_cell(data["basis"])


class QuestionFields(Schema):
    """One question of a checklist 检查表."""

    code = Text(16, required=True, metadata={"description": "Code within the item 编号"})
    text = Text(300, required=True, metadata={"description": "The question 检查内容"})
    severity = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, SEVEREST),
        metadata={"description": "Severity of a problem 程度: 1 minor 轻微, 2 general 一般, 3 serious 严重"},
    )
    basis = Text(300, load_default="", metadata={"description": "Provision 依据; empty: that of the item"})

    @validates_schema
    def _parted(self, data: dict[str, Any], **_: Any) -> None:
        for name in ("code", "text", "basis"):
            _one_cell(data[name])


class ItemFields(Schema):
    """What an item is. The same checks hold for the API, for files and for the shipped list."""

    code = Text(32, required=True, metadata={"description": "Code 事项编码"})
    name = Text(200, required=True, metadata={"description": "Name 事项名称"})
    basis = Text(2_000, required=True, metadata={"description": "Legal basis 检查依据"})
    subjects = fields.List(
        Choice(ENTITY_KINDS), required=True, validate=validate.Length(1, len(SUBJECTS)),
        metadata={"description": "Kinds of entity that it applies to 适用主体"},
    )  # fmt: skip
    method = Choice(METHODS, required=True, metadata={"description": "How it is checked 检查方式"})
    nature = Choice(NATURES, required=True, metadata={"description": "General or key 事项类别"})
    department = Text(200, required=True, metadata={"description": "Department that checks it 检查部门"})
    labels = fields.List(
        Text(32), load_default=list, validate=validate.Length(0, 50),
        metadata={"description": "Codes of special databases whose members it applies to 专项库; empty: everybody"},
    )  # fmt: skip
    minutes = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 1_440),
        metadata={"description": "Minutes on site 现场时长"},
    )
    harm = fields.List(
        fields.Nested(HarmFields), required=True, validate=validate.Length(1, 20),
        metadata={"description": "Weight of the harm by days 危害权重, in order of the days"},
    )  # fmt: skip
    questions = fields.List(
        fields.Nested(QuestionFields), required=True, validate=validate.Length(1, MOST_QUESTIONS),
        metadata={"description": "Checklist 检查表"},
    )  # fmt: skip
    from_on = Day(required=True, metadata={"description": "First day on which it is checked 启用日期"})
    until_on = Day(
        load_default=None,
        allow_none=True,
        metadata={"description": "First day on which it is checked no more 停用日期"},
    )

    @validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        problems: dict[str, list[str]] = {}
        try:
            _code(data["code"])
        except ValidationError as error:
            problems["code"] = [str(text) for text in error.messages]
        if data["until_on"] is not None and data["until_on"] <= data["from_on"]:
            problems["until_on"] = [f"{data['until_on']} is not after {data['from_on']}. Correct one of the two days."]
        for name in ("subjects", "labels"):
            if len(set(data[name])) < len(data[name]):
                problems[name] = ["One stands here twice. Name each once."]
        days = [one["from_"] for one in data["harm"]]
        if days != sorted(set(days)):
            problems["harm"] = ["The weights are not in the order of their days, each day once. Put them in order."]
        codes = [one["code"] for one in data["questions"]]
        if len(set(codes)) < len(codes):
            problems["questions"] = ["Two questions have one code. Give each its own."]
        if problems:
            raise ValidationError(problems)


class LabelFields(Schema):
    """What a label is. The same checks hold for the API, for files and for the shipped list."""

    code = Text(32, required=True, metadata={"description": "Code 标签编码"})
    name = Text(200, required=True, metadata={"description": "Name 标签名称"})
    scope = Choice(SCOPES, required=True, metadata={"description": "Who maintains it 标签范围"})
    division = Text(
        6, load_default="", metadata={"description": "Prefix of the area whose entities it holds 区划; empty: all"}
    )
    basis = Text(2_000, load_default="", metadata={"description": "What it rests on 依据"})
    licences = fields.List(
        Choice(LICENCES), load_default=list, validate=validate.Length(0, len(LICENCES.terms)),
        metadata={"description": "Who holds a valid licence of one of these is a member 许可类型"},
    )  # fmt: skip
    industries = fields.List(
        Text(4), load_default=list, validate=validate.Length(0, 100),
        metadata={"description": "Who is of one of these industries is a member: prefixes of GB/T 4754 行业代码"},
    )  # fmt: skip

    @validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        problems: dict[str, list[str]] = {}
        if CODE.fullmatch(data["code"]) is None:
            problems["code"] = [
                "A code has 1 to 32 letters, digits, dots, hyphens and underscores, for example food_producers."
            ]
        if data["division"] and not (data["division"].isascii() and data["division"].isdigit()):
            problems["division"] = ["Give a prefix of GB/T 2260 in digits, for example 9901."]
        if data["scope"] != "province" and not data["division"]:
            problems["division"] = ["A label of a city, county or office names its area. Give the prefix of GB/T 2260."]
        wrong = [one for one in data["industries"] if not (one.isascii() and one.isdigit() and len(one) >= 2)]
        if wrong:
            problems["industries"] = [f"{wrong[0]} is no prefix of GB/T 4754. Give two to four digits, for example 14."]
        for name in ("licences", "industries"):
            if len(set(data[name])) < len(data[name]):
                problems[name] = ["One stands here twice. Name each once."]
        if problems:
            raise ValidationError(problems)


def _one_of_many(text: str) -> None:
    if _MARKS & set(text):
        raise ValidationError(
            "A line break, a bar (|), 、 or ; cannot stand here: in files they part one from the next."
        )


class CertificateFields(Schema):
    """A certificate for enforcement 执法证件."""

    no = Plain(64, only=("resident_id",), required=True, metadata={"description": "Number 执法证件号"})
    kind = Plain(64, load_default="", metadata={"description": "Which certificate 证件类别"})
    until = Day(required=True, metadata={"description": "Last day of validity 证件有效期至"})

    @validates_schema
    def _parted(self, data: dict[str, Any], **_: Any) -> None:
        _one_of_many(data["no"])
        _one_of_many(data["kind"])


class InspectorFields(Schema):
    """What is kept of an inspector. No field holds an identity number or a telephone number, and none may stand in a text."""

    organ = Plain(200, load_default="", metadata={"description": "His organ 所属机关; empty: that of the key"})
    staff_no = Plain(32, required=True, metadata={"description": "Staff number 执法人员编号, one in the organ"})
    name = Plain(64, required=True, metadata={"description": "Name 姓名"})
    level = Choice(LEVELS, required=True, metadata={"description": "Level 层级"})
    position = Plain(64, load_default="", metadata={"description": "Position 职务"})
    areas = fields.List(
        Plain(6), required=True, validate=validate.Length(1, 50),
        metadata={"description": "Prefixes of GB/T 2260 in which he works 执法区域; an empty one: everywhere"},
    )  # fmt: skip
    items = fields.List(
        Plain(32), required=True, validate=validate.Length(1, 200),
        metadata={"description": "Codes of the items that he may check 执法事项; *: all"},
    )  # fmt: skip
    certificates = fields.List(
        fields.Nested(CertificateFields), load_default=list, validate=validate.Length(0, 20),
        metadata={"description": "Certificates 执法证件; without a valid one no draw chooses him"},
    )  # fmt: skip
    expert = Flag(load_default=False, metadata={"description": "Whether he is an expert 专家"})
    capacity = fields.Integer(
        load_default=MOST_DAYS, strict=True, validate=validate.Range(0, MOST_DAYS),
        metadata={"description": "Most days of visits in a month 每月检查天数, 0 to 31"},
    )  # fmt: skip
    actor = Plain(
        64, load_default="", metadata={"description": "Who he is when he works here 系统账号: `key:NAME`, or a user"}
    )
    state = Choice(STATES, load_default="active", metadata={"description": "State 状态"})

    @validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        problems: dict[str, list[str]] = {}
        wrong = [one for one in data["areas"] if one and not (one.isascii() and one.isdigit())]
        if wrong:
            problems["areas"] = [f"{wrong[0]} is no prefix of GB/T 2260. Give digits, for example 990101."]
        for name, whole in (("areas", ""), ("items", EVERYTHING)):
            if whole in data[name] and len(data[name]) > 1:
                problems[name] = ["One of these means everything. Give it alone, or leave it out."]
            elif len(set(data[name])) < len(data[name]):
                problems[name] = ["One stands here twice. Name each once."]
        if problems:
            raise ValidationError(problems)
