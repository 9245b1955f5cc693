"""How many points lie between a score and the next class, and what holds the class where points do not move it.

Points are counted where rules count them: before the scale, caps, vetoes and persons hold the score. Who is held at 1,000
with 125 points too many needs those 125 less before one less shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rules.engine import Part
from rules.judging import class_of, entry
from rules.kinds import DIRECTIONS
from rules.parts import Title
from rules.receipt import CLAMP, NO_DATA, NO_HIT, OVERRIDE
from rules.scheme import Scheme


@dataclass(frozen=True, slots=True)
class Distance:
    """Points to the next better and the next worse class, always positive; None where there is none, or where no points lead
    there while something holds the class. ``notes`` say in Chinese and English what holds it, and which points count for nothing."""

    better: int | None
    worse: int | None
    notes: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Hold:
    """A cap or a veto that hits, with the score that it holds to."""

    title: Title
    goal: int
    veto: bool


def distance(scheme: Scheme, part: Part, at: int) -> Distance:
    """The distance of row ``at`` of a part. Raises ValueError where its score and its class disagree."""
    ledger, cuts = part.judged.ledger[at], part.compiled.cuts
    class_, score = int(ledger[0]), int(ledger[1])
    # A cap, a veto or a person sets the class by the score, so class and score always agree.
    if int(class_of(scheme, cuts, np.array([score]))[0]) != class_:
        raise ValueError(f"Score {score} and class {scheme.classes[class_]} disagree: the ledger was changed.")
    if part.override is not None and part.override.place[at] >= 0:
        return Distance(None, None, (_BY_PERSON,))
    shown, notes = class_, list[dict[str, str]]()
    if (part.decided_by(at) or "").startswith("raise:"):
        # The class follows that of the rules, one step behind: what moves theirs moves it as long as the raise holds.
        score -= int(ledger[OVERRIDE])
        class_ -= 1
        notes.append(_RAISED)
    holds, counted = list(_holds(scheme, part, at)), score - int(ledger[CLAMP])
    counted -= sum(int(ledger[2 + one.index]) for one in part.compiled.rules
                   if one.rule.points is None and ledger[2 + one.index] not in (NO_HIT, NO_DATA))  # fmt: skip
    low_is_good = scheme.direction == DIRECTIONS[0]
    sign, highest = 1 if low_is_good else -1, cuts.highest
    better = worse = None
    if class_:
        goal = highest[class_ - 1] if low_is_good else highest[class_] + 1
        # What lies beyond the goal in the worse direction keeps the score there, however few bad points are left.
        stops = [one for one in holds if (one.veto or not low_is_good) and sign * (one.goal - goal) > 0]
        better = None if stops else sign * (counted - goal)
        notes += [_held(one.title, better=True) for one in stops]
    if shown < len(highest) - 1:
        goal = highest[class_] + 1 if low_is_good else highest[class_ + 1]
        # Only a cap keeps a score low, and only where low is good is that a better class.
        stops = [one for one in holds if not one.veto and low_is_good and one.goal < goal]
        worse = None if stops else sign * (goal - counted)
        notes += [_held(one.title, better=False) for one in stops]
    if better is not None:
        notes += _beyond_limits(scheme, part, at)
    return Distance(better, worse, tuple(notes))


_BY_PERSON = {
    "zh": "分类由人工认定，认定期间分值增减不改变分类",
    "en": "A person has set the class; while that holds, points do not change it",
}
_RAISED = {
    "zh": "规则给出的分类已上调一级；上调有效期间，以下分值按规则的分类计算",
    "en": "The class of the rules is raised by one; while that holds, points are counted to the classes of the rules",
}


def _held(title: Title, *, better: bool) -> dict[str, str]:
    if better:
        return {
            "zh": f"“{title.zh}”适用期间，仅凭分值不能改善分类",
            "en": f"While “{title.en}” holds, points alone do not lead to a better class",
        }
    return {
        "zh": f"“{title.zh}”适用期间，仅凭分值不会使分类变差",
        "en": f"While “{title.en}” holds, points alone do not lead to a worse class",
    }


def _holds(scheme: Scheme, part: Part, at: int) -> Iterator[_Hold]:
    for one in part.compiled.rules:
        if one.rule.points is not None or part.judged.ledger[at][2 + one.index] in (NO_HIT, NO_DATA):
            continue
        if one.rule.effect == "veto":
            place = part.compiled.cuts.classes.index(str(one.rule.target))
            yield _Hold(one.rule.title, entry(scheme, part.compiled.cuts, place), veto=True)
        else:
            yield _Hold(one.rule.title, one.constants["at_most"], veto=False)


def _beyond_limits(scheme: Scheme, part: Part, at: int) -> Iterator[dict[str, str]]:
    """Points over the limit of a group, which are lost before one that counts is."""
    for place, group in enumerate(scheme.groups.values()):
        cut = -int(part.judged.ledger[at][2 + len(scheme.rules) + place])
        if cut > 0 and scheme.direction == DIRECTIONS[0]:
            yield {
                "zh": f"“{group.title.zh}”另有 {cut} 分超出该组上限，未计入；若从该组减分，须先减去这些",
                "en": f"“{group.title.en}” has {cut} more beyond its limit that do not count: within it, those go first",
            }
