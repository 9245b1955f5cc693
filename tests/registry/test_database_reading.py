"""Frames and single rows out of the database hold exactly what is in it."""

import polars as pl
import pytest

from registry.database import execute, find, insert_rows, read_frame, session, write
from registry.models import Entity, GradeState
from registry.services import entities
from tests.factories import credit_code, registered

STATE = (
    "scheme",
    "entity",
    "version",
    "day",
    "known",
    "class",
    "rank",
    "score",
    "digest",
    "next_day",
    "context",
    "chance",
)
SCHEMA = {"entity": pl.Int64, "known": pl.Int64, "class": pl.String, "digest": pl.Binary, "next_day": pl.Int32}
SQL = "SELECT entity, known, class, digest, next_day FROM grade_state WHERE scheme = ? ORDER BY entity"


def stored(*rows):
    with write():
        insert_rows(
            "grade_state",
            STATE,
            [
                ("s", entity, 1, -5, known, name, 0, 0, digest, after, 0, 0)
                for entity, known, name, digest, after in rows
            ],
        )


@pytest.mark.parametrize("name", ["B", "质量", "a,b", '"', "x\x1fy", "x\x1ey"])
def test_a_frame_holds_extreme_numbers_empty_values_and_any_text(settings, name):
    rows = [
        (1, 2**62 + 1, name, b"\x00" * 32, None),
        (2, -(2**40), "A", b"\x1f," * 16, -7),
        (3, 0, "", b"\xff" * 32, 2**31 - 1),
    ]
    stored(*((entity, known, text[:4], digest, after) for entity, known, text, digest, after in rows))
    frame = read_frame(SQL, ("s",), SCHEMA)
    assert frame.schema == pl.Schema(SCHEMA)
    assert frame.rows() == rows


def test_digests_of_another_length_are_read_all_the_same(settings):
    stored((1, 1, "A", b"\x01\x02", None), (2, 1, "B", b"", None))
    assert read_frame(SQL, ("s",), SCHEMA)["digest"].to_list() == [b"\x01\x02", b""]


def test_a_query_without_rows_gives_an_empty_frame_with_its_types(settings):
    assert read_frame(SQL, ("none",), SCHEMA).schema == pl.Schema(SCHEMA)


def test_a_row_that_is_found_equals_the_one_that_the_mapper_finds(settings):
    code = credit_code()
    number = registered(code)
    with session():
        found, mapped = find(Entity, code=code), entities.get(code)
        assert found is not None
        assert found.__data__ == Entity.get_by_id(number).__data__ == mapped.__data__
        assert not found.dirty_fields
        assert find(Entity, code=credit_code()) is None


def test_a_row_is_found_by_a_key_of_several_columns(settings):
    stored((8, 5, "C", b"\x07" * 32, 20_800))
    state = find(GradeState, scheme="s", entity=8)
    assert state is not None
    assert (state.class_, state.known, bytes(state.digest), state.next_day) == ("C", 5, b"\x07" * 32, 20_800)
    execute("DELETE FROM grade_state")
    assert find(GradeState, scheme="s", entity=8) is None
