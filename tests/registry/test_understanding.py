"""What a file is understood to be, before anything is stored: header, days, rows that are none, and every refusal in words."""

import pytest

from registry import mappings
from registry.errors import BadFile
from registry.services import imports
from registry.services.parsing import RowParser
from registry.tables import Limits
from tests.conftest import TODAY
from tests.factories import credit_code
from tests.registry.tables import AT, HEADINGS_2018, HEADINGS_2021, penalty_row, table
from tests.registry.workbooks import workbook

KEY = b"0" * 32
CHECKS = ["检查单号", "检查日期", "被检查单位名称", "检查结果"]


def understood(path, **given):
    return imports.dry_run(imports.open_source(path, **given), today=TODAY, key=KEY)


def check(number, day="2026-03-02", name="信衡示例有限公司", result="合格"):
    return [f"信检{number}", day, name, result]


def days(found):
    """The days of the first rows as they would be stored."""
    return [row["record"]["happened_on"] for row in found.first]


def penalties(tmp_path, *rows, header=HEADINGS_2021):
    return table(tmp_path, header, [penalty_row(code=credit_code(number=1), **row) for row in rows])


# --- the header ---


def test_titles_above_the_header_are_said_and_rows_keep_their_numbers(tmp_path):
    path = table(
        tmp_path,
        ["某区检查结果公示（第三季度）", "", "", ""],
        [["", "", "", ""], CHECKS, check(1), check(2, result="好")],
    )
    opened = imports.open_source(path)
    assert (opened.header_row, opened.rows, opened.above[0][0]) == (3, 2, "某区检查结果公示（第三季度）")
    found = understood(path)
    assert [(number, refusal.column) for number, refusal in found.refusals] == [(5, "检查结果")]
    assert found.as_dict()["above"] == ["某区检查结果公示（第三季度）", ""]


def test_a_header_below_the_tenth_row_is_not_looked_for(tmp_path):
    with pytest.raises(BadFile, match="No mapping fits"):
        imports.open_source(table(tmp_path, ["标题"], [["标题"]] * 9 + [CHECKS, check(1)]))


def test_the_first_sheet_with_a_fitting_header_is_read_and_the_others_are_named(tmp_path):
    path = tmp_path / "checks.xlsx"
    path.write_bytes(
        workbook([["说明"], ["本表…"]], [["标题"], CHECKS, check(1)], [CHECKS], names=("说明", "结果", "往年"))
    )
    known = understood(path).as_dict()
    assert (known["sheet"], known["other_sheets"], known["header_row"], known["rows"]) == (
        "结果",
        ["说明", "往年"],
        2,
        1,
    )


def test_empty_columns_at_the_end_are_none_and_one_with_cells_needs_a_heading(tmp_path):
    wide = [[*check(1), "", " "], check(2)]
    assert imports.open_source(table(tmp_path, [*CHECKS, "", ""], wide)).header == CHECKS
    wide[0][5] = "不知何物"
    with pytest.raises(BadFile, match="column 6 has 1 cells and no heading"):
        imports.open_source(table(tmp_path, [*CHECKS, "", ""], wide))
    assert imports.open_source(table(tmp_path, [*CHECKS, "", ""], wide), ignore_unknown=True).unknown == ("(column 6)",)


def test_codes_of_columns_are_known_in_either_case(tmp_path):
    path = table(
        tmp_path, ["UniSCID", "entname", "LICNAME_CN", "licNo", "LicAnth"], [[credit_code(), "信衡", "证", "1", "局"]]
    )
    assert understood(path).counts.stored == 1


def test_where_headings_say_too_little_the_name_of_the_file_or_a_title_must(tmp_path):
    with pytest.raises(
        BadFile, match="neither the file's name nor a title says 经营异常; name it with --mapping outside-list-abnormal"
    ):
        imports.open_source(table(tmp_path, ["企业名称"], [["信衡示例有限公司"]]))
    named = imports.open_source(
        table(tmp_path, ["企业名称"], [["信衡示例有限公司"]]), mapping="outside-list-abnormal-names"
    )
    titled = imports.open_source(table(tmp_path, ["经营异常企业名单"], [["企业名称"], ["信衡示例有限公司"]]))
    assert named.mapping.id == titled.mapping.id == "outside-list-abnormal-names"


# --- rows that are none ---


def test_blank_rows_repeated_headers_and_what_stands_below_the_table_are_left_out_and_counted(tmp_path):
    rows = [
        check(1),
        ["", " ", "", "　"],
        CHECKS,
        check(2),
        ["合 计", "2", "", ""],
        ["填表人：某某", "", "审核人：某某", ""],
        ["注：仅供参考"],
    ]
    opened = imports.open_source(table(tmp_path, CHECKS, rows))
    assert (opened.rows, opened.left_out) == (2, {"blank": 1, "header": 1, "footer": 3})


@pytest.mark.parametrize(
    "row",
    [
        ["合计", "2026-03-02", "信衡示例有限公司", "合格"],
        ["总计", "", "合计（信衡）有限公司", ""],
        ["注：", "", "信衡示例有限公司", "合格"],
        ["备注公司", "", "", ""],
        ["小计时刻", "", "", ""],
        ["", "", "说明书印刷厂", ""],
    ],
)
def test_a_row_that_could_be_data_is_never_left_out(tmp_path, row):
    opened = imports.open_source(table(tmp_path, CHECKS, [row]))
    assert (opened.rows, sum(opened.left_out.values())) == (1, 0)


# --- days ---


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["44744", "44745"], ["2022-07-02", "2022-07-03"]),
        (["44744", "2022-07-03"], ["2022-07-02", "2022-07-03"]),
        (["2024年03月08日", "2022.08.04"], ["2024-03-08", "2022-08-04"]),
        (["26/10/2023 10:00:00", "3/4/2023 09:00:00"], ["2023-10-26", "2023-04-03"]),
        (["10/26/2023", "3/4/2023"], ["2023-10-26", "2023-03-04"]),
        (["2022/9/9 16:55:21", "5/5/2023"], ["2022-09-09", "2023-05-05"]),
        (["1646236800000", "86400000000"], ["2022-03-03", "1972-09-27"]),
        (["", "无"], [None, None]),
    ],
)
def test_days_are_read_as_their_whole_column_writes_them(tmp_path, cells, expected):
    found = understood(table(tmp_path, CHECKS, [check(n, day) for n, day in enumerate(cells)]))
    assert (days(found), found.counts.rejected) == (expected, 0)


def test_a_column_whose_days_can_be_read_in_two_ways_is_refused_until_somebody_says_how(tmp_path):
    path = table(tmp_path, CHECKS, [check(1, "03/04/2023"), check(2, "01/02/2023")])
    with pytest.raises(
        BadFile, match=r"column 检查日期: Day and month cannot be told apart in any of its 2 cells.* --order dmy"
    ):
        imports.open_source(path)
    assert days(understood(path, order="dmy")) == ["2023-04-03", "2023-02-01"]
    assert days(understood(path, order="mdy")) == ["2023-03-04", "2023-01-02"]


def test_a_column_that_contradicts_itself_is_refused_with_both_numbers(tmp_path):
    path = table(tmp_path, CHECKS, [check(1, "26/10/2023"), check(2, "10/26/2023"), check(3, "27/10/2023")])
    with pytest.raises(BadFile, match="2 cells can only be day first and 1 only month first"):
        imports.open_source(path)
    assert [number for number, _ in understood(path, order="dmy").refusals] == [3]


def test_a_lone_number_among_written_days_is_a_slip_and_refused_by_itself(tmp_path):
    found = understood(table(tmp_path, CHECKS, [check(1), check(2), check(3, "44744")]))
    assert [(number, refusal.value) for number, refusal in found.refusals] == [(4, "44744")]


# --- what is said ---


def test_causes_are_grouped_with_three_rows_each_and_the_sum_adds_up(tmp_path):
    rows = (
        [{"document_no": f"信{n}号", "fine": "-1"} for n in range(5)]
        + [{"decided_on": f"2027-01-0{n}"} for n in range(1, 4)]
        + [{}]
    )
    found = understood(penalties(tmp_path, *rows))
    said = found.as_dict()["refusals"]
    assert [(one["column"], one["count"], one["rows"]) for one in said["causes"]] == [
        ("罚款金额(万元)", 5, [2, 3, 4]), ("处罚决定日期", 3, [7, 8, 9]),
    ]  # fmt: skip
    assert said["more"] == 0
    counts = found.as_dict()["counts"]
    assert counts["read"] == 9 == counts["stored"] + counts["unmatched"] + counts["rejected"]


def test_the_first_rows_are_shown_as_they_would_be_stored_with_personal_numbers_masked(tmp_path):
    row = {"fact": "当事人电话13912345678", "fine": "0.5", "holder_id": ""}
    found = understood(penalties(tmp_path, row))
    record = found.first[0]["record"]
    assert (record["amount_fen"], record["detail"]["fact"]) == (500000, "当事人电话(电话)")


PEOPLE = {
    "item-12315": (
        ["登记编号", "信息类型", "登记时间", "被投诉举报单位", "统一社会信用代码", "投诉人", "投诉人电话"],
        ["T1", "投诉", "2026-06-06", "信衡示例有限公司", credit_code(), "王某某", "13912345678"],
        {"claimant", "claimant_hash", "claimant_name"},
    ),
    "relation": (
        ["统一社会信用代码", "企业名称", "关系类型", "姓名", "证件号码"],
        [credit_code(), "信衡示例有限公司", "法定代表人", "王某某", "110101199001011237"],
        {"person_hash", "person_name"},
    ),
}


@pytest.mark.parametrize("name", PEOPLE)
def test_the_first_rows_show_nothing_of_a_person_that_a_regulator_would_not_see_once_they_are_stored(
    on_sqlite, tmp_path, name
):
    header, row, never = PEOPLE[name]
    opened = imports.open_source(table(tmp_path, header, [row]), mapping=name)
    parsed = RowParser(opened.mapping, opened.header, today=TODAY, key=KEY).parse(row)
    kept = set(parsed.statement.detail) & never
    assert kept
    found = imports.dry_run(opened, today=TODAY, key=KEY)
    shown = found.first[0]["record"]["detail"]
    assert shown
    assert not set(shown) & never
    for hidden in (*(str(parsed.statement.detail[one]) for one in kept), "王某某", "13912345678"):
        assert hidden not in str(found.as_dict())


def test_columns_are_listed_with_the_field_that_each_becomes(tmp_path):
    listed = {
        one["heading"]: (one["field"], one["read"]) for one in understood(penalties(tmp_path, {})).as_dict()["columns"]
    }
    assert listed["罚款金额(万元)"] == ("fine_fen", "amount in 万元")
    assert listed["处罚决定日期"] == ("decided_on", "day: year first")
    assert listed["处罚有效期"] == ("valid_until", "day: no cell filled")
    assert listed["法定代表人证件号码"] == ("", "left out")


def test_a_file_that_breaks_off_is_tried_as_far_as_it_goes_and_says_where(tmp_path):
    path = penalties(tmp_path, {})
    path.write_bytes(path.read_bytes() + '信衡,"从不关闭\n'.encode())
    found = understood(path)
    assert found.counts.stored == 1
    assert "A quotation mark is probably not closed" in found.damage
    assert found.as_dict()["damage"] == found.damage


# --- limits ---


def test_too_many_rows_are_refused_before_the_first_is_stored(tmp_path):
    path = table(tmp_path, CHECKS, [check(n) for n in range(6)])
    with pytest.raises(BadFile, match=r"more than 5 rows \(\[import\] max_rows; row 7"):
        imports.open_source(path, limits=Limits(rows=5))
    assert imports.open_source(path, limits=Limits(rows=6)).rows == 6


def test_too_many_columns_are_refused_with_their_number(tmp_path):
    with pytest.raises(BadFile, match=r"has 304 columns, and 300 are allowed"):
        imports.open_source(table(tmp_path, [*CHECKS, *(f"列{n}" for n in range(300))]))
    with pytest.raises(BadFile, match=r"row 3 has 301 cells, and 300 are allowed"):
        imports.open_source(table(tmp_path, CHECKS, [check(1), ["x"] * 301]))


# --- what mappings can say ---


def test_results_are_lists_of_codes_and_ten_is_not_one_and_nought(tmp_path):
    own = tmp_path / "own-checks.toml"
    own.write_text(
        '[mapping]\nkind = "spot_check"\ntitle = "t"\nrequires = [["单位"]]\n[party]\nname = ["单位"]\n[fields]\n'
        'results = { from = ["结果"], read = "codes", system = "zhejiang", text = ["说明"] }\n', encoding="utf-8",
    )  # fmt: skip
    path = table(
        tmp_path, ["单位", "结果", "说明"], [["信衡", "1,10；12", "未发现问题,被吊销,迁出"], ["信衡", "10", "被吊销"]]
    )
    found = understood(path, mapping=str(own))
    assert found.first[0]["record"]["detail"]["results"] == [
        {"system": "zhejiang", "code": "1", "text": "未发现问题"}, {"system": "zhejiang", "code": "10", "text": "被吊销"},
        {"system": "zhejiang", "code": "12", "text": "迁出"},
    ]  # fmt: skip
    assert found.first[1]["record"]["detail"]["results"] == [{"system": "zhejiang", "code": "10", "text": "被吊销"}]


def test_a_value_that_the_mapping_does_not_know_is_refused_with_those_that_it_knows(tmp_path):
    ((_, refusal),) = understood(table(tmp_path, CHECKS, [check(1, result="尚可")])).refusals
    assert refusal.value == "尚可"
    assert "It knows 合格, 正常" in refusal.reason
    assert "Add it to the `values` of results" in refusal.reason


HEADINGS_2015 = [
    "CF_WSH",
    "CF_CFMC",
    "CF_CFLB1",
    "CF_CFLB2",
    "CF_SY",
    "CF_YJ",
    "CF_XDR_MC",
    "CF_XDR_SHXYM",
    "CF_JG",
    "CF_JDRQ",
    "CF_XZJG",
    "CF_ZT",
]


def test_a_penalty_of_2015_has_its_kinds_in_two_columns_and_a_withdrawn_one_is_refused(tmp_path):
    row = [
        "信1号",
        "虚假宣传",
        "2",
        "3",
        "事由",
        "依据",
        "信衡示例有限公司",
        credit_code(number=1),
        "罚款1000元，没收违法所得",
        "2016-03-02",
        "信衡市工商局",
        "0",
    ]
    path = table(tmp_path, HEADINGS_2015, [row, [*row[:-1], "1"]])
    found = understood(path)
    assert found.mapping == "penalty-legal-person-2015"
    assert found.first[0]["record"]["detail"]["kinds"] == ["fine", "confiscated_gains"]
    assert [(number, refusal.column) for number, refusal in found.refusals] == [(3, "CF_ZT")]
    assert "withdrawn 撤销" in found.refusals[0][1].reason


def test_rows_about_persons_wait_as_such_and_their_numbers_are_hashed(tmp_path):
    number = "11010119900307123"
    from registry.cells.checks import resident_check

    header = ["行政相对人类别" if one == "行政相对人类别" else one for one in HEADINGS_2021] + ["证件号码"]
    person = [*penalty_row(name="某甲"), number + resident_check(number)]
    person[1] = "自然人"
    firm = [*penalty_row(code=credit_code(number=1)), ""]
    firm[1] = "法人及非法人组织"
    found = understood(table(tmp_path, header, [person, firm]))
    assert [(one.reason, one.count) for one in found.waits] == [("person", 1)]
    assert found.counts.stored == 1
    assert found.first[0]["party"] == {"name": "某*", "code": "(个人证件号)", "why_it_waits": "person"}


def test_the_template_for_natural_persons_is_told_from_that_for_firms(tmp_path):
    header = ["行政相对人名称", "证件类型", "证件号码", *HEADINGS_2018[AT["document_no"] :]]
    found = understood(table(tmp_path, header, [["某甲", "身份证", "", *penalty_row()[AT["document_no"] :]]]))
    assert (found.mapping, found.counts.unmatched, found.waits[0].reason) == ("penalty-natural-person", 1, "person")


ABNORMAL = ["PRIPID", "ENTNAME", "UNISCID", "SPECAUSE", "SPECAUSE_CN", "ABNTIME", "DECORG_CN", "PENDECNO", "REMDATE"]


@pytest.mark.parametrize(
    ("code", "words", "ground"),
    [("4", "", 4), ("", "通过登记的住所或者经营场所无法联系的", 4), ("", "未依照规定期限公示2023年度年度报告的", 1),
     ("", "公示企业信息隐瞒真实情况、弄虚作假的", 3), ("", "未在责令的期限内公示有关企业信息的", 2)],
)  # fmt: skip
def test_grounds_of_the_abnormal_list_are_read_from_codes_and_from_words(tmp_path, code, words, ground):
    row = [
        "x",
        "信衡示例有限公司",
        credit_code(number=1),
        code,
        words,
        "2026-03-02",
        "信衡市市场监督管理局",
        "信异入〔2026〕1号",
        "",
    ]
    found = understood(table(tmp_path, ABNORMAL, [row]))
    assert (found.mapping, found.first[0]["record"]["code"]) == ("abnormal-list", ground)


def test_an_unknown_ground_with_a_digit_in_it_is_not_taken_for_a_code(tmp_path):
    row = ["x", "信衡", credit_code(number=1), "", "其他原因4种", "2026-03-02", "信衡局", "", ""]
    assert understood(table(tmp_path, ABNORMAL, [row])).counts.rejected == 1


def test_the_article_of_a_serious_listing_is_read_only_where_its_measure_is_named(tmp_path):
    header = ["企业名称", "统一社会信用代码", "列入严重违法失信名单原因", "列入日期", "作出决定机关(列入)"]
    named = "违反《市场监督管理严重违法失信名单管理办法》第七条"
    rows = [
        ["信衡", credit_code(number=1), words, f"2026-03-0{n}", "信衡局"]
        for n, words in enumerate([named, "《食品安全法》第七条"], 1)
    ]
    found = understood(table(tmp_path, header, rows))
    assert (found.mapping, [row["record"]["code"] for row in found.first]) == ("serious-list", [7, 0])


# --- mappings of one's own ---

OWN = '[mapping]\nkind = "spot_check"\ntitle = "自用"\nrequires = [["单位甲"]]\n[party]\nname = ["单位甲"]\n[fields]\nresults = { from = ["结果甲"], read = "codes", system = "zhejiang" }\n'


def test_a_saved_mapping_is_found_by_the_headings_of_a_file(tmp_path):
    from registry.mappings.saving import save

    own, folder = tmp_path / "my-checks.toml", tmp_path / "saved"
    own.write_text(OWN, encoding="utf-8")
    assert save(own, folder) == save(own, folder) == folder / "my-checks.toml"
    path = table(tmp_path, ["单位甲", "结果甲"], [["信衡", "10"]])
    assert imports.open_source(path, folder=folder).mapping.id == "my-checks"
    assert imports.open_source(path, folder=folder, mapping="my-checks").source == "my-checks"
    with pytest.raises(BadFile, match="No mapping fits"):
        imports.open_source(path)


def test_a_saved_mapping_takes_the_place_of_no_other(tmp_path):
    from registry.mappings.saving import save

    folder, taken, own = tmp_path / "saved", tmp_path / "penalty-tax.toml", tmp_path / "own.toml"
    taken.write_text(OWN, encoding="utf-8")
    own.write_text(OWN, encoding="utf-8")
    with pytest.raises(BadFile, match="There is a shipped mapping 'penalty-tax'"):
        save(taken, folder)
    save(own, folder)
    own.write_text(OWN + 'type = ["类"]\n', encoding="utf-8")
    with pytest.raises(BadFile, match="There is another mapping 'own'"):
        save(own, folder)
    assert save(own, folder, replace=True).read_text(encoding="utf-8").endswith('type = ["类"]\n')
    assert [path.name for path in folder.iterdir()] == ["own.toml"]


def test_a_saved_mapping_that_is_broken_stops_nobody_else_and_is_named_with_its_fault(tmp_path):
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "broken.toml").write_text("[mapping]", encoding="utf-8")
    (folder / "penalty-tax.toml").write_text(OWN, encoding="utf-8")
    assert imports.open_source(penalties(tmp_path, {}), folder=folder).mapping.id == "penalty-legal-person"
    with pytest.raises(BadFile, match=r"broken\.toml: the key 'party' is missing"):
        mappings.named("broken", folder)
    assert mappings.named("penalty-tax", folder).title == "税务行政处罚"
    assert "shipped" in mappings.known(folder)["penalty-tax (saved)"].detail


def test_a_draft_finds_the_obvious_fields_and_leaves_the_rest_to_a_person(tmp_path):
    from registry.mappings.draft import draft

    header = ["序号", "统一社会信用代码", "单位名称", "检查日期", "检查结论", "检查人员", "备注", "神秘列"]
    text = draft(header, "spot_check", tmp_path / "checks.xlsx")
    assert 'code = ["统一社会信用代码"]' in text
    assert 'name = ["单位名称"]' in text
    assert 'checked_on = { from = ["检查日期"], read = "day" }' in text
    assert 'remark = ["备注"]' in text
    assert 'ignore = ["序号", "检查人员"]' in text
    assert "#   神秘列" in text
    whole = text.replace('system = ""', 'system = "zhejiang"')
    assert mappings.parse(whole, "drafted.toml").kind == "spot_check"
    with pytest.raises(BadFile, match="'nothing' is not a kind"):
        draft(header, "nothing", tmp_path / "checks.xlsx")
