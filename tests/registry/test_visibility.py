"""Who sees what of a record: every field says so beside itself, and nothing above a reader's right is ever in what he gets."""

import itertools
from datetime import date, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate

from registry.cells.personal import find_personal
from registry.kinds import KINDS
from registry.kinds.base import RecordSchema, Text
from registry.kinds.seen import ADDED, LEVELS, SEES, levels_of, nested, sees
from registry.kinds.terms import Choice, Dropped, Hashed
from registry.models import Audit
from registry.services import records, visibility
from registry.services.entities import get
from registry.services.visibility import CASE, DETAIL, ENTERPRISE, PUBLIC, READERS, REGULATOR, reader_for, shown
from tests.conftest import NOW, TODAY
from tests.factories import credit_code, record, registered
from tests.registry.kinds.saying import LEAST

KEY = b"a key of thirty-two bytes, ours."
PERSON, PHONE = "11010119900307109X", "13800001234"
LEAST_OF_ALL = {
    **LEAST,
    "registration": {"name": "信衡示例有限公司", "subject": "enterprise"},
    "penalty": {"decided_on": date(2026, 3, 2), "kinds": ["fine"]},
    "abnormal_listing": {"ground": 1, "listed_on": date(2026, 7, 9)},
    "serious_listing": {"article": 7, "listed_on": date(2026, 1, 15)},
    "spot_check": {"checked_on": date(2026, 5, 5), "results": [{"code": "2"}]},
    "item_12315": {"type": "complaint", "received_on": date(2026, 6, 6), "accepted": True},
    "annual_report": {"year": 2025, "filed_on": date(2026, 4, 1)},
}


def row_of(kind, **given):
    """The columns of a record as the ledger keeps them, from what is given and the least that the kind needs."""
    declared = KINDS[kind]
    said = declared.state(
        declared.schema(today=TODAY, key=KEY).load({"organ": "信衡市市场监督管理局", **LEAST_OF_ALL[kind], **given})
    )
    return {
        "seq": 1, "code": said.code, "severity": said.severity, "amount_fen": said.amount_fen, "happened_on": said.happened_on,
        "ends_on": said.ends_on, "document_no": said.document_no, "organ": said.organ, "source": "feed", "replaces": None,
        "detail": orjson.loads(orjson.dumps(said.detail)),
    }  # fmt: skip


def words(found):
    return orjson.dumps(found, default=str).decode()


def schemas():
    for kind in KINDS.values():
        yield kind.name, kind.schema
        for field in kind.schema._declared_fields.values():
            if (inner := nested(field)) is not None:
                yield kind.name, inner


# --- the declaration ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "schema"), list(schemas()), ids=lambda one: getattr(one, "__name__", one))
def test_every_field_says_who_may_see_it(kind, schema):
    undeclared = [name for name, field in schema._declared_fields.items() if field.metadata.get("sees") not in SEES]
    assert undeclared == [], f'say metadata={{"sees": …}} beside them in registry/kinds/{kind}.py'


def test_what_nobody_declared_is_seen_by_nobody():
    class Careless(Schema):
        secret = fields.String()
        misspelt = fields.String(metadata={"sees": "everybody"})

    assert levels_of(Careless) == {"secret": "never", "misspelt": "never"}
    assert not any(reader.sees("never") for reader in READERS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_record_holds_beside_its_fields_is_declared_too(kind):
    declared = {**ADDED, **levels_of(KINDS[kind].schema), **KINDS[kind].derived}
    given = {"document_no": "信〔2026〕1号", "remark": "备注", "stated_at": "2026-01-02T03:04:05"}
    assert set(row_of(kind, **given)["detail"]) <= set(declared)
    assert set(KINDS[kind].derived.values()) <= set(LEVELS)


def test_what_identifies_a_person_is_read_into_a_hash_or_dropped_and_seen_by_nobody():
    of_people = {
        name: sees(field) for kind in KINDS.values() for name, field in kind.schema._declared_fields.items() if isinstance(field, Hashed | Dropped)
    }  # fmt: skip
    assert of_people == dict.fromkeys(("claimant_phone", "claimant_id", "claimant_name", "person_id"), "never")


# --- the readers ----------------------------------------------------------------------------------------------------


def test_a_regulator_sees_a_penalty_whole_the_public_what_is_published_and_the_enterprise_all_but_the_remark():
    row = row_of("penalty", fact="违法事实", content="罚款5000元", remark="内部备注", document_no="信罚〔2026〕1号")
    seen = {reader.name: shown("penalty", row, reader) for reader in (PUBLIC, ENTERPRISE, REGULATOR)}
    assert {"fact", "remark", "content"} <= set(seen["regulator"]["detail"])
    assert {"fact", "content"} <= set(seen["enterprise"]["detail"])
    assert "remark" not in seen["enterprise"]["detail"]
    assert "content" in seen["public"]["detail"]
    assert not {"fact", "remark"} & set(seen["public"]["detail"])
    assert ("source" in seen["regulator"], "source" in seen["enterprise"], "source" in seen["public"]) == (
        True,
        False,
        False,
    )


def test_complaints_outside_lists_accidents_and_relations_are_no_public_records():
    closed = {name for name, kind in KINDS.items() if not visibility.is_open(kind, PUBLIC)}
    assert closed == {"item_12315", "outside_list", "accident", "relation"}
    assert all(shown(name, row_of(name), PUBLIC) == {} for name in closed)


def test_an_enterprise_sees_a_complaint_about_itself_and_not_who_made_it():
    row = row_of("item_12315", claimant_phone=PHONE, claimant_name="张某某", remark="投诉人张某某", category="家电")
    enterprise, handler = shown("item_12315", row, ENTERPRISE), shown("item_12315", row, CASE)
    assert enterprise["detail"] == {"type": "complaint", "accepted": True, "upheld": None, "category": "家电"}
    assert handler["detail"]["claimant"].startswith("投诉举报人 ")
    assert row["detail"]["claimant_hash"] not in words(handler)
    assert "张某某" not in words(enterprise)


def test_a_person_in_a_relation_is_named_to_who_may_know_and_masked_for_others():
    row = row_of("relation", person_id=PERSON)
    assert shown("relation", row, REGULATOR)["detail"]["person"] == "张**"
    assert "张某某" not in words(shown("relation", row, REGULATOR))
    assert shown("relation", row, DETAIL)["detail"]["person_name"] == "张某某"
    assert shown("relation", row, REGULATOR)["amount_fen"] == 0, "a share is no money"
    assert all(row["detail"]["person_hash"] not in words(shown("relation", row, reader)) for reader in READERS.values())


def test_scopes_make_a_reader():
    assert reader_for(["entities:read"]).levels == REGULATOR.levels
    assert reader_for(["records:detail"]).levels == DETAIL.levels
    assert reader_for(["records:detail", "complaints:handle"]).levels == DETAIL.levels | CASE.levels


def test_a_reading_of_details_is_on_record(on_sqlite):
    visibility.note_reading(DETAIL, kind="relation", seq=7, actor="key:office", now=NOW)
    entry = Audit.get(Audit.verb == "record.details_read")
    assert (entry.actor, entry.subject, entry.detail) == (
        "key:office",
        "record 7",
        {"kind": "relation", "reader": "detail"},
    )


def test_the_page_of_records_gives_the_regulator_his_view(on_sqlite):
    code = credit_code()
    record(registered(code), "item_12315", claimant_phone=PHONE)
    (view,) = records.page(get(code), kind="item_12315", after=None, limit=5).items
    seen = shown(view.kind, {**view.row, "seq": view.seq}, REGULATOR)
    assert seen["detail"] == {"type": "complaint", "accepted": True, "upheld": True}


# --- nothing above the right, whatever comes ------------------------------------------------------------------------


_serial = itertools.count()


def text_of(kind, name, marks):
    """A text that occurs nowhere else, remembered with who may see it."""
    mark = f"标记{next(_serial):06d}号"
    marks[mark] = levels_of(KINDS[kind].schema)[name]
    return mark


@st.composite
def rows(draw, kind):
    """A record of a kind with many of its fields filled, and the marks that stand in it with who may see each."""
    marks, given = {}, {}
    for name, field in KINDS[kind].schema._declared_fields.items():
        if field.required or name in LEAST_OF_ALL[kind] or not draw(st.booleans()):
            continue
        if isinstance(field, Text) and not any(
            isinstance(check, validate.OneOf | validate.Regexp) for check in field.validators
        ):
            given[name] = text_of(kind, name, marks)
        elif isinstance(field, Choice):
            given[name] = draw(st.sampled_from(sorted(field.terms.terms)))
        elif isinstance(field, Hashed):
            given[name] = PERSON if name.endswith("id") else PHONE
        elif isinstance(field, Dropped):
            given[name] = "张某某"
        elif isinstance(field, fields.Boolean):
            given[name] = draw(st.booleans())
        elif isinstance(field, fields.Date):
            given[name] = date(2026, 8, 1) + timedelta(days=draw(st.integers(0, 60)))
        elif type(field) is fields.Integer or type(field).__name__ == "Fen":
            given[name] = draw(st.integers(2013, 2020))
    try:
        return row_of(kind, **given), marks
    except ValidationError:
        return row_of(kind), {}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_nothing_above_a_reader_s_right_appears_in_what_he_sees(kind, data):
    row, marks = data.draw(rows(kind))
    hashes = [value for name, value in row["detail"].items() if name.endswith("_hash")]
    for reader in READERS.values():
        said = words(shown(kind, row, reader))
        for mark, level in marks.items():
            assert mark not in said or reader.sees(level), (reader.name, level)
        assert not [one for one in hashes if one in said]
        assert PERSON not in said
        assert PHONE not in said
        assert "张某某" not in said or reader.sees("detail")
        assert not reader.sees("public") or find_personal(said) == []


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"annual_report", "registration_change"}))
def test_a_reader_who_may_see_a_text_does_see_it(kind):
    texts = {
        name: field for name, field in KINDS[kind].schema._declared_fields.items()
        if isinstance(field, Text) and name not in RecordSchema._declared_fields and name not in LEAST_OF_ALL[kind]
    }  # fmt: skip
    shows = 0
    for name in texts:
        marks = {}
        try:
            row = row_of(kind, **{name: text_of(kind, name, marks)})
        except ValidationError:
            continue
        ((mark, level),) = marks.items()
        if mark in words(row["detail"]):
            shows += 1
            assert all((mark in words(shown(kind, row, reader))) == (reader.sees(level) and visibility.is_open(KINDS[kind], reader)) for reader in READERS.values()), name  # fmt: skip
    assert shows or kind == "spot_check" or not texts


def test_with_which_probability_a_draw_chose_it_tells_a_class_and_is_shown_to_nobody():
    row = row_of("spot_check", inclusion=800_000, purpose="routine")
    assert row["detail"]["inclusion"] == 800_000
    assert shown("spot_check", row, REGULATOR)["detail"]["purpose"] == "routine"
    assert all("inclusion" not in shown("spot_check", row, reader)["detail"] for reader in READERS.values())
