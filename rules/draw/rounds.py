"""Changes of inspectors after the draw: each is a round that stands in the minutes and can be replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rules.draw.commitments import key
from rules.draw.errors import DrawError
from rules.draw.frame import Minutes
from rules.draw.minutes import sealed
from rules.draw.teams import Conflict, Pool, Team, Who, redraw


def teams_of(full: Minutes) -> list[Team]:
    """The teams as they stand after all rounds, in order of the tour."""
    teams = [_read(told) for told in full["teams"]]
    for _, code, organ, out, into, _ in full["rounds"]:
        at = _place(teams, code)
        staying = [one for one in teams[at].inspectors[organ] if one != out]
        teams[at] = replace(teams[at], inspectors={**teams[at].inspectors, organ: tuple(sorted([*staying, into]))})
    return teams


def another_round(full: Minutes, *, code: str, out: Who, why: str) -> tuple[Minutes, Team]:
    """Minutes in which an inspector was recused 回避 from the day's work that holds ``code``, and his team as it then stands.

    Whoever comes instead is drawn by the key of the draw and the number of the round from the pool of the minutes. If he may not
    or cannot go either, that is another round.

    Raises
    ------
    DrawError
        If nobody visits ``code``, or not he.
    NotEnoughInspectors
        If nobody else can be sent.
    """
    algorithm = full["algorithm"]
    its_key = key(algorithm, bytes.fromhex(full["seed"]), full["root"], full["witness"])
    teams = teams_of(full)
    at = _place(teams, code)
    organ, staff_no = out
    recused: list[Conflict] = [(theirs, one, whom) for _, whom, theirs, one, _, _ in full["rounds"]]
    pool = pool_of(full)
    pool = replace(pool, conflicts=[*pool.conflicts, *recused, (organ, staff_no, code)])
    number = len(full["rounds"]) + 1
    area = next(division for whom, division in full["tour"] if whom == code)
    others = [*teams[:at], *teams[at + 1 :]]
    team = redraw(algorithm, its_key, teams[at], others, pool, area=area, out=out, round=number)
    into = next(one for one in team.inspectors[organ] if one not in teams[at].inspectors[organ])
    rounds = [*full["rounds"], [number, code, organ, staff_no, into, why]]
    return sealed({**full, "rounds": rounds}), team


def pool_of(full: Minutes) -> Pool:
    """Who could be sent, as the minutes have it."""
    pools = full["pools"]
    return Pool(
        members={organ: [one for one, _, _ in members] for organ, members in pools.items()},
        days={(organ, one): days for organ, members in pools.items() for one, days, _ in members},
        areas={(organ, one): areas for organ, members in pools.items() for one, _, areas in members},
        conflicts=[(organ, one, code) for organ, one, code in full["conflicts"]],
    )


def _read(told: Sequence[Any]) -> Team:
    codes, inspectors = told
    return Team(tuple(codes), {organ: tuple(sent) for organ, sent in inspectors.items()})


def _place(teams: Sequence[Team], code: str) -> int:
    for at, team in enumerate(teams):
        if code in team.codes:
            return at
    raise DrawError(f"Nobody visits {code} under this draw, so nobody can be recused from it. Name one that was drawn.")
