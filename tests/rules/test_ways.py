"""The cheapest way down and the nearest way up, held against every single grade that there could be."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import ways as finding
from rules.deeds import Action, Added, Question, World
from rules.engine import grade
from rules.given import NOTHING, OVERRIDES, Given
from rules.kinds import KINDS
from rules.ways import Way, ways
from tests.rules.frames import DAY, EVERYWHERE, SCHEME, fact, facts, penalty, population
from tests.rules.strategies import FIRST, LAST, coverages, fact_rows

HORIZON = 250
PENALTY = KINDS["penalty"]


def repair(seq, day=DAY, **more):
    return Action(f"repair:{seq}", "修复", "repair", day, f"record:{seq}", removes=frozenset([seq]), **more)


def told(*rows, actions=(), typical=(), horizon=1826, coverage=EVERYWHERE, beside=NOTHING, day=DAY):
    found = ways(
        population((1, day)), facts(*rows), coverage, SCHEME, beside, actions=actions, typical=typical, horizon=horizon
    )
    assert found is not None
    return found


def place(class_):
    return SCHEME.classes.index(class_)


def after(rows, actions):
    """The facts once these actions are done."""
    gone = {seq for one in actions for seq in one.removes}
    ended = {seq: one.day for one in actions for seq in one.ends}
    left = [
        {**row, "ends": min(one for one in (row["ends"], ended.get(row["seq"])) if one is not None)
         if row["seq"] in ended or row["ends"] is not None else None}
        for row in rows if row["seq"] not in gone
    ]  # fmt: skip
    came = {(one.kind, one.code, one.severity, one.amount, deed.day, one.ends) for deed in actions for one in deed.adds}
    names = ("kind", "code", "severity", "amount", "day", "ends")
    return [*left, *({"entity": 1, "seq": 1000 + at, **dict(zip(names, one, strict=True))} for at, one in enumerate(sorted(came, key=str)))]  # fmt: skip


def class_on(rows, actions, day, coverage):
    graded = grade(population((1, day)), facts(*after(rows, actions)), coverage, SCHEME)
    return place(graded["class"][0]), graded["score"][0]


def allowed(chosen):
    matters = {one.about for one in chosen}
    return len(matters) == len(chosen) and all(one.needs <= matters for one in chosen)


@st.composite
def worlds(draw):
    """Facts about one entity, what it can do about some of them, and from which day on."""
    day = draw(st.integers(FIRST, LAST - HORIZON))
    bad = st.tuples(st.sampled_from(["penalty", "serious_listing"]), st.integers(0, 120), st.integers(2, 3))
    rows = [
        fact(kind, day - age, severity=severity) for kind, age, severity in draw(st.lists(bad, min_size=1, max_size=4))
    ]
    rows += draw(fact_rows(entities=1, most=6))
    rows = [
        {**row, "seq": 1 + at // 2 if at > 4 else at} for at, row in enumerate(rows)
    ]  # some facts share a ledger row
    seqs = sorted({row["seq"] for row in rows})
    actions = []
    for seq in draw(st.lists(st.sampled_from(seqs), min_size=1, max_size=4, unique=True)):
        when = day + draw(st.sampled_from([-9, 0, 0, 5, 40, 200]))
        needs = frozenset(one.about for one in actions if draw(st.integers(0, 4)) == 0)
        if draw(st.integers(0, 2)):
            actions.append(repair(seq, when, needs=needs))
        else:
            actions.append(
                Action(f"end:{seq}", "移出", "end", when, f"record:{seq}", ends=frozenset([seq]), needs=needs)
            )
        if draw(st.integers(0, 4)) == 0:
            actions.append(Action(f"other:{seq}", "补", "other", day, f"record:{seq}", adds=(Added(KINDS["annual_report"], 2023, 1),)))  # fmt: skip
    for year in draw(st.lists(st.integers(2021, 2024), max_size=1)):
        actions.append(Action(f"report:{year}:{len(actions)}", "补报", "report", day, f"report:{len(actions)}", adds=(Added(KINDS["annual_report"], year, 1),)))  # fmt: skip
    return rows, draw(coverages), day, actions


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_the_way_found_leads_down_and_no_smaller_set_does_by_then(world):
    rows, coverage, day, actions = world
    found = told(*rows, actions=actions, horizon=HORIZON, coverage=coverage, day=day)
    start = class_on(rows, (), day, coverage)
    assert (place(found.class_), found.score) == start
    days = range(day + 1, day + HORIZON + 1)
    alone = grade(population(*((1, one) for one in days)), facts(*rows), coverage, SCHEME)
    improves = [one for one, class_ in zip(days, alone["class"], strict=True) if place(class_) < start[0]]
    assert (None if found.waiting is None else found.waiting.on) == (improves[0] if improves else None)
    until = improves[0] if improves else day + HORIZON + 1
    done = [_from(one, day) for one in actions]
    firsts = sorted({day, *(one.day for one in done)})
    assert found.exact
    good = []
    for size in range(1, len(done) + 1):
        for chosen in filter(allowed, combinations(done, size)):
            asked = [(1, on) for on in firsts if max(one.day for one in chosen) <= on < until]
            graded = grade(population(*asked), facts(*after(rows, chosen)), coverage, SCHEME)
            good += [(size, on) for (_, on), one in zip(asked, graded["class"], strict=True) if place(one) < start[0]]
    assert bool(found.down) == bool(good)
    if good:
        best = found.down[0]
        assert (len(best.actions), best.on) == min(good)
    by_id = {one.id: one for one in done}
    for way in found.down:
        chosen = [by_id[one] for one in way.actions]
        assert allowed(chosen)
        assert class_on(rows, chosen, way.on, coverage) == (place(way.class_), way.score)
        assert place(way.class_) < start[0]


@settings(max_examples=12, deadline=None)
@given(worlds())
def test_a_way_that_was_not_searched_for_through_and_through_still_leads_down_and_holds_nothing_needless(world):
    rows, coverage, day, actions = world
    most, finding.MOST_SETS = finding.MOST_SETS, 0
    try:
        found = told(*rows, actions=actions, horizon=HORIZON, coverage=coverage, day=day)
    finally:
        finding.MOST_SETS = most
    start = class_on(rows, (), day, coverage)
    by_id = {one.id: one for one in actions}
    for way in found.down:
        chosen = [by_id[one] for one in way.actions]
        assert allowed(chosen)
        assert class_on(rows, [_from(one, day) for one in chosen], way.on, coverage) == (place(way.class_), way.score)
        assert place(way.class_) < start[0]
        for fewer in combinations(chosen, len(chosen) - 1):
            on = max((max(one.day, day) for one in fewer), default=day)
            assert not allowed(fewer) or class_on(rows, [_from(one, day) for one in fewer], on, coverage)[0] >= start[0]
    if len(found.down) == 1 and len(found.down[0].actions) == 1:
        assert found.exact


def _from(one, day):
    return replace(one, day=max(one.day, day))


def removal(seq, day):
    return Action(f"removal:{seq}", "移出", "removal", day, f"record:{seq}", ends=frozenset([seq]))


def test_of_two_single_actions_the_earlier_one_is_the_cheaper_way():
    found = told(fact("serious_listing", DAY - 5, seq=1), actions=[repair(1, DAY + 9), removal(1, DAY + 3)])
    assert found.class_ == "D"
    assert [(way.actions, way.on, way.class_) for way in found.down] == [
        (("removal:1",), DAY + 3, "A"),
        (("repair:1",), DAY + 9, "A"),
    ]


def test_where_one_action_is_not_enough_two_are_found():
    rows = [fact("serious_listing", DAY - 5, seq=seq) for seq in (1, 2)]
    assert told(*rows, actions=[repair(1)]).down == ()
    (way,) = told(*rows, actions=[repair(1), removal(2, DAY + 4)]).down
    assert (way.actions, way.on) == (("repair:1", "removal:2"), DAY + 4)


def test_a_repair_that_needs_the_removal_from_a_list_comes_with_it():
    rows = [fact("serious_listing", DAY - 5, seq=1), penalty(seq=2)]
    needy = repair(2, DAY, needs=frozenset(["record:1"]))
    assert told(*rows, actions=[needy], horizon=60).down == ()
    assert told(*rows, actions=[needy, removal(1, DAY + 5)], horizon=60).down[0].actions == ("removal:1",)


def test_an_action_is_not_told_where_waiting_helps_no_later():
    row = fact("serious_listing", DAY - 5, ends=DAY + 3, seq=1)
    found = told(row, actions=[repair(1, DAY + 3)])
    assert (found.class_, found.down) == ("D", ())
    assert found.waiting == Way((), DAY + 3, "A", found.waiting.score)
    assert told(row, actions=[repair(1, DAY + 2)]).down[0].actions == ("repair:1",)


def test_a_term_that_is_extended_ends_no_more():
    ending = fact("registration", DAY - 4000, code=9999, amount=10**9, ends=DAY + 3, seq=1)
    longer = Action("extend:1", "延期", "extend", DAY, "record:1", extends=frozenset([1]))
    world = World(population((1, DAY)), facts(ending), EVERYWHERE, SCHEME, NOTHING)
    before, extended = world.ask([Question((), DAY), Question((longer,), DAY)])
    assert before.score - extended.score == 3  # what `term_ending` gives


def test_who_cannot_get_better_within_the_horizon_is_told_so():
    found = told(fact("serious_listing", DAY - 5, seq=1), horizon=400)
    assert (found.class_, found.down, found.waiting, found.horizon) == ("D", (), None, DAY + 400)
    assert found.worse is None


def test_who_has_the_best_class_is_told_only_what_would_make_it_worse():
    registered = fact("registration", DAY - 20, code=9999, amount=10**9, seq=9)
    one, listed = (Action(name, "", "", DAY, name, adds=(added,)) for name, added in
                   (("penalty", Added(PENALTY, severity=2)), ("listing", Added(KINDS["serious_listing"]))))  # fmt: skip
    nothing = Action("nothing", "", "", DAY, "nothing", adds=(Added(PENALTY, severity=0),))
    found = told(registered, typical=[listed, one, nothing])
    assert (found.class_, found.down, found.waiting) == ("A", (), None)
    assert found.worse == 26 - found.score
    assert [(way.actions, way.class_) for way in found.up][-1] == (("listing",), "D")
    assert ("penalty",) in [way.actions for way in found.up]


def test_a_class_set_by_a_person_is_waited_out():
    row = (1, SCHEME.id, "D", DAY - 5, DAY + 45, 900)
    beside = Given(overrides=pl.DataFrame([row, (2, *row[1:])], schema=dict(OVERRIDES), orient="row"))
    found = told(beside=beside)
    assert found.class_ == "D"
    assert (found.waiting.on, found.waiting.class_) == (DAY + 45, "A")


def test_what_is_done_while_a_person_holds_the_class_helps_from_the_day_on_which_that_ends():
    row = (1, SCHEME.id, "D", DAY - 5, DAY + 45, 900)
    beside = Given(overrides=pl.DataFrame([row, (2, *row[1:])], schema=dict(OVERRIDES), orient="row"))
    found = told(fact("serious_listing", DAY - 5, seq=1), actions=[repair(1, DAY + 3)], beside=beside, horizon=400)
    assert (found.class_, found.worse) == ("D", None)
    assert [(way.actions, way.on, way.class_) for way in found.down] == [(("repair:1",), DAY + 45, "A")]


def test_points_to_a_worse_class_are_counted_below_the_scale_and_not_under_a_veto():
    young = fact("registration", DAY - 20, code=9999, amount=10**9, ends=DAY)
    good = [fact("annual_report", DAY - 400, code=2000), fact("spot_check", DAY, code=1)]
    assert told(young, *good, horizon=1).worse == 26 + 4
    assert told(fact("serious_listing", DAY - 5, seq=1), horizon=1).worse is None


def test_whom_the_scheme_does_not_grade_it_says_nothing():
    assert ways(population((1, DAY), subject="branch"), facts(), EVERYWHERE, SCHEME) is None
