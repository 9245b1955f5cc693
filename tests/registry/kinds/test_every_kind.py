"""What holds for every kind of record: numbers, limits, masks, identity, the dictionary, the way over the API."""

import dataclasses
import re
from datetime import date

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from registry import dictionary
from registry.cells.personal import find_personal
from registry.config import ROOT
from registry.kinds import KINDS
from registry.kinds.base import RecordSchema, Text
from registry.kinds.terms import Choice
from registry.models import Fact
from registry.services import ledger, records
from tests.conftest import NOW, TODAY
from tests.factories import record, registered
from tests.registry.kinds.saying import LEAST, ORGAN, projected, said, told

NEW = sorted(LEAST)
# A made-up number of a person (the check character is right) and a made-up telephone.
PERSON, PHONE = "11010119900307109X", "13800001234"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def texts_of(kind):
    return [name for name, field in KINDS[kind].schema._declared_fields.items() if isinstance(field, Text)]


def test_numbers_are_in_order_and_names_fit_their_column():
    numbers = [kind.number for kind in KINDS.values()]
    assert numbers == sorted(set(numbers)), "two kinds share a number"
    assert {name: KINDS[name].number for name in NEW} == {
        "accident": 17, "award": 14, "certification": 11, "licence": 8, "outside_list": 16, "product_sampling": 9, "recall": 13,
        "registration_change": 10, "relation": 18, "satisfaction_survey": 15, "standard_declared": 12,
    }, "facts are stored under these numbers: one is never given to another kind"  # fmt: skip
    assert all(len(name) <= 20 for name in KINDS)


@pytest.mark.parametrize("kind", NEW)
def test_a_personal_number_in_any_text_is_masked(kind):
    for name in texts_of(kind):
        text = f"张某{PERSON}电话{PHONE}"[: 40 if name in ("state", "code") else None]
        try:
            statement = said(kind, **{name: text})
        except ValidationError:
            continue  # refused is as good as masked: it is not stored
        for stored in (orjson.dumps(statement.detail).decode(), statement.document_no, *map(str, statement.key)):
            assert PERSON not in stored, name
            assert PHONE not in stored, name
            assert find_personal(stored) == [], name


@pytest.mark.parametrize("kind", NEW)
def test_an_unknown_field_a_nul_and_a_day_to_come_are_refused_by_name(kind):
    (past, *_) = KINDS[kind].schema.PAST
    for name, value, why in (
        ("misspelt", "x", "Unknown field"),
        ("remark", "a\x00b", "NUL"),
        (past, "2026-11-22", "lies after today, 2026-11-21"),
        (past, "1926-11-22", "before 1949-10-01"),
    ):
        with pytest.raises(ValidationError) as error:
            said(kind, **{name: value})
        assert why in str(error.value.messages[name]), name


@pytest.mark.parametrize("kind", NEW)
def test_without_a_day_it_is_undated_and_never_dated_otherwise(kind):
    days = {name: None for name in ("valid_from", "decided_on", "sampled_on", "changed_on", "issued_on", "declared_on", "announced_on",
            "awarded_on", "surveyed_on", "listed_on", "occurred_on") if name in KINDS[kind].schema._declared_fields}  # fmt: skip
    assert said(kind, **days).happened_on is None


@pytest.mark.parametrize("kind", NEW)
def test_the_timeline_has_a_line_in_both_languages(kind):
    zh, en = told(said(kind))
    assert CHINESE.search(zh)
    assert en
    assert not CHINESE.search(en)


@pytest.mark.parametrize("kind", NEW)
def test_two_documents_are_two_records_and_the_same_one_is_one(kind):
    first, again, other = (
        said(kind, document_no=number) for number in ("信〔2026〕1 号", "信[2026]1号", "信〔2026〕2号")
    )
    assert first.key == again.key != other.key
    assert first.key[-1] != "content"


@pytest.mark.parametrize("kind", NEW)
def test_a_kind_is_stored_counted_corrected_and_read_back(settings, kind):
    entity = registered()
    statement = said(kind, document_no="信〔2026〕1号")
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        (outcome,) = pen.state([(entity, statement)], source="test")
    (fact,) = Fact.select().where(Fact.entity == entity, Fact.kind == KINDS[kind].number)
    assert (fact.code, fact.severity, fact.amount) == projected(statement)[:3]
    with ledger.writing(now=NOW, schemes=["general-risk"]) as pen:
        assert pen.state([(entity, statement)], source="test")[0].said == "unchanged"
        (corrected,) = pen.state([(entity, said(kind, document_no="信〔2026〕1号", remark="更正"))], source="test")
    # Where the change may name people its remark is not kept, but that there was one is.
    assert (corrected.said, corrected.seq) == ("corrected", outcome.seq + 1)


@pytest.mark.parametrize("kind", NEW)
def test_a_key_may_post_it(kind):
    payload = {"party": {"code": "91110000600037341L"}, **LEAST[kind]}
    checked = records.check(kind, payload, organ=ORGAN, today=TODAY)
    assert projected(checked.statement) == projected(said(kind))


def test_kinds_beside_each_other_leave_the_grade_facts_of_the_old_ones_alone(on_sqlite):
    entity = registered()
    record(entity, "penalty")
    before = [(fact.kind, fact.code, fact.amount) for fact in Fact.select().where(Fact.kind == 2)]
    with ledger.writing(now=NOW, schemes=[]) as pen:
        pen.state([(entity, said(kind)) for kind in NEW], source="test")
    assert [(fact.kind, fact.code, fact.amount) for fact in Fact.select().where(Fact.kind == 2)] == before
    assert {fact.kind for fact in Fact.select()} == {1, 2, *range(8, 19)}


# --- code lists ----------------------------------------------------------------------------------------------------


LISTS = [(kind, one) for kind in KINDS for one in KINDS[kind].lists]


@pytest.mark.parametrize(("kind", "one"), LISTS, ids=lambda one: getattr(one, "id", one))
def test_every_term_of_a_list_is_found_by_its_name_and_in_chinese(kind, one):
    assert one.basis
    assert one.title.zh
    for name, term in one.terms.items():
        assert one.find(name) == name
        found = one.find(term.zh)
        assert found is not None
        assert (one.terms[found].number, one.terms[found].severity) == (term.number, term.severity)


def test_an_id_means_one_list():
    by_id = {}
    for _, one in LISTS:
        assert by_id.setdefault(one.id, one) is one, one.id


CHOICES = [(kind, name, field) for kind in NEW for name, field in KINDS[kind].schema._declared_fields.items() if isinstance(field, Choice)]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "field"), CHOICES, ids=lambda one: one if isinstance(one, str) else "")
def test_a_choice_takes_every_term_and_no_mistyped_name(kind, name, field):
    for known, term in field.terms.terms.items():
        assert field.deserialize(known) == known
        assert field.deserialize(term.zh) in field.terms.terms
    for wrong in ("no_such_term", 3, None, ["x"], "a\x00"):
        with pytest.raises(ValidationError):
            field.deserialize(wrong)
    assert field.terms in KINDS[kind].lists, "the dictionary must show it"


@given(st.text(max_size=60))
def test_whatever_text_comes_a_choice_answers_with_a_term_or_a_reason(text):
    for _, _, field in CHOICES:
        try:
            assert field.deserialize(text) in field.terms.terms
        except ValidationError as error:
            assert "is not one of" in str(error)  # noqa: PT017 (either way is right)


# --- the dictionary ------------------------------------------------------------------------------------------------


def test_the_dictionary_is_what_the_kinds_say():
    page = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert page == dictionary.page(), "run `python -m registry.dictionary > docs/data-dictionary.md`"


def test_the_architecture_says_what_each_kind_projects():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert dictionary.projections() in page, "put there what `python -m registry.dictionary --projections` prints"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_chinese_term_and_a_description(kind):
    declared = {**RecordSchema._declared_fields, **dictionary.fields_of(KINDS[kind].schema)}
    for name, field in declared.items():
        assert dictionary.chinese(field), name
        assert f"`{name}`" in dictionary.page(), name


def test_a_field_that_is_added_would_be_noticed():
    class Longer(KINDS["award"].schema):
        medal = Text(20, metadata={"description": "Medal 奖牌"})

    changed = {**KINDS, "award": dataclasses.replace(KINDS["award"], schema=Longer)}
    assert "| `medal` | 奖牌 | text, at most 20 |" in dictionary.page(changed)
    assert dictionary.page(changed) != dictionary.page()
    assert date(2014, 10, 1).isoformat() in dictionary.page(), "dated lists show their days"
