"""Code lists hold between days: a code that is not in its list on the day of the record is refused with what the list has."""

from datetime import date

import pytest
from marshmallow import ValidationError

from registry.kinds import KINDS
from registry.kinds.abnormal_listing import REMOVALS
from registry.kinds.codes import CodeList, Label, Term
from registry.kinds.spot_check import LISTS, OURS, SYSTEMS
from tests.conftest import TODAY


def stated(kind, **fields):
    return KINDS[kind].state(KINDS[kind].schema(today=TODAY).load(fields))


def refused(kind, **fields):
    with pytest.raises(ValidationError) as error:
        KINDS[kind].schema(today=TODAY).load(fields)
    return error.value.normalized_messages()


LIST = CodeList("x-2020", Label("例", "example"), {"1": Term(1, "甲", "a")}, "ours", date(2020, 1, 1), date(2021, 1, 1))


@pytest.mark.parametrize(
    ("on", "holds"),
    [
        (date(2019, 12, 31), False),
        (date(2020, 1, 1), True),
        (date(2020, 12, 31), True),
        (date(2021, 1, 1), False),
        (None, True),
    ],
)
def test_a_list_holds_from_its_first_day_until_before_its_end(on, holds):
    assert LIST.holds(on) is holds
    assert (LIST.refusal("1", on) is None) is holds


def test_a_refusal_names_the_list_its_days_and_what_it_has():
    assert LIST.refusal("2", date(2020, 5, 1)) == "The list x-2020 例 has no code '2'. It has: 1 甲."
    assert LIST.refusal("1", date(2021, 5, 1)) == (
        "The list x-2020 例 holds from 2020-01-01 and before 2021-01-01, not on 2021-05-01. "
        "Give the code of the list of that day, or correct the day."
    )


@pytest.mark.parametrize(
    ("kind", "fields", "field", "said"),
    [
        ("serious_listing", {"article": 7, "listed_on": "2021-08-31"}, "article", "order-44 列入条款 holds from 2021-09-01"),
        ("abnormal_listing", {"ground": 1, "listed_on": "2014-09-30"}, "ground", "CD71 列入原因 holds from 2014-10-01"),
        ("accident", {"sort": "火灾", "grade": "较大", "occurred_on": "2007-05-31"}, "grade", "order-493 事故等级 holds from 2007-06-01"),
        ("outside_list", {"list": "纳税信用级别", "grade": "A", "grade_system": "tax-2014", "listed_on": "2018-04-01"}, "grade_system", "before 2018-04-01"),
        ("penalty", {"kinds": "2", "decided_on": "2021-07-15"}, "kinds", "penalty-kind-2015"),
        ("spot_check", {"results": [{"system": "saic-2014", "code": "1"}], "checked_on": "2014-09-30"}, "results", "saic-2014"),
    ],
)  # fmt: skip
def test_a_code_of_another_day_is_refused(kind, fields, field, said):
    (message,) = refused(kind, **fields)[field]
    assert said in message


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        ("serious_listing", {"article": 7, "listed_on": "2021-09-01"}, 7),
        ("serious_listing", {"reason": "连续三年未年报", "listed_on": "2019-07-01"}, 0),
        ("abnormal_listing", {"ground": 1, "listed_on": "2014-10-01"}, 1),
        ("outside_list", {"list": "纳税信用级别", "grade": "A", "grade_system": "tax-2014", "listed_on": "2018-03-31"}, 6),
        ("penalty", {"kinds": "2", "decided_on": "2021-07-14"}, 3),
        ("penalty", {"kinds": ["罚款"], "decided_on": "2021-07-15"}, 3),
        ("penalty", {"kinds": "2"}, 3),
    ],
)  # fmt: skip
def test_a_code_of_its_day_is_taken(kind, fields, code):
    assert stated(kind, **fields).code == code


# --- results of spot checks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "code", "text"),
    [
        ("saic-2014", "2", "未按规定公示其他应当公示的信息"), ("guangdong", "2", "未按规定公示年报"),
        ("zhejiang", "2", "违反工商行政管理相关规定"), ("two-digit", "02", "发现问题已责令改正"), ("zhejiang", "12", "迁出"),
        ("two-digit", "12", "迁出"), ("zhejiang", "g", "违反公安规定"),
    ],
)  # fmt: skip
def test_one_code_says_another_thing_in_each_list_and_keeps_code_system_and_text(system, code, text):
    (kept,) = stated("spot_check", results=[{"system": system, "code": code}]).detail["results"]
    assert kept == {"system": system, "code": code.upper(), "text": text}


def test_the_text_of_the_source_is_kept_as_given():
    (kept,) = stated("spot_check", results=[{"system": "guangdong", "code": "9", "text": "另行处理"}]).detail["results"]
    assert kept["text"] == "另行处理"


@pytest.mark.parametrize("written", ["1,10,12", "1，10；12", " 1 、10, 12,"])
def test_a_comma_list_is_so_many_results_and_one_is_never_found_in_ten(written):
    statement = stated("spot_check", results=[{"system": "zhejiang", "code": written}])
    assert [one["code"] for one in statement.detail["results"]] == ["1", "10", "12"]
    assert [one["text"] for one in statement.detail["results"]] == ["未发现问题", "被吊销", "迁出"]


def test_texts_go_with_their_codes_where_there_are_as_many():
    statement = stated("spot_check", results=[{"system": "zhejiang", "code": "10,1", "text": "甲,乙"}])
    assert [one["text"] for one in statement.detail["results"]] == ["甲", "乙"]
    other = stated("spot_check", results=[{"system": "zhejiang", "code": "10,1", "text": "整段说明"}])
    assert [one["text"] for one in other.detail["results"]] == ["整段说明", "整段说明"]


def test_a_plain_text_of_codes_is_of_our_own_list():
    assert [one["code"] for one in stated("spot_check", results="1,10").detail["results"]] == ["1", "10"]
    assert refused("spot_check", results=5) == {"results": ["Not a valid list."]}


def test_every_variant_of_the_field_is_there_with_all_its_codes():
    assert {system: len(codes) for system, codes in SYSTEMS.items()} == {
        OURS: 10, "saic-2014": 9, "guangdong": 9, "zhejiang": 19, "two-digit": 14,
    }  # fmt: skip
    assert all(one.basis and one.title.zh for one in LISTS.values())


# --- removal from the abnormal list ---------------------------------------------------------------------------------


def test_a_cause_of_removal_keeps_code_system_and_text():
    given = {"ground": 4, "listed_on": "2025-07-09", "removed_on": "2026-01-05"}
    for cause in ("5", "重新取得联系", "contactable again"):
        detail = stated("abnormal_listing", **given, removal_cause=cause).detail
        assert detail == {"removal_cause": "5", "removal_system": "CD72", "removal_reason": REMOVALS.terms["5"].zh}
    words = stated("abnormal_listing", **given, removal_cause="5", removal_reason="已上门核实").detail
    assert words["removal_reason"] == "已上门核实"


def test_a_listing_that_stands_has_no_cause_of_removal():
    assert (
        "removed_on"
        in refused("abnormal_listing", ground=1, listed_on="2025-07-09", removal_cause="1")["removal_cause"][0]
    )


# --- size -----------------------------------------------------------------------------------------------------------


def test_an_annual_report_gives_the_size_that_counts_are_measured_against():
    statement = stated("annual_report", year=2025, filed_on="2026-04-01", turnover_fen=1_000_000_00, employees=12)
    assert (statement.amount_fen, statement.detail) == (1_000_000_00, {"turnover_fen": 1_000_000_00, "employees": 12})


# --- complaints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        ({"accepted": True, "dropped": True}, 0),
        ({"accepted": True, "dropped": True, "upheld": True}, 2),
        ({"accepted": True, "settled": True, "upheld": True}, 2),
        ({"accepted": True, "upheld": True, "mediation_refused": True}, 3),
    ],
)
def test_what_a_complaint_weighs(given, severity):
    assert stated("item_12315", type="complaint", **given).severity == severity


def test_a_complaint_is_not_settled_and_refused_at_once():
    assert "settled" in refused("item_12315", type="complaint", settled=True, mediation_refused=True)
