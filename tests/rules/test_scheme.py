"""Reading a scheme: what it holds, the hash of its content and the way back from it, and schemes over other schemes.

Mistakes have a file of their own: test_broken.py."""

import json
import re
import shutil
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings

from rules.content import files_of, inner_of
from rules.engine import facts_needed, grade
from rules.errors import SchemeError
from rules.kinds import (
    BASIS_KINDS,
    CONTEXT_AREAS,
    CONTEXT_NORMS,
    CONTEXT_USUAL,
    CONTEXT_VALUES,
    CYCLES,
    DIRECTIONS,
    EFFECTS,
    PARAMETER_UNITS,
    PUBLISHED,
)
from rules.measures import MEASURES
from rules.printed import printed
from rules.scheme import from_content, load, load_beside, load_book, load_files
from tests.rules import strategies
from tests.rules.frames import SCHEME, TOY, facts, population

POINTS, HOLDS, RECORDS = "rules/points.toml", "rules/holds.toml", "indicators/records.toml"


@pytest.fixture
def toy(tmp_path):
    return shutil.copytree(TOY, tmp_path / "toy")


def change(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"the toy scheme no longer holds {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_all_mistakes_are_reported_at_once(toy):
    change(toy, POINTS, "value = 30", 'value = "30"')
    change(toy, HOLDS, 'class  = "C"', 'class  = "E"')
    change(toy, "scheme.toml", 'cycle     = "month"', 'cycle     = "fortnight"')
    with pytest.raises(SchemeError) as error:
        load(toy)
    assert [mistake.file for mistake in error.value.mistakes] == [
        "toy/rules/holds.toml", "toy/rules/points.toml", "toy/scheme.toml",
    ]  # fmt: skip
    first = error.value.mistakes[0]
    assert (error.value.file, error.value.key, error.value.problem, error.value.remedy) == (
        first.file, first.key, first.problem, first.remedy,
    )  # fmt: skip


def test_an_id_declared_in_two_files_is_a_mistake(toy):
    (toy / "rules" / "zz.toml").write_text((toy / HOLDS).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(
        SchemeError, match=r"toy/rules/zz.toml: rule.revoked: duplicate id, already declared in toy/rules/h"
    ):
        load(toy)


def test_files_that_nothing_reads_and_folders_without_a_scheme_are_mistakes(toy, tmp_path):
    (toy / "more.toml").write_text("", encoding="utf-8")
    with pytest.raises(SchemeError, match=r"toy/more.toml: \(file\): no part of the scheme reads this file. Move it"):
        load(toy)
    with pytest.raises(SchemeError, match=r"nothing/scheme.toml: \(file\): there is no such file"):
        load(tmp_path / "nothing")


def test_a_file_in_another_encoding_is_a_mistake_and_not_a_crash(toy):
    (toy / POINTS).write_bytes("近一年".encode("gb18030"))
    with pytest.raises(SchemeError, match=r"toy/rules/points.toml: byte 0: the file is not UTF-8"):
        load(toy)


@pytest.mark.parametrize("junk", ["rule = 3", "rule = []", "[rule]\nx = 3", "[rule.x]\nparameter = 4", "[[rule.x]]",
                                  "[rule.x]\nparameter = { a = [1] }", "[rule.x]\ntitle = 1\nreason = []"])  # fmt: skip
def test_values_of_a_wrong_shape_are_mistakes_and_not_crashes(toy, junk):
    (toy / "rules" / "zz.toml").write_text(junk, encoding="utf-8")
    with pytest.raises(SchemeError, match=r"toy/rules/zz\.toml"):
        load(toy)


def test_the_hash_does_not_depend_on_files_order_comments_or_whitespace(toy):
    text = (toy / POINTS).read_text(encoding="utf-8")
    change(toy, POINTS, "fines > 1000 or worst = 3", "fines   >  1000 or   worst = 3")
    text = (toy / POINTS).read_text(encoding="utf-8")
    first, second = text[: text.index("[rule.fined]")], text[text.index("[rule.fined]") :]
    (toy / POINTS).write_text("# a comment\n" + second.replace(" = ", "  =  "), encoding="utf-8")
    (toy / "rules" / "aa.toml").write_text(first, encoding="utf-8")
    assert load(toy).hash == SCHEME.hash


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (POINTS, "value = 30", "value = 31"),
        (POINTS, "Art. 2", "Art. 3"),
        ("scheme.toml", "until   = 2024-09-01", "until   = 2024-10-01"),
        (RECORDS, "window  = 365", "window  = 366"),
    ],
)
def test_the_hash_changes_with_every_value(toy, file, old, new):
    change(toy, file, old, new)
    if "until" in old:
        change(toy, file, "from    = 2024-09-01", "from    = 2024-10-01")
    assert load(toy).hash != SCHEME.hash


def test_the_scheme_is_what_the_file_says():
    assert (SCHEME.id, SCHEME.title.zh, SCHEME.published) == ("toy", "玩具方案", "never")
    assert SCHEME.classes == ("A", "B", "C", "D")
    assert list(SCHEME.rules) == sorted(SCHEME.rules)
    assert SCHEME.rules["penalised"].indicators == ("penalties",)


def test_a_book_holds_each_scheme_by_id_and_refuses_two_of_one_id(toy, tmp_path):
    assert list(load_book(tmp_path)) == ["toy"]
    shutil.copytree(toy, tmp_path / "toy2")
    with pytest.raises(
        SchemeError, match=r"toy2/scheme.toml: scheme.id: duplicate id 'toy'. Give each scheme its own id"
    ):
        load_book(tmp_path)


OUTER = TOY.parent / "toy_outer"
OVER = load(OUTER, inner={"toy": SCHEME})
BOOK = Path(__file__).parents[2] / "rules" / "book"


def test_the_outer_scheme_is_what_its_files_say():
    assert (OVER.published, OVER.members.kind_name, OVER.members.where_text) == ("local_rule", "licence", "code = 1")
    assert OVER.matrices["both"].spans[1].value.values == ((0, 1, 3), (1, 2, 3), (3, 3, 3))
    assert OVER.wanted["pledges"].needs.en == "Pledge registrations of the intellectual-property office"
    assert OVER.inner == {"toy": SCHEME}
    together, norm = OVER.indicators["together"], OVER.indicators["complaints_to_norm"]
    assert (together.row, together.column, together.matrix, together.kind_name) == ("risk", "failures", "both", "")
    assert (norm.indicator, norm.norm, norm.least, norm.kind_name) == ("complaints", "complaints", 50, "registration")
    assert (OVER.indicators["risk"].scheme, OVER.indicators["risk"].of) == ("toy", "class")


def test_it_reads_the_kinds_of_its_members_and_of_the_inner_scheme_too():
    assert facts_needed(OVER) == facts_needed(SCHEME) | {1, 6, 8, 9}


def test_what_rests_on_a_draft_says_so_also_through_another_scheme(toy):
    assert OVER.rests_on_draft
    assert not SCHEME.rests_on_draft
    change(toy, POINTS, 'kind = "local_example"', 'kind = "draft"')
    drafted = load(toy)
    assert drafted.rests_on_draft
    text = {path: raw.decode().replace('"draft"', '"local_example"') for path, raw in files_of(OUTER).items()}
    assert not load_files(text, "outer", inner={"toy": SCHEME}).rests_on_draft
    assert load_files(text, "outer", inner={"toy": drafted}).rests_on_draft


def test_the_same_texts_are_the_same_scheme_whether_in_a_folder_or_not():
    texts = {path: raw.decode() for path, raw in files_of(OUTER).items()}
    assert load_files(texts, "anything", inner={"toy": SCHEME}).hash == OVER.hash
    with pytest.raises(SchemeError, match=r"anything/notes\.toml: \(file\): no part of the scheme reads this file"):
        load_files({**texts, "notes.toml": ""}, "anything", inner={"toy": SCHEME})


@pytest.mark.parametrize("scheme", [SCHEME, OVER], ids=lambda one: one.id)
def test_a_stored_content_gives_the_same_scheme_back(scheme):
    back = from_content(scheme.content, inner=scheme.inner)
    assert (back.content, back.hash) == (scheme.content, scheme.hash)
    for name in ("id", "title", "subjects", "published", "cuts", "groups", "seconds", "steps", "lookups", "matrices",
                 "wanted", "members", "indicators", "rules", "boundaries", "classes"):  # fmt: skip
        assert getattr(back, name) == getattr(scheme, name), name
    assert list(printed(back, date(2024, 4, 30), "zh")) == list(printed(scheme, date(2024, 4, 30), "zh"))
    assert list(back.bases()) == list(scheme.bases())


@settings(max_examples=30, deadline=None)
@given(strategies.fact_rows(4, 25), strategies.coverages)
def test_a_scheme_that_came_back_from_its_content_gives_the_same_grades(rows, coverage):
    back = from_content(SCHEME.content)
    everyone = population(*((entity, strategies.LAST - 100 * entity) for entity in range(1, 5)))
    known = facts(*rows)
    first, second = (grade(everyone, known, coverage, one) for one in (SCHEME, back))
    assert first.equals(second)
    assert first.height == 4


def test_every_scheme_of_the_book_comes_back_from_its_content():
    book = load_book(BOOK)
    assert "general-risk" in book
    for scheme in book.values():
        back = from_content(scheme.content, inner=scheme.inner)
        assert (back.hash, back.content, back.boundaries) == (scheme.hash, scheme.content, scheme.boundaries)
        assert list(back.bases()) == list(scheme.bases())
        for lang in ("zh", "en"):
            assert list(printed(back, date(2026, 1, 1), lang)) == list(printed(scheme, date(2026, 1, 1), lang))


def test_a_change_of_the_inner_scheme_is_another_content_of_the_outer_one(toy):
    change(toy, POINTS, "value = 30", "value = 31")
    changed = load(toy)
    assert inner_of(OVER.content) == {"toy": SCHEME.hash}
    over = from_content(OVER.content, inner={"toy": changed})
    assert over.hash != OVER.hash
    assert inner_of(over.content) == {"toy": changed.hash}
    assert {**json.loads(over.content), "inner": 0} == {**json.loads(OVER.content), "inner": 0}
    assert over.hash == load(OUTER, inner={"toy": changed}).hash


def test_a_stored_content_without_its_inner_scheme_says_which_is_lacking():
    with pytest.raises(
        SchemeError, match=r"indicator.risk.scheme: is 'toy', which is not known. Schemes it may read he"
    ):
        from_content(OVER.content)


def test_a_scheme_in_a_folder_reads_the_grades_of_a_book_beside_it(toy, tmp_path):
    outside = shutil.copytree(OUTER, tmp_path / "elsewhere" / "outer")
    assert load_beside(outside, tmp_path).hash == OVER.hash


def test_no_scheme_reads_its_own_grade_through_an_older_version_of_itself():
    texts = {path: raw.decode() for path, raw in files_of(TOY).items()}
    texts["indicators/zz.toml"] = (
        '[indicator.outer]\nsecond = "nothing"\ntitle = { zh = "外", en = "Outer" }\nunit = "step"\n'
        'measure = "grade"\nscheme = "toy-outer"\nof = "class"\n'
    )
    with pytest.raises(
        SchemeError, match=r"indicator.outer.scheme: names 'toy-outer', which would read the grade of th"
    ):
        load_files(texts, "toy", inner={"toy-outer": OVER})


def test_a_book_gives_each_scheme_the_inner_ones_of_the_same_book(toy, tmp_path):
    change(toy, POINTS, "value = 30", "value = 31")
    shutil.copytree(OUTER, tmp_path / "a_outer")
    book = load_book(tmp_path)
    assert list(book) == ["toy-outer", "toy"]
    assert book["toy-outer"].inner == {"toy": book["toy"]}


def test_the_page_on_schemes_names_every_word_a_scheme_may_use_and_its_examples_can_be_read():
    text = (BOOK.parents[1] / "docs" / "schemes.md").read_text(encoding="utf-8")
    for name in (
        *MEASURES,
        *PARAMETER_UNITS,
        *CONTEXT_VALUES,
        *CONTEXT_NORMS,
        *CONTEXT_AREAS,
        *CONTEXT_USUAL,
        *BASIS_KINDS,
    ):
        assert f"`{name}`" in text, name
    for name in (*PUBLISHED, *CYCLES, *DIRECTIONS, *EFFECTS):
        assert name in text, name
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]
    assert {key for block in blocks for key in block} == {
        "scheme", "group", "second", "steps", "lookup", "matrix", "wanted", "indicator", "rule", "case",
    }  # fmt: skip
