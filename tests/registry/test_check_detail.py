"""What a spot check projects beside its own fact: it comes, goes and is checked with the record, whatever becomes of it."""

from datetime import date

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from registry.clock import day_number
from registry.database import execute
from registry.kinds import DERIVED, KINDS, NUMBERS
from registry.kinds.spot_check import FOUND, PURPOSES, SURE_DRAW
from registry.models import Fact, ImportRun, Record
from registry.services import book, erasures, frames, ledger, seal
from registry.services.sameness import content_of
from rules.kinds import KINDS as KNOWN_TO_RULES
from rules.model.units import PURPOSES as READ_BY_MODELS
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement
from tests.registry.importing import counts_of, imported
from tests.registry.importing import refused as refused_cells
from tests.registry.sealing import said, sealed
from tests.registry.tables import table

DETAIL = NUMBERS["check_detail"]
CHECK = KINDS["spot_check"]
ON = day_number(date(2026, 5, 5))
COUNTED = {"purpose": "routine", "serious_found": 2, "minor_found": 5, "inclusion": 40_000}


def parts(**given):
    return [(one.code, one.severity, one.amount) for one in CHECK.parts(statement("spot_check", **given))]


def standing(known=None):
    """What counts of all checks at a number of the ledger: (part, code, severity, amount), the check's own fact first."""
    known = ledger.head() if known is None else known
    holds = (Fact.known <= known) & (Fact.gone.is_null() | (Fact.gone > known)) & Fact.kind.in_([5, DETAIL])
    rows = Fact.select().where(holds).order_by(Fact.known, Fact.part)
    assert {row.day for row in rows} <= {ON}
    assert all((row.kind == DETAIL) == (row.part > 0) for row in rows)
    return [(row.part, row.code, row.severity, row.amount) for row in rows]


def refused(**given):
    with pytest.raises(ValidationError) as error:
        statement("spot_check", **given)
    return error.value.messages


def writing():
    return ledger.writing(now=NOW, schemes=["general-risk"])


# --- what a statement projects ------------------------------------------------------------------------------------------


def test_a_check_says_what_it_was_and_how_many_problems_of_each_severity_it_found():
    assert parts(**COUNTED) == [(1, 0, 40_000), (1, 1, 5), (1, 3, 2)]
    assert parts(purpose="follow_up", problems_found=4) == [(2, 0, 0), (2, 2, 4)]


@pytest.mark.parametrize(
    ("code", "found"), [("1", []), ("2", [(0, 1, 1)]), ("3", [(0, 2, 1)]), ("5", [(0, 3, 1)]), ("7", [])]
)
def test_where_nobody_counted_one_problem_of_the_severity_of_the_result_was_found(code, found):
    assert parts(results=[{"code": code}]) == [(0, 0, 0), *found]


def test_none_found_is_an_answer_even_where_the_result_sounds_worse():
    assert parts(results=[{"code": "3"}], problems_found=0) == [(0, 0, 0)]
    assert "problems_found" in statement("spot_check", problems_found=0).detail


def test_a_check_that_says_nothing_of_this_is_stored_as_it_always_was():
    assert set(statement("spot_check").detail) == {"results"}
    assert content_of(statement("spot_check")) == "00e8e8aac6674c280884b6853d9d6cc6"


@given(
    st.sampled_from(sorted(PURPOSES)),
    st.fixed_dictionaries({name: st.none() | st.integers(0, 10_000) for name in FOUND}),
    st.none() | st.integers(1, SURE_DRAW),
    st.sampled_from([str(code) for code in range(1, 11)]),
)
def test_the_parts_say_exactly_what_was_counted(purpose, found, inclusion, code):
    first, *rest = parts(purpose=purpose, inclusion=inclusion, results=[{"code": code}], **found)
    number = PURPOSES[purpose][0]
    assert first == (number, 0, inclusion or 0)
    stated = {FOUND[name]: count for name, count in found.items() if count}
    if any(count is not None for count in found.values()):
        assert {severity: amount for _, severity, amount in rest} == stated
    assert {one[0] for one in rest} <= {number}
    assert [one[1] for one in rest] == sorted({one[1] for one in rest}), "in a fixed order, each severity once"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("serious_found", -1, "-1 is not a number of problems from 0 to 10,000"),
        ("minor_found", 10_001, "10001 is not a number of problems"),
        ("problems_found", 1.5, "Not a valid integer"),
        ("inclusion", 0, "0 is not a probability in millionths, from 1 to 1,000,000"),
        ("inclusion", 1_000_001, "is not a probability in millionths"),
        ("purpose", "surprise", "Must be one of"),
    ],
)
def test_a_number_or_a_purpose_that_cannot_be_is_refused_by_name(field, value, why):
    assert why in str(refused(**{field: value})[field])


def test_rules_and_registry_number_the_derived_kind_and_its_purposes_alike():
    assert book.numbers() == dict(KNOWN_TO_RULES)
    assert {name: number for name, (number, _) in PURPOSES.items()} == dict(READ_BY_MODELS)
    assert DERIVED["spot_check"].number == 19
    assert "check_detail" not in KINDS, "nobody states it"


# --- in the ledger ------------------------------------------------------------------------------------------------------


def test_a_check_and_its_detail_are_stored_corrected_and_believed_together(settings):
    entity = registered()
    record(entity, "spot_check", document_no="检1号", **COUNTED)
    before = ledger.head()
    record(entity, "spot_check", document_no="检1号", purpose="follow_up", results=[{"code": "3"}])
    assert standing(before) == [(0, 1, 0, 0), (1, 1, 0, 40_000), (2, 1, 1, 5), (3, 1, 3, 2)]
    assert standing() == [(0, 3, 2, 0), (1, 2, 0, 0), (2, 2, 2, 1)]


def test_a_check_without_a_day_projects_nothing_at_all(settings):
    record(registered(), "spot_check", checked_on=None, **COUNTED)
    assert standing() == []


def test_a_check_that_is_replaced_before_it_was_ever_seen_leaves_all_its_facts_to_the_past(settings):
    entity = registered()
    with writing() as pen:
        pairs = [(entity, statement("spot_check", document_no="检2号", serious_found=count)) for count in (7, 1)]
        pen.state(pairs, source="test")
    assert standing() == [(0, 1, 0, 0), (1, 0, 0, 0), (2, 0, 3, 1)]
    assert Fact.select().where(Fact.gone.is_null(False)).count() == 3


def test_a_withdrawn_check_counts_nowhere_and_counts_in_full_once_it_is_restated(settings):
    outcome = record(registered(), "spot_check", document_no="检3号", **COUNTED)
    whole = standing()
    with writing() as pen:
        withdrawn = pen.withdraw(outcome.seq, source="test", reason="登记错误")
    assert standing() == []
    with writing() as pen:
        pen.restate(withdrawn.seq, source="test", reason="撤回有误")
    assert standing() == whole
    assert len(whole) == 4


def test_a_check_that_a_step_leaves_out_takes_its_detail_with_it(settings):
    entity = registered()
    outcome = record(entity, "spot_check", document_no="检4号", **COUNTED)
    identity = Record.get(Record.seq == outcome.seq).identity
    with writing() as pen:
        pen.step("repaired", about=identity, entity=entity, key=["1"], on=TODAY, detail={}, by="test", leaves_out="repaired")  # fmt: skip
    assert standing() == []


def test_a_grave_check_of_another_organ_waits_with_all_its_facts(settings):
    entity = registered()
    with writing() as pen:
        grave = statement("spot_check", document_no="检5号", results=[{"code": "5"}], serious_found=3)
        other = statement("spot_check", document_no="检6号", results=[{"code": "3"}], problems_found=2)
        pen.state([(entity, other), (entity, grave)], source="test", foreign=[True, True])
    assert standing() == [(0, 3, 2, 0), (1, 0, 0, 0), (2, 0, 2, 2)]


def test_another_source_that_counted_otherwise_differs_and_one_that_words_it_otherwise_does_not(settings):
    entity = registered()
    record(entity, "spot_check", document_no="检7号", source="one", **COUNTED)
    counted = record(entity, "spot_check", document_no="检7号", source="two", **{**COUNTED, "minor_found": 6})
    worded = record(entity, "spot_check", document_no="检7号", source="three", remark="附表", **COUNTED)
    assert (counted.said, worded.said) == ("differs", "unchanged")


def test_a_feed_of_checks_covers_their_detail_over_the_same_days_and_divisions(settings):
    with writing() as pen:
        pen.cover("spot_check", "9901", date(2025, 1, 1), None, source="test")
        pen.cover("penalty", "", date(2024, 1, 1), None, source="test")
    covered = frames.coverage(ledger.head()).sort("kind").rows()
    begins, earlier = day_number(date(2025, 1, 1)), day_number(date(2024, 1, 1))
    assert covered == [(2, "", earlier, None), (5, "9901", begins, None), (DETAIL, "9901", begins, None)]
    assert frames.coverage(0).is_empty()


def test_grading_is_handed_the_detail_only_where_it_asks_for_it(settings):
    entity = registered()
    outcome = record(entity, "spot_check", **COUNTED)
    head = ledger.head()
    assert frames.facts_of([entity], {1, 5}, head)["kind"].to_list() == [1, 5]
    found = frames.facts_in(entity, entity, {DETAIL}, head).sort("severity")
    assert found.select("code", "severity", "amount", "day").rows() == [
        (1, 0, 40_000, ON),
        (1, 1, 5, ON),
        (1, 3, 2, ON),
    ]
    assert found["seq"].unique().to_list() == [outcome.seq]
    assert found.schema == pl.Schema(frames.FACTS)


# --- verify and erasure -------------------------------------------------------------------------------------------------


def checked_ledger(settings):
    """A sealed registry with one penalty (row 3) and one check with three facts of detail (row 4) of entity 1."""
    seal.make_log(settings, now=NOW)
    entity, _ = registered(), registered()
    record(entity)
    outcome = record(entity, "spot_check", document_no="检8号", **COUNTED)
    sealed(settings)
    assert (entity, outcome.seq, said(settings)) == (1, 4, [])
    return outcome.seq


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("UPDATE fact SET amount = 4 WHERE known = 4 AND part = 2", "row 4: has facts of 检查明细 (Detail of a check) that say"),
        ("UPDATE fact SET code = 2 WHERE known = 4 AND part = 1", "row 4: has facts of 检查明细"),
        ("UPDATE fact SET day = day - 1 WHERE known = 4 AND part = 3", "row 4: has facts of 检查明细"),
        ("UPDATE fact SET kind = 5 WHERE known = 4 AND part = 3", "row 4: has facts of 检查明细"),
        ("UPDATE fact SET gone = 9 WHERE known = 4 AND part = 1", "row 4: has facts of 检查明细"),
        ("DELETE FROM fact WHERE known = 4 AND part = 3", "row 4: has facts of 检查明细"),
        ("DELETE FROM fact WHERE known = 4 AND part > 0", "row 4: has facts of 检查明细"),
        ("INSERT INTO fact (entity, known, part, kind, code, severity, amount, day) VALUES (1, 4, 9, 19, 1, 3, 9, 20000)", "row 4: has facts of 检查明细"),
        ("INSERT INTO fact (entity, known, part, kind, code, severity, amount, day) VALUES (1, 3, 1, 19, 1, 3, 9, 20000)", "row 3: is named by a fact"),
        ("INSERT INTO fact (entity, known, part, kind, code, severity, amount, day) VALUES (2, 4, 1, 19, 1, 3, 9, 20000)", "row 4: is named by a fact"),
    ],
)  # fmt: skip
def test_a_fact_of_detail_that_was_changed_removed_or_made_up_is_named(settings, sql, expected):
    checked_ledger(settings)
    execute(sql)
    assert [f"{rows}: {text}" for _, rows, text in said(settings) if expected in f"{rows}: {text}"] != []
    assert len(said(settings)) == 1


def test_verify_has_nothing_to_say_of_the_whole_life_of_a_check(settings):
    seq = checked_ledger(settings)
    with writing() as pen:
        pen.state([(1, statement("spot_check", document_no="检8号", serious_found=1))], source="test")
        pen.state([(1, statement("spot_check", document_no="检9号", serious_found=1))], source="test", foreign=[True])
        pen.state([(1, statement("spot_check", document_no="检10号", results=[{"code": "5"}]))], source="test", matched=["name"])  # fmt: skip
    with writing() as pen:
        pen.withdraw(Record.get(Record.replaces == seq).seq, source="test", reason="登记错误")
    assert said(settings) == []


def test_a_detail_that_was_made_unreadable_is_named_and_stops_nothing(settings):
    seq = checked_ledger(settings)
    Record._meta.database.execute_sql("DROP TRIGGER record_frozen" if settings.database.url.startswith("sqlite") else "ALTER TABLE record DISABLE TRIGGER USER")  # fmt: skip
    bad = orjson.dumps({"purpose": ["x"], "serious_found": "many", "inclusion": None}).decode()
    execute("UPDATE record SET detail = ? WHERE seq = ?", (bad, seq))
    assert {rows for _, rows, _ in said(settings)} == {f"row {seq}"}


def erase(settings, seq, *fields):
    return erasures.erase(
        settings, seq, fields=fields, basis="《个人信息保护法》第四十七条", reason="依申请删除", actor="clerk", today=TODAY,
        now=lambda: NOW,
    )  # fmt: skip


def test_an_erased_check_leaves_no_fact_of_it(settings):
    seq = checked_ledger(settings)
    erase(settings, seq)
    assert Fact.select().where(Fact.known == seq).count() == 0
    assert said(settings) == []


def test_what_a_check_counts_is_not_erased_by_itself_and_its_words_are(settings):
    seq = checked_ledger(settings)
    with pytest.raises(erasures.NotErasable, match="inclusion, purpose of a spot check says what counts"):
        erase(settings, seq, "purpose", "inclusion")
    erase(settings, seq, "results")
    assert len(standing()) == 4
    assert said(settings) == []


# --- in a table ---------------------------------------------------------------------------------------------------------

FOUND_HEADINGS = ["检查目的", "严重问题数", "一般问题数", "轻微问题数", "入样概率"]
TABLES = {
    "spot-check-double-random": (
        ["主体名称", "统一社会信用代码", "抽查机关", "抽查时间", "抽查结果"],
        lambda name, code: [name, code, "信衡市市场监督管理局", "2026-05-05", "发现问题已责令改正"],
    ),
    "spot-check-findings": (
        ["单位名称", "统一社会信用代码", "检查日期", "问题名称", "拟处理方式"],
        lambda name, code: [name, code, "2026-05-05", "台账不全", "责令改正"],
    ),
    "spot-check-results": (
        ["被检查单位名称", "统一社会信用代码", "检查日期", "检查结果", "检查单号"],
        lambda name, code: [name, code, "2026-05-05", "责令改正", "检11号"],
    ),
}


@pytest.mark.parametrize("mapping", TABLES)
def test_a_table_of_checks_may_say_why_how_many_and_from_which_draw(on_sqlite, tmp_path, mapping):
    code = credit_code()
    registered(code, name="信衡示例食品有限公司")
    header, row = TABLES[mapping]
    rows = [[*row("信衡示例食品有限公司", code), *("复查", "1", "0", "12", "40000")]]
    opened = table(tmp_path, [*header, *FOUND_HEADINGS], rows)
    assert counts_of(imported(on_sqlite, opened)) == {"stored": 1}
    assert ImportRun.get().mapping.startswith(mapping)
    detail = Record.get(Record.kind == "spot_check").detail
    assert {name: detail.get(name) for name in ("purpose", *FOUND, "inclusion")} == {
        "purpose": "follow_up", "minor_found": 12, "problems_found": 0, "serious_found": 1, "inclusion": 40_000,
    }  # fmt: skip
    assert standing()[1:] == [(1, 2, 0, 40_000), (2, 2, 1, 12), (3, 2, 3, 1)]


def test_cells_left_empty_say_nothing_and_an_unknown_purpose_is_another_one(on_sqlite, tmp_path):
    code = credit_code()
    registered(code, name="信衡示例食品有限公司")
    header, row = TABLES["spot-check-double-random"]
    for purpose in ("", "暗访"):
        rows = [[*row("信衡示例食品有限公司", code), purpose, "", "", "", ""]]
        assert counts_of(imported(on_sqlite, table(tmp_path, [*header, *FOUND_HEADINGS], rows))) == {"stored": 1}
    assert [one.detail.get("purpose") for one in Record.select().where(Record.kind == "spot_check")] == [None, "other"]
    assert [row[1:] for row in standing() if row[0]] == [(0, 0, 0), (0, 1, 1), (5, 0, 0), (5, 1, 1)]


def test_a_probability_that_is_no_whole_number_is_refused_with_what_to_write(on_sqlite, tmp_path):
    code = credit_code()
    registered(code, name="信衡示例食品有限公司")
    header, row = TABLES["spot-check-double-random"]
    rows = [[*row("信衡示例食品有限公司", code), "例行", "", "", "", "0.04"]]
    report = imported(on_sqlite, table(tmp_path, [*header, *FOUND_HEADINGS], rows))
    assert counts_of(report) == {"rejected": 1}
    ((_, column, value, reason),) = refused_cells(report.run)
    assert (column, value) == ("入样概率", "0.04")
    assert reason == "This is not a whole number. Write digits only."
