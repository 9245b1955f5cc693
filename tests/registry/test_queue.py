"""The queue lets go: a row that waited for its party is stated as soon as the party is known, exactly as it came."""

from datetime import date

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cli.imports import _tell
from registry import database
from registry.cells.checks import registration_check
from registry.kinds import Statement
from registry.models import Entity, Fact, Record, Stale, Unmatched
from registry.services import entities, imports, ledger, queue, sameness
from registry.services.parsing import Parsed
from registry.services.parties import Party
from tests.conftest import NOW
from tests.factories import credit_code, statement
from tests.registry.importing import counts_of, imported, penalties
from tests.registry.tables import HEADINGS_2021, REGISTRATION, penalty_row, registration_row, table
from tests.registry.test_personal_data import looks_like_a_birthday

NAME, OTHER = "信衡示例有限公司", "信衡别家有限公司"
CODE, SECOND = credit_code(number=1), credit_code(number=2)
REGISTER = (*REGISTRATION, "注册号")
OLD = "99010000000001" + registration_check("99010000000001")
WEAK = "3302002004007"
TAXPAYER_HEADINGS = (
    "纳税人识别号",
    "纳税人名称",
    "行政处罚文号",
    "处罚事由",
    "税务行政处罚依据",
    "处罚结果",
    "罚款金额",
    "处罚机构",
    "处罚日期",
)


def register(settings, tmp_path, *rows, **more):
    made = [[*registration_row(code, name=name), number] for code, number, name in rows]
    return imported(settings, table(tmp_path, REGISTER, made, name="register.csv"), source="register", **more)


def penalise(settings, tmp_path, *given, **more):
    rows = [penalty_row(**{"code": "", "document_no": f"信{n}号", **one}) for n, one in enumerate(given)]
    return imported(settings, table(tmp_path, HEADINGS_2021, rows, name="penalties.csv"), **more)


def waiting():
    return [one.reason for one in Unmatched.select().order_by(Unmatched.id)]


@pytest.mark.parametrize(
    "named",
    [{"registration_no": OLD}, {"organisation_code": CODE[8:17]}, {"registration_no": OLD, "organisation_code": CODE[8:17]},
     {"registration_no": WEAK, "name": NAME}],
    ids=["registration number", "organisation code", "both", "13 digits and the name"],
)  # fmt: skip
def test_rows_that_wait_under_a_number_are_stated_when_its_registration_arrives(settings, tmp_path, named):
    assert counts_of(penalise(settings, tmp_path, named, named)) == {"unmatched": 2}
    report = register(settings, tmp_path, (CODE, named.get("registration_no", ""), NAME))
    assert counts_of(report) == {"stored": 1, "released": 2}
    assert report.counts.read == 1
    assert waiting() == []
    assert [(one.entity_id, one.source) for one in penalties()] == [(Entity.get().id, "penalty-legal-person")] * 2
    assert [fact.amount for fact in Fact.select().where(Fact.kind == 2)] == [5_000_00] * 2
    assert Stale.get(Stale.entity == Entity.get().id).seq == 3
    # What was stated is what the rows themselves would have said.
    assert counts_of(penalise(settings, tmp_path, named, named)) == {"unchanged": 2}


def test_a_taxpayer_number_is_found_by_the_organisation_code_in_it(settings, tmp_path):
    # A real province stands in front, or it is no taxpayer number.
    row = [
        f"110101{CODE[8:17]}",
        NAME,
        "信税罚〔2026〕1号",
        "未按期申报",
        "",
        "罚款100元",
        "",
        "信衡市税务局",
        "2026-03-02",
    ]
    path = table(tmp_path, TAXPAYER_HEADINGS, [row], name="tax.csv")
    assert counts_of(imported(settings, path)) == {"unmatched": 1}
    assert counts_of(register(settings, tmp_path, (CODE, "", NAME))) == {"stored": 1, "released": 1}
    assert [one.amount_fen for one in penalties()] == [100_00]
    assert counts_of(imported(settings, path)) == {"unchanged": 1}


def test_a_row_whose_numbers_disagreed_is_stated_once_its_code_is_registered(settings, tmp_path):
    register(settings, tmp_path, (CODE, OLD, NAME))
    penalise(settings, tmp_path, {"code": SECOND, "registration_no": OLD})
    assert waiting() == ["numbers_disagree"]
    report = register(settings, tmp_path, (SECOND, "", OTHER))
    assert counts_of(report) == {"stored": 1, "released": 1}
    assert [one.entity_id for one in penalties()] == [entities.get(SECOND).id]


def test_a_row_that_names_two_codes_is_not_released_by_either(settings, tmp_path):
    penalise(settings, tmp_path, {"code": CODE, "registration_no": SECOND})
    register(settings, tmp_path, (CODE, "", NAME), (SECOND, "", OTHER))
    assert waiting() == ["numbers_disagree"]


def test_a_row_under_another_name_stays_and_now_says_so(settings, tmp_path):
    penalise(settings, tmp_path, {"registration_no": WEAK, "name": OTHER})
    assert waiting() == ["not_registered"]
    assert counts_of(register(settings, tmp_path, (CODE, WEAK, NAME))) == {"stored": 1}
    assert waiting() == ["name_differs"]
    assert penalties() == []


def test_a_registration_about_others_releases_nothing(settings, tmp_path):
    penalise(settings, tmp_path, {"registration_no": OLD}, {"code": "无"}, {"code": "***"})
    assert counts_of(register(settings, tmp_path, (SECOND, "", OTHER))) == {"stored": 1}
    assert waiting() == ["not_registered", "blank", "masked"]


def test_a_row_about_a_person_is_never_released(settings, tmp_path):
    number = looks_like_a_birthday()
    penalise(settings, tmp_path, {"registration_no": number})
    (row,) = Unmatched.select()
    assert (row.reason, row.fields["party"]) == ("person", None)
    # Even where somebody had put the number in the queue itself.
    database.execute("UPDATE unmatched SET party_code = ?", (OLD,))
    register(settings, tmp_path, (CODE, OLD, NAME))
    assert waiting() == ["person"]


def test_a_registration_that_waits_is_not_stated_by_another(settings, tmp_path):
    register(settings, tmp_path, ("", WEAK, NAME), (CODE, WEAK, OTHER))
    assert waiting() == ["name_differs"]
    newer = [*registration_row(CODE, name=OTHER, address="新址"), ""]
    path = table(tmp_path, REGISTER, [newer], name="newer.csv")
    assert counts_of(imported(settings, path, source="register")) == {"stored": 1}
    assert (waiting(), entities.get(CODE).address) == (["name_differs"], "新址")
    # The row itself, when it comes again, finds its code: that is for its source to say.
    assert counts_of(register(settings, tmp_path, (CODE, WEAK, OTHER))) == {"stored": 1, "released": 1}
    assert waiting() == []


def test_a_row_that_comes_again_and_matches_leaves_the_queue(settings, tmp_path):
    rows = [{"organisation_code": CODE[8:17]}, {"code": "无"}]
    assert counts_of(penalise(settings, tmp_path, *rows)) == {"unmatched": 2}
    imported(settings, table(tmp_path, HEADINGS_2021, [penalty_row(code=CODE, document_no="信9号")]))  # provisional
    assert waiting() == ["not_registered", "blank"]
    assert counts_of(penalise(settings, tmp_path, *rows)) == {"stored": 1, "unmatched": 1, "released": 1}
    assert waiting() == ["blank"]


def test_the_same_row_of_another_source_goes_on_waiting_when_this_one_leaves(settings, tmp_path):
    for source in ("one", "two"):
        penalise(settings, tmp_path, {"organisation_code": CODE[8:17]}, source=source)
    imported(settings, table(tmp_path, HEADINGS_2021, [penalty_row(code=CODE, document_no="信9号")]))
    assert counts_of(penalise(settings, tmp_path, {"organisation_code": CODE[8:17]}, source="one")) == {
        "stored": 1,
        "released": 1,
    }
    assert [one.source for one in Unmatched.select()] == ["two"]


def test_a_row_that_waits_takes_the_newest_reason(settings, tmp_path):
    row = {"code": "", "registration_no": WEAK, "name": OTHER}
    penalise(settings, tmp_path, row)
    database.execute("UPDATE unmatched SET reason = 'blank'")
    penalise(settings, tmp_path, row, now=NOW + 5)
    assert [(one.reason, one.waiting_since) for one in Unmatched.select()] == [("not_registered", NOW)]


def test_of_two_wordings_that_waited_the_later_one_holds(settings, tmp_path):
    for content in ("罚款100元", "罚款200元"):
        penalise(settings, tmp_path, {"registration_no": OLD, "content": content, "fine": ""})
    assert counts_of(register(settings, tmp_path, (CODE, OLD, NAME))) == {"stored": 1, "released": 2}
    assert [(one.amount_fen, one.act) for one in penalties()] == [(200_00, "correct")]


@pytest.mark.parametrize(("since", "holds", "left"), [(NOW + 1, 200_00, ["newer_known"]), (NOW - 1, 100_00, [])])
def test_a_row_that_waited_does_not_undo_what_its_source_has_said_since(settings, tmp_path, since, holds, left):
    """The old wording waits under the old number; the new one, or an older one, came under the code."""
    waits = {"registration_no": OLD, "content": "罚款100元", "fine": "", "document_no": "信1号"}
    said = {"code": CODE, "content": "罚款200元", "fine": "", "document_no": "信1号"}
    for row, now in sorted([(waits, NOW), (said, since)], key=lambda one: one[1]):
        penalise(settings, tmp_path, row, now=now)
    register(settings, tmp_path, (CODE, OLD, NAME), now=NOW + 2)
    assert [one.amount_fen for one in penalties()] == [holds]
    assert waiting() == left


def test_rows_from_before_the_numbers_were_kept_are_found_by_the_number_that_is_shown(settings, tmp_path):
    penalise(settings, tmp_path, {"registration_no": OLD})
    (row,) = Unmatched.select()
    kept = {name: value for name, value in row.fields.items() if name != "party"}
    database.execute("UPDATE unmatched SET fields = ?", (orjson.dumps(kept).decode(),))
    assert counts_of(register(settings, tmp_path, (CODE, OLD, NAME))) == {"stored": 1, "released": 1}


def test_rows_leave_the_queue_with_the_registration_or_not_at_all(settings, tmp_path, monkeypatch):
    penalise(settings, tmp_path, {"registration_no": OLD})
    monkeypatch.setattr(imports, "_advance", lambda *_: (_ for _ in ()).throw(RuntimeError("power cut")))
    with pytest.raises(RuntimeError, match="power cut"):
        register(settings, tmp_path, (CODE, OLD, NAME))
    assert (waiting(), penalties(), Entity.select().count()) == (["not_registered"], [], 0)
    monkeypatch.undo()
    assert counts_of(register(settings, tmp_path, (CODE, OLD, NAME))) == {"stored": 1, "released": 1}


@pytest.mark.parametrize("chunk", [1, 3, 400])
def test_many_rows_are_released_whatever_the_chunk(settings, tmp_path, chunk):
    codes = [credit_code(number=10 + n) for n in range(6)]
    penalise(settings, tmp_path, *({"organisation_code": code[8:17]} for code in codes for _ in range(3)))
    assert len(waiting()) == 18
    report = register(settings, tmp_path, *((code, "", f"{NAME}{n}") for n, code in enumerate(codes)), chunk=chunk)
    assert counts_of(report) == {"stored": 6, "released": 18}
    assert len(penalties()) == 18
    assert Record.select().count() == 24


def test_the_command_says_how_many_rows_left_the_queue(on_sqlite, tmp_path, capsys):
    penalise(on_sqlite, tmp_path, {"registration_no": OLD})
    report = register(on_sqlite, tmp_path, (CODE, OLD, NAME))
    _tell(report, None)
    assert "1 row that had waited found their party" in capsys.readouterr().out
    _tell(register(on_sqlite, tmp_path, (CODE, OLD, NAME)), None)
    assert "had waited" not in capsys.readouterr().out


KINDS = ("penalty", "abnormal_listing", "serious_listing", "spot_check", "item_12315", "annual_report")


def through_the_queue(said, party=None):
    fields = queue.fields_of(Parsed(said, party, NAME, "", "", None))
    return queue.statement_of(said.kind, orjson.loads(orjson.dumps(fields)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_comes_out_of_the_queue_as_it_went_in(kind):
    said = statement(kind)
    back = through_the_queue(said, Party(CODE))
    assert sameness.content_of(back) == sameness.content_of(said)
    assert sameness.identity_of(back, 7, sameness.content_of(back), "s") == sameness.identity_of(
        said, 7, sameness.content_of(said), "s"
    )
    assert back == said


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
days = st.none() | st.dates(date(1949, 10, 1), date(2100, 1, 1))


@given(
    st.builds(
        Statement, kind=st.sampled_from(KINDS), code=st.integers(0, 99), severity=st.integers(0, 3), amount_fen=st.integers(0, 10**15),
        happened_on=days, ends_on=days, document_no=texts, organ=texts, key=st.lists(texts, min_size=1, max_size=4).map(tuple),
        detail=st.dictionaries(texts, texts | st.booleans() | st.integers(0, 10**15) | st.lists(texts, max_size=3), max_size=4),
    )
)  # fmt: skip
def test_any_statement_comes_out_of_the_queue_as_it_went_in(said):
    back = through_the_queue(said)
    assert back == said
    assert sameness.content_of(back) == sameness.content_of(said)


def test_rows_that_may_leave_are_found_by_an_index_whatever_waits(on_sqlite, count_queries):
    with ledger.writing(now=NOW, schemes=[]) as pen, count_queries() as sent:
        queue.release(pen, [Party(code=CODE, organisation_code=CODE[8:17], name=NAME)], now=NOW)
    asked = [sql for sql in sent if "FROM unmatched" in sql]
    plans = [database.execute(f"EXPLAIN QUERY PLAN {sql}", ["x"] * sql.count("?")).fetchall()[0][3] for sql in asked]
    assert [plan.partition("INDEX ")[2].partition(" ")[0] for plan in plans] == [
        "unmatched_party_code", "unmatched_ending", "unmatched_folded",
    ]  # fmt: skip
