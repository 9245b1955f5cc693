"""Licences and certificates: from when to when they hold, and how they stand."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from registry.kinds.validity import STANDING, validity
from tests.registry.kinds.saying import projected, said, told


def test_a_validity_is_given_by_its_last_day_and_ends_the_day_after():
    assert projected(said("licence"))[3:] == ("2025-03-02", "2030-03-02")
    assert projected(said("certification"))[3:] == ("2025-01-02", "2028-01-02")


@pytest.mark.parametrize("end", ["2099-12-31", "9999-12-31", None])
def test_a_far_end_is_no_end(end):
    assert said("licence", valid_to=end).ends_on is None


def test_it_begins_when_it_becomes_valid_which_may_be_a_day_to_come():
    assert projected(said("licence", valid_from="2027-01-01"))[3] == "2027-01-01"


def test_an_end_before_the_start_is_refused():
    with pytest.raises(ValidationError, match="2024-12-31 lies before 2025-01-01"):
        said("licence", valid_from="2025-01-01", valid_to="2024-12-31")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (0, "2025-03-02", "2030-03-02")),
        ({"standing": "有效"}, (0, "2025-03-02", "2030-03-02")),
        ({"standing": "过期", "valid_to": "2026-03-01"}, (0, "2025-03-02", "2026-03-02")),
        ({"standing": "注销", "standing_on": "2026-06-01"}, (2, "2025-03-02", "2026-06-01")),
        ({"standing": "注销"}, (2, "2025-03-02", "2025-03-02")),
        ({"standing": "暂扣", "standing_on": "2026-06-01"}, (1, "2026-06-01", "2030-03-02")),
        ({"standing": "吊销", "standing_on": "2026-06-01"}, (3, "2026-06-01", None)),
        ({"standing": "吊销"}, (3, None, None)),
    ],
)
def test_how_a_licence_stands_decides_what_it_projects(given, expected):
    assert projected(said("licence", **given))[1:2] + projected(said("licence", **given))[3:] == expected


days = st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2040, 1, 1)))


@given(st.sampled_from(sorted(STANDING.terms)), days, days, days)
def test_whatever_ended_or_was_withdrawn_is_in_force_on_no_day_after_that(standing, start, on, last):
    severity, day, ends = validity({"standing": standing, "standing_on": on, "valid_to": last}, start)
    assert severity == STANDING.terms[standing].severity
    if standing == "ended" and start is not None:
        assert ends == (on or start)
    if standing in ("suspended", "withdrawn"):
        assert day == on
    if standing == "valid" and last is not None:
        assert ends is not None
        assert (ends - last).days == 1


# --- licences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"certificate": "食品经营许可证"}, 2),
        ({"certificate": "", "licence_no": "JY13302820290302"}, 2),
        ({"certificate": "", "licence_no": "SC10633020000001"}, 1),
        ({"certificate": "", "licence_no": "JY某字第1号"}, 8),
        ({"certificate": "全国工业产品生产许可证"}, 3),
        ({"certificate": "", "document_name": "特种设备使用登记证"}, 4),
        ({"certificate": "药品经营许可证"}, 5),
        ({"certificate": "检验检测机构资质认定证书（CMA）"}, 6),
        ({"certificate": "卫生许可证"}, 8),
        ({"certificate": ""}, 0),
        ({"certificate": "卫生许可证", "subject": "食品生产"}, 1),
    ],
)
def test_what_a_licence_is_for_is_read_from_its_names_and_its_number(given, code):
    assert said("licence", **given).code == code


@pytest.mark.parametrize(
    ("system", "state", "standing"),
    [
        ("shuanggongshi-2018", "1", "valid"),
        ("shuanggongshi-2018", "2", "ended"),
        ("shuanggongshi-2015", "0", "valid"),
        ("shuanggongshi-2015", "1", "withdrawn"),
        ("shuanggongshi-2018", "有效", "valid"),
        ("", "已注销", "ended"),
    ],
)
def test_a_state_is_read_in_its_own_code_system(system, state, standing):
    detail = said("licence", state_system=system, state=state).detail
    assert (detail["standing"], detail["state"]) == (standing, state)


@pytest.mark.parametrize(("system", "state"), [("shuanggongshi-2018", "7"), ("", "1"), ("", "不明")])
def test_a_state_that_nobody_knows_does_not_pass_for_valid(system, state):
    with pytest.raises(ValidationError, match="is not a state of this feed"):
        said("licence", state_system=system, state=state)


def test_one_decision_may_grant_several_licences():
    first, other = (said("licence", document_no="信许〔2026〕1号", licence_no=number) for number in ("甲1", "甲2"))
    assert first.key != other.key
    assert said("licence", licence_no="甲1").key == said("licence", document_no="甲1").key, "the number stands in"


def test_a_licence_of_another_category_keeps_its_words():
    assert said("licence", category="其他-备案", category_text="其他-备案").detail["category_text"] == "其他-备案"
    assert said("licence", category="其他-备案").detail["category"] == "other"
    assert told(said("licence"))[0] == "行政许可（有效）：食品经营许可证，有效期至 2030-03-01"


# --- certificates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CCC", 1),
        ("3C认证", 1),
        ("GB/T 19001-2016/ISO 9001:2015", 2),
        ("质量管理体系认证（ISO9001）", 2),
        ("ＩＳＯ１４００１", 3),
        ("HACCP", 5),
        ("ISO 22000:2018", 6),
        ("有机产品", 8),
        ("Management SYSTEMS of quality", 15),
        ("某某自愿性认证", 15),
    ],
)
def test_a_programme_is_found_in_what_the_certificate_prints(text, code):
    assert said("certification", programme=text).code == code


def test_a_certificate_that_was_withdrawn_is_an_event_of_that_day():
    statement = said("certification", standing="撤销", standing_on="2026-02-03", standing_reason="获证产品抽查不合格")
    assert projected(statement) == (2, 3, 0, "2026-02-03", None)
    assert told(statement)[1] == "Certificate, quality management (withdrawn), until 2028-01-01"
