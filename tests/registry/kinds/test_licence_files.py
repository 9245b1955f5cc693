"""双公示 licences come in under the headings of every edition, and papers of people stay outside."""

from datetime import date

import pytest

from registry import mappings
from registry.models import Fact, Record
from tests.factories import credit_code, registered
from tests.registry.importing import counts_of, imported, refused
from tests.registry.tables import table

HEADINGS_2018 = (
    "行政相对人名称", "行政相对人代码_1(统一社会信用代码)", "行政相对人代码_2(工商注册号)", "行政相对人代码_3(组织机构代码)",
    "行政相对人代码_4(税务登记号)", "行政相对人代码_5(事业单位证书号)", "行政相对人代码_6(社会组织登记证号)", "法定代表人",
    "法定代表人身份证号", "行政许可决定文书名称", "行政许可决定文书号", "许可类别", "许可证书名称", "许可编号", "许可内容", "许可决定日期",
    "有效期自", "有效期至", "许可机关", "许可机关统一社会信用代码", "当前状态", "数据来源单位", "数据来源单位统一社会信用代码", "备注",
)  # fmt: skip
HEADINGS_2021 = (
    "行政相对人名称", "行政相对人类别", *HEADINGS_2018[1:8], "法定代表人证件类型", "法定代表人证件号码", "证件类型", "证件号码",
    *HEADINGS_2018[9:],
)  # fmt: skip
CODES_2021 = (
    "XK_XDR_MC", "XK_XDR_LB", "XK_XDR_SHXYM", "XK_XDR_GSZC", "XK_XDR_ZZJG", "XK_XDR_SWDJ", "XK_XDR_SYDW", "XK_XDR_SHZZ", "XK_FRDB",
    "XK_FR_ZJLX", "XK_FR_ZJHM", "XK_XDR_ZJLX", "XK_XDR_ZJHM", "XK_XKWS", "XK_WSH", "XK_XKLB", "XK_XKZS", "XK_XKBH", "XK_NR", "XK_JDRQ",
    "XK_YXQZ", "XK_YXQZI", "XK_XKJG", "XK_XKJGDM", "XK_ZT", "XK_LYDW", "XK_LYDWDM", "BZ",
)  # fmt: skip
EDITIONS = {"2018": HEADINGS_2018, "2021": HEADINGS_2021, "codes": CODES_2021}
AT = {name: place for place, name in enumerate(CODES_2021)}
PERSON = "11010119900307109X"


def row(code, edition="codes", **given):
    """One row of the template; what is not given is filled in."""
    filled = {"XK_XDR_MC": "信衡示例食品有限公司", "XK_XDR_SHXYM": code, "XK_FRDB": "张某", "XK_FR_ZJHM": PERSON, "XK_WSH": "信许〔2025〕7号",
              "XK_XKLB": "普通", "XK_XKZS": "食品经营许可证", "XK_XKBH": "JY19901010000001", "XK_NR": "预包装食品销售", "XK_JDRQ": "2025/3/2",
              "XK_YXQZ": "2025-03-03", "XK_YXQZI": "2030-03-02", "XK_XKJG": "信衡市市场监督管理局", "XK_ZT": "1", **given}  # fmt: skip
    cells = [filled.get(name, "") for name in CODES_2021]
    if edition != "2018":
        return cells
    # The edition of 2018 has neither the category of the party nor papers of natural persons in columns of their own.
    dropped = {AT[name] for name in ("XK_XDR_LB", "XK_FR_ZJLX", "XK_XDR_ZJLX", "XK_XDR_ZJHM")}
    return [cell for place, cell in enumerate(cells) if place not in dropped]


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_licence_comes_in_under_the_headings_of_every_edition(settings, tmp_path, edition):
    header = EDITIONS[edition]
    chosen = mappings.choose([mappings.clean_heading(name) for name in header], kind=None, name=None)
    assert (chosen.id, mappings.unknown_headings(chosen, list(header))) == ("licence-legal-person", {})
    entity = registered(credit_code(number=1))
    report = imported(settings, table(tmp_path, header, [row(credit_code(number=1), edition)]))
    assert counts_of(report) == {"stored": 1}
    (record,) = Record.select().where(Record.kind == "licence")
    assert (record.entity_id, record.code, record.severity) == (entity, 2, 0)
    assert (record.happened_on, record.ends_on) == (date(2025, 3, 3), date(2030, 3, 3))
    assert record.document_no == "信许[2025]7号"
    assert record.detail["licence_no"] == "JY19901010000001"
    assert PERSON not in str(record.detail)
    assert "张某" not in str(record.detail)
    assert [(fact.kind, fact.code) for fact in Fact.select().where(Fact.kind == 8)] == [(8, 2)]
    again = imported(settings, table(tmp_path, header, [row(credit_code(number=1), edition)], name="again.csv"))
    assert counts_of(again) == {"unchanged": 1}


@pytest.mark.parametrize("end", ["2099-12-31", "长期", "9999-12-31", ""])
def test_a_long_term_has_no_end(on_sqlite, tmp_path, end):
    registered(credit_code(number=1))
    imported(on_sqlite, table(tmp_path, CODES_2021, [row(credit_code(number=1), XK_YXQZI=end)]))
    assert [record.ends_on for record in Record.select().where(Record.kind == "licence")] == [None]


@pytest.mark.parametrize(
    ("given", "column", "reason"),
    [
        ({"XK_ZT": "7"}, "XK_ZT", "is not a state of this feed"),
        ({"XK_JDRQ": "2026-11-22"}, "XK_JDRQ", "lies after today, 2026-11-21"),
        ({"XK_YXQZI": "2025-03-01"}, "XK_YXQZI", "lies before 2025-03-03"),
    ],
)
def test_a_licence_that_cannot_be_true_is_refused_with_its_column(on_sqlite, tmp_path, given, column, reason):
    registered(credit_code(number=1))
    report = imported(on_sqlite, table(tmp_path, CODES_2021, [row(credit_code(number=1), **given)]))
    assert counts_of(report) == {"rejected": 1}
    ((_, where, _, why),) = refused(report.run)
    assert where == column
    assert reason in why


def test_the_number_of_the_licence_stands_in_for_that_of_the_decision(on_sqlite, tmp_path):
    registered(credit_code(number=1))
    rows = [row(credit_code(number=1), XK_WSH="", XK_XKBH=number) for number in ("甲1", "甲2", "甲1")]
    assert counts_of(imported(on_sqlite, table(tmp_path, CODES_2021, rows))) == {"stored": 2, "unchanged": 1}
