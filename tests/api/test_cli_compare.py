"""`xinheng scheme compare`: tables for people, JSON and a file for programs; and the ways under `xinheng explain`."""

import csv
from datetime import date, timedelta

import pytest

from registry import clock
from registry.services import ledger, scheme_files
from tests.api.test_cli import caller, read
from tests.conftest import NOW
from tests.factories import credit_code, record, registered
from tests.registry.proposing import dated, heavier


@pytest.fixture
def xinheng(on_sqlite):
    yield from caller(on_sqlite)


@pytest.fixture
def draft(on_sqlite, tmp_path):
    """A folder with a heavier content of general-risk."""
    folder = tmp_path / "draft" / "general-risk"
    for name, text in heavier(on_sqlite, 600).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def punished(on_sqlite):
    code = credit_code(division="990101")
    with ledger.writing(now=NOW, schemes=[]) as pen:
        for kind in ("penalty", "abnormal_listing", "serious_listing", "annual_report"):
            pen.cover(kind, "", date(2015, 1, 1), None, source="test")
    entity = registered(code, industry=1431)
    for year in range(2019, 2026):
        record(entity, "annual_report", year=year, filed_on=date(year + 1, 4, 1))
    record(entity, decided_on=date(2026, 6, 2))
    registered(credit_code(division="990202"), industry=6513)
    return code


def test_a_folder_is_compared_with_what_holds_and_the_page_says_who_moves_and_why(xinheng, draft, punished):
    page = xinheng("scheme", "compare", "general-risk", draft).stdout
    assert "nothing was written 未写入任何数据" in page
    assert punished in page
    assert "penalty_weight" in page
    assert "█" in page
    for title in (
        "分布 Distribution",
        "流向 From class to class",
        "按区县 By division",
        "敏感性 What the new scheme turns on",
    ):
        assert title in page


@pytest.fixture
def written(tmp_path):
    """A folder with these files."""

    def write(files):
        scheme_files.write(files, tmp_path / "other")
        return tmp_path / "other"

    return write


def test_a_value_that_begins_later_is_told_with_its_day_and_the_command_that_shows_it(
    xinheng, on_sqlite, written, punished
):
    first = clock.today(on_sqlite.jobs.timezone) + timedelta(days=40)
    folder = written(dated(on_sqlite, first, 600))
    page = xinheng("scheme", "compare", "general-risk", folder).stdout
    assert f"They first differ on {first}: xinheng scheme compare general-risk {folder} --on {first}" in page
    assert "0 worse" in page
    then = read(xinheng("scheme", "compare", "general-risk", folder, "--on", first, "--json"))
    assert (then["worse"], then["differ_from"]) == (1, first.isoformat())
    assert "first differ" not in xinheng("scheme", "compare", "general-risk", folder, "--on", first).stdout


def test_a_content_beside_itself_and_one_with_other_words_alone_move_nobody(xinheng, on_sqlite, written, punished):
    assert "are one content 内容相同" in xinheng("scheme", "compare", "general-risk", "book:general-risk").stdout
    files = heavier(on_sqlite, 150)
    folder = written(files | {"scheme.toml": files["scheme.toml"].replace("通用型企业", "本局通用型企业")})
    assert "only words, bases or values of the past" in xinheng("scheme", "compare", "general-risk", folder).stdout
    assert read(xinheng("scheme", "compare", "general-risk", folder, "--json"))["differ_from"] is None


def test_what_is_neither_a_scheme_nor_a_folder_is_told_so(xinheng, punished):
    said = xinheng("scheme", "compare", "general-risk", "drafts/nolocal", status=3).stderr
    assert "There is no scheme 'drafts/nolocal'" in said
    assert "Nor is 'drafts/nolocal' a folder with a scheme.toml" in said


def test_a_program_gets_json_and_a_file_of_movers(xinheng, draft, punished, tmp_path):
    file = tmp_path / "movers.csv"
    found = read(xinheng("scheme", "compare", "general-risk", draft, "--json", "--csv", file))
    assert found["entities"] == 2
    rows = list(csv.DictReader(file.open(encoding="utf-8-sig")))
    assert [row["统一社会信用代码"] for row in rows] == [row["code"] for row in found["movers"]] == [punished]
    assert (rows[0]["现行分类"], rows[0]["拟议分类"]) == (
        found["movers"][0]["old_class"],
        found["movers"][0]["new_class"],
    )
    assert rows[0]["变动所依规则"] == "penalty_weight"


def test_options_narrow_what_is_compared(xinheng, draft, punished):
    given = ("scheme", "compare", "general-risk", draft, "--json")
    assert read(xinheng(*given, "--division", "9902"))["entities"] == 1
    assert read(xinheng(*given, "--division", "9902", "--division", "9901"))["entities"] == 2
    assert read(xinheng(*given, "--no-sensitivity"))["sensitivity"] is None
    assert read(xinheng(*given, "--movers", "0"))["movers"] == []
    assert "is no division" in xinheng(*given, "--division", "99x", status=2).stderr
    assert "There is no scheme 'nowhere'" in xinheng("scheme", "compare", "nowhere", draft, status=3).stderr


@pytest.mark.parametrize(
    ("lang", "head", "waiting"), [("zh", "如何降低风险", "仅待时日"), ("en", "How to a better class", "aiting alone")]
)
def test_explain_ends_with_the_ways_from_today_on(xinheng, punished, lang, head, waiting):
    xinheng("grade", punished)
    page = xinheng("explain", punished, "--lang", lang).stdout
    found = read(xinheng("explain", punished, "--json"))
    assert head in page
    assert waiting in page
    for way in found["ways"]["down"]:
        for one in way["actions"]:
            assert next(action[lang] for action in found["ways"]["actions"] if action["id"] == one) in page
    assert head not in xinheng("explain", punished, "--lang", lang, "--no-ways").stdout
    assert "ways" not in read(xinheng("explain", punished, "--json", "--on", "2026-06-30"))
