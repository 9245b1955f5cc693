"""What another scheme would do: movers and counts against two plain gradings, sensitivity against a scheme that is really changed."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import whatif
from rules.dated import Dated
from rules.engine import grade
from rules.explain import explain
from rules.given import NOTHING, OVERRIDES, Given
from rules.scheme import load
from rules.sensitivity import Trial, moved, shifted
from tests.rules.frames import DAY, EVERYWHERE, SCHEME, TOY, fact, facts, penalty, population
from tests.rules.strategies import DIVISIONS, FIRST, LAST, coverages, fact_rows

ENTITIES = 12


def variant(folder, **edits):
    """The toy scheme with some texts exchanged: file → (old, new) pairs."""
    copy = shutil.copytree(TOY, folder)
    for name, pairs in edits.items():
        path = next(copy.rglob(f"{name}.toml"))
        text = path.read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    return load(copy)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Schemes to compare the toy scheme with: other cuts, points, rules, classes, subjects."""
    made = tmp_path_factory.mktemp("others")
    three = [
        (f'{{ class = "A", to = {first} }}, {{ class = "B", to = 50 }}, {{ class = "C", to = 75 }}, ',
         '{ class = "A", to = 40 }, { class = "C", to = 75 }, ')
        for first in (25, 20)
    ]  # fmt: skip
    return [
        variant(made / "cuts", scheme=[('class = "B", to = 50', 'class = "B", to = 30')]),
        variant(made / "points", points=[("value    = 20", "value    = 5"), ('"-8"', '"30"')]),
        variant(made / "group", scheme=[("highest = 60", "highest = 25"), ("base      = 10", "base      = 0")]),
        variant(made / "holds", holds=[("value = 20", "value = 60"), ('class  = "C"', 'class  = "B"')]),
        variant(made / "classes", scheme=three),
        variant(made / "subjects", scheme=[('["enterprise", "individual"]', '["individual", "branch", "enterprise"]')]),
        without(SCHEME, "penalised"),
    ]


def without(scheme, rule):
    return changed(scheme, rules={id_: one for id_, one in scheme.rules.items() if id_ != rule})


def changed(scheme, **fields):
    return replace(scheme, **fields, hash=f"{scheme.hash}, changed", _compiled={})


def everyone(day):
    rows = [
        population((entity, day), subject=("enterprise", "individual", "branch", "other")[entity % 4],
                   division=DIVISIONS[entity % 2])
        for entity in range(1, ENTITIES + 1)
    ]  # fmt: skip
    return pl.concat(rows)


days = st.integers(FIRST, LAST)
worlds = st.tuples(fact_rows(entities=ENTITIES, most=60), coverages, days)


@settings(max_examples=20, deadline=None)
@given(worlds, st.integers(0, 6), st.booleans())
def test_movers_and_counts_are_those_of_two_gradings_held_side_by_side(others, world, which, turned):
    rows, coverage, day = world
    old, new = (others[which], SCHEME) if turned else (SCHEME, others[which])
    asked, held = everyone(day), facts(*rows)
    found = whatif.compare(asked, held, coverage, old, new, sensitivity=False)
    graded = [{row["entity"]: row for row in grade(asked, held, coverage, one).to_dicts()} for one in (old, new)]
    places = [{entity: one.classes.index(row["class"]) for entity, row in rows.items()}
              for one, rows in zip((old, new), graded, strict=True)]  # fmt: skip
    tally = Counter({(one["old"], one["new"]): 0 for one in found.tally.to_dicts()})
    for one in found.tally.to_dicts():
        tally[one["old"], one["new"]] += one["entities"]
    asked_for = set(places[0]) | set(places[1])
    assert tally == Counter((places[0].get(entity, -1), places[1].get(entity, -1)) for entity in asked_for)
    last = [len(one.classes) - 1 for one in (old, new)]
    both = sorted(set(places[0]) & set(places[1]))
    away = {entity: places[1][entity] * last[0] - places[0][entity] * last[1] for entity in both}
    assert found.movers["entity"].to_list() == [entity for entity in both if away[entity]]
    for one in found.movers.to_dicts():
        entity = one["entity"]
        assert (one["old"], one["new"]) == (places[0][entity], places[1][entity])
        assert (one["old_score"], one["new_score"]) == (graded[0][entity]["score"], graded[1][entity]["score"])
        assert (one["jump"] > 0) == (away[entity] > 0)
        assert one["by"] == blamed(asked.filter(pl.col("entity") == entity), held, coverage, old, new, one["jump"])


def blamed(asked, held, coverage, old, new, jump):
    """The row that moved an entity, from two explanations."""
    totals = Counter()
    for sign, scheme in ((-1, old), (1, new)):
        for row in explain(asked, held, coverage, scheme)[0].points:
            totals[row.rule] += sign * row.points * (1 if jump > 0 else -1)
    best = max(totals.values(), default=0)
    return min(rule for rule, most in totals.items() if most == best) if sum(totals.values()) > 0 else "cuts"


def really(scheme, trial, day):
    """The scheme with a trial carried out in its own values."""
    if trial.what == "rule":
        return without(scheme, trial.rule)
    if trial.what == "cut":
        borders = [f"{one}|{other}" for one, other in zip(scheme.classes, scheme.classes[1:], strict=False)]
        spans = [replace(span, value=shifted(scheme, span.value, borders.index(trial.rule), trial.percent))
                 for span in scheme.cuts.spans]  # fmt: skip
        return changed(scheme, cuts=Dated(tuple(spans)))
    rule = scheme.rules[trial.rule]
    spans = []
    for span in rule.parameters[trial.parameter].spans:
        value = replace(span.value, value=moved(span.value.value, trial.percent),
                        subjects={name: moved(one, trial.percent) for name, one in span.value.subjects.items()})  # fmt: skip
        spans.append(replace(span, value=value))
    parameters = {**rule.parameters, trial.parameter: Dated(tuple(spans))}
    return changed(scheme, rules={**scheme.rules, trial.rule: replace(rule, parameters=parameters)})


@pytest.fixture(scope="module")
def sensitive(tmp_path_factory):
    """Toy schemes whose numbers all matter: parameters in a condition and in points at once, caps and vetoes that meet."""
    made = tmp_path_factory.mktemp("sensitive")
    in_condition = [('when   = "penalties >= at_least"', 'when   = "penalties >= at_least and load < each"'),
                    ("value    = 20", "value    = 3"), ("{ individual = 15 }", "{ individual = 2 }")]  # fmt: skip
    upward = [("higher_is_riskier", "higher_is_better"), ("base      = 10", "base      = 90")]
    for first in (25, 20):
        upward += [(", ".join(f'{{ class = "{c}", to = {to} }}' for c, to in zip("ABCD", (first, 50, 75, 100), strict=True)),
                    ", ".join(f'{{ class = "{c}", to = {to} }}' for c, to in zip("ABCD", (100, 75, 50, first), strict=True)))]  # fmt: skip
    return [
        SCHEME,
        variant(made / "both", points=in_condition),
        variant(made / "tight", scheme=[("highest = 60", "highest = 30")], holds=[('class  = "C"', 'class  = "D"')]),
        variant(made / "upward", scheme=upward),
    ]


@settings(max_examples=15, deadline=None)
@given(worlds, st.integers(0, 3), st.integers(0, ENTITIES))
def test_sensitivity_is_what_the_changed_scheme_really_gives(sensitive, world, which, set_by_person):
    rows, coverage, day = world
    scheme = sensitive[which]
    asked, held = everyone(day), facts(*rows)
    person = NOTHING if not set_by_person else override(scheme, set_by_person, day)
    found = whatif.compare(asked, held, coverage, scheme, scheme, given=(person, person)).trials
    before = places(scheme, grade(asked, held, coverage, scheme, person))
    assert {trial.rule for trial in found if trial.what == "rule"} <= set(scheme.rules)
    for trial, counts in found.items():
        after = places(scheme, grade(asked, held, coverage, really(scheme, trial, day), person))
        worse = sum(after[one] > place for one, place in before.items())
        better = sum(after[one] < place for one, place in before.items())
        assert counts == [worse, better], trial


def override(scheme, entity, day):
    row = (entity, scheme.id, "C", day - 5, day + 5, 900)
    return Given(overrides=pl.DataFrame([row], schema=dict(OVERRIDES), orient="row"))


def places(scheme, graded):
    return {one["entity"]: scheme.classes.index(one["class"]) for one in graded.to_dicts()}


def test_every_rule_parameter_in_points_and_cut_is_tried():
    found = whatif.compare(population((1, DAY)), facts(penalty()), EVERYWHERE, SCHEME, SCHEME).trials
    assert {one.rule for one in found if one.what == "rule"} == set(SCHEME.rules)
    assert {(one.rule, one.parameter, one.percent) for one in found if one.what == "parameter"} == {
        (rule, name, percent)
        for rule, name in (("penalised", "each"), ("cancelled", "at_most"), ("other_state", "at_most"))
        for percent in (-10, 10)
    }
    assert {(one.rule, one.percent) for one in found if one.what == "cut"} == {
        (border, percent) for border in ("A|B", "B|C", "C|D") for percent in (-5, 5)
    }


def test_a_rule_that_holds_a_class_up_is_seen_to_do_so():
    # 44 points are B; without the 20 of `penalised` they are 24, which is A.
    found = whatif.compare(population((1, DAY)), facts(penalty()), EVERYWHERE, SCHEME, SCHEME).trials
    assert found[Trial("rule", "penalised", "", -100)] == [0, 1]
    assert found[Trial("rule", "revoked", "", -100)] == [0, 0]


def test_where_only_the_cuts_differ_the_cuts_are_named(others):
    found = whatif.compare(population((1, DAY)), facts(penalty()), EVERYWHERE, SCHEME, others[0], sensitivity=False)
    (row,) = found.movers.to_dicts()
    assert (row["old"], row["new"], row["by"], row["jump"]) == (1, 2, whatif.CUTS, 1000)


def test_the_rule_that_moved_an_entity_is_named(others):
    found = whatif.compare(population((1, DAY)), facts(penalty()), EVERYWHERE, SCHEME, others[6], sensitivity=False)
    (row,) = found.movers.to_dicts()
    assert (row["old"], row["new"], row["by"], row["jump"]) == (1, 0, "penalised", -1000)


def test_pieces_of_a_population_add_up_to_the_whole(others):
    held = facts(*[penalty(entity=one, severity=one % 4) for one in range(1, 9)])
    asked = everyone(DAY)
    whole, added = whatif.compare(asked, held, EVERYWHERE, SCHEME, others[1]), whatif.Sum()
    for start in range(0, ENTITIES, 5):
        added.add(whatif.compare(asked[start : start + 5], held, EVERYWHERE, SCHEME, others[1]))
    assert added.tally.equals(whole.tally)
    assert added.movers.equals(whole.movers)
    assert added.trials == whole.trials


def test_the_industry_is_that_of_the_newest_registration_up_to_the_day():
    held = facts(
        fact("registration", DAY - 9, code=1300, seq=1),
        fact("registration", DAY - 2, code=5200, seq=2),
        fact("registration", DAY + 1, code=9999, seq=3),
        penalty(code=7),
    )
    assert whatif.industries(population((1, DAY), (2, DAY)), held).to_list() == [5200, 0]


def test_a_jump_between_schemes_with_other_classes_is_measured_from_best_to_worst(others):
    three, four = others[4], SCHEME
    assert (len(three.classes), len(four.classes)) == (3, 4)
    before, after = np.array([0, 2, 1, -1], np.int8), np.array([0, 3, 1, 2], np.int8)
    assert whatif.jumps(three, four, before, after).tolist() == [0, 0, -500, 0]


def test_a_division_is_chosen_by_its_beginning():
    asked = pl.concat([population((1, DAY), division="990102"), population((2, DAY), division="990203")])
    assert whatif.within(["9902"], asked)["entity"].to_list() == [2]
    assert whatif.within(["9902", "990102"], asked)["entity"].to_list() == [1, 2]
    assert whatif.within([""], asked).height == 2


@pytest.mark.parametrize(("value", "percent", "expected"), [(200, 10, 220), (4, 10, 5), (0, -10, -1), (-25, 10, -22)])
def test_a_parameter_is_moved_by_its_share_and_by_one_at_least(value, percent, expected):
    assert moved(value, percent) == expected
