"""`xinheng scheme list|check|show`: what an officer is told of a scheme, wherever the scheme is kept."""

from collections.abc import Generator
from datetime import timedelta

import pytest

from registry import clock
from registry.config import ROOT, Settings
from registry.models import SchemeProposal
from registry.services import book, grading
from rules.scheme import load, load_files
from tests.api.test_cli import Call, caller, read
from tests.registry import worlds
from tests.registry.proposing import heavier, local
from tests.registry.test_grading import copy_of

TOY = ROOT / "tests" / "rules" / "toy"
OUTER = ROOT / "tests" / "rules" / "toy_outer"


@pytest.fixture
def on_one(on_sqlite: Settings) -> Generator[Call, None, None]:
    yield from caller(on_sqlite)


def test_the_list_begins_with_the_schemes_that_grade_and_says_who_may_see_each(on_one, on_sqlite):
    rows = read(on_one("scheme", "list", "--json"))
    assert [row["id"] for row in rows if row["grades"]] == grading.schemes(on_sqlite)
    assert [row["grades"] for row in rows] == sorted((row["grades"] for row in rows), reverse=True)
    assert {row["id"] for row in rows} == set(book.shipped(on_sqlite))
    assert {row["id"]: row["published"] for row in rows}["general-risk"] == "never"
    assert "不公示" in on_one("scheme", "list").stdout


def test_a_scheme_is_shown_by_id_by_the_hash_of_its_content_as_shipped_or_from_a_folder(on_one, on_sqlite):
    scheme = grading.scheme_named(on_sqlite)
    book.version_of(scheme)
    by_id = on_one("scheme", "show", "general-risk", "--on", "2026-01-01").stdout
    assert by_id.splitlines()[0] == "通用型企业信用风险分类 [general-risk] 2026-01-01"
    assert on_one("scheme", "show", f"general-risk@{scheme.hash[:8]}", "--on", "2026-01-01").stdout == by_id
    assert on_one("scheme", "show", "book:general-risk", "--on", "2026-01-01").stdout == by_id
    toy = on_one("scheme", "show", TOY, "--on", "2024-04-30", "--lang", "en").stdout
    assert "[each] = 20 points (individual businesses 15), from 2023-01-01 to 2024-04-30" in toy


def test_a_folder_with_mistakes_and_an_unknown_id_are_refused_with_what_to_do(on_one, tmp_path):
    (tmp_path / "scheme.toml").write_text('[scheme]\nid = "x"\n', encoding="utf-8")
    assert (
        "scheme.lowest: is missing. Write lowest = an integer." in on_one("scheme", "show", tmp_path, status=3).stderr
    )
    assert "The book has no scheme 'none'. It has: " in on_one("scheme", "show", "book:none", status=3).stderr


def test_a_folder_is_checked_with_the_schemes_of_the_book_beside_it(on_one):
    assert read(on_one("scheme", "check", TOY, "--json")) == [
        {"folder": "toy", "rules": 10, "cases": 12, "mistakes": [], "failed": []}
    ]
    outer = read(on_one("scheme", "check", OUTER, "--json", status=1))
    assert {one["problem"] for one in outer[0]["mistakes"]} == {"is 'toy', which is not known"}


def test_the_list_is_that_of_today_and_without_trials(on_one, on_sqlite, tmp_path):
    today = clock.today(on_sqlite.jobs.timezone)
    scheme = book.shipped(on_sqlite)["general-risk"]
    later = load(copy_of(on_sqlite.path(on_sqlite.grading.book) / "general-risk", tmp_path), book.numbers())
    worlds.activate(later, today + timedelta(days=2))
    SchemeProposal.create(
        scheme=later.id, version=book.version_of(later), files={}, reason="a test", from_day=0, state="checked", shadow=True,
        proposed_by="a", proposed_at=0,
    )  # fmt: skip
    graded = [row for row in read(on_one("scheme", "list", "--json")) if row["grades"]]
    assert [(row["id"], row["hash"]) for row in graded] == [("general-risk", scheme.hash)]


def test_the_list_names_what_begins_later_and_a_scheme_that_is_not_here_yet(on_one, on_sqlite):
    today = clock.today(on_sqlite.jobs.timezone)
    begins = (today + timedelta(days=2)).isoformat()
    new = load_files(local(), "local-look", book.numbers())
    later = load_files(heavier(on_sqlite), "general-risk", book.numbers())
    for one in (new, later):
        worlds.activate(one, today + timedelta(days=2))
    rows = {row["id"]: row for row in read(on_one("scheme", "list", "--json"))}
    held = rows["general-risk"]
    assert (held["grades"], held["hash"]) == (True, book.shipped(on_sqlite)["general-risk"].hash)
    assert [(one["from"], one["hash"]) for one in held["later"]] == [(begins, later.hash)]
    assert (rows["local-look"]["grades"], rows["local-look"]["later"][0]["hash"]) == (False, new.hash)
    assert rows["combined"]["later"] == []
    assert f"自 from {begins}: general-risk {later.hash[:12]}" in on_one("scheme", "list").stdout
