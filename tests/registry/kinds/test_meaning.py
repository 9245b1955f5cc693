"""What each of the later kinds makes of what it is told: code, severity, amount, identity, and what it does not keep."""

from datetime import date

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from registry.kinds.accident import grade_by_numbers
from registry.kinds.outside_list import SYSTEMS, system_on
from registry.kinds.satisfaction_survey import SCALES, hundredths
from registry.kinds.standard_declared import level_of
from tests.registry.kinds.saying import projected, said, told

# --- product sampling 监督抽检 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        ({"result": "合格"}, 0),
        ({"result": "完全合格"}, 0),
        ({"result": "不合格"}, 2),
        ({"result": "不合格", "defects": ["标签"]}, 1),
        ({"result": "不合格", "defects": ["标签", "菌落总数"]}, 2),
        ({"result": "不合格", "defects": [{"item": "铅", "code": "重金属"}]}, 3),
        ({"result": "不合格", "defects": [{"item": "接地", "system": "item-class-ab", "code": "A类"}]}, 3),
        ({"result": "不合格", "defects": [{"item": "外观", "system": "item-class-ab", "code": "C"}]}, 1),
        ({"result": "不合格", "defects": [{"item": "耐压", "system": "degree", "code": "较严重"}]}, 2),
        ({"result": "不合格", "defects": [{"item": "某项", "code": "某地自定类"}]}, 2),
        ({"result": "不合格", "retested": "合格"}, 0),
        ({"result": "合格", "retested": "不合格"}, 2),
        ({"result": "问题样品"}, 0),
    ],
)
def test_only_a_batch_that_failed_weighs_and_as_its_worst_defect(given, severity):
    assert said("product_sampling", **given).severity == severity


def test_food_is_counted_apart_and_the_value_of_a_batch_is_kept():
    assert projected(said("product_sampling", domain="食品", value_fen=9_00)) == (2, 0, 9_00, "2026-04-01", None)


def test_one_report_on_several_batches_is_several_records():
    first, other, again = (said("product_sampling", document_no="报1", batch=batch) for batch in ("A1", "A2", "a1"))
    assert first.key == again.key != other.key


def test_a_batch_cannot_pass_with_defects_nor_be_sampled_before_it_was_made():
    with pytest.raises(ValidationError, match="passed has no items that failed"):
        said("product_sampling", defects=["标签"])
    with pytest.raises(ValidationError, match="2026-04-01 lies before 2026-05-01"):
        said("product_sampling", produced_on="2026-05-01")


def test_the_timeline_names_product_batch_and_what_failed():
    zh, en = told(
        said("product_sampling", result="不合格", batch="B7", domain="food", defects=["菌落总数"], producer=False)
    )
    assert zh == "监督抽检（销售或使用）：示例糕点，批号 B7，不合格（菌落总数）"
    assert en == "Product sampling, food: failed"


# --- registration change 变更 ----------------------------------------------------------------------------------------

PEOPLE = [
    "法定代表人变更",
    "股东名称",
    "投资人姓名",
    "董事（理事）、经理、监事",
    "联络员备案",
    "经营者",
    "合伙人变更",
    "某事项备案",
]


@pytest.mark.parametrize("item", PEOPLE)
def test_who_people_were_is_never_stored(item):
    statement = said(
        "registration_change", item=item, item_text=f"{item}：张三", before="张三", after="李四", remark="张三退出"
    )
    kept = orjson.dumps([statement.detail, statement.key, statement.document_no]).decode()
    assert not set("张李") & set(kept)
    assert statement.detail["withheld"] is True
    assert "张" not in "".join(told(statement))


@pytest.mark.parametrize(
    ("item", "code", "severity"),
    [
        ("名称变更", 1, 1),
        ("住所（经营场所）变更", 2, 1),
        ("法定代表人", 3, 1),
        ("经营范围", 5, 0),
        ("股东名称", 7, 1),
        ("从未见过的事项", 14, 0),
    ],
)
def test_an_item_is_found_in_what_the_register_writes(item, code, severity):
    statement = said("registration_change", item=item)
    assert (statement.code, statement.severity) == (code, severity)


@pytest.mark.parametrize(
    ("before", "after", "severity", "fen"),
    [
        ("1,000万元人民币", "400万元人民币", 2, 6_000_000_00),
        ("400", "1000", 0, 0),
        ("100万元人民币", "100万美元", 0, 0),
        ("若干", "100万元", 0, 0),
    ],
)
def test_capital_that_falls_weighs_by_how_much(before, after, severity, fen):
    statement = said("registration_change", item="注册资本", before=before, after=after)
    assert (statement.severity, statement.amount_fen) == (severity, fen)


def test_one_day_may_bring_several_changes_and_the_same_one_counts_once():
    first, again = said("registration_change"), said("registration_change", item="住所变更", item_text="住所变更")
    assert first.key == again.key
    assert said("registration_change", item="经营范围").key != first.key
    assert said("registration_change", after="示例路3号").key != first.key
    assert told(first)[0] == "变更住所：示例路1号 → 示例路2号"


# --- standards, recalls, awards --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "level"),
    [
        ("Q/ABC 001-2024", "enterprise"), ("Ｑ／ABC 001", "enterprise"), ("T/CAQ 20301-2023", "group"), ("DB21/T 0125-2025", "local"),
        ("GB/T 23791-2009", "national"), ("GB 7718", "national"), ("QB/T 1234", "industry"), ("ISO 9001", "other"), ("", "other"), ("无", "other"),
    ],
)  # fmt: skip
def test_the_level_of_a_standard_is_in_its_number(number, level):
    assert level_of(number) == level


def test_a_declared_standard_that_falls_short_weighs_until_it_is_abolished():
    statement = said("standard_declared", falls_short=True, abolished_on="2026-06-01")
    assert projected(statement) == (1, 1, 0, "2026-01-05", "2026-06-01")
    assert told(statement)[0] == "自我声明公开企业标准（已于 2026-06-01 废止）：Q/XH 001-2026，经检查低于强制性标准"


@pytest.mark.parametrize(
    ("manner", "severity"), [("主动召回", 1), ("受调查影响召回", 2), ("责令召回", 3), ("拒不召回", 3)]
)
def test_a_recall_weighs_by_how_it_came_about(manner, severity):
    assert said("recall", manner=manner).severity == severity


def test_a_recall_ends_when_it_is_completed_and_a_refused_one_never():
    statement = said(
        "recall", sort="消费品", number=1200, recalled=900, started_on="2026-03-20", completed_on="2026-09-01"
    )
    assert projected(statement) == (2, 1, 0, "2026-03-15", "2026-09-01")
    assert told(statement)[0] == "主动召回（已于 2026-09-01 完成）：示例电热毯，涉及 1,200 件"
    with pytest.raises(ValidationError, match="refused is not completed"):
        said("recall", manner="拒不召回", completed_on="2026-09-01")
    with pytest.raises(ValidationError, match="lies before 2026-03-20"):
        said("recall", started_on="2026-03-20", completed_on="2026-03-19")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (1, 1, 0, "2025-11-01", None)),
        ({"level": "省级", "prize_fen": 100_000_00}, (1, 3, 100_000_00, "2025-11-01", None)),
        ({"name": "浙江老字号", "level": "国家级"}, (8, 4, 0, "2025-11-01", None)),
        ({"name": "某某奖章"}, (11, 1, 0, "2025-11-01", None)),
        ({"valid_to": "2028-10-31"}, (1, 1, 0, "2025-11-01", "2028-11-01")),
        ({"valid_to": "2028-10-31", "revoked_on": "2026-01-01"}, (1, 1, 0, "2025-11-01", "2026-01-01")),
    ],
)
def test_an_honour_holds_until_it_runs_out_or_is_revoked(given, expected):
    assert projected(said("award", **given)) == expected


# --- satisfaction 满意度 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "scale", "code"), [(85.2, 100, 8520), ("85.20分", 100, 8520), (4.26, 5, 8520), (8, 10, 8000), (0, 5, 0), (5, 5, 10000)]
)  # fmt: skip
def test_scores_of_every_scale_are_compared_on_one_of_a_hundred(score, scale, code):
    assert said("satisfaction_survey", score=score, scale=scale).code == code


@pytest.mark.parametrize("score", [101, -1, "1E+999999", "NaN", "满意", True, None, [], 85.123456, "9" * 30])
def test_what_is_no_score_is_refused(score):
    with pytest.raises(ValidationError):
        said("satisfaction_survey", score=score)


def test_a_score_above_its_scale_is_refused():
    with pytest.raises(ValidationError, match="7 lies above 5"):
        said("satisfaction_survey", score=7, scale=5)


@given(st.decimals(0, 5, places=4), st.sampled_from(SCALES))
def test_a_score_stays_between_nothing_and_everything(score, scale):
    assert 0 <= hundredths(score, scale) <= 10_000


def test_who_asked_is_told_apart():
    severities = [
        said("satisfaction_survey", conducted_by=who).severity for who in ("企业自测", "行业协会", "第三方", "政府")
    ]
    assert severities == [0, 1, 2, 3]


# --- outside lists 外部名单 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        ({}, 1),
        ({"list": "失信被执行人"}, 3),
        ({"list": "守信激励名单"}, 0),
        ({"list": "某部门黑名单", "list_text": "某部门黑名单"}, 1),
        ({"list": "纳税信用级别", "grade": "A"}, 0),
        ({"list": "纳税信用级别", "grade": "D级"}, 3),
        ({"list": "纳税信用级别", "grade": "Z"}, 1),
        ({"list": "企业环境信用评价", "grade_system": "environment-2013", "grade": "红"}, 3),
        ({"list": "企业环境信用评价", "grade_system": "environment-five", "grade": "红"}, 2),
        ({"list": "交通运输信用考核", "grade_system": "transport-letters", "grade": "B"}, 2),
        ({"list": "交通运输信用考核", "grade_system": "transport-abc", "grade": "中（B）"}, 1),
        ({"list": "海关信用", "grade": "高级认证企业"}, 0),
    ],
)
def test_an_entry_weighs_by_its_list_or_by_its_grade_in_its_own_system(given, severity):
    assert said("outside_list", **given).severity == severity


def test_a_national_grade_is_read_by_the_list_of_its_day():
    assert [system_on("tax_grade", day) for day in (date(2014, 9, 30), date(2018, 3, 31), date(2018, 4, 1), None)] == [
        "", "tax-2014", "tax-2018", "tax-2018",
    ]  # fmt: skip
    before, after = (
        said("outside_list", list="tax_grade", grade="M", listed_on=day) for day in ("2018-03-31", "2018-04-01")
    )
    assert (before.severity, after.severity) == (1, 0), "M was no grade before"
    assert after.detail["grade_system"] == "tax-2018"


@pytest.mark.parametrize(
    "given",
    [
        {"list": "transport_grade", "grade": "B"},
        {"list": "tax_grade", "grade": "B", "grade_system": "transport-abc"},
        {"list": "tax_grade", "grade_system": "tax-2018"},
    ],
)
def test_a_grade_without_its_system_or_of_another_one_is_refused(given):
    with pytest.raises(ValidationError):
        said("outside_list", **given)


def test_a_debtor_stands_on_the_list_once_for_each_tax():
    keys = [said("outside_list", document_no="税公告1号", item=item).key for item in ("增值税", "契税", "增值税")]
    assert keys[0] == keys[2] != keys[1]


def test_an_entry_ends_when_it_is_removed_or_runs_out():
    assert projected(said("outside_list", valid_to="2026-12-31"))[3:] == ("2026-05-05", "2027-01-01")
    statement = said("outside_list", valid_to="2026-12-31", removed_on="2026-08-08")
    assert projected(statement) == (4, 1, 12_000_00, "2026-05-05", "2026-08-08")
    assert told(statement)[0] == "外部名单 欠税公告，金额 12,000.00 元，至 2026-08-08 止"


def test_every_system_grades_from_good_to_bad():
    for system in SYSTEMS.values():
        assert {term.severity for term in system.terms.values()} <= {0, 1, 2, 3}
        assert min(term.severity for term in system.terms.values()) == 0


# --- accidents 事故 --------------------------------------------------------------------------------------------------

WAN = 10_000_00


@pytest.mark.parametrize(
    ("numbers", "grade"),
    [
        ((0, 0, 0), "general"), ((2, 9, 999 * WAN), "general"), ((3, 0, 0), "larger"), ((0, 10, 0), "larger"), ((0, 0, 1000 * WAN), "larger"),
        ((9, 49, 4999 * WAN), "larger"), ((10, 0, 0), "major"), ((0, 50, 0), "major"), ((0, 0, 5000 * WAN), "major"),
        ((29, 99, 9999 * WAN), "major"), ((30, 0, 0), "extraordinary"), ((0, 100, 0), "extraordinary"), ((0, 0, 10_000 * WAN), "extraordinary"),
        ((None, None, None), "unknown"), ((None, 12, None), "larger"),
    ],
)  # fmt: skip
def test_the_grade_follows_from_dead_injured_and_loss(numbers, grade):
    assert grade_by_numbers(*numbers) == grade


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        ({"grade": "重大", "responsibility": "主要责任"}, 3),
        ({"grade": "特别重大事故", "responsibility": "全部责任"}, 4),
        ({"grade": "重大", "responsibility": "无责任"}, 0),
        ({"grade": "重大"}, 0),
        ({"responsibility": "次要责任"}, 1),
        ({"responsibility": "次要责任", "dead": 3}, 2),
        ({"responsibility": "次要责任", "dead": 3, "sort": "食品安全"}, 1),
    ],
)
def test_an_accident_counts_by_its_grade_once_the_entity_is_found_responsible(given, severity):
    assert said("accident", **given).severity == severity


def test_an_accident_keeps_its_numbers_and_projects_its_loss():
    statement = said("accident", dead=1, injured=2, loss_fen=30 * WAN, responsibility="main")
    assert projected(statement) == (4, 1, 30 * WAN, "2026-07-01", None)
    assert {name: statement.detail[name] for name in ("dead", "injured", "graded_by")} == {
        "dead": 1,
        "injured": 2,
        "graded_by": "order-493",
    }
    assert told(statement) == (
        "特种设备事故（一般事故）：主要责任",
        "Accident, special equipment (general): responsibility main",
    )
