"""What goes out by a template comes back by its mapping as the same records, and what must not leave does not."""

import csv
import dataclasses
import itertools
import shutil
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as sized
from hypothesis import strategies as st

from registry import database, mappings, sheets, templates
from registry.cells import is_blank
from registry.kinds import KINDS
from registry.kinds.penalty import KINDS as PENALTIES
from registry.mappings.form import clean_heading
from registry.models import Record
from registry.services import exports, ledger
from registry.services.exports import Wanted
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered, statement
from tests.registry.importing import imported

ORGAN = "信衡市市场监督管理局"
SOURCE = "exchange"
_files = itertools.count()

few = sized(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# What cells are made of, with what spreadsheets and separators stumble over.
words = st.text(st.sampled_from("虚假宣传处某（）〔〕，、；：=+-@'\"＝ \n\tAz09.%"), min_size=1, max_size=30).map(
    str.strip
)
texts = st.one_of(st.just(""), words.filter(lambda text: bool(text) and not is_blank(text)))
days = st.dates(date(2015, 1, 1), TODAY)
fens = st.one_of(st.integers(0, 10**15), st.sampled_from([0, 1, 99, 2_000_00, 12_345_67]))
penalties = st.fixed_dictionaries({
    "kinds": st.lists(st.sampled_from([kind for kind in PENALTIES if kind != "none"]), min_size=1, unique=True) | st.just(["none"]),
    "fine_fen": fens, "confiscated_fen": fens, "violation": texts, "fact": texts, "basis": texts, "licence": texts,
    "decided_on": days, "valid_for": st.none() | st.integers(0, 2000), "remark": texts, "source_organ": texts,
})  # fmt: skip
licences = st.fixed_dictionaries({
    "document_name": texts, "certificate": texts, "licence_no": st.sampled_from(["", "JY11234567890123", "A-7"]), "content": texts,
    "decided_on": days, "valid_from": st.none() | days, "valid_for": st.none() | st.integers(1, 4000), "remark": texts,
    "category": st.sampled_from(["ordinary", "franchise", "accreditation", "approval", "registration", "other"]),
    "standing": st.sampled_from(["valid", "ended"]),
})  # fmt: skip


def stated(kind, number, fields):
    """A checked statement of hypothesis's fields."""
    fields = dict(fields)
    length = fields.pop("valid_for")
    start = fields.get("valid_from") or fields["decided_on"]
    end = {"penalty": "valid_until", "licence": "valid_to"}[kind]
    fields |= {
        "document_no": f"信市监〔2026〕{number}号",
        "organ": ORGAN,
        end: None if length is None else start + timedelta(days=length),
    }
    declared = KINDS[kind]
    return declared.state(declared.schema(today=TODAY).load(fields))


def exported(folder, kind, form="csv", headings="zh", template=None, **wanted):
    path = folder / f"out-{next(_files)}.{form}"
    found = templates.named(template, kind=kind, form="json" if form == "json" else "table")
    tally = exports.to_file(path, found, Wanted(**wanted), form=form, headings=headings)
    return path, tally


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return [{key: sheets.plain(cell) for key, cell in row.items()} for row in csv.DictReader(handle)]


def current(kind):
    rows = Record.select().where((Record.kind == kind) & Record.replaced_seq.is_null()).order_by(Record.document_no)
    return [
        (one.code, one.severity, one.amount_fen, one.happened_on, one.ends_on, one.document_no, one.organ, one.detail)
        for one in rows
    ]


@contextmanager
def empty_registry(settings, template):
    """A registry of its own, beside that of the fixture."""
    folder = settings.path(settings.privacy.key_file).parent
    file = folder / f"registry-{next(_files)}.db"
    shutil.copy(template, file)
    database.connect(
        dataclasses.replace(settings, database=dataclasses.replace(settings.database, url=f"sqlite:///{file}"))
    )
    try:
        with database.session():
            yield
    finally:
        database.db.obj.close_all()


def round_trip(settings, template, kind, form, headings, drawn):
    """Records of one source, out and in again; then into a registry that has none of them."""
    folder = settings.path(settings.privacy.key_file).parent
    code = credit_code()
    with empty_registry(settings, template):
        entity = registered(code)
        with ledger.writing(now=NOW, schemes=[]) as pen:
            pen.state([(entity, stated(kind, number, one)) for number, one in enumerate(drawn, 1)], source=SOURCE)
        path, tally = exported(folder, kind, form, headings)
        assert (tally.rows, tally.left_out) == (len(drawn), {})
        before = current(kind)
    with empty_registry(settings, template):
        registered(code)
        report = imported(settings, path, source=SOURCE)
        assert (report.counts.stored, report.counts.rejected, report.counts.unmatched) == (len(drawn), 0, 0)
        for old, new in zip(before, current(kind), strict=True):
            assert old[:-1] == new[:-1]
            # A template gives a few fields words of their own (category_text); what was said before is said again.
            assert {name: new[-1].get(name) for name in old[-1]} == old[-1]
        # What is exported now says nothing new: neither a second record nor a correction.
        head = ledger.head()
        again, _ = exported(folder, kind, form, headings)
        for one in (again, path):
            assert imported(settings, one, source=SOURCE).counts.unchanged == len(drawn)
        assert ledger.head() == head


@pytest.mark.parametrize(("form", "headings"), [("csv", "zh"), ("xlsx", "code")])
@few
@given(drawn=st.lists(penalties, min_size=1, max_size=5))
def test_penalties_that_were_exported_come_back_as_they_were(on_sqlite, sqlite_template, form, headings, drawn):
    round_trip(on_sqlite, sqlite_template, "penalty", form, headings, drawn)


@pytest.mark.parametrize(("form", "headings"), [("csv", "code"), ("xlsx", "zh")])
@few
@given(drawn=st.lists(licences, min_size=1, max_size=5))
def test_licences_that_were_exported_come_back_as_they_were(on_sqlite, sqlite_template, form, headings, drawn):
    round_trip(on_sqlite, sqlite_template, "licence", form, headings, drawn)


def test_amounts_days_and_kinds_stand_as_the_template_of_2021_wants_them(on_sqlite, tmp_path):
    code = credit_code()
    record(registered(code, name="信衡示例有限公司"), kinds=["fine", "confiscated_gains"], fine_fen=2_000_00, confiscated_fen=1, document_no="信市监处罚〔2026〕7号")  # fmt: skip
    path, _ = exported(tmp_path, "penalty")
    (row,) = read_csv(path)
    assert (row["行政相对人名称"], row["行政相对人代码_1(统一社会信用代码)"]) == ("信衡示例有限公司", code)
    assert (row["行政相对人类别"], row["行政处罚决定文书号"]) == ("法人及非法人组织", "信市监处罚〔2026〕7号")
    assert (row["罚款金额(万元)"], row["没收违法所得、没收非法财物的金额(万元)"]) == ("0.200000", "0.000001")
    assert (row["处罚类别"], row["处罚决定日期"]) == ("罚款、没收违法所得", "2026-03-02")
    assert row["法定代表人"] == row["证件号码"] == ""


def test_a_licence_without_an_end_ends_on_the_last_day_of_2099(on_sqlite, tmp_path):
    kind = KINDS["licence"]
    fields = {
        "document_no": "信市监许〔2026〕1号",
        "organ": ORGAN,
        "decided_on": date(2026, 1, 5),
        "certificate": "食品经营许可证",
    }
    entity = registered()
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.state([(entity, kind.state(kind.schema(today=TODAY).load(fields)))], source=SOURCE)
    (row,) = read_csv(exported(tmp_path, "licence")[0])
    assert (row["有效期至"], row["当前状态"]) == ("2099-12-31", "1")


def test_a_workbook_has_text_days_and_amounts_as_such(on_sqlite, tmp_path):
    code = credit_code()
    record(registered(code), violation="=1+1", fine_fen=1_234_56)
    sheet = openpyxl.load_workbook(exported(tmp_path, "penalty", "xlsx")[0]).active
    header, row = list(sheet.iter_rows())
    cell = {heading.value: one for heading, one in zip(header, row, strict=True)}
    assert (cell["违法行为类型"].value, cell["违法行为类型"].data_type) == ("=1+1", "s")
    assert cell["行政相对人代码_1(统一社会信用代码)"].value == code
    assert (cell["处罚决定日期"].value.date(), cell["处罚决定日期"].number_format) == (date(2026, 3, 2), "yyyy-mm-dd")
    assert (cell["罚款金额(万元)"].value, cell["罚款金额(万元)"].number_format) == (0.123456, "0.000000")


def test_a_text_that_looks_like_a_formula_is_harmless_in_csv(on_sqlite, tmp_path):
    record(registered(), violation="=HYPERLINK(1)")
    text = exported(tmp_path, "penalty")[0].read_text(encoding="utf-8-sig")
    assert ",'=HYPERLINK(1)," in text


@pytest.mark.parametrize("why", ["by_name", "review", "repaired", "erased"])
def test_what_is_held_back_never_leaves(settings, tmp_path, why):
    entity = registered()
    kept, held = record(entity), record(entity)
    identity = Record.get(Record.seq == held.seq).identity
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.step("held", about=identity, entity=entity, key=[1], on=TODAY, detail={}, by="test", leaves_out=why)
    assert [one.seq for one in exports.items("penalty", Wanted())] == [kept.seq]


def test_withdrawn_records_never_leave_and_corrected_ones_in_their_last_words(settings):
    entity = registered()
    gone, old = record(entity), record(entity, document_no="信市监处罚〔2026〕8号")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.withdraw(gone.seq, source="test", reason="撤销")
        new = pen.correct(
            old.seq, statement("penalty", document_no="信市监处罚〔2026〕8号", violation="无照经营"), source="test"
        )
    found = list(exports.items("penalty", Wanted()))
    assert [(one.seq, one.detail["violation"]) for one in found] == [(new.seq, "无照经营")]


def test_an_export_keeps_to_the_organ_the_entity_the_divisions_and_what_came_since(settings):
    here, there = registered(credit_code(division="990101")), registered(credit_code(division="990202"))
    first, second = record(here), record(there)
    third = record(here, organ="信衡市公安局")

    def seqs(**wanted):
        return [one.seq for one in exports.items("penalty", Wanted(**wanted))]

    assert seqs() == [first.seq, second.seq, third.seq]
    assert seqs(organ=ORGAN) == [first.seq, second.seq]
    assert seqs(entity=there) == [second.seq]
    assert seqs(divisions=["9901"]) == [first.seq, third.seq]
    assert seqs(divisions=[]) == []
    assert seqs(since=first.seq, until=second.seq) == [second.seq]


def test_an_export_reads_as_many_pages_as_it_takes(settings, monkeypatch):
    monkeypatch.setattr(exports, "PAGE", 3)
    entity = registered()
    made = [record(entity).seq for _ in range(7)]
    assert [one.seq for one in exports.items("penalty", Wanted())] == made


def test_what_lacks_a_needed_column_is_left_out_and_counted(on_sqlite, tmp_path):
    entity = registered()
    record(entity)
    record(entity, decided_on=None)
    record(entity, document_no="")
    _, tally = exported(tmp_path, "penalty")
    assert (tally.rows, tally.left_out) == (1, {"处罚决定日期": 1, "行政处罚决定文书号": 1})


@pytest.mark.parametrize("kind", ["penalty", "abnormal_listing", "serious_listing", "spot_check"])
def test_the_json_of_necips_is_read_back_as_the_same_records(on_sqlite, tmp_path, sqlite_template, kind):
    code = credit_code()
    given = {
        "serious_listing": {"article": 0, "reason": "销售不合格产品"},
        "abnormal_listing": {"removed_on": date(2026, 8, 1)},
    }
    record(registered(code), kind, **given.get(kind, {}))
    path, _ = exported(tmp_path, kind, "json")
    (row,) = orjson.loads(path.read_bytes())
    assert row["uniscid"] == code
    before = current(kind)
    with empty_registry(on_sqlite, sqlite_template):
        registered(code)
        assert imported(on_sqlite, path, source=SOURCE).counts.stored == 1
        (after,) = current(kind)
    assert after[:5] == before[0][:5]
    assert after[6] == ORGAN


def test_a_day_in_json_is_midnight_in_china():
    assert exports.epoch_ms(date(2024, 3, 8)) == 1_709_827_200_000


@pytest.mark.parametrize("kind", ["abnormal_listing", "serious_listing"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_lists_come_back_as_they_were(on_sqlite, tmp_path, sqlite_template, kind, form):
    code = credit_code()
    entity = registered(code)
    for article, ground in ((5, 1), (11, 3)):
        record(entity, kind, **({"article": article, "listed_on": date(2025, 1, article)} if kind == "serious_listing" else {"ground": ground, "document_no": f"信市监异〔2026〕{ground}号"}))  # fmt: skip
    path, tally = exported(tmp_path, kind, form)
    assert tally.rows == 2
    before = current(kind)
    with empty_registry(on_sqlite, sqlite_template):
        registered(code)
        assert imported(on_sqlite, path, source=SOURCE).counts.stored == 2
        assert [one[:7] for one in current(kind)] == [one[:7] for one in before]


# Listings and checks without a document number, as their sources send them: what tells them apart is the row's own id.
BY_ROW = {
    "abnormal-list": ("abnormal_listing", ["统一社会信用代码", "列入原因", "列入日期", "列入决定机关", "BUSEXCLIST"],
                      [["未按规定公示年度报告", "2026-07-09", ORGAN, "E1"], ["未按规定公示年度报告", "2026-07-09", ORGAN, "E2"]]),
    "serious-list": ("serious_listing", ["统一社会信用代码", "列入事由", "列入日期", "列入决定机关", "ILLID"],
                     [["销售不合格产品", "2026-01-15", ORGAN, "S1"], ["销售不合格产品", "2026-01-15", ORGAN, "S2"]]),
    "abnormal-list-necips": ("abnormal_listing", ["uniscid", "speCause_CN", "abntime", "decOrg_CN", "busExcList"],
                             [["未按规定公示年度报告", "2026-07-09", ORGAN, "N1"], ["未按规定公示年度报告", "2026-07-09", ORGAN, "N2"]]),
    "serious-list-necips": ("serious_listing", ["uniscid", "serILLRea_CN", "abntime", "decOrg_CN", "illId"],
                            [["销售不合格产品", "2026-01-15", ORGAN, "M1"], ["销售不合格产品", "2026-01-15", ORGAN, "M2"]]),
    "spot-check-necips": ("spot_check", ["uniscid", "insType", "insDate", "insRes_CN", "insAuth_CN", "ccjcId"],
                          [["1", "2026-05-05", "未发现问题", ORGAN, "C1"], ["1", "2026-05-05", "未发现问题", ORGAN, "C2"]]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "form", "headings"),
    [
        ("abnormal-list", "csv", "zh"), ("abnormal-list", "xlsx", "code"), ("serious-list", "xlsx", "zh"),
        ("serious-list", "csv", "code"), ("abnormal-list-necips", "json", "zh"), ("serious-list-necips", "json", "zh"),
        ("spot-check-necips", "json", "zh"),
    ],
)  # fmt: skip
def test_records_that_are_known_by_their_row_at_the_source_come_back_as_themselves(
    on_sqlite, tmp_path, sqlite_template, template, form, headings
):
    kind, header, rows = BY_ROW[template]
    code = credit_code()
    registered(code)
    path = tmp_path / "theirs.csv"
    sheets.write_csv(path, header, [[code, *row] for row in rows])
    assert imported(on_sqlite, path, source=SOURCE).counts.stored == 2
    before = sorted((one.identity, one.content, one.detail["source_row"]) for one in Record.select().where(Record.kind == kind))  # fmt: skip
    assert {one[2] for one in before} == {row[-1] for row in rows}
    out, tally = exported(tmp_path, kind, form, headings, template)
    assert tally.rows == 2
    head = ledger.head()
    assert imported(on_sqlite, out, source=SOURCE).counts.unchanged == 2
    assert ledger.head() == head
    with empty_registry(on_sqlite, sqlite_template):
        registered(code)
        assert imported(on_sqlite, out, source=SOURCE).counts.stored == 2
        after = sorted((one.identity, one.content, one.detail["source_row"]) for one in Record.select().where(Record.kind == kind))  # fmt: skip
    assert after == before


@pytest.mark.parametrize("name", sorted(templates.shipped()))
@pytest.mark.parametrize("headings", ["zh", "code"])
def test_every_template_is_read_by_the_mapping_that_it_names(name, headings):
    template = templates.shipped()[name]
    header = [clean_heading(one) for one in template.header(headings)]
    mapping = mappings.named(template.mapping)
    assert mapping.kind == template.kind
    assert mapping.has_columns(header)
    assert mappings.unknown_headings(mapping, header) == {}
    assert mappings.choose(header, kind=None, name=None) == mapping


def test_a_kind_without_a_template_says_which_have_one():
    with pytest.raises(templates.UnknownTemplate, match="abnormal_listing, licence, penalty"):
        templates.named(None, kind="recall")
    with pytest.raises(templates.UnknownTemplate, match="penalty-2018, penalty-2021"):
        templates.named("penalty-1999", kind="penalty")


def test_a_template_that_is_not_in_order_names_file_and_column(tmp_path):
    good = (templates.FOLDER / "penalty-2021.toml").read_text(encoding="utf-8")
    for old, new, said in (
        ('from = "violation"', 'from = "violaton"', "violaton"),
        ('write = "wan"', 'write = "万元"', "write is one of"),
        ('kind = "penalty"', 'kind = "fines"', "fines"),
        ('form = "table"\n', "", "form"),
        ('needs = ["document_no"', 'needs = ["recall"', "needs"),
    ):
        path = tmp_path / "mine.toml"
        path.write_text(good.replace(old, new), encoding="utf-8")
        with pytest.raises(templates.BadTemplate, match=said) as refused:
            templates.load(path)
        assert "mine.toml" in refused.value.detail


@given(text=st.text(st.sampled_from("'=+-@ \u3000＝a1"), max_size=6))
def test_what_is_made_safe_can_be_made_plain_again(text):
    assert sheets.plain(sheets.safe(text)) == text
    assert not sheets.safe(text).lstrip(sheets.BLANKS).startswith(sheets.FORMULA)


def test_a_workbook_that_would_be_too_long_is_refused_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    path = Path(tmp_path) / "much.xlsx"
    with pytest.raises(sheets.TooManyRows, match="Export as CSV"):
        sheets.write_xlsx(path, ["列"], [("一",), ("二",), ("三",)])
    assert list(tmp_path.iterdir()) == []
