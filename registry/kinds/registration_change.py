"""Registration change 登记变更: one item that changed on one day. Who natural persons were is never stored."""

from collections.abc import Mapping
from typing import Any

from registry.cells import CellError
from registry.cells.amounts import capital
from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.kinds.base import Day, Kind, Label, Projection, RecordSchema, Statement, Text, key_of
from registry.kinds.codes import CodeList, Term
from registry.kinds.terms import Choice

ITEMS = CodeList(
    "xinheng-change-item",
    Label("变更事项", "Item that changed"),
    {
        "name": Term(1, "名称", "name", ("企业名称", "名称变更", "字号名称"), 1),
        "address": Term(2, "住所", "address", ("经营场所", "住所（经营场所）", "地址", "住所变更"), 1),
        "legal_representative": Term(
            3, "法定代表人", "legal representative", ("负责人", "经营者", "执行事务合伙人", "投资人姓名", "首席代表"), 1
        ),
        "capital": Term(4, "注册资本", "registered capital", ("注册资金", "出资总额", "资金数额", "实收资本")),
        "scope": Term(5, "经营范围", "business scope", ("业务范围", "经营范围变更")),
        "type": Term(6, "企业类型", "type of entity", ("市场主体类型", "公司类型", "组织形式")),
        "shareholders": Term(
            7, "股东", "shareholders", ("投资人", "股权", "发起人", "合伙人", "出资情况", "股东（发起人）", "成员"), 1
        ),
        "officers": Term(
            8, "董事、监事、经理", "officers", ("主要人员", "高级管理人员", "董事", "监事", "经理", "管理人员")
        ),
        "term": Term(9, "经营期限", "business term", ("营业期限", "合伙期限")),
        "registering_organ": Term(10, "登记机关", "registering organ", ("迁入", "迁出", "管辖单位"), 1),
        "articles": Term(11, "章程", "articles", ("章程备案", "章程修正案", "合伙协议")),
        "contact": Term(12, "联络员", "contact person", ("工商联络员", "财务负责人", "联系人", "受益所有人")),
        "branch": Term(13, "分支机构", "branch", ("分公司", "分支机构备案")),
        "other": Term(14, "其他事项", "other"),
    },
    "our own, over the words of NECIPS (altItem_CN); severity 1 marks what changes who or where the entity is",
)
# Their contents are an entity's own and public. Everything else may name people, and is not kept.
KEPT = frozenset({"name", "address", "capital", "scope", "type", "term", "registering_organ"})


class Item(Choice):
    """The item that a text names. Of several, one that may name people comes first: 股东名称 is about 股东, not 名称."""

    def found(self, text: str) -> str | None:
        named = [name] if (name := ITEMS.find(text)) else ITEMS.named_in(text)
        return next((name for name in named if name not in KEPT), next(iter(named), None))


class RegistrationChangeSchema(RecordSchema):
    PAST = ("changed_on",)

    item = Item(
        ITEMS,
        otherwise="other",
        required=True,
        metadata={"sees": "public", "description": "Item that changed 变更事项"},
    )
    item_text = Text(
        200,
        load_default="",
        metadata={"sees": "public", "description": "Item 变更事项原文, as given; kept where it names no people"},
    )
    before = Text(
        8000,
        load_default="",
        metadata={
            "sees": "public",
            "description": "Content before 变更前内容; not kept for items that may name natural persons",
        },
    )
    after = Text(
        8000,
        load_default="",
        metadata={
            "sees": "public",
            "description": "Content after 变更后内容; not kept for items that may name natural persons",
        },
    )
    changed_on = Day(
        load_default=None, allow_none=True, metadata={"sees": "public", "description": "Day of the change 变更日期"}
    )


def reduction(before: str, after: str) -> int:
    """By how many fen the registered capital fell; 0 where it rose, or where one of the two cannot be read."""
    try:
        old, new = capital(before, "wan").fen, capital(after, "wan").fen
    except CellError:
        return 0
    return max(old - new, 0) if old is not None and new is not None else 0


def state(data: dict[str, Any]) -> Statement:
    organ, document_no = data["organ"], fold_document_no(data["document_no"])
    item = data["item"]
    fallen = reduction(data["before"], data["after"]) if item == "capital" else 0
    severity = 2 if fallen else ITEMS.terms[item].severity
    key = key_of("registration_change", fold_name(organ), document_no, data)
    detail: dict[str, Any] = {"item": item}
    if item in KEPT:
        detail |= {name: data[name] for name in ("item_text", "before", "after", "remark") if data[name]}
    elif data["before"] or data["after"] or data["remark"]:
        detail["withheld"] = True
    if key[1] == "document":  # one notice may register several changes
        key = (*key, item)
    elif key[1] == "content" and data["changed_on"]:
        contents = (fold_name(data["before"]), fold_name(data["after"])) if item in KEPT else ()
        key = ("registration_change", "item", item, data["changed_on"].isoformat(), *contents)
    return Statement(
        "registration_change", ITEMS.terms[item].number, severity, fallen, data["changed_on"], None, document_no, organ,
        key, detail,
    )  # fmt: skip


def line(row: Mapping[str, Any]) -> Label:
    detail = row["detail"]
    item = ITEMS.terms[detail["item"]]
    contents = (detail.get("before", ""), detail.get("after", ""))
    told = f"：{contents[0] or '（空）'} → {contents[1] or '（空）'}" if any(contents) else ""
    less = f"，减少 {row['amount_fen'] / 100:,.2f} 元" if row["amount_fen"] else ""
    return Label(f"变更{item.zh}{told}{less}", f"Changed: {item.en}{' (reduced)' if row['amount_fen'] else ''}")


KIND = Kind(
    "registration_change", 10, Label("登记变更", "Registration change"), RegistrationChangeSchema, state, line,
    projects=Projection(
        code="item: " + ", ".join(f"{one.number} {one.zh}" for one in ITEMS.terms.values()),
        severity="0 other items, 1 name, address, legal representative, shareholders, registering organ, 2 capital reduced",
        amount="by how much the capital fell", day="changed",
    ),
    lists=(ITEMS,), derived={"withheld": "regulator"},
)  # fmt: skip
