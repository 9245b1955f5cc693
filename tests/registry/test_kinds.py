"""Kinds of records: what a text imposes, which penalty is the heaviest, and what each schema refuses with which words."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from registry.kinds import KINDS
from registry.kinds import penalty as penalties
from registry.kinds.penalty import HEAVIEST_FIRST, kinds_in
from registry.kinds.spot_check import OUTCOMES, SYSTEMS

TODAY = date(2026, 11, 20)


def stated(kind, **fields):
    return KINDS[kind].state(KINDS[kind].schema(today=TODAY).load(fields))


def refused(kind, **fields):
    with pytest.raises(ValidationError) as error:
        KINDS[kind].schema(today=TODAY).load(fields)
    return error.value.normalized_messages()


def test_every_kind_of_penalty_has_one_place_in_the_order_of_weight():
    assert sorted(HEAVIEST_FIRST) == sorted(penalties.KINDS)


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        (["revoked_licence", "other"], 8),
        (["other", "warning"], 1),
        (["other"], 14),
        (["none", "other"], 14),
        (["none"], 0),
        (["detention", "barred_from_trade"], 12),
        (["detention", "suspended_licence"], 13),
        (["closed", "revoked_licence", "detention"], 11),
        (["revoked_licence", "barred_from_trade"], 8),
        (["stopped_business", "restricted_business"], 10),
        (["confiscated_gains", "confiscated_goods", "fine"], 5),
        (["warning", "criticism"], 2),
    ],
)
def test_the_code_of_a_decision_is_its_heaviest_kind(kinds, code):
    assert stated("penalty", kinds=kinds).code == code


@given(st.lists(st.sampled_from(sorted(penalties.KINDS)), min_size=1, unique=True), st.randoms())
def test_the_order_in_which_kinds_are_sent_never_matters(kinds, random):
    shuffled = random.sample(kinds, len(kinds))
    first, second = stated("penalty", kinds=kinds), stated("penalty", kinds=shuffled)
    assert (first.code, first.severity, first.detail) == (second.code, second.severity, second.detail)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("警告，罚款500元", ["warning", "fine"]),
        ("责令停产停业；没收违法所得、没收非法财物", ["confiscated_gains", "confiscated_goods", "stopped_business"]),
        ("决定吊销许可证", ["revoked_licence"]),
        ("依据《某法》第一条，处罚款五千元", ["fine"]),
        ("根据《某法》第一条的规定，决定吊销营业执照", ["revoked_licence"]),
        ("依据《某法》第九条，作出如下处罚决定：1、警告；2、罚款3000元", ["warning", "fine"]),
        ("当事人系情节严重的情形，吊销许可证", ["revoked_licence"]),
        ("对销售不合格产品的行为罚款500元", ["fine"]),
        ("未按期申报，罚款200元", ["fine"]),
        ("", []),
        ("责令改正", []),
    ],
)
def test_what_a_text_imposes_is_read(text, kinds):
    assert kinds_in(text) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("不予吊销许可证，罚款500元", ["fine"]),
        ("不予吊销、暂扣许可证；罚款500元", ["fine"]),
        ("不予吊销许可证并处罚款500元", ["fine"]),
        ("免予罚款，给予警告", ["warning"]),
        ("不吊销许可证，责令停产停业", ["stopped_business"]),
        ("不予并处罚款，没收违法所得100元", ["confiscated_gains"]),
        ("罚款500元。逾期不缴纳罚款的，每日按罚款数额的百分之三加处罚款", ["fine"]),
        ("给予警告。逾期不缴纳罚款的，每日按罚款数额的百分之三加处罚款", ["warning"]),
    ],
)
def test_what_a_text_spares_is_not_imposed(text, kinds):
    assert kinds_in(text) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("依据某法第一条，情节严重的，吊销许可证。决定：罚款5000元", ["fine"]),
        ("罚款5000元；情节严重的，责令停产停业，并吊销许可证", ["fine"]),
        ("情节严重的吊销许可证，现决定罚款5000元", ["fine"]),
        ("依据某法“没收违法所得，并处罚款”和根据裁量基准，我局决定给予警告", ["warning"]),
        ("依照某法可以吊销许可证的规定，决定不予吊销，责令改正", []),
        ("依据《关于吊销许可证的决定》第二条，处罚款一千元", ["fine"]),
    ],
)
def test_what_the_law_says_of_other_cases_is_not_imposed(text, kinds):
    assert kinds_in(text) == kinds


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("依据某法第一条，罚款5000元。如不服本决定，可以申请复议", ["fine"]),
        ("依据某法第一条，罚款5000元。收到处罚决定书之日起缴至银行", ["fine"]),
        ("依据某法第一条，罚款5000元。复议机关作出决定前不停止执行", ["fine"]),
        ("一、依据甲法，罚款5000元；二、依据乙法，决定责令停产停业", ["fine", "stopped_business"]),
    ],
)
def test_a_word_of_deciding_that_imposes_nothing_hides_nothing(text, kinds):
    assert kinds_in(text) == kinds


@pytest.mark.parametrize(
    "text", ["不予行政处罚", "对你单位不予处罚。", "依据某法第三十三条，决定不予行政处罚", "免予处罚"]
)
def test_sparing_all_penalty_is_a_decision_of_no_penalty(text):
    assert kinds_in(text) == ["none"]
    assert stated("penalty", content=text).severity == 0


def test_sparing_one_act_does_not_spare_the_other():
    assert kinds_in("对第一项行为不予行政处罚，对第二项行为罚款500元") == ["fine"]


@pytest.mark.parametrize("filler", ["依据", "依据决定", "决定", "不予", "情节严重的，", "《", "罚款", "依据。一、"])
def test_a_long_hostile_text_is_read_in_linear_time(filler):
    text = filler * (8000 // len(filler))
    began = time.process_time()
    kinds_in(text)
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize(
    ("fine", "content", "said"),
    [
        (5_000 * 1_000_000, "罚款5000元", "in the column is 10,000 times that in the content 处罚内容. The unit of the column is probably 元, not 万元"),
        (50, "处五千元罚款", "in the content 处罚内容 is 10,000 times that in the column. The unit of the column is probably 万元, not 元"),
    ],
)  # fmt: skip
def test_an_amount_ten_thousand_times_off_its_words_is_refused_with_the_probable_unit(fine, content, said):
    (message,) = refused("penalty", fine_fen=fine, content=content)["fine_fen"]
    assert message.startswith(f"The fine 罚款金额 {said}")


def test_the_confiscated_amount_is_held_against_its_words_too():
    assert "confiscated_fen" in refused("penalty", confiscated_fen=100_000_000, content="没收违法所得100元")


@pytest.mark.parametrize("fine", [500_000, 500_001, 0, 5_000_000, None])
def test_any_other_difference_between_column_and_words_is_the_source_s_own(fine):
    assert stated("penalty", fine_fen=fine, content="罚款5000元").detail["fine_fen"] == (
        500_000 if fine is None else fine
    )


def test_a_column_without_words_is_taken_as_it_is():
    assert stated("penalty", fine_fen=5_000_000_000, content="罚款").amount_fen == 5_000_000_000


def test_an_absurd_amount_in_words_is_refused_at_its_field():
    assert "ten trillion" in refused("penalty", content="罚款99999999亿元")["content"][0]


def check(**result):
    return {"results": [{"code": "1"}, result]}


@pytest.mark.parametrize(("system", "codes"), SYSTEMS.items())
def test_every_code_of_a_system_is_accepted_in_either_case(system, codes):
    for code, outcome in codes.items():
        for written in (code, code.lower(), f" {code} "):
            result = stated("spot_check", results=[{"system": system, "code": written}])
            assert (result.code, result.severity) == (outcome, OUTCOMES[outcome][0])


def test_a_code_that_its_system_lacks_is_refused_with_the_systems_that_have_it():
    (message,) = refused("spot_check", **check(code="a"))["results"][1]["code"]
    assert message.startswith("The list xinheng-2026 抽查检查结果 has no code 'A'. It has: 1 未发现问题, ")
    assert message.endswith(" These have it: zhejiang. Give the system that the source uses.")


def test_a_code_that_no_system_has_is_refused_with_the_codes_of_its_own():
    (message,) = refused("spot_check", **check(system="guangdong", code="99"))["results"][1]["code"]
    assert message == (
        "The list guangdong 抽查结果（广东） has no code '99'. It has: 1 正常, 2 未按规定公示年报, 3 未公示其他信息, "
        "4 隐瞒、弄虚作假, 5 无法联系, 6 不予配合, 7 已注销, 8 未建财务账, 9 其他."
    )


@pytest.mark.parametrize("accepted", [None, False])
def test_an_item_that_was_not_accepted_cannot_be_upheld(accepted):
    (message,) = refused("item_12315", type="complaint", upheld=True, accepted=accepted)["upheld"]
    assert message.startswith("An item cannot be upheld 属实 that was not accepted 受理")


@pytest.mark.parametrize(
    ("accepted", "upheld", "severity"), [(True, True, 2), (True, None, 1), (True, False, 0), (False, False, 0), (None, None, 0)]
)  # fmt: skip
def test_every_other_state_of_an_item_is_accepted(accepted, upheld, severity):
    assert stated("item_12315", type="report", upheld=upheld, accepted=accepted).severity == severity
