"""Who goes: at least two inspectors of each organ for every group of neighbours, drawn by the key of the draw.

The order in which groups, organs and inspectors are gone through is part of the definition: docs/verify_draw.py repeats it.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.draw.commitments import canonical, checked
from rules.draw.errors import DrawError, NotEnoughInspectors

PAIR = 2
# A visit of the tour: credit code, division.
Stop = tuple[str, str]
# An inspector: organ, number of staff. Numbers are the organ's own, so two organs may use the same.
Who = tuple[str, str]
# An inspector who does not visit an entity: organ, number of staff, credit code.
Conflict = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Team:
    """A day's work of a team: whom it visits, in order of the tour, and who goes, by organ, ascending."""

    codes: tuple[str, ...]
    inspectors: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Pool:
    """Who may be sent 检查人员名录.

    Attributes
    ----------
    members : organ → numbers of staff of those who are active and certified for all items; every organ here sends a pair
    days : days of visits that each has for this task
    areas : prefixes of the divisions that each works in; who is not named works everywhere
    conflicts : conflicts of interest 利害关系 that are known
    """

    members: Mapping[str, Sequence[str]]
    days: Mapping[Who, int]
    areas: Mapping[Who, Sequence[str]]
    conflicts: Collection[Conflict]


def groups(tour: Sequence[Stop], per_day: int) -> list[list[Stop]]:
    """Neighbours in the tour whom one team visits in a day: at most ``per_day``, all of one division."""
    if per_day < 1:
        raise DrawError(f"A team is to make {per_day} visits a day. Give at least 1.")
    made: list[list[Stop]] = []
    for stop in tour:
        if not made or len(made[-1]) == per_day or made[-1][-1][1] != stop[1]:
            made.append([])
        made[-1].append(stop)
    return made


def assign(algorithm: str, key: bytes, groups: Sequence[Sequence[Stop]], pool: Pool, *, round: int = 0) -> list[Team]:
    """Draw a pair of each organ for every group, uniformly among those who may go and have a day left.

    Groups are taken in order of the tour. For each organ, in order of its name, those count who work in the division and have no
    conflict with anybody of the group. Where fewer than two of them have a day left, one who has none is relieved of the last group
    before this in which somebody with a day to spare can stand in. Where that does not help, the group is halved (the first half is the
    larger) and each half gets a team of its own, down to single visits. Two are then drawn, one after the other.

    Returns
    -------
    list of Team
        In order of the tour; more than ``groups`` where some were halved. Every team uses up one day of each who goes.

    Raises
    ------
    NotEnoughInspectors
        If nobody can be sent to a single visit; it says to whom, where, and how many there were.
    """
    plan = _Plan(checked(algorithm), key, pool, round)
    for group in groups:
        plan.place(list(group))
    return [Team(tuple(code for code, _ in stops), sent) for stops, sent in plan.teams]


def redraw(
    algorithm: str, key: bytes, team: Team, others: Sequence[Team], pool: Pool, *, area: str, out: Who, round: int
) -> Team:
    """The team after one of it was recused 回避: he leaves the whole day's work, and another of his organ is drawn by the same key.

    Parameters
    ----------
    team, others : the team as it stands, and all the others as they stand
    pool : with the conflicts of all earlier rounds and of this one
    area : division of the team's visits
    round : 1 for the first change of the draw, then one more for each; it is part of what is drawn by

    Raises
    ------
    DrawError
        If ``out`` is not in the team.
    NotEnoughInspectors
        If nobody else can be sent.
    """
    organ, staff_no = out
    staying = [one for one in team.inspectors.get(organ, ()) if one != staff_no]
    if len(staying) == len(team.inspectors.get(organ, ())):
        raise DrawError(f"{organ} {staff_no} does not visit {team.codes[0]}, so he cannot be recused from it.")
    plan = _Plan(checked(algorithm), key, pool, round)
    stops = [(code, area) for code in team.codes]
    plan.teams = [([(code, "") for code in one.codes], dict(one.inspectors)) for one in others]
    for one in others:
        for theirs, sent in one.inspectors.items():
            for name in sent:
                plan.left[theirs, name] -= 1
    able = [one for one in plan.able(organ, stops) if one != staff_no and one not in staying]
    free = [one for one in able if plan.left[organ, one] > 0]
    if not free:
        raise plan.lacking(organ, stops, 1, able, free)
    into = plan.drawn(organ, stops, free, 1)
    return Team(team.codes, {**team.inspectors, organ: tuple(sorted([*staying, *into]))})


def below(numbers: Iterator[int], bits: int, size: int) -> int:
    """A number from 0 until ``size``, each equally probable: what would make the first ones likelier is passed over.

    Parameters
    ----------
    numbers : uniform from 0 until 2 ** ``bits``
    """
    most = (1 << bits) - (1 << bits) % size
    return next(number for number in numbers if number < most) % size


class _Plan:
    """Teams so far, and the days that are left."""

    def __init__(self, algorithm: str, key: bytes, pool: Pool, round: int) -> None:
        self.algorithm, self.key, self.pool, self.round = algorithm, key, pool, round
        self.members = {organ: sorted(pool.members[organ]) for organ in sorted(pool.members)}
        self.left = {(organ, one): pool.days.get((organ, one), 0) for organ, all in self.members.items() for one in all}
        self.barred: dict[Who, set[str]] = {}
        for organ, one, code in pool.conflicts:
            self.barred.setdefault((organ, one), set()).add(code)
        self.here: dict[tuple[str, str], list[str]] = {}
        self.teams: list[tuple[list[Stop], dict[str, tuple[str, ...]]]] = []

    def place(self, stops: list[Stop]) -> None:
        open_to = {organ: self.rested(organ, stops) for organ in self.members}
        for organ, free in open_to.items():
            if len(free) < PAIR:
                if len(stops) == 1:
                    raise self.lacking(organ, stops, PAIR, self.able(organ, stops), free)
                half = (len(stops) + 1) // 2
                self.place(stops[:half])
                self.place(stops[half:])
                return
        self.teams.append((stops, {organ: self.drawn(organ, stops, free, PAIR) for organ, free in open_to.items()}))

    def rested(self, organ: str, stops: Sequence[Stop]) -> list[str]:
        """Who of the organ may go and has a day left, once those who can be relieved are."""
        able = self.able(organ, stops)
        free = self.free(organ, able)
        while len(free) < PAIR and self.relieved(organ, able, free):
            free = self.free(organ, able)
        return free

    def area(self, organ: str, division: str) -> list[str]:
        if (organ, division) not in self.here:
            self.here[organ, division] = [
                one
                for one in self.members[organ]
                if division.startswith(tuple(self.pool.areas.get((organ, one), ("",))))
            ]
        return self.here[organ, division]

    def able(self, organ: str, stops: Sequence[Stop]) -> list[str]:
        return [one for one in self.area(organ, stops[0][1]) if self.suits(organ, one, stops)]

    def suits(self, organ: str, one: str, stops: Sequence[Stop]) -> bool:
        barred = self.barred.get((organ, one))
        return barred is None or all(code not in barred for code, _ in stops)

    def free(self, organ: str, able: Sequence[str]) -> list[str]:
        return [one for one in able if self.left[organ, one] > 0]

    def relieved(self, organ: str, able: Sequence[str], free: Sequence[str]) -> bool:
        """Whether somebody able had a day given back, because somebody with a day to spare took a place of his."""
        spare = [one for one in self.members[organ] if self.left[organ, one] > (1 if one in free else 0)]
        for stops, sent in reversed(self.teams):
            tired = next((one for one in sent[organ] if one in able and one not in free), None)
            if tired is None:
                continue
            here = self.area(organ, stops[0][1])
            for one in spare:
                if one not in sent[organ] and one in here and self.suits(organ, one, stops):
                    sent[organ] = tuple(sorted([one, *(other for other in sent[organ] if other != tired)]))
                    self.left[organ, one] -= 1
                    self.left[organ, tired] += 1
                    return True
        return False

    def drawn(self, organ: str, stops: Sequence[Stop], free: Sequence[str], number: int) -> tuple[str, ...]:
        rest, numbers = list(free), self.numbers(organ, stops)
        sent = [rest.pop(below(numbers, 64, len(rest))) for _ in range(number)]
        for one in sent:
            self.left[organ, one] -= 1
        return tuple(sorted(sent))

    def numbers(self, organ: str, stops: Sequence[Stop]) -> Iterator[int]:
        """HMAC(key, [round, organ, codes of the group, 0 …]), the first 8 bytes of each."""
        codes, count = [code for code, _ in stops], 0
        while True:
            said = canonical(["team", self.round, organ, codes, count])
            yield int.from_bytes(hmac.digest(self.key, said, self.algorithm)[:8], "big")
            count += 1

    def lacking(
        self, organ: str, stops: Sequence[Stop], needed: int, able: Sequence[str], free: Sequence[str]
    ) -> NotEnoughInspectors:
        division = stops[0][1]
        return NotEnoughInspectors(
            tuple(code for code, _ in stops), division, organ,
            needed=needed, there_are=len(self.area(organ, division)), suitable=len(able), free=len(free),
        )  # fmt: skip
