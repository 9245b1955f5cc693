"""Inspectors of the sample, their conflicts of interest, and who stands in special databases by hand.

No real person's name is made up: a name begins with 示 (sample), which is no family name, and goes on with an invented word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from registry.sample.names import FIRST, SECOND
from registry.sample.shape import Shape, load_shape

# One inspector for so many entities of the city, and as many as a small town can draw pairs from at least.
ENTITIES_EACH, FEWEST = 1_057, 24
# Out of 24: whose certificates have run out, or run out within a month; who is suspended.
EXPIRED, EXPIRING, SUSPENDED = 2, 1, 1
IN_ALL = 24
# Labels that nobody has by licence or industry: share of the enterprises that are put in by hand.
BY_HAND = {
    "special_equipment_users": 0.02, "prepackaged_goods": 0.01, "measuring_makers": 0.002, "trademark_agents": 0.002,
    "special_equipment_lessors": 0.001, "direct_sellers": 0.0005,
}  # fmt: skip
# What inspectors specialise in, by the first letters of the shipped items; a third may check everything.
SPECIALITIES = (("A", "X"), ("B", "X"), ("C", "X"))
WHY = ("近亲属在该单位任职", "本人两年内曾在该单位任职", "与该单位有投资关系")


@dataclass(frozen=True, slots=True)
class Inspection:
    """Inspectors (columns of the table by name, without id), conflicts (staff number, row of the entity, why), and rows of the
    entities that are put into special databases, by label."""

    inspectors: list[dict[str, Any]]
    conflicts: list[tuple[str, int, str]]
    members: dict[str, list[int]]


def draw_inspection(entities: pl.DataFrame, items: Sequence[str], *, today: date, seed: int) -> Inspection:
    """Draw the inspectors of a district: a third in the city's bureau, the others in those of the districts, two at least.

    Parameters
    ----------
    entities : frame of the sample's entities with `kind` and `division`; row numbers count from 0
    items : codes of the items that there are
    """
    shape = load_shape()
    rng = np.random.default_rng(np.random.SeedSequence([seed, len(FIRST)]))
    count = max(FEWEST, entities.height // ENTITIES_EACH)
    posts = _posts(shape, count)
    # Dealt out, not drawn: a town of 24 has someone of each sort.
    sort = rng.permutation(np.arange(count) % IN_ALL)
    inspectors = [_inspector(post, number, int(sort[number]), items, today, rng) for number, post in enumerate(posts)]
    return Inspection(inspectors, _conflicts(inspectors, entities, rng), _members(entities, rng))


def _posts(shape: Shape, count: int) -> list[tuple[str, str, str]]:
    """Organ, prefix of its area and level for each inspector."""
    city, prefix = shape.table["place"]["city"], shape.table["place"]["prefix"]
    posts = [(f"{city}市市场监督管理局", prefix, "city")] * (count // 3)
    rest = count - len(posts) - 2 * len(shape.districts)
    weights = np.array([district.weight for district in shape.districts], dtype=float)
    extra = np.floor(rest * weights / weights.sum()).astype(int)
    extra[: rest - int(extra.sum())] += 1
    for district, more in zip(shape.districts, extra, strict=True):
        organ = f"{city}市{district.name}市场监督管理局"
        posts += [(organ, district.code, "county" if place % 2 else "station") for place in range(2 + int(more))]
    return posts


def _inspector(
    post: tuple[str, str, str], number: int, sort: int, items: Sequence[str], today: date, rng: np.random.Generator
) -> dict[str, Any]:
    organ, area, level = post
    if sort < EXPIRED:
        until = today - timedelta(days=int(rng.integers(1, 200)))
    elif sort < EXPIRED + EXPIRING:
        until = today + timedelta(days=int(rng.integers(1, 28)))
    else:
        until = today + timedelta(days=int(rng.integers(200, 1_800)))
    special = SPECIALITIES[number % len(SPECIALITIES)]
    own = [code for code in items if code.startswith(special)]
    staff = f"{area.ljust(6, '0')}-{number + 1:04}"
    certificate = {"no": f"XH-{staff}", "kind": "行政执法证", "until": until.isoformat()}
    return {
        "organ": organ, "staff_no": staff, "name": f"示{FIRST[int(rng.integers(len(FIRST)))]}{SECOND[int(rng.integers(len(SECOND)))]}",
        "level": level, "position": "四级主任科员" if number % 5 else "一级主任科员", "areas": [area],
        "items": own if own and rng.random() < 0.33 else ["*"], "certificates": [certificate], "expert": bool(rng.random() < 0.1),
        "capacity": int(rng.integers(8, 17)), "state": "suspended" if sort == IN_ALL - SUSPENDED else "active",
    }  # fmt: skip


def _conflicts(
    inspectors: list[dict[str, Any]], entities: pl.DataFrame, rng: np.random.Generator
) -> list[tuple[str, int, str]]:
    """One inspector in four has an interest in an entity of his area."""
    places = entities["division"].str.slice(0, 6).to_numpy()
    found = []
    for one in inspectors:
        if rng.random() >= 0.25:
            continue
        near = np.flatnonzero(np.char.startswith(places.astype(str), one["areas"][0]))
        if len(near):
            row = int(near[int(rng.integers(len(near)))])
            found.append((one["staff_no"], row, WHY[int(rng.integers(len(WHY)))]))
    return found


def _members(entities: pl.DataFrame, rng: np.random.Generator) -> dict[str, list[int]]:
    firms = np.flatnonzero((entities["kind"] == "enterprise").to_numpy())
    return {
        label: sorted(int(row) for row in rng.choice(firms, size=round(len(firms) * share), replace=False))
        for label, share in BY_HAND.items()
    }


__all__ = ["Inspection", "draw_inspection"]
