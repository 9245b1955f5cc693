"""The cheapest way to a better class within the enterprise's power, waiting alone, and what would make it worse."""

from datetime import date
from typing import Any

import polars as pl

from registry import clock
from registry.kinds import KINDS
from registry.models import Entity
from registry.services import deeds, explanation, frames, given, ledger
from registry.services.deeds import Deed
from registry.services.explanation import Explained
from rules.deeds import Action, Added
from rules.engine import facts_needed
from rules.explain import Explanation
from rules.kinds import DIRECTIONS
from rules.scheme import Scheme
from rules.ways import Way, Ways, ways

# Days that are looked ahead: five years.
HORIZON = 1826
# Single records as they come every day, from the mildest on, in words of their own. Amounts in fen.
TYPICAL: tuple[tuple[str, str, str, Added], ...] = (
    ("complaint", "一件属实的投诉", "one complaint that is upheld", Added(KINDS["item_12315"].number, 1, 2)),
    ("check", "一次检查发现问题、责令改正", "one check with a problem found and ordered to be corrected", Added(KINDS["spot_check"].number, 2, 2)),
    ("sampling", "一批次监督抽检不合格", "one batch that fails sampling", Added(KINDS["product_sampling"].number, 1, 2)),
    ("penalty", "一次一般行政处罚（罚款5000元）", "one general penalty (a fine of 5,000 yuan)", Added(KINDS["penalty"].number, 3, 2, 5_000_00)),
    ("abnormal_listing", "因无法联系列入经营异常名录", "one listing as abnormal: cannot be contacted", Added(KINDS["abnormal_listing"].number, 4, 1)),
    ("serious_penalty", "一次严重行政处罚（罚款20万元）", "one serious penalty (a fine of 200,000 yuan)", Added(KINDS["penalty"].number, 3, 3, 200_000_00)),
    ("serious_listing", "列入严重违法失信名单", "one listing for serious violations", Added(KINDS["serious_listing"].number, 10, 1)),
)  # fmt: skip
# Of those that would give a worse class so many are told, the mildest.
MOST_UP = 3


def of(entity: Entity, scheme: Scheme, explained: Explained, *, today: date) -> dict[str, Any] | None:
    """How the entity would get a better class from today on, with what is known now, and what would give it a worse one.

    `explained` is its grade as it was explained, from which the points are taken. Returns None where the scheme does not
    grade it today; else plain texts and integers, ready for JSON:

    on, class, score : where it stands today
    down : the cheapest ways, each with `actions` (ids), `on` (the day on which the last of them is done), `class`, `score`
    exact : whether all smaller sets of actions were tried
    actions : every action that is possible: `id`, `zh`, `en`, `on` (its first day), `records`, `conditions` that an officer asks
    waiting : the first day by which time alone gives a better class, if the annual reports that fall due are filed in time and
        nothing else is recorded; None: not until `until`
    worse : points to the next worse class, None where there is none
    up : single records that would give a worse class today, the nearest class and the mildest record first
    """
    known, day = ledger.head(), clock.day_number(today)
    population = frames.population_as_known(entity.id, known).with_columns(day=pl.lit(day, pl.Int32))
    if population.is_empty():
        return None
    # The listings stand in the way of repairs whether or not the scheme looks at them.
    kinds = facts_needed(scheme) | set(deeds.LISTINGS)
    facts = frames.facts_of([entity.id], kinds, known)
    points = explained.explanation
    if points.scheme_hash != scheme.hash or (facts["seq"] > explained.known).any():
        points = explanation.worked_out(entity, scheme, day, known)
    better = points.class_ != scheme.classes[0]
    can: list[Deed] = []
    if better:
        indicators, records = _adverse(scheme, points)
        can = deeds.possible(entity, scheme, facts, indicators=indicators, records=records, today=today)
    read = facts_needed(scheme)
    facts = pl.concat([facts, deeds.to_come(scheme, facts, day, day + HORIZON)])
    typical = [Action(name, zh, en, day, name, adds=(one,)) for name, zh, en, one in TYPICAL if one.kind in read]
    with explanation.in_force():
        found = ways(
            population, facts, frames.coverage(known), scheme,
            given.about(scheme, [entity.id], known=known, day=day),
            actions=[deed.action for deed in can], typical=typical, horizon=HORIZON, down=better,
        )  # fmt: skip
    return None if found is None else _told(found, can, {one.id: one for one in typical})


def _adverse(scheme: Scheme, points: Explanation) -> tuple[set[str], set[int]]:
    """The indicators and the records behind what makes the class worse."""
    sign = 1 if scheme.direction == DIRECTIONS[0] else -1
    rows = [row for row in points.points if row.points * sign > 0 or row.rule.startswith("veto:")]
    return {id_ for row in rows for id_ in row.indicators}, {seq for row in rows for seq in row.records}


def _told(found: Ways, can: list[Deed], typical: dict[str, Action]) -> dict[str, Any]:
    return {
        "on": _iso(found.day),
        "class": found.class_,
        "score": found.score,
        "down": [_way(one) for one in found.down],
        "exact": found.exact,
        "actions": [
            {
                "id": deed.action.id, "zh": deed.action.zh, "en": deed.action.en, "on": _iso(deed.action.day),
                "records": list(deed.records), "conditions": list(deed.conditions),
            }
            for deed in can
        ],
        "waiting": None if found.waiting is None else _way(found.waiting),
        "until": _iso(found.horizon),
        "worse": found.worse,
        "up": [
            {"id": one, "zh": typical[one].zh, "en": typical[one].en, "class": way.class_, "score": way.score}
            for way in found.up[:MOST_UP]
            for one in way.actions
        ],
    }  # fmt: skip


def _way(way: Way) -> dict[str, Any]:
    return {"actions": list(way.actions), "on": _iso(way.on), "class": way.class_, "score": way.score}


def _iso(day: int) -> str:
    return clock.day_of(day).isoformat()
