"""Files of the one list and the two databases: read as organs have them, refused row by row, and safe to send again."""

from datetime import date

import pytest

from registry import sheets
from registry.database import execute
from registry.errors import BadFile
from registry.models import Entity, EntityLabel, Inspector, Label
from registry.services import inspectors, items, label_members, labels, register_files
from registry.services.register_files import header_and_rows, take
from registry.services.register_sheets import INSPECTORS, ITEMS, LABELS, MEMBERS
from registry.tables import Limits
from tests.conftest import TODAY
from tests.factories import credit_code, registered
from tests.registry.registering import ORGAN, desk, inspector, item, label

PERSON = "110101194910010015"
HEADINGS = "执法人员编号,姓名,层级,执法区域,执法事项,执法证件号,证件有效期至"
GOOD = "XH01,示例甲,县级,990101、990102,全部,XH-01,2028/12/31"


@pytest.fixture
def read(tmp_path, on_sqlite):
    def reading(sheet, text, *, encoding="utf-8", organ=ORGAN, **given):
        path = tmp_path / "file.csv"
        path.write_text(text, encoding=encoding)
        return take(path, sheet, limits=Limits(), desk=desk(organ=organ), **given)

    return reading


def counts(taken):
    return taken.stored, taken.unchanged, taken.rejected_rows


def test_a_file_of_an_organ_is_read_in_its_own_encoding_under_its_title_and_the_same_again_changes_nothing(read):
    text = f"执法检查人员名录,,,,,,\n{HEADINGS}\n{GOOD}\n,,,,,,\n"
    assert counts(read(INSPECTORS, text, encoding="gb18030")) == (1, 0, 0)
    assert counts(read(INSPECTORS, text, encoding="gb18030")) == (0, 1, 0)
    row = Inspector.get()
    assert (row.organ, row.level, row.areas, row.items, row.version) == (
        ORGAN,
        "county",
        ["990101", "990102"],
        ["*"],
        1,
    )
    assert row.certificates == [{"no": "XH-01", "kind": "", "until": "2028-12-31"}]


def test_columns_of_persons_are_left_out_by_their_heading_and_stored_nowhere(read):
    text = f"{HEADINGS},身份证号码,手机号,学历\n{GOOD},{PERSON},13800138000,本科\n"
    taken = read(INSPECTORS, text)
    assert (counts(taken), taken.left_out) == ((1, 0, 0), ("身份证号码", "手机号", "学历"))
    tables = [row[0] for row in execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
    stored = "".join(str(execute(f'SELECT * FROM "{name}"').fetchall()) for name in tables if "index" not in name)  # noqa: S608
    assert "示例甲" in stored
    for secret in (PERSON, "13800138000", "本科"):
        assert secret not in stored


def test_refused_rows_say_row_column_value_and_cause_and_the_others_are_stored(read):
    rows = [
        GOOD,
        "XH02,示例乙,县级,990101,全部,XH-02,2028-13-01",
        "XH03,示例丙,班长,990101,全部,XH-03,2028-12-31",
        f"XH04,{PERSON},县级,990101,全部,XH-04,2028-12-31",
        "XH05,示例戊,县级,990101,Z99,XH-05,2028-12-31",
        "XH06,示例己,县级,990101,全部,XH-06；XH-07,2028-12-31",
        "XH07,,县级,990101,全部,XH-07,2028-12-31",
        "XH01,另一人,县级,990101,全部,XH-01,2028-12-31",
        "XH08,示例辛,县级,990101,全部,XH-08,2028-12-31,多出",
    ]
    taken = read(INSPECTORS, "\n".join([HEADINGS, *rows]))
    assert counts(taken) == (1, 0, 8)
    found = {one.row: one for one in taken.rejected}
    assert [(number, found[number].column) for number in sorted(found)] == [
        (3, "证件有效期至"), (4, "层级"), (5, "姓名"), (6, "执法事项"), (7, ""), (8, "姓名"), (9, ""), (10, ""),
    ]  # fmt: skip
    assert (found[3].value, found[4].value) == ("2028-13-01", "班长")
    assert "There is no such day" in found[3].reason
    assert "county" in found[4].reason
    assert PERSON not in str(taken.as_dict())
    assert "Row 2 says something else" in found[9].reason


def test_a_file_without_its_headings_or_with_unknown_ones_stores_nothing(read):
    for text, named in (
        ("姓名,层级\n示例甲,县级\n", "执法人员编号"),
        (f"{HEADINGS},星座\n{GOOD},白羊\n", "星座"),
        (f"{HEADINGS},姓名\n{GOOD},示例\n", "姓名 stands there twice"),
    ):
        with pytest.raises(BadFile, match=named):
            read(INSPECTORS, text)
    with pytest.raises(BadFile, match="more than 1 rows"):
        read(INSPECTORS, f"{HEADINGS}\n{GOOD}\n{GOOD}\n", most=1)
    assert Inspector.select().count() == 0


def test_a_column_that_is_not_there_leaves_what_stands_and_an_empty_one_does_not(read):
    inspector("XH01", capacity=7, position="科员")
    assert counts(read(INSPECTORS, "执法人员编号,职务\nXH01,\n")) == (1, 0, 0)
    row = Inspector.get()
    assert (row.capacity, row.position, row.name, row.version) == (7, "", "示例甲", 2)


def test_a_file_that_names_an_older_version_changes_nothing_of_that_row(read):
    item()
    text = "事项编码,事项名称,版本\nY01,新名称,{}\n"
    (refused,) = read(ITEMS, text.format(9)).rejected
    assert (refused.row, "version 9" in refused.reason) == (2, True)
    assert counts(read(ITEMS, text.format(1))) == (1, 0, 0)
    # It was sent again: it says what stands.
    assert counts(read(ITEMS, text.format(1))) == (0, 1, 0)


def test_entities_are_put_into_special_databases_by_a_file(read):
    code, other = credit_code(), credit_code(division="990201")
    registered(code)
    registered(other)
    label("food", scope="city", division="9901")
    text = f"企业名称,信用代码,标签编码,列入日期\n甲,{code},food,2026-01-01\n乙,{other},food,\n丙,{credit_code()},food,\n丁,{code},no,\n"
    taken = read(MEMBERS, text)
    assert counts(taken) == (1, 0, 3)
    assert [one.row for one in taken.rejected] == [3, 4, 5]
    assert EntityLabel.get().from_on == date(2026, 1, 1)
    assert counts(read(MEMBERS, text)) == (0, 1, 3)


def test_what_is_exported_is_imported_unchanged_from_either_form(on_sqlite, tmp_path):
    label("food", licences=["food_production", "drug_device_cosmetic"], industries=["14", "522"], basis="=1+1")
    item("Y01", labels=["food"], questions=[
        {"code": "1", "text": "许可证、备案；是否有效？", "severity": 3, "basis": "第三条"}, {"code": "2", "text": "-是否整改", "severity": 1},
    ], harm=[{"from": f"{year}-01-01", "weight": year - 2000, "basis": "x"} for year in (2024, 2025)], until_on="2030-01-01")  # fmt: skip
    inspector("A1", areas=["9901", "9902"], items=["Y01"], expert=True, state="suspended", certificates=[
        {"no": "C1", "kind": "行政执法证", "until": "2027-01-01"}, {"no": "C2", "kind": "", "until": "2028-01-01"},
    ])  # fmt: skip
    inspector("A2", areas=[""], certificates=[])
    label_members.put(Entity.get_by_id(registered()), "food", until_on=date(2030, 1, 1), desk=desk())
    shown = [
        (ITEMS, items.page(TODAY, every=True).items), (LABELS, labels.page().items),
        (INSPECTORS, inspectors.page(TODAY).items), (MEMBERS, label_members.by_hand("food")),
    ]  # fmt: skip
    for form in ("csv", "xlsx"):
        for sheet, rows in shown:
            path = tmp_path / f"{sheet.name}{len(sheet.columns)}.{form}"
            sheets.write_table(path, *header_and_rows(sheet, rows))
            taken = take(path, sheet, limits=Limits(), desk=desk())
            assert (counts(taken), taken.rejected) == ((0, len(rows), 0), []), (form, sheet.name)


def test_rows_are_stored_in_short_transactions_and_a_file_that_broke_off_goes_on(read, monkeypatch):
    rows = [f"L{number:03},标签{number},全省" for number in range(120)]
    text = "\n".join(["标签编码,标签名称,标签范围", *rows])
    begun = []

    def failing():
        begun.append(1)
        if len(begun) == 3:
            raise OSError("the disk is full")
        return write()

    write = register_files.write
    monkeypatch.setattr(register_files, "write", failing)
    with pytest.raises(OSError, match="disk"):
        read(LABELS, text, organ="")
    assert Label.select().count() == 2 * register_files.CHUNK
    monkeypatch.setattr(register_files, "write", write)
    assert counts(read(LABELS, text, organ="")) == (70, 50, 0)
