"""What an inspector enters: complete, not contradicting itself, without personal numbers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from registry.services.documents import BadDocument
from registry.services.result_entry import DISPOSALS, GOES_WITH, Entry, ResultRefused, basis, checked, mine, problems
from tests.conftest import TODAY
from tests.registry.visited import CLEAR, FIRE, FOOD, ORDER, ORGAN, PARTNER, answers, found

MINE = mine(["食品经营", "广告"], [FOOD, FIRE], ORGAN, [ORGAN, PARTNER])


def columns(entry: Entry):
    return checked(entry, MINE, on=TODAY).columns


def test_an_item_belongs_to_its_department_and_what_belongs_to_nobody_to_the_organ_of_the_task():
    assert [one["code"] for one in MINE] == ["B03", "广告"]
    assert [one["code"] for one in mine(["广告"], [FOOD, FIRE], PARTNER, [ORGAN, PARTNER])] == ["X01"]
    assert [one["code"] for one in mine([], [FOOD, FIRE], ORGAN, [ORGAN])] == ["B03", "X01"]
    assert mine([], [FOOD], ORGAN, [ORGAN], kind="individual") == []


def test_an_item_whose_special_database_the_entity_is_no_member_of_is_not_asked_for():
    ours = [ORGAN]
    assert [one["code"] for one in mine(["广告"], [FOOD, FIRE], ORGAN, ours, applying=["X01"])] == ["X01", "广告"]
    assert [one["code"] for one in mine(["广告"], [FOOD, FIRE], ORGAN, ours, applying=[])] == ["广告"]
    assert [one["code"] for one in mine(["广告"], [FOOD, FIRE], ORGAN, ours, applying=None)] == ["B03", "X01", "广告"]


def test_one_field_says_that_nothing_was_found_in_any_item():
    row = columns(CLEAR)
    assert (row["outcome"], row["disposal"]) == (1, "none")
    assert [answer["answer"] for one in row["items"] for answer in one["answers"]] == ["ok", "ok", "ok"]


def test_problems_are_counted_by_the_severity_of_their_question_and_those_beside_it_by_their_own():
    row = columns(
        found(items=answers(q1="problem", q2="problem"), problems=[{"item": "广告", "severity": 1, "said": "用语"}])
    )
    assert (row["serious_found"], row["problems_found"], row["minor_found"]) == (1, 1, 1)
    assert problems(row["items"], MINE) == [
        "食品经营：是否标注生产日期，三批次",
        "食品经营：是否超过保质期，三批次",
        "广告：用语",
    ]
    assert basis(row["items"], MINE) == "《示例办法》第一条、《示例办法》"
    unfilled = [
        {
            **MINE[0],
            "basis": "product_default 请填写",
            "questions": [{**one, "basis": "", "text": "有无？"} for one in FOOD["questions"]],
        }
    ]
    assert basis(row["items"], unfilled) == ""
    assert problems(row["items"], unfilled)[0] == "食品经营：有无，三批次"


def test_personal_numbers_in_words_and_names_of_files_are_masked():
    photo = {"sha256": "AB" * 32, "name": "13812345678.jpg", "bytes": 10}
    row = columns(found(said="负责人电话13812345678", photos=[photo, photo]))
    assert "13812345678" not in str(row)
    assert row["photos"] == [{"sha256": "ab" * 32, "name": "(电话).jpg", "bytes": 10}]


def test_an_order_that_would_have_to_be_printed_with_a_masked_number_is_refused_at_once():
    with pytest.raises(BadDocument, match="个人号码"):
        columns(found(disposal="order", correct_by=date(2026, 12, 11), said="与13812345678联系。"))


REFUSED = {
    "an outcome that nothing names": (Entry(outcome=11), "no `outcome`"),
    "no outcome at all": (Entry(items=answers()), "no `outcome`"),
    "a clean outcome with a problem answered": (found(1), "question q1 of item B03"),
    "not in business with a problem": (found(6), "question q1"),
    "a clean outcome with a problem beside the list": (
        Entry(outcome=1, items=answers(), problems=[{"item": "", "severity": 3, "said": "x"}]), "outside the checklist",
    ),
    "a finding without anything found": (Entry(outcome=2, items=answers()), "needs what was found"),
    "a question left out": (Entry(outcome=1, items=[{"item": "B03", "answers": []}]), "q1 of item B03, q2 of item B03"),
    "all clear beside answers": (Entry(all_clear=True, items=answers()), "all_clear"),
    "all clear with another outcome": (Entry(all_clear=True, outcome=6), "all_clear"),
    "an item of another organ": (Entry(outcome=1, items=[{"item": "X01"}]), "'X01' is not one"),
    "an item twice": (Entry(outcome=1, items=answers() * 2), "given twice"),
    "a question that is not there": (Entry(outcome=1, items=[{"item": "B03", "answers": [{"question": "q9", "answer": "ok"}]}]), "no question 'q9'"),
    "a question twice": (Entry(outcome=1, items=[{"item": "B03", "answers": [{"question": "q1", "answer": "ok"}] * 2}]), "answered twice"),
    "an answer that is none": (Entry(outcome=1, items=[{"item": "B03", "answers": [{"question": "q1", "answer": "yes"}]}]), "'yes' is no answer"),
    "a problem without severity": (found(problems=[{"said": "x"}]), "needs a `severity`"),
    "a problem without words": (found(problems=[{"severity": 1, "said": " "}]), "needs words"),
    "a problem of a strange item": (found(problems=[{"item": "Z", "severity": 1, "said": "x"}]), "names item 'Z'"),
    "too many problems": (found(problems=[{"severity": 1, "said": "x"}] * 101), "more than the 100"),
    "an order without its last day": (found(disposal="order", said="改正"), "correct_by"),
    "an order that ends today": (found(disposal="order", said="改正", correct_by=TODAY), "after the visit"),
    "an order without a demand": (found(disposal="order", correct_by=date(2026, 12, 1)), "what is demanded"),
    "an order where nothing was found": (
        Entry(outcome=10, said="其他情况", disposal="order", correct_by=date(2026, 12, 1)), "what is to be corrected",
    ),
    "a last day without an order": (found(correct_by=date(2026, 12, 1)), "belongs to an order"),
    "told to nobody": (found(disposal="copied"), "copied_to"),
    "told to somebody under another disposal": (found(copied_to=PARTNER), "copied_to"),
    "a refusal without words": (Entry(outcome=5), "refused or obstructed"),
    "another outcome without words": (Entry(outcome=10), "what it came to"),
    "other disposal without words": (found(disposal="other"), "what was done"),
    "a disposal that is none": (found(disposal="fine"), "'fine' does not go with"),
    "a case lead where all is well": (Entry(all_clear=True, disposal="lead"), "does not go with"),
    "a photo without a hash": (found(photos=[{"sha256": "12", "bytes": 1}]), "no SHA-256"),
    "an empty photo": (found(photos=[{"sha256": "a" * 64, "bytes": 0}]), "0 bytes"),
    "too many photos": (found(photos=[{"sha256": "a" * 64, "bytes": 1}] * 101), "more than the 100"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_incomplete_or_contradicts_itself_is_refused_by_name(what):
    entry, said = REFUSED[what]
    with pytest.raises(ResultRefused) as refused:
        columns(entry)
    assert said in refused.value.detail


def test_who_could_not_be_inspected_need_not_answer_and_who_stopped_may_leave_questions_open():
    for outcome in (4, 6, 7):
        assert columns(Entry(outcome=outcome))["items"] == []
    assert columns(Entry(outcome=5, said="锁门拒检"))["serious_found"] == 0
    started = [{"item": "B03", "answers": [{"question": "q2", "answer": "problem"}]}]
    assert columns(Entry(outcome=3, items=started, disposal="stopped"))["serious_found"] == 1


@effort(max_examples=30, deadline=None)
@given(
    st.integers(1, 10),
    st.sampled_from(list(DISPOSALS)),
    st.fixed_dictionaries({name: st.sampled_from(["ok", "problem", "na"]) for name in ("q1", "q2", "q3")}),
)
def test_whatever_is_accepted_agrees_with_itself(outcome, disposal, said):
    order = {"correct_by": date(2026, 12, 1)} if disposal == "order" else {}
    told = {"copied_to": PARTNER} if disposal == "copied" else {}
    entry = Entry(outcome=outcome, items=answers(**said), disposal=disposal, said="说明", **order, **told)
    number = sum(one == "problem" for one in said.values())
    try:
        row = columns(entry)
    except ResultRefused:
        clash = number if outcome in (1, 4, 6, 7) else not number if outcome in (2, 3, 8, 9) else False
        assert clash or disposal not in GOES_WITH[outcome] or (disposal == "order" and not number)
        return
    assert row["serious_found"] + row["problems_found"] + row["minor_found"] == number
    assert (number > 0) <= (outcome not in (1, 4, 6, 7))


def test_the_order_of_the_other_tests_is_in_order():
    assert columns(ORDER)["correct_by"] == date(2026, 12, 11)
