"""Two years of 200 entities in one call: between two breakpoints nothing moves, whatever changes beside the facts.

`make test` runs 12 examples; XINHENG_TEST_EXAMPLES=100 runs a hundred (about a minute and a half).
"""

import os

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.engine import grade
from rules.errors import FrameError
from rules.given import NOTHING
from rules.timeline import Spell, grade_over
from tests.rules import crowd
from tests.rules.beside import OVER, frozen
from tests.rules.frames import DAY, EVERYWHERE, SCHEME, fact, facts, population

ENTITIES = 200
EXAMPLES = int(os.environ.get("XINHENG_TEST_EXAMPLES", "12"))
SAYS = ["class", "score", "decided_by", "digest", "scheme_hash", "context"]

_seed = st.integers(0, 10**6)
_change = st.one_of(st.integers(crowd.FIRST, crowd.LAST), st.sampled_from(crowd.SPECIAL[crowd.SPECIAL > crowd.FIRST].tolist()))  # fmt: skip


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=_seed,
    size=st.integers(0, 1_500),
    contexts=st.lists(st.tuples(_change, _seed), max_size=2),
    new_scheme=st.one_of(st.none(), _change),
    set_by_persons=st.integers(0, 80),
)
def test_the_grade_of_every_day_is_that_of_the_last_breakpoint_not_after_it(
    seed, size, contexts, new_scheme, set_by_persons
):
    held, fed = crowd.facts(seed, ENTITIES, size), crowd.coverage(seed)
    persons = crowd.held(seed, ENTITIES, set_by_persons)
    spells = _spells(persons, [(crowd.FIRST, seed), *contexts], new_scheme)
    asked = crowd.population(ENTITIES, np.arange(crowd.FIRST, crowd.LAST + 1))
    graded = grade_over(asked, held, fed, spells)
    assert graded.height == ENTITIES * crowd.DAYS
    following = graded["next_day"].fill_null(crowd.LAST + 1).to_numpy().reshape(ENTITIES, crowd.DAYS) - crowd.FIRST
    anchor = _anchors(following)
    at_breakpoints = np.flatnonzero(anchor.ravel() == np.arange(anchor.size) % crowd.DAYS)
    alone = grade_over(asked[at_breakpoints], held, fed, spells)
    assert alone.equals(graded[at_breakpoints])
    place = np.searchsorted(at_breakpoints, (np.arange(ENTITIES)[:, None] * crowd.DAYS + anchor).ravel())
    expected, found = alone[place].select(SAYS), graded.select(SAYS)
    if not expected.equals(found):
        differs = (expected["digest"] != found["digest"]).arg_true()
        row = graded[int(differs[0] if differs.len() else 0)]
        raise AssertionError(f"entity {row['entity'][0]} changed on day {row['day'][0]} without a breakpoint")


def _spells(persons, contexts, new_scheme):
    """A spell from every day on which the context or the scheme changes."""
    starts = sorted({day for day, _ in contexts} | ({new_scheme} if new_scheme is not None else set()))
    spells = []
    for start in starts:
        _, number = max((one for one in contexts if one[0] <= start), key=lambda one: one[0])
        scheme = crowd.AFTER if new_scheme is not None and start >= new_scheme else crowd.BEFORE
        spells.append(Spell(start, scheme, crowd.context(number, ENTITIES, persons)))
    return spells


def _anchors(following):
    """For each entity and day the last breakpoint not after it, walking from the first day from one to the next."""
    rows, width = following.shape
    starts = np.zeros(following.shape, np.int64)
    at, walking = np.zeros(rows, np.int64), np.arange(rows)
    while walking.size:
        starts[walking, at[walking]] = at[walking]
        after = following[walking, at[walking]]
        assert (after > at[walking]).all()
        at[walking] = after
        walking = walking[after < width]
    return np.maximum.accumulate(starts, axis=1)


def test_each_row_is_graded_under_the_last_spell_that_has_begun():
    asked = population((1, DAY), (1, DAY + 9), (1, DAY + 10), (2, DAY + 11))
    held = facts(fact("registration", DAY - 400, code=1300))
    later = frozen((1, "related_abnormal", 3))
    spells = [Spell(DAY + 10, OVER, later), Spell(DAY - 100, SCHEME, NOTHING)]
    graded = grade_over(asked, held, EVERYWHERE, spells)
    assert graded["scheme_hash"].to_list() == [SCHEME.hash, SCHEME.hash, OVER.hash, OVER.hash]
    assert graded["context"].to_list() == [0, 0, 5, 5]
    assert graded["next_day"].to_list()[:2] == [DAY + 10, DAY + 10]
    assert graded[2:].drop("scheme_hash", "context").equals(grade(asked[2:], held, EVERYWHERE, OVER, later))


def test_a_context_is_named_only_where_the_scheme_reads_one():
    graded = grade_over(population((1, DAY)), facts(), EVERYWHERE, [Spell(DAY, SCHEME, frozen())])
    assert graded["context"].to_list() == [0]


def test_whom_the_scheme_of_the_day_does_not_grade_has_no_row_then():
    asked = pl.concat([population((1, DAY), subject="branch"), population((2, DAY))])
    assert grade_over(asked, facts(), EVERYWHERE, [Spell(0, SCHEME, NOTHING)])["entity"].to_list() == [2]


def test_nobody_asked_about_is_an_empty_frame_of_the_same_form():
    spells = [Spell(0, SCHEME, NOTHING), Spell(DAY, OVER, NOTHING)]
    full, empty = (grade_over(asked, facts(), EVERYWHERE, spells) for asked in (population((1, DAY)), population()))
    assert empty.is_empty()
    assert empty.schema == full.schema
    assert list(full.schema.items())[-2:] == [("scheme_hash", pl.String), ("context", pl.Int32)]


def test_a_history_without_any_spell_is_refused_even_of_nobody():
    with pytest.raises(FrameError, match="There is no spell"):
        grade_over(population(), facts(), EVERYWHERE, [])


def test_a_day_before_every_spell_is_refused():
    with pytest.raises(FrameError, match=rf"Day {DAY - 1} of frame 'population' lies before the first spell. Begin a"):
        grade_over(population((1, DAY), (2, DAY - 1)), facts(), EVERYWHERE, [Spell(DAY, SCHEME, NOTHING)])
