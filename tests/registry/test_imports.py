"""Importing: every row is accounted for, good ones are stored once, bad ones named with column, reason and remedy."""

import re
from datetime import date

import pytest

from registry import database, sheets
from registry.errors import BadFile
from registry.models import Audit, Entity, EntityName, Fact, ImportRun, Record, Unmatched
from registry.services import entities, imports
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, registered
from tests.registry.importing import counts_of, imported, penalties, refused, rejects_file, runs, stored_state
from tests.registry.tables import (
    AT,
    CODES_2021,
    HEADINGS_2018,
    HEADINGS_2021,
    REGISTRATION,
    penalty_row,
    registration_row,
    table,
)

EDITIONS = {"2018": HEADINGS_2018, "2021": HEADINGS_2021, "codes": CODES_2021}


@pytest.mark.parametrize("header", EDITIONS.values(), ids=list(EDITIONS))
def test_a_penalty_comes_in_under_the_headings_of_every_edition(settings, tmp_path, header):
    entity = registered(credit_code(number=1))
    report = imported(
        settings,
        table(
            tmp_path,
            header,
            [penalty_row(code=credit_code(number=1), valid_until="2026/9/2", publish_until="20290302")],
        ),
    )
    assert counts_of(report) == {"stored": 1}
    (record,) = penalties()
    assert (record.entity_id, record.code, record.amount_fen, record.happened_on) == (
        entity,
        3,
        5_000_00,
        date(2026, 3, 2),
    )
    assert record.document_no == "信市监处罚[2026]1号"
    assert record.detail["printed_no"] == "信市监处罚〔2026〕1号"
    assert record.detail["publish_until"] == "2029-03-02"
    assert [fact.amount for fact in Fact.select().where(Fact.kind == 2)] == [5_000_00]


@pytest.mark.parametrize(
    ("given", "fen"),
    [
        ({"fine": "0.5"}, 5_000_00),
        ({"fine": "1.779793"}, 17_797_93),
        ({"fine": "３"}, 30_000_00),
        ({"fine": "1,200"}, 12_000_000_00),
        ({"fine": "0"}, 0),
        ({"fine": "", "content": "处五千元罚款"}, 5_000_00),
        ({"fine": "", "content": "罚款17797.93元"}, 17_797_93),
        ({"fine": "", "content": "处罚款人民币叁万贰仟元整"}, 32_000_00),
        ({"fine": "", "content": "警告"}, 0),
        ({"fine": "0.5", "confiscated": "0.25"}, 7_500_00),
    ],
)  # fmt: skip
def test_amounts_in_ten_thousands_or_in_words_become_fen(on_sqlite, tmp_path, given, fen):
    registered(credit_code(number=1))
    imported(on_sqlite, table(tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=1), **given)]))
    assert [record.amount_fen for record in penalties()] == [fen]


BAD = [
    ({"fine": "-0.5"}, "罚款金额(万元)", "-0.5", r"negative|below|less"),
    ({"fine": "五十来万"}, "罚款金额(万元)", "五十来万", r"amount"),
    ({"decided_on": "2026-11-22"}, "处罚决定日期", "2026-11-22", r"lies after today, 2026-11-21"),
    ({"decided_on": "2026-02-30"}, "处罚决定日期", "2026-02-30", r"no such day"),
    ({"decided_on": "44744"}, "处罚决定日期", "44744", r"serial number"),
    (
        {"publish_until": "2026-03-01"},
        "公示截止日期",
        "2026-03-01",
        r"2026-03-01 lies before the decision of 2026-03-02",
    ),
    ({"violation": "虚假\x00宣传"}, "违法行为类型", "虚假␀宣传", r"NUL byte\. Remove it"),
    ({"decided_on": "2026-\x0003-02"}, "处罚决定日期", "2026-␀03-02", r"not a day"),
    ({"name": "信衡\x00示例"}, "行政相对人名称", "信衡␀示例", r"NUL byte"),
    ({"document_no": "信" * 129}, "行政处罚决定文书号", "信" * 60, r"[Ll]onger"),
    ({"document_no": "㈱" * 60}, "行政处罚决定文书号", "㈱" * 60, r"180 characters; 127 are the most"),
]


@pytest.mark.parametrize(
    ("given", "column", "value", "reason"), BAD, ids=[f"{next(iter(case[0]))}-{n}" for n, case in enumerate(BAD)]
)
def test_a_bad_cell_is_refused_with_row_column_and_reason_and_the_others_are_stored(
    settings, tmp_path, given, column, value, reason
):
    good, bad = (penalty_row(code=credit_code(number=1), **more) for more in ({}, {"document_no": "信2号", **given}))
    report = imported(settings, table(tmp_path, HEADINGS_2021, [good, bad, good]))
    assert counts_of(report) == {"stored": 1, "unchanged": 1, "rejected": 1, "provisional": 1}
    ((row, named, shown, why),) = refused(report.run)
    assert (row, named, shown) == (3, column, value)
    assert re.search(reason, why), why


def test_a_row_with_too_few_cells_says_how_many(on_sqlite, tmp_path):
    report = imported(on_sqlite, table(tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=1))[:-3]]))
    assert counts_of(report) == {"rejected": 1}
    assert refused(report.run)[0][3].startswith("The row has 24 cells and the header 27.")


def test_every_fault_of_a_row_is_named_at_once_and_the_row_counts_once(on_sqlite, tmp_path):
    row = penalty_row(code=credit_code(number=1), fine="-1", decided_on="x", publish_until="y")
    report = imported(on_sqlite, table(tmp_path, HEADINGS_2021, [row]))
    assert counts_of(report) == {"rejected": 1}
    assert len(refused(report.run)) == 3


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("9.1E+17", "spreadsheet_number"),
        ("", "blank"),
        ("无", "blank"),
        ("***", "masked"),
        ("91330106", "unusable"),
        ("13912345678", "phone"),
    ],
)
def test_a_row_whose_code_is_of_no_use_waits_for_a_person_and_says_why(settings, tmp_path, code, why):
    report = imported(settings, table(tmp_path, HEADINGS_2021, [penalty_row(code=code)]))
    assert counts_of(report) == {"unmatched": 1}
    (waiting,) = Unmatched.select()
    assert (waiting.reason, waiting.row, waiting.party_name, waiting.fields["amount_fen"]) == (
        why,
        2,
        "信衡示例有限公司",
        500_000,
    )
    assert code not in waiting.party_code or not code


def test_a_row_waits_once_however_often_its_file_comes(settings, tmp_path):
    path = table(tmp_path, HEADINGS_2021, [penalty_row(code="无"), penalty_row(code="无", document_no="信2号")])
    assert [counts_of(imported(settings, path)) for _ in range(3)] == [{"unmatched": 2}] * 3
    assert Unmatched.select().count() == 2


def test_a_registration_number_finds_its_entity_and_an_unknown_one_waits(settings, tmp_path):
    path = table(tmp_path, REGISTRATION, [registration_row("330000000063296")])
    assert counts_of(imported(settings, path)) == {"stored": 1}
    rows = [penalty_row(code="", registration_no=number) for number in ("330000000063296", "330122000076968")]
    report = imported(settings, table(tmp_path, HEADINGS_2021, rows))
    assert counts_of(report) == {"stored": 1, "unmatched": 1}
    assert [one.reason for one in Unmatched.select()] == ["not_registered"]


def test_a_valid_code_that_is_not_registered_makes_a_provisional_entity_that_its_registration_completes(
    settings, tmp_path
):
    code = credit_code(number=7)
    report = imported(settings, table(tmp_path, HEADINGS_2021, [penalty_row(code=code, name="旧名称（信衡）公司")]))
    assert counts_of(report) == {"stored": 1, "provisional": 1}
    entity = entities.get(code)
    assert (entity.provisional, entity.registered_seq, entity.name) == (True, None, "旧名称（信衡）公司")
    imported(settings, table(tmp_path, REGISTRATION, [registration_row(code, name="新名称有限公司")], name="r.csv"))
    after = entities.get(code)
    assert (after.id, after.provisional, after.name, after.registered_seq) == (entity.id, False, "新名称有限公司", 2)
    assert [record.entity_id for record in penalties()] == [entity.id]
    assert EntityName.select().where(EntityName.entity == entity.id).count() == 2


def test_the_columns_of_an_entity_follow_its_newest_registration(settings, tmp_path):
    code = credit_code(number=7)
    for capital, place in (("100(万元人民币)", "旧址"), ("200(万元人民币)", "新址")):
        imported(settings, table(tmp_path, REGISTRATION, [registration_row(code, capital=capital, address=place)]))
    entity = entities.get(code)
    assert (entity.capital_fen, entity.address, entity.division) == (2_000_000_00, "新址", "990101")
    assert Record.select().where(Record.replaced_seq.is_null()).count() == 1
    assert [fact.amount for fact in Fact.select().where(Fact.gone.is_null())] == [2_000_000_00]


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1,000(万元人民币)", 10_000_000_00), ("3(万元人民币)", 30_000_00), ("10万人民币", 100_000_00), ("50.5万元", 505_000_00),
        ("N/A", 0), ("", 0), ("100(万美元)", 0),
    ],
)  # fmt: skip
def test_capital_texts_become_fen_and_other_currencies_are_kept_as_they_are(on_sqlite, tmp_path, text, fen):
    report = imported(on_sqlite, table(tmp_path, REGISTRATION, [registration_row(credit_code(number=1), capital=text)]))
    assert counts_of(report) == {"stored": 1}
    assert Entity.get().capital_fen == fen
    assert Record.get().detail.get("capital_text", "") == ("" if text == "N/A" else text)


def test_old_numbers_and_cells_that_say_nothing_are_registered_all_the_same(settings, tmp_path):
    rows = [
        registration_row("330203000030639"), registration_row("3302002004007", name="信衡老厂"),
        registration_row(credit_code("92", number=3), type="个体工商户", address="N/A", scope="N/A", region="N/A"),
        registration_row(credit_code("93", number=4), type="农民专业合作社", day="N/A"),
    ]  # fmt: skip
    report = imported(settings, table(tmp_path, REGISTRATION, rows))
    assert counts_of(report) == {"stored": 4, "undated": 1}
    kinds = {one.code or one.registration_no: (one.kind, one.division) for one in Entity.select()}
    assert kinds["330203000030639"] == ("enterprise", "330203")
    assert kinds[credit_code("92", number=3)] == ("individual", "990101")
    assert kinds[credit_code("93", number=4)] == ("cooperative", "990101")


def test_a_registration_without_a_usable_number_is_refused_by_its_column(on_sqlite, tmp_path):
    wrong = credit_code(number=1)[:-1] + ("0" if credit_code(number=1)[-1] != "0" else "1")
    report = imported(
        on_sqlite, table(tmp_path, REGISTRATION, [registration_row(code) for code in ("N/A", wrong, "9.1E+17")])
    )
    assert counts_of(report) == {"rejected": 3}
    assert [(row, column) for row, column, *_ in refused(report.run)] == [
        (2, "统一社会信用代码"),
        (3, "统一社会信用代码"),
        (4, "统一社会信用代码"),
    ]
    assert f"should be {credit_code(number=1)[-1]}" in refused(report.run)[1][3]


def test_the_numbers_always_add_up_to_the_rows_that_were_read(settings, tmp_path):
    code = credit_code(number=1)
    rows = [penalty_row(code=code), penalty_row(code=code), penalty_row(code="无"), penalty_row(code=code, fine="-1"),
            penalty_row(code=code, document_no="信9号", decided_on=""), [], penalty_row(code=credit_code(number=2))]  # fmt: skip
    report = imported(settings, table(tmp_path, HEADINGS_2021, rows), chunk=2)
    assert report.counts.read == 6
    assert counts_of(report) == {
        "stored": 3,
        "unchanged": 1,
        "unmatched": 1,
        "rejected": 1,
        "undated": 1,
        "provisional": 2,
    }
    run = ImportRun.get()
    assert (run.state, run.position) == ("done", 6)
    assert run.stored + run.unchanged + run.unmatched + run.rejected == run.position


def test_the_same_file_twice_stores_nothing_and_says_so(settings, tmp_path):
    rows = [penalty_row(code=credit_code(number=n % 5), document_no=f"信{n}号") for n in range(20)]
    path = table(tmp_path, HEADINGS_2021, rows)
    first = imported(settings, path, chunk=7)
    before = stored_state()
    again = imported(settings, path, chunk=3)
    assert (counts_of(first), counts_of(again)) == ({"stored": 20, "provisional": 5}, {"unchanged": 20})
    assert stored_state() == before


def test_another_source_that_says_otherwise_is_counted_and_changes_nothing(settings, tmp_path):
    code = credit_code(number=1)
    imported(settings, table(tmp_path, HEADINGS_2021, [penalty_row(code=code, document_no="信1号")]), source="first")
    other = [penalty_row(code=code, document_no="信1号", decided_on="2026-01-05")]
    report = imported(settings, table(tmp_path, HEADINGS_2021, other, name="other.csv"), source="second")
    assert counts_of(report) == {"unchanged": 1, "differs": 1}
    assert [(row.source, row.happened_on) for row in penalties()] == [("first", date(2026, 3, 2))]


def test_the_same_table_packed_or_in_another_encoding_stores_nothing_new(settings, tmp_path):
    rows = [penalty_row(code=credit_code(number=n), document_no=f"信{n}号") for n in range(3)]
    imported(settings, table(tmp_path, HEADINGS_2021, rows))
    for name, encoding in (("t.csv.gz", "utf-8"), ("g.csv", "gb18030"), ("u.csv", "utf-16")):
        assert counts_of(imported(settings, table(tmp_path, HEADINGS_2021, rows, name=name, encoding=encoding))) == {
            "unchanged": 3
        }


def test_an_undated_record_is_kept_and_counts_nowhere(settings, tmp_path):
    report = imported(
        settings, table(tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=1), decided_on="")])
    )
    assert counts_of(report) == {"stored": 1, "undated": 1, "provisional": 1}
    assert [record.happened_on for record in penalties()] == [None]
    assert Fact.select().where(Fact.kind == 2).count() == 0


def test_the_rejects_file_names_row_column_and_reason_and_runs_nothing_in_a_spreadsheet(on_sqlite, tmp_path):
    rows = [penalty_row(code=credit_code(number=1), fine=text) for text in ("=1+1", "-5", "@SUM(A1)")]
    report = imported(on_sqlite, table(tmp_path, HEADINGS_2021, rows))
    out = tmp_path / "table.csv.rejected.csv"
    assert imports.write_rejects(report.run, out) == 3
    lines = rejects_file(out)
    assert lines[0] == ["行号 row", "列 column", "值 value", "原因 reason"]
    assert [line[:2] for line in lines[1:]] == [
        ["2", "罚款金额(万元)"],
        ["3", "罚款金额(万元)"],
        ["4", "罚款金额(万元)"],
    ]
    assert not [cell for line in lines[1:] for cell in line if cell.startswith(sheets.FORMULA)]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_no_rejects_file_is_written_where_nothing_was_refused(on_sqlite, tmp_path):
    report = imported(on_sqlite, table(tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=1))]))
    assert imports.write_rejects(report.run, tmp_path / "r.csv") == 0
    assert not (tmp_path / "r.csv").exists()


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "+1",
        "-1",
        "@x",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        " =1",
        "\u3000＝1",
        "\u00a0-1",
        "\ufeff=1",
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(text):
    assert sheets.safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "信衡", "1-1", "a=b", "'", "'1", "〔2026〕-1"])
def test_a_cell_that_no_spreadsheet_would_run_stays_as_it_is(text):
    assert sheets.safe(text) == text


@pytest.mark.parametrize("text", ["'=1", "''=1", "' ＋1"])
def test_a_cell_that_looks_as_if_it_had_been_made_harmless_comes_back_as_it_was(text):
    """Were `'=1` left alone it would come back as `=1`, another text."""
    assert sheets.safe(text) == f"'{text}"
    assert sheets.plain(sheets.safe(text)) == text


def test_a_table_that_cannot_be_finished_leaves_the_old_one_as_it_was(tmp_path):
    path = tmp_path / "table.csv"
    sheets.write_csv(path, ["列"], [["一"], [2]])

    def broken():
        yield ["二"]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        sheets.write_csv(path, ["列"], broken())
    assert rejects_file(path) == [["列"], ["一"], ["2"]]


def test_a_dry_run_counts_as_the_run_does_and_writes_nothing(on_sqlite, tmp_path):
    rows = [penalty_row(code=credit_code(number=1)), penalty_row(code="无"), penalty_row(code=credit_code(number=1), fine="-1"),
            penalty_row(code=credit_code(number=2), decided_on="")]  # fmt: skip
    opened = imports.open_source(table(tmp_path, HEADINGS_2021, rows))
    before = list(database.db.connection().iterdump())
    report = imports.dry_run(opened, today=TODAY, key=b"0" * 32)
    assert (report.run, counts_of(report)) == (None, {"stored": 2, "unmatched": 1, "rejected": 1, "undated": 1})
    assert [(row, refusal.column) for row, refusal in report.refusals] == [(4, "罚款金额(万元)")]
    assert list(database.db.connection().iterdump()) == before


def test_a_dry_run_shows_the_first_refusals_and_counts_all(on_sqlite, tmp_path):
    rows = [penalty_row(code=credit_code(number=1), fine="-1")] * 9
    report = imports.dry_run(
        imports.open_source(table(tmp_path, HEADINGS_2021, rows)), today=TODAY, key=b"0" * 32, show=4
    )
    assert (len(report.refusals), report.counts.rejected) == (4, 9)


def test_progress_is_told_after_every_chunk(on_sqlite, tmp_path):
    told = []
    rows = [penalty_row(code=credit_code(number=1), document_no=f"信{n}号") for n in range(7)]
    imported(on_sqlite, table(tmp_path, HEADINGS_2021, rows), chunk=3, progress=told.append)
    assert told == [3, 6, 7]


def test_an_import_is_on_record_with_who_and_how_much(settings, tmp_path):
    imported(settings, table(tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=1))]))
    notes = [(one.verb, one.actor, one.at) for one in Audit.select().order_by(Audit.id)]
    assert notes == [("import.started", "test", NOW), ("import.finished", "test", NOW)]
    assert Audit.get(Audit.verb == "import.finished").detail == {"read": 1, "stored": 1}


def test_what_stands_before_a_broken_quotation_mark_is_stored_and_the_run_says_where_it_broke(settings, tmp_path):
    path = table(
        tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=1), document_no=f"信{n}号") for n in range(5)]
    )
    path.write_bytes(path.read_bytes() + '信衡,"从不关闭\n一,二\n'.encode())
    with pytest.raises(BadFile, match="A quotation mark is probably not closed"):
        imported(settings, path, chunk=3)
    assert len(penalties()) == 5
    assert runs() == [("failed", 5)]
    assert "quotation mark" in ImportRun.get().error


def test_the_template_helper_and_the_headings_agree():
    assert HEADINGS_2018[AT["fine"]] == "罚款金额(万元)"
    assert CODES_2021[AT["organ"]] == "CF_CFJG"
