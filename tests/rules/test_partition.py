"""Whole, by seven divisions, in any order or in batches: the same bytes, with a context, overrides and raises too. And what an
explanation names is what counts."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine import grade
from rules.explain import explain
from tests.rules import crowd
from tests.rules.beside import OVER, frozen, override, overrides, upside_down
from tests.rules.frames import DAY, EVERYWHERE, SCHEME, fact, facts, feeds, population
from tests.rules.strategies import LAST, fact_rows

ENTITIES = 140
SCHEMES = {"toy": SCHEME, "over another": OVER, "high is good": upside_down(SCHEME)}
DIVISIONS = [f"9901{number:02}" for number in range(1, 8)]
_seed = st.integers(0, 10**6)


def _asked(on):
    rows = crowd.population(ENTITIES, np.array(on))
    place = (pl.col("entity") % 7).replace_strict(dict(enumerate(DIVISIONS)), return_dtype=pl.String)
    return rows.with_columns(division=place)


def _bytes(frame):
    """Every value of a frame in order of entity and day, as bytes."""
    ordered = frame.sort("entity", "day")
    return [ordered[name].to_list() for name in ordered.columns], ordered.schema


@settings(max_examples=6, deadline=None)
@given(_seed, st.integers(0, 600), st.integers(0, 60), st.sampled_from(sorted(SCHEMES)))
def test_however_the_entities_are_cut_up_the_grades_are_the_same_to_the_last_byte(seed, size, persons, which):
    scheme = SCHEMES[which]
    random = np.random.default_rng(seed)
    asked = _asked(sorted({int(day) for day in crowd.days(random, 3, crowd.FIRST, crowd.LAST)}))
    held = crowd.facts(seed, ENTITIES, size)
    fed = pl.concat([crowd.coverage(seed), feeds(("penalty", DIVISIONS[3], crowd.FIRST, None))])
    beside = crowd.context(seed, ENTITIES, crowd.held(seed, ENTITIES, persons))
    whole = grade(asked, held, fed, scheme, beside)
    by_division = [grade(asked.filter(pl.col("division") == one), held, fed, scheme, beside) for one in DIVISIONS]
    order = random.permutation(asked.height)
    given_shuffled = _shuffled(beside, seed)
    shuffled = grade(asked[order], held.sample(fraction=1.0, shuffle=True, seed=seed), fed, scheme, given_shuffled)
    batches = [grade(asked[at : at + 50], held, fed, scheme, beside) for at in range(0, asked.height, 50)]
    alone = [_alone(asked[at : at + 1], held, fed, scheme, beside) for at in range(0, asked.height, 41)]
    assert _bytes(pl.concat(by_division)) == _bytes(whole)
    assert _bytes(shuffled) == _bytes(whole)
    assert pl.concat(batches).equals(whole)
    assert pl.concat(alone).equals(whole[::41])


def _shuffled(beside, seed):
    def mixed(frame):
        return frame.sample(fraction=1.0, shuffle=True, seed=seed)

    frames = {name: mixed(getattr(beside, name)) for name in ("context", "norms", "overrides", "raises")}
    return replace(beside, **frames)


def _alone(asked, held, fed, scheme, beside):
    """The grade of one entity, with nothing at hand but what is about it: as when a record is posted."""
    mine = pl.col("entity") == asked["entity"][0]
    own = replace(beside, **{name: getattr(beside, name).filter(mine) for name in ("context", "overrides", "raises")})
    return grade(asked, held.filter(mine), fed, scheme, own)


@settings(max_examples=12, deadline=None)
@given(_seed, st.integers(0, 600), st.integers(0, 60))
def test_the_rows_of_every_explanation_add_up_and_its_digest_is_that_of_the_grade(seed, size, persons):
    asked = _asked([crowd.FIRST + seed % crowd.DAYS])[:60]
    held, fed = crowd.facts(seed, 60, size), crowd.coverage(seed)
    beside = crowd.context(seed, 60, crowd.held(seed, 60, persons))
    graded = grade(asked, held, fed, OVER, beside).to_dicts()
    for one, row in zip(explain(asked, held, fed, OVER, beside), graded, strict=True):
        assert sum(line.points for line in one.points) == one.score == row["score"]
        assert (one.class_, one.decided_by, one.digest) == (row["class"], row["decided_by"], row["digest"].hex())
        named = {seq for line in one.indicators for seq in line.records}
        by_persons = {
            seq for line in one.points if line.rule.startswith(("override:", "raise:")) for seq in line.records
        }
        assert set(one.records) == named | by_persons
        assert sorted(one.breakpoints) == list(one.breakpoints)


BESIDE = frozen((1, "related_abnormal", 2), (1, "same_address", 5), industry=700)


@pytest.mark.parametrize("which", ["toy", "over another"])
@settings(max_examples=20, deadline=None)
@given(rows=fact_rows(entities=1, most=12))
def test_removing_a_named_record_changes_an_indicator_and_removing_any_other_changes_none(which, rows):
    def told(kept):
        return explain(population((1, LAST)), facts(*kept), EVERYWHERE, SCHEMES[which], BESIDE)[0]

    before = told(rows)
    for seq in {row["seq"] for row in rows}:
        after = told([row for row in rows if row["seq"] != seq])
        if seq in before.records:
            assert after.digest != before.digest
        else:
            assert after.indicators == before.indicators
            assert after.digest == before.digest
        # What is counted one by one changes by its value, not only by what is named behind it.
        then = {row.id: row.value for row in after.indicators}
        for row in before.indicators:
            if SCHEMES[which].indicators[row.id].measure in ("count", "open") and seq in row.records:
                assert then[row.id] != row.value


def test_removing_the_ledger_row_of_an_override_gives_back_the_grade_of_the_rules():
    def graded(*set_by_persons):
        beside = type(BESIDE)(BESIDE.context, BESIDE.norms, overrides(*set_by_persons), BESIDE.names)
        held = facts(fact("registration", DAY - 900, code=1300, seq=1))
        return grade(population((1, DAY)), held, EVERYWHERE, OVER, beside).to_dicts()[0]

    plain = graded()
    assert graded(override("D", DAY, DAY + 5, seq=9, scheme="toy-context"))["digest"] != plain["digest"]
    assert graded(override("D", DAY, DAY + 5, seq=9))["digest"] != plain["digest"]
    assert graded(override("D", DAY, DAY + 5, seq=9, entity=2)) == plain
