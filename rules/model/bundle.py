"""Bundles: a fitted model as data. Canonical JSON both ways, checked key by key; no code is ever in it.

Two forms: a scorecard (``xinheng-scorecard-1``), whose points add up, and boosted trees (``xinheng-boosted-1``). A bundle is known
by its hash, the SHA-256 of its canonical JSON: sorted keys, no spaces, numbers as Python prints them. docs/model.md lists every key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from rules.model.checked import Checked, plain
from rules.model.forms import (
    BOOSTED,
    SCORECARD,
    Binned,
    Boosted,
    Bundle,
    BundleError,
    Calibration,
    Head,
    Scorecard,
    Split,
    Tree,
    Window,
    canonical,
    described,
)
from rules.model.recipe import DIRECTIONS, TAKEN

__all__ = [
    "BOOSTED",
    "MOST_POINTS",
    "SCORECARD",
    "Binned",
    "Boosted",
    "Bundle",
    "BundleError",
    "Calibration",
    "Head",
    "Scorecard",
    "Split",
    "Tree",
    "Window",
    "canonical",
    "described",
    "from_json",
]
# No sum of so many features' points leaves 32 bits.
MOST_POINTS, MOST_FEATURES, MOST_BINS = 1_000_000, 200, 1_000
_MOST_CHARACTERS = 20_000_000
_MOST_TREES, _MOST_NODES, _DEEPEST = 2_000, 1_023, 64
_FIRST_DAY, _LAST_DAY = -400_000, 3_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_REMEDY = "Take the bundle as it was stored, or train it again"


def from_json(text: str) -> Bundle:
    """The bundle in ``text``.

    Raises
    ------
    BundleError
        If it is no JSON, or any key is missing, unknown, of the wrong type or outside its bounds; ``where`` names the key.
    """
    if len(text) > _MOST_CHARACTERS:
        problem = f"has {len(text):,} characters, more than {_MOST_CHARACTERS:,}"
        raise BundleError("bundle", problem, _REMEDY)
    try:
        text.encode()
        raw = json.loads(text, object_pairs_hook=_once, parse_constant=_not_finite)
        json.dumps(raw, ensure_ascii=False).encode()  # an escaped half of a character is JSON, and no text
    except BundleError:
        raise
    except (ValueError, RecursionError) as error:
        raise BundleError("bundle", f"cannot be read as JSON: {str(error)[:200]}", _REMEDY) from None
    whole = Checked(raw, "bundle", BundleError)
    form = whole.choice("format", (SCORECARD, BOOSTED))
    found = _scorecard(whole) if form == SCORECARD else _boosted(whole)
    whole.finish()
    return found


def _scorecard(whole: Checked) -> Scorecard:
    features = []
    for one in whole.tables("features", most=MOST_FEATURES):
        edges = _edges(one)
        points = one.wholes("points", most=MOST_BINS, exactly=len(edges) + 1, low=-MOST_POINTS, high=MOST_POINTS)
        unknown = one.whole("unknown", low=-MOST_POINTS, high=MOST_POINTS)
        direction = one.choice("direction", DIRECTIONS)
        _kept(one, points, direction)
        features.append(Binned(one.id("id"), edges, points, unknown, direction))
        one.finish()
    _distinct(whole, [one.id for one in features])
    base = whole.whole("base", low=-MOST_POINTS, high=MOST_POINTS)
    l2 = whole.number("l2", low=0.0, high=1e9)
    return Scorecard(
        **_head(whole, {one.id: one.edges for one in features}), l2=l2, base=base, features=tuple(features)
    )


def _boosted(whole: Checked) -> Boosted:
    features = []
    for one in whole.tables("features", most=MOST_FEATURES):
        features.append(Split(one.id("id"), _edges(one), one.choice("direction", DIRECTIONS)))
        one.finish()
    _distinct(whole, [one.id for one in features])
    trees = tuple(_tree(one, len(features)) for one in whole.tables("trees", most=_MOST_TREES))
    baseline = whole.number("baseline", low=-100.0, high=100.0)
    head = _head(whole, {one.id: one.edges for one in features})
    return Boosted(**head, baseline=baseline, features=tuple(features), trees=trees)


def _head(whole: Checked, edges: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    calibration = whole.table("calibration")
    window = whole.table("window")
    days = {one.name: window.whole(one.name, low=_FIRST_DAY, high=_LAST_DAY) for one in fields(Window)}
    head: dict[str, Any] = {
        "name": whole.text("name", _NAME),
        "scheme": whole.text("scheme", _SCHEME),
        "scheme_hash": whole.text("scheme_hash", _HASH, empty=True),
        "points_per_doubling": whole.whole("points_per_doubling", low=1, high=10_000),
        # A falling line would turn the order of the points round.
        "calibration": Calibration(
            calibration.number("slope", low=0.0, high=1e3), calibration.number("intercept", low=-1e3, high=1e3)
        ),
        "grounds": MappingProxyType(whole.integers("grounds")),
        "outcome": _described(whole, "outcome"),
        "rule": _described(whole, "rule"),
        "window": Window(**days),
        "rows": whole.whole("rows", low=0),
        "positives": whole.whole("positives", low=0),
        "metrics": _described(whole, "metrics"),
        "reference": _reference(whole.table("reference"), edges),
        "versions": _versions(whole.table("versions")),
        "seed": whole.whole("seed", low=0),
    }
    for earlier, later in pairwise(days):
        if days[later] < days[earlier] or (later.endswith("_until") and days[later] == days[earlier]):
            raise window.wrong(later, f"is {days[later]}, not after {earlier} = {days[earlier]}", "Put them in order")
    if head["positives"] > head["rows"]:
        raise whole.wrong("positives", f"are {head['positives']} of {head['rows']} rows", _REMEDY)
    calibration.finish()
    window.finish()
    return head


def _edges(table: Checked) -> tuple[int, ...]:
    found = table.wholes("edges", most=MOST_BINS - 1)
    for before, after in pairwise(found):
        if after <= before:
            raise table.wrong("edges", f"do not ascend: {before} stands before {after}", "Write each once, in order")
    return found


def _kept(table: Checked, points: tuple[int, ...], direction: str) -> None:
    """Refuse points that go against their direction: nobody may be ranked safer for one more violation."""
    for before, after in pairwise(points) if direction != "none" else ():
        if (after < before) if direction == "up" else (after > before):
            raise table.wrong("points", f"go from {before} to {after}, against the direction {direction!r}", _REMEDY)


def _tree(table: Checked, features: int) -> Tree:
    feature = table.wholes("feature", most=_MOST_NODES, high=features - 1, low=0)
    size = len(feature)
    if not size:
        raise table.wrong("feature", "is empty", _REMEDY)
    left, right = (table.wholes(key, most=size, exactly=size, low=-1, high=size - 1) for key in ("left", "right"))
    found = Tree(
        feature=feature,
        threshold=table.numbers("threshold", most=size, exactly=size),
        left=left,
        right=right,
        missing_left=table.wholes("missing_left", most=size, exactly=size, low=0, high=1),
        value=table.numbers("value", most=size, exactly=size, low=-100.0, high=100.0),
    )
    depth = [0] + [-1] * (size - 1)
    for node, (one, other) in enumerate(zip(left, right, strict=True)):
        if (one < 0) != (other < 0):
            raise table.wrong(f"left[{node}]", "has one child", "Give a node two children or none")
        for child in (one, other) if one >= 0 else ():
            # Parents stand before their children, so no walk from the root ever comes back.
            if child <= node or depth[child] >= 0 or depth[node] + 1 > _DEEPEST:
                raise table.wrong(f"left[{node}]", f"leads to {child}, which is no new node below it", _REMEDY)
            depth[child] = depth[node] + 1
    if -1 in depth:
        raise table.wrong(f"left[{depth.index(-1)}]", "is a node that no other leads to", _REMEDY)
    table.finish()
    return found


def _reference(table: Checked, edges: Mapping[str, tuple[int, ...]]) -> Mapping[str, Any]:
    """Shares per bin; those of a feature have one place for each bin and one for unknown."""
    limits = table.wholes("score_edges", most=MOST_BINS - 1)
    found: dict[str, Any] = {
        "score_edges": list(limits),
        "score": list(table.numbers("score", most=MOST_BINS, exactly=len(limits) + 1, low=0.0, high=1.0)),
        "base_rate": table.number("base_rate", low=0.0, high=1.0),
    }
    if any(after <= before for before, after in pairwise(limits)):
        raise table.wrong("score_edges", "do not ascend", "Write each once, in order")
    for id_, at in edges.items():
        found[id_] = list(table.numbers(id_, most=MOST_BINS + 1, exactly=len(at) + 2, low=0.0, high=1.0))
    table.finish()
    return MappingProxyType(found)


def _described(whole: Checked, key: str) -> Mapping[str, Any]:
    inner = whole.table(key)
    return MappingProxyType(plain(inner.data, BundleError, inner.where))


def _versions(table: Checked) -> Mapping[str, str]:
    return MappingProxyType({str(name): table.text(str(name)) for name in table.data})


def _distinct(whole: Checked, ids: list[str]) -> None:
    for place, id_ in enumerate(ids):
        if id_ in TAKEN or id_ in ids[:place]:
            raise whole.wrong(f"features[{place}].id", f"{id_!r} is taken", "Name every feature once")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key in found if sum(name == key for name, _ in pairs) > 1)
        raise BundleError(f"bundle: {twice}", "stands there twice", _REMEDY)
    return found


def _not_finite(name: str) -> Any:
    raise BundleError("bundle", f"holds {name}, which is no number", _REMEDY)
