"""Real registrations and penalties, from beside the repository: nearly all stored, every other row named, nobody's number kept.

Nothing of these files is copied here: they are counted, and what is found is said by its kind and place only.
"""

import csv
import gzip
import itertools
import os
import random
import re
from pathlib import Path

import pytest

from registry import config, database, privacy, schema
from registry.cells.checks import is_registration_no, resident_check, resident_id
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.errors import BadFile
from registry.models import ImportReject, ImportRun, Record, Unmatched
from registry.services import imports
from tests.conftest import TODAY
from tests.registry.importing import counts_of, imported

pytestmark = pytest.mark.real
# All rows in `make soak`; in `make test` those that other files need, and enough besides.
WHOLE = "XINHENG_TEST_WHOLE" in os.environ
MANY = 10_000
ZHEJIANG, BEIJING = "registration/zhejiang.csv.gz", "registration/beijing.csv.gz"
ROWS = {
    ZHEJIANG: 190_212,
    BEIJING: 55_685,
    "beijing/tax_penalties.csv.gz": 2_332,
    "beijing/env_penalties.csv.gz": 1_906,
}
# Every file of the folder: rows as they are counted, the mapping that reads it, and the least that must be good.
EVERY = {
    "beijing/tax_penalties.csv.gz": (2_332, "penalty-tax"),
    "beijing/env_penalties.csv.gz": (1_906, "penalty-environment"),
    "beijing/transport_credit_grades.csv.gz": (1_590, "outside-list-transport-grades"),
    "beijing/double_random_huairou.csv.gz": (916, "spot-check-double-random"),
    "beijing/raw/经营异常企业信息.csv.gz": (104_259, "outside-list-abnormal-names"),
    "beijing/raw/密云区经营异常企业信息.csv.gz": (777, "outside-list-abnormal-names"),
    "beijing/raw/12315绿色通道.csv.gz": (23_904, "item-12315-fast-track"),
    "beijing/raw/市市场监督管理局-食品安全监督抽检信息.csv.gz": (3_011, "product-sampling-food"),
    "beijing/raw/食品经营环节监督检查信息.csv.gz": (1_000, "spot-check-food-items"),
    "beijing/raw/丰台区应急管理局执法检查结果公示目录.csv.gz": (1_078, "spot-check-results"),
    "beijing/raw/经济技术开发区管委会-经开区双随机检查信息固定源.csv.gz": (293, "spot-check-findings"),
    "beijing/raw/执法检查结果公示.csv.gz": (622, "spot-check-results"),
    "beijing/raw/企业欠税公告信息.csv.gz": (332, "outside-list-tax-arrears"),
    "beijing/raw/区住建委双随机结果公示.csv.gz": (200, "spot-check-results"),
}
LEAST = {"beijing/tax_penalties.csv.gz": 1_500, "beijing/env_penalties.csv.gz": 850}
DIGITS = re.compile(r"[0-9]{14,20}[Xx]?")
# Where enterprises' own numbers stand.
OF_ENTERPRISES = {
    "code",
    "registration_no",
    "organisation_code",
    "party_code",
    "identity",
    "content",
    "digest",
    "folded",
}


def settings_in(folder: Path) -> Settings:
    settings = config.load(
        environ={
            "XINHENG_DATABASE_URL": f"sqlite:///{folder / 'xinheng.db'}",
            "XINHENG_PRIVACY_KEY_FILE": str(folder / "privacy.key"),
        }
    )
    database.connect(settings)
    privacy.make_key(settings)
    return settings


def some_registrations(shared, folder):
    """Beijing's registrations: all of them, or those whose number stands in a penalty file and a sixth of the others."""
    if WHOLE:
        return shared / BEIJING, ROWS[BEIJING]
    wanted = set()
    for name in LEAST:
        with gzip.open(shared / name, "rt", encoding="utf-8-sig") as packed:
            wanted.update(re.findall(r"[0-9A-Z]{15,18}", packed.read()))
    with gzip.open(shared / BEIJING, "rt", encoding="utf-8-sig", newline="") as packed:
        head, *rows = csv.reader(packed)
    kept = [row for place, row in enumerate(rows) if place % 6 == 0 or wanted.intersection(row)]
    file = folder / "beijing.csv"
    with file.open("w", encoding="utf-8", newline="") as written:
        csv.writer(written).writerows([head, *kept])
    return file, len(kept)


def first_lines(file, rows, folder):
    """The header and the first rows of a long file, as its bytes are."""
    with gzip.open(file, "rb") as packed:
        head = b"".join(itertools.islice(packed, rows + 1))
    short = folder / file.name.removesuffix(".gz")
    short.write_bytes(head)
    return short


@pytest.fixture(scope="module")
def registry(shared, tmp_path_factory):
    """One registry with registrations of Beijing and both penalty files in it; the penalties twice (registrations are, below)."""
    folder = tmp_path_factory.mktemp("real")
    settings = settings_in(folder)
    with database.session():
        schema.upgrade()
        reports = {}
        registrations, rows = some_registrations(shared, folder)
        for name in (BEIJING, *LEAST):
            first = imported(settings, registrations if name == BEIJING else shared / name, chunk=2_000)
            imports.write_rejects(first.run, folder / f"{Path(name).name}.rejected.csv")
            reports[name] = (first, imported(settings, shared / name, chunk=2_000) if name in LEAST else first)
        assert reports[BEIJING][0].counts.read == rows >= 9_000
        yield folder, reports
    database.db.obj.close_all()


@pytest.fixture
def reopened(registry):
    """The registry of this module, whatever database other tests have pointed at meanwhile."""
    folder, reports = registry
    settings = settings_in(folder)
    with database.session():
        yield settings, folder, reports


@pytest.mark.parametrize("name", [BEIJING, *LEAST])
def test_every_row_of_a_real_file_is_accounted_for(reopened, name):
    first, _ = reopened[2][name]
    assert first.counts.read == ROWS[name] or (name == BEIJING and not WHOLE)
    refused = ImportReject.select(ImportReject.row).where(ImportReject.run == first.run).distinct().count()
    assert refused == first.counts.rejected
    assert not ImportReject.select().where((ImportReject.run == first.run) & (ImportReject.reason == "")).count()


@pytest.mark.parametrize("name", EVERY)
def test_every_file_of_the_folder_is_read_by_a_mapping_that_ships_and_every_row_accounted_for(shared, tmp_path, name):
    rows, mapping = EVERY[name]
    file = shared / name
    if rows > MANY and not WHOLE:
        rows, file = MANY, first_lines(file, MANY, tmp_path)
    opened = imports.open_source(file)
    assert (opened.mapping.id, opened.rows, opened.damage) == (mapping, rows, "")
    found = imports.dry_run(opened, today=TODAY, key=b"0" * 32)
    counts = found.counts
    assert counts.read == counts.stored + counts.unmatched + counts.rejected == rows
    assert counts.rejected <= 1
    assert sum(cause.count for cause in (*found.causes, *found.waits)) == counts.rejected + counts.unmatched


def test_no_file_of_the_folder_is_forgotten(shared):
    there = {str(path.relative_to(shared)) for path in (shared / "beijing").rglob("*.gz")}
    assert there == set(EVERY)


def test_the_workbook_that_is_named_csv_is_read_and_its_true_nature_said(shared):
    opened = imports.open_source(shared / "beijing/raw/区住建委双随机结果公示.csv.gz")
    assert "is an Excel 97 workbook (.xls) in a gzip archive" in opened.file.notes[0]
    assert (opened.file.form, opened.header_row, opened.file.sheets[1:]) == ("xls", 2, ("Sheet2", "Sheet3"))


def test_a_real_old_workbook_with_flipped_bytes_is_read_or_refused_and_takes_nobody_with_it(shared, tmp_path):
    with gzip.open(shared / "beijing/raw/区住建委双随机结果公示.csv.gz") as packed:
        whole = packed.read()
    refusals = []
    for seed in range(12 if WHOLE else 4):
        random_, content = random.Random(seed), bytearray(whole)
        for _ in range(random_.randrange(1, 40)):
            content[random_.randrange(len(content))] = random_.randrange(256)
        path = tmp_path / "checks.xls"
        path.write_bytes(content)
        try:
            found = imports.dry_run(imports.open_source(path), today=TODAY, key=b"0" * 32)
        except BadFile as error:
            refusals.append(error.detail)
        else:
            assert found.counts.read == found.opened.rows
    assert refusals
    assert all(said.startswith("checks.xls") for said in refusals)


@pytest.mark.parametrize(
    ("name", "field", "how"),
    [
        ("beijing/raw/丰台区应急管理局执法检查结果公示目录.csv.gz", "checked_on", "serial numbers of a spreadsheet"),
        (
            "beijing/raw/经济技术开发区管委会-经开区双随机检查信息固定源.csv.gz",
            "checked_on",
            "year first, serial numbers of a spreadsheet",
        ),
        ("beijing/raw/食品经营环节监督检查信息.csv.gz", "checked_on", "day first (dmy)"),
        ("beijing/raw/执法检查结果公示.csv.gz", "checked_on", "year first"),
        ("beijing/raw/12315绿色通道.csv.gz", "received_on", "year first"),
    ],
)
def test_the_days_of_real_columns_are_read_as_they_are_written(shared, name, field, how):
    opened = imports.open_source(shared / name)
    assert opened.days[field].words == how
    assert imports.dry_run(opened, today=TODAY, key=b"0" * 32).counts.rejected == 0


@pytest.mark.parametrize("name", LEAST)
def test_most_of_the_real_penalties_are_stored(reopened, name):
    assert reopened[2][name][0].counts.stored >= LEAST[name]


def test_nearly_all_real_registrations_are_stored(reopened):
    counts = reopened[2][BEIJING][0].counts
    assert counts.stored >= 0.98 * counts.read


@pytest.mark.parametrize("name", LEAST)
def test_a_real_file_again_stores_nothing(reopened, name):
    first, again = (report.counts for report in reopened[2][name])
    assert (again.stored, again.provisional) == (0, 0)
    assert (again.unmatched, again.rejected) == (first.unmatched, first.rejected)
    assert again.unchanged == first.stored + first.unchanged


def personal_numbers_in(text, column):
    """Kinds of personal numbers that a text still holds; a number that an enterprise has in its own column is none."""
    found = ["masked differently"] if mask_personal(text) != text and column not in OF_ENTERPRISES else []
    for run in DIGITS.findall(text):
        certain = len(run) == 18 and resident_id(run) and resident_check(run[:17]) == run[17].upper()
        maybe = len(run) == 15 and resident_id(run) and column not in OF_ENTERPRISES and not is_registration_no(run)
        if (certain and column not in OF_ENTERPRISES) or maybe:
            found.append("resident id")
    return found


def test_no_resident_id_and_no_telephone_number_is_anywhere_in_the_database(reopened):
    found = []
    for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'name_index%'"
    ).fetchall():
        columns = [row[1] for row in database.execute(f'PRAGMA table_info("{name}")').fetchall()]
        cursor = database.db.connection().cursor()
        for row in cursor.execute(f'SELECT * FROM "{name}"'):  # noqa: S608
            for column, cell in zip(columns, row, strict=True):
                if isinstance(cell, str) and len(cell) >= 7:
                    found += [(name, column, kind) for kind in personal_numbers_in(cell, column)]
    assert found == []


def test_certainly_nobody_s_number_is_in_the_bytes_of_the_file(reopened):
    """Without knowing columns: 18 characters that are a resident id with a right check and no credit code of an entity."""
    database.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (reopened[1] / "xinheng.db").read_bytes()
    codes = {code for (code,) in database.execute("SELECT code FROM entity WHERE code IS NOT NULL").fetchall()}
    suspects = set()
    for match in re.finditer(rb"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])", content):
        number = match.group().decode()
        if number not in codes and resident_id(number) and resident_check(number[:17]) == number[17].upper():
            suspects.add(match.start())
    assert len(suspects) == 0


def test_no_personal_number_is_in_the_rejects_files(reopened):
    for path in reopened[1].glob("*.rejected.csv"):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            cells = [cell for row in csv.reader(handle) for cell in row]
        assert [kind for cell in cells for kind in personal_numbers_in(cell, "value")] == []


def test_rows_that_wait_say_why_and_hold_no_number_of_a_person(reopened):
    reasons = {row.reason for row in Unmatched.select(Unmatched.reason).distinct()}
    assert reasons <= {
        "blank",
        "check_digit",
        "masked",
        "person",
        "unusable",
        "not_registered",
        "spreadsheet_number",
        "phone",
        "numbers_disagree",
        "name_differs",
        "ambiguous",
    }
    assert (
        not Unmatched.select().where((Unmatched.reason == "person") & (Unmatched.party_code != "(个人证件号)")).count()
    )


def test_amounts_that_stand_only_in_words_were_read(reopened):
    fines = (
        Record.select()
        .where((Record.kind == "penalty") & (Record.source == "penalty-environment") & (Record.amount_fen > 0))
        .count()
    )
    assert fines >= 500


@pytest.mark.slow
def test_of_real_registrations_all_but_one_in_a_thousand_are_stored(shared, on_sqlite, tmp_path):
    """The first 10,000 in `make test`, all 190,212 in `make soak`."""
    file, rows = shared / ZHEJIANG, ROWS[ZHEJIANG]
    if not WHOLE:
        rows = MANY
        file = first_lines(file, rows, tmp_path)
    report = imported(on_sqlite, file, chunk=2_000)
    assert report.counts.read == rows
    # A row that stands in the file twice is stored once.
    assert report.counts.stored + report.counts.unchanged >= 0.999 * rows
    assert ImportRun.get().state == "done"
    again = imported(on_sqlite, file, chunk=2_000)
    assert counts_of(again) == {
        "unchanged": report.counts.stored + report.counts.unchanged,
        **({"rejected": report.counts.rejected} if report.counts.rejected else {}),
    }


def test_the_search_for_personal_numbers_would_find_one():
    first17 = "11010119900307123"
    assert personal_numbers_in(f"见{first17}{resident_check(first17)}号", "detail") == [
        "masked differently",
        "resident id",
    ]
    assert personal_numbers_in("电话13912345678", "detail") == ["masked differently"]
    assert personal_numbers_in("罚款13800138000元", "detail") == []
