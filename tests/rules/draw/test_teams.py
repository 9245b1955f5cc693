"""Who goes: pairs that may, in the area, without a conflict, as long as there are days; and who comes instead."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import draw
from rules.draw import DrawError, NotEnoughInspectors, Pool, Team
from tests.rules.draw.made import AREAS, JOINS, SENDS, code_of, pool_of_size

KEY = bytes(range(50, 82))
HERE, THERE = AREAS


def stops(number, area=HERE, start=0):
    return [(code_of(start + at), area) for at in range(number)]


def assigned(pool, tour, per_day=2, key=KEY):
    return draw.assign("sha256", key, draw.groups(tour, per_day), pool)


def days_used(teams, organ):
    used = {}
    for team in teams:
        for one in team.inspectors[organ]:
            used[one] = used.get(one, 0) + 1
    return used


def test_a_group_is_a_day_of_neighbours_in_one_division():
    tour = [*stops(3), *stops(2, THERE, 10)]
    assert draw.groups(tour, 2) == [tour[:2], tour[2:3], tour[3:]]
    assert draw.groups([], 2) == []
    with pytest.raises(DrawError, match="0 visits a day"):
        draw.groups(tour, 0)


def test_every_organ_sends_two_to_every_group():
    teams = assigned(pool_of_size(5), stops(7))
    assert [team.codes for team in teams] == [tuple(code for code, _ in of) for of in draw.groups(stops(7), 2)]
    assert all(len(set(team.inspectors[organ])) == 2 for team in teams for organ in (SENDS, JOINS))


def test_whoever_has_a_conflict_with_one_of_a_group_goes_to_another_group():
    pool = pool_of_size(3, organs=(SENDS,), conflicts=[(SENDS, "002", code_of(1))])
    first, second = assigned(pool, stops(4))
    assert first.inspectors[SENDS] == ("001", "003")
    sent = {
        draw.assign("sha256", bytes([at]) * 32, draw.groups(stops(4), 2), pool)[1].inspectors[SENDS] for at in range(20)
    }
    assert len(sent) == 3
    assert second.codes == (code_of(2), code_of(3))


def test_a_conflict_binds_him_who_has_it_and_not_another_organ_s_of_the_same_number():
    pool = pool_of_size(3, conflicts=[(SENDS, "002", code_of(0))])
    seen = [draw.assign("sha256", bytes([at]) * 32, [stops(1)], pool)[0] for at in range(20)]
    assert all("002" not in team.inspectors[SENDS] for team in seen)
    assert any("002" in team.inspectors[JOINS] for team in seen)


def test_inspectors_stay_in_their_area():
    areas = {(SENDS, "001"): [HERE], (SENDS, "002"): ["9901"], (SENDS, "003"): [THERE], (SENDS, "004"): [""]}
    pool = pool_of_size(4, organs=(SENDS,), areas=areas)
    seen = [assigned(pool, [*stops(2), *stops(2, THERE, 5)], key=bytes([at]) * 32) for at in range(30)]
    assert {one for here, _ in seen for one in here.inspectors[SENDS]} == {"001", "002", "004"}
    assert {one for _, there in seen for one in there.inspectors[SENDS]} == {"002", "003", "004"}


def test_a_group_that_conflicts_with_everybody_is_split_before_giving_up():
    pool = pool_of_size(3, organs=(SENDS,), conflicts=[(SENDS, "001", code_of(0)), (SENDS, "002", code_of(3))])
    teams = assigned(pool, stops(5), per_day=5)
    assert [team.codes for team in teams] == [
        (code_of(0), code_of(1), code_of(2)),
        (code_of(3), code_of(4)),
    ]
    assert [team.inspectors[SENDS] for team in teams] == [("002", "003"), ("001", "003")]


def test_where_nobody_may_go_it_says_to_whom_where_and_how_many_there_were():
    conflicts = [(SENDS, one, code_of(1)) for one in ("001", "002", "003")]
    pool = pool_of_size(4, organs=(SENDS,), conflicts=conflicts)
    with pytest.raises(NotEnoughInspectors) as refused:
        assigned(pool, stops(2))
    assert str(refused.value) == (
        f"No team can visit {code_of(1)} (division 990101): {SENDS} must send 2 inspector(s), 4 of its pool may work there, 1 of them "
        "have no conflict of interest, and 1 of those have a day left. Widen the pool, extend the days of the task, or take fewer "
        "entities, and commit to the draw anew."
    )
    assert (refused.value.codes, refused.value.there_are, refused.value.suitable) == ((code_of(1),), 4, 1)


def test_every_group_uses_up_a_day_of_each_who_goes():
    pool = pool_of_size(4, days=5, organs=(SENDS,))
    teams = assigned(pool, stops(20))
    assert days_used(teams, SENDS) == {"001": 5, "002": 5, "003": 5, "004": 5}
    with pytest.raises(NotEnoughInspectors, match="0 of those have a day left"):
        assigned(pool, stops(21))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=6), st.binary(min_size=32, max_size=32))
def test_as_long_as_the_days_suffice_there_is_a_team_for_everybody(days, key):
    """Of two distinct inspectors a group: so many groups are possible as the textbook says, and so many are assigned."""
    members = [f"{at:03d}" for at in range(len(days))]
    pool = Pool({SENDS: members}, {(SENDS, one): of for one, of in zip(members, days, strict=True)}, {}, [])
    most = max(number for number in range(20) if sum(min(of, number) for of in days) >= 2 * number)
    teams = assigned(pool, stops(most), per_day=1, key=key)
    used = days_used(teams, SENDS)
    assert all(len(set(team.inspectors[SENDS])) == 2 for team in teams)
    assert all(used.get(one, 0) <= of for one, of in zip(members, days, strict=True))
    with pytest.raises(NotEnoughInspectors):
        assigned(pool, stops(most + 1), per_day=1, key=key)


def test_who_is_recused_leaves_and_another_of_his_organ_is_drawn():
    pool = pool_of_size(5, organs=(SENDS,), conflicts=[(SENDS, "001", code_of(0))])
    team, other = Team((code_of(0), code_of(1)), {SENDS: ("001", "002")}), Team((code_of(2),), {SENDS: ("003", "004")})
    come = set()
    for round in range(1, 30):
        made = draw.redraw("sha256", KEY, team, [other], pool, area=HERE, out=(SENDS, "001"), round=round)
        assert made.codes == team.codes
        come |= set(made.inspectors[SENDS])
        assert len(made.inspectors[SENDS]) == 2
    assert come == {"002", "003", "004", "005"}


def test_nobody_comes_instead_whose_days_are_used_up():
    pool = pool_of_size(4, days=1, organs=(SENDS,))
    team, other = Team((code_of(0),), {SENDS: ("001", "002")}), Team((code_of(2),), {SENDS: ("003", "004")})
    with pytest.raises(NotEnoughInspectors, match=r"must send 1 inspector.*0 of those have a day left"):
        draw.redraw("sha256", KEY, team, [other], pool, area=HERE, out=(SENDS, "001"), round=1)


@pytest.mark.parametrize("out", [(SENDS, "009"), (JOINS, "001")])
def test_who_does_not_go_cannot_be_recused(out):
    team = Team((code_of(0),), {SENDS: ("001", "002")})
    with pytest.raises(DrawError, match=f"{out[1]} does not visit {code_of(0)}"):
        draw.redraw("sha256", KEY, team, [], pool_of_size(), area=HERE, out=out, round=1)
