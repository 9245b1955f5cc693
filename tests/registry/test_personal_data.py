"""A personal number is matched by keyed hash and masked everywhere: database, refusals, logs, errors, waiting rows.

The numbers here belong to nobody: the division 110101 and the serials are ours, the check characters are computed.
"""

import csv
import logging
from pathlib import Path

import click
import pytest

from api.cli import cli
from registry import database, privacy
from registry.cells.checks import registration_check, resident_check, resident_id
from registry.cells.personal import keyed_hash
from registry.errors import BadFile, BadRecord, EntityNotFound
from registry.models import Entity, Record, Unmatched
from registry.services import entities, imports, records
from tests.conftest import TODAY
from tests.factories import credit_code, registered
from tests.registry.importing import counts_of, imported, refused
from tests.registry.tables import HEADINGS_2021, ORGAN, REGISTRATION, penalty_row, registration_row, table

FIRST_17 = "11010119900307123"
ID_18 = FIRST_17 + resident_check(FIRST_17)
ID_15 = "110101900307123"
FORMS = {
    "18": ID_18,
    "18x": ID_18.lower(),
    "20": f"{ID_18}01",
    "17": f"{ID_15}01",
    "15": ID_15,
    "spaced": f"{ID_18[:6]} {ID_18[6:14]} {ID_18[14:]}",
}
MOBILE, LANDLINE, MAIL, CARD = "13912345678", "010-62345678", "someone@example.org", "6222021234567890128"


def everything(settings, *more):
    """Every byte that was left behind: the database with its journal, and the files that are named."""
    database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    file = Path(settings.database.url.removeprefix("sqlite:///"))
    found = [path.read_bytes() for path in file.parent.glob("xinheng.db*")]
    return b"".join([*found, *(path.read_bytes() for path in more)])


@pytest.fixture(autouse=True)
def logs(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_resident_id_in_the_code_column_is_hashed_and_masked_everywhere(on_sqlite, tmp_path, logs, form):
    rows = [
        penalty_row(code=form, name="信衡早点铺"),
        penalty_row(code=form, name="信衡早点铺", document_no="信2号", fine="-1"),
    ]
    path = table(tmp_path, HEADINGS_2021, rows, name="in.csv")
    report = imported(on_sqlite, path)
    out = tmp_path / "rejected.csv"
    imports.write_rejects(report.run, out)
    assert counts_of(report) == {"unmatched": 1, "rejected": 1}
    (waiting,) = Unmatched.select()
    assert (waiting.reason, waiting.party_code) == ("person", "(个人证件号)")
    assert waiting.person_hash == keyed_hash(resident_id(ID_18), privacy.key(on_sqlite))
    assert Entity.select().count() == 0
    left = everything(on_sqlite, out) + logs.text.encode()
    for number in (form, form.replace(" ", ""), ID_18, ID_15, ID_18[6:14] + ID_18[14:]):
        assert number.encode() not in left


def test_two_rows_of_one_person_have_one_hash_and_another_key_gives_another(on_sqlite, tmp_path):
    rows = [penalty_row(code=form, document_no=f"信{n}号") for n, form in enumerate(FORMS.values())]
    imported(on_sqlite, table(tmp_path, HEADINGS_2021, rows))
    hashes = {one.person_hash for one in Unmatched.select()}
    assert Unmatched.select().count() == len(FORMS)
    assert hashes == {keyed_hash(ID_18, privacy.key(on_sqlite))}
    assert hashes != {keyed_hash(ID_18, b"another key of 32 bytes, not ours")}


@pytest.mark.parametrize("column", ["name", "violation", "fact", "basis", "content", "remark", "document_no", "organ"])
@pytest.mark.parametrize(
    "number", [ID_18, ID_15, MOBILE, LANDLINE, MAIL, CARD], ids=["id18", "id15", "mobile", "landline", "mail", "card"]
)
def test_personal_numbers_in_any_text_are_masked_before_anything_is_stored(on_sqlite, tmp_path, logs, column, number):
    code = credit_code(number=3)
    rows = [
        penalty_row(code=code, **{column: f"当事人（{number}）示例"}),
        penalty_row(code="无", **{column: f"当事人（{number}）示例"}),
    ]
    path = table(tmp_path, HEADINGS_2021, rows, name="in.csv")
    report = imported(on_sqlite, path)
    assert counts_of(report) == {"stored": 1, "unmatched": 1, "provisional": 1}
    assert number.encode() not in everything(on_sqlite) + logs.text.encode()


@pytest.mark.parametrize("column", ["fine", "confiscated", "decided_on", "valid_until", "publish_until"])
@pytest.mark.parametrize(
    "number", [ID_18, MOBILE, f"电话{MOBILE}", f"{'说明' * 40}{ID_18}"], ids=["id", "mobile", "named", "behind"]
)
def test_a_personal_number_in_a_refused_cell_is_masked_in_the_refusal(on_sqlite, tmp_path, logs, column, number):
    path = table(
        tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=3), **{column: f"见{number}"})], name="in.csv"
    )
    report = imported(on_sqlite, path)
    out = tmp_path / "rejected.csv"
    assert imports.write_rejects(report.run, out) == 1
    left = everything(on_sqlite, out) + logs.text.encode()
    assert ID_18.encode() not in left
    assert MOBILE.encode() not in left


def test_numbers_in_columns_that_are_left_out_on_purpose_go_nowhere(on_sqlite, tmp_path):
    imported(
        on_sqlite,
        table(tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=3), holder_id=ID_18)], name="in.csv"),
    )
    assert ID_18.encode() not in everything(on_sqlite)


def test_a_registration_under_a_personal_number_is_refused_without_showing_it(on_sqlite, tmp_path):
    rows = [registration_row(form) for form in FORMS.values()] + [
        registration_row(credit_code(number=1), name=f"信衡{ID_18}店", scope=f"联系{MOBILE}")
    ]
    report = imported(on_sqlite, table(tmp_path, REGISTRATION, rows, name="in.csv"))
    assert counts_of(report) == {"rejected": len(FORMS), "stored": 1}
    assert {value for _, _, value, _ in refused(report.run)} == {"(个人证件号)"}
    left = everything(on_sqlite)
    assert not [form for form in (*FORMS.values(), MOBILE) if form.encode() in left]


def looks_like_a_birthday():
    """A valid registration number that could be somebody's old id too."""
    for serial in range(100, 999):
        first14 = f"11010190030{serial}"
        number = first14 + registration_check(first14)
        if resident_id(number):
            return number
    raise AssertionError("no such number")


def test_an_ambiguous_number_is_looked_up_and_stored_only_where_it_was_registered_already(on_sqlite, tmp_path):
    number = looks_like_a_birthday()
    imported(on_sqlite, table(tmp_path, HEADINGS_2021, [penalty_row(code=number)], name="in.csv"))
    assert number.encode() not in everything(on_sqlite)
    entity = registered(credit_code(number=5))
    database.execute("UPDATE entity SET registration_no = ? WHERE id = ?", (number, entity))
    report = imported(on_sqlite, table(tmp_path, HEADINGS_2021, [penalty_row(code=number)], name="in.csv"))
    # The row that waited under the masked number is stated now, and leaves the queue.
    assert counts_of(report) == {"stored": 1, "released": 1}
    assert Unmatched.select().count() == 0
    assert Record.get(Record.kind == "penalty").entity_id == entity


def test_a_posted_record_about_a_personal_number_is_refused_without_quoting_it():
    for form in FORMS.values():
        with pytest.raises(BadRecord) as caught:
            records.check("penalty", {"party": {"code": form}}, organ=ORGAN, today=TODAY)
        assert "personal number" in caught.value.detail
        assert form not in caught.value.detail


def test_a_posted_record_has_its_texts_masked():
    payload = {
        "party": {"code": credit_code(number=1), "name": f"信衡（{MOBILE}）"},
        "decided_on": "2026-03-02",
        "content": f"罚款100元，{ID_18}",
    }
    checked = records.check("penalty", payload, organ=ORGAN, today=TODAY)
    assert checked.party.name == "信衡（(电话)）"
    assert checked.statement.detail["content"] == "罚款100元，(个人证件号)"


HEADERLESS = penalty_row(
    code=credit_code(number=1), name="信衡某人", holder_id=ID_18, remark=f"电话{MOBILE}", fact="某处某号" * 30
)


@pytest.mark.parametrize(
    "given", [{}, {"kind": "penalty"}, {"mapping": "penalty-tax"}, {"ignore_unknown": True}], ids=str
)
@pytest.mark.parametrize("twice", [(), (ID_18, ID_18), (MOBILE, MOBILE)], ids=["once", "id twice", "phone twice"])
def test_a_file_without_a_header_line_shows_nobody_in_its_error(tmp_path, given, twice):
    # Blank cells would be headings that stand there twice: they are no headings.
    path = table(tmp_path, [*HEADERLESS, *twice], [HEADERLESS], name="in.csv")
    with pytest.raises(BadFile) as caught:
        imports.open_source(path, **given)
    for number in (ID_18, MOBILE, "信衡某人", "某处某号"):
        assert number not in caught.value.detail
    assert "first line" in caught.value.detail or "does not fit" in caught.value.detail


def test_a_header_that_is_half_a_row_is_shown_masked_and_short(tmp_path):
    strange = [*HEADINGS_2021, ID_18, f"联系{MOBILE}", "长" * 300, *(f"列{n}" for n in range(40))]
    for given in ({}, {"mapping": "penalty-legal-person"}):
        with pytest.raises(BadFile) as caught:
            imports.open_source(table(tmp_path, strange, name="in.csv"), **given)
        assert "(个人证件号)，联系(电话)，" in caught.value.detail
        assert "31 more" in caught.value.detail
        assert len(caught.value.detail) < 500
    with pytest.raises(BadFile) as caught:
        imports.open_source(table(tmp_path, ["处罚机关", ID_18, MOBILE], name="in.csv"))
    assert "No mapping fits the header 处罚机关，(个人证件号)，(电话)." in caught.value.detail


def test_the_command_masks_whatever_an_error_quotes(monkeypatch, capsys):
    def refuse(number):
        raise BadFile(f"The cell {number} is no heading.")

    monkeypatch.setattr(click.Group, "main", lambda *_, **__: refuse(ID_18))
    with pytest.raises(SystemExit) as caught:
        cli.main([])
    assert (caught.value.code, capsys.readouterr().err) == (3, "xinheng: The cell (个人证件号) is no heading.\n")


def test_the_command_masks_an_error_that_nobody_expected(monkeypatch, capsys):
    def fail(number):
        raise ValueError(f"row {number}")

    monkeypatch.setattr(click.Group, "main", lambda *_, **__: fail(MOBILE))
    with pytest.raises(SystemExit):
        cli.main([])
    said = capsys.readouterr().err
    assert "ValueError: row (电话)" in said
    assert MOBILE not in said


def test_a_search_for_a_person_is_answered_without_the_number(on_sqlite):
    with pytest.raises(EntityNotFound) as caught:
        entities.get(ID_18)
    assert ID_18 not in caught.value.detail
    assert ID_18 not in str(caught.value.context)


def test_credit_codes_document_numbers_and_amounts_are_no_personal_numbers(on_sqlite, tmp_path):
    code = credit_code(number=3)
    text = f"依据〔2020〕13800138000号，{code}，罚款13800138000元"
    imported(on_sqlite, table(tmp_path, HEADINGS_2021, [penalty_row(code=code, fact=text)]))
    assert Record.get(Record.kind == "penalty").detail["fact"] == text


def test_the_rejects_file_holds_no_row_of_the_file_only_cells_that_are_wrong(on_sqlite, tmp_path):
    report = imported(
        on_sqlite,
        table(tmp_path, HEADINGS_2021, [penalty_row(code=credit_code(number=1), fine="-1", fact="别处的事实")]),
    )
    out = tmp_path / "rejected.csv"
    imports.write_rejects(report.run, out)
    with out.open(encoding="utf-8-sig") as handle:
        assert "别处的事实" not in handle.read()
    with out.open(encoding="utf-8-sig", newline="") as handle:
        assert len(list(csv.reader(handle))) == 2
