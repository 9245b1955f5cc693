"""What a bundle is: a fitted model as frozen data, and its canonical JSON. :mod:`rules.model.bundle` reads it back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeAlias

from rules.model import ModelError
from rules.model.checked import plain

SCORECARD, BOOSTED = "xinheng-scorecard-1", "xinheng-boosted-1"


class BundleError(ModelError):
    """A bundle cannot be read: ``where`` names the key."""


@dataclass(frozen=True, slots=True)
class Window:
    """The rows that a model was made from and is judged on, as days since 1970-01-01; each ``until`` is the first day after.

    The three parts follow one another in time without overlap.
    """

    train_from: int
    train_until: int
    calibrate_from: int
    calibrate_until: int
    test_from: int
    test_until: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """From points to a chance: log-odds of the chance = ``intercept`` + ``slope`` × log-odds of the points."""

    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Binned:
    """A feature of a scorecard: ``points[i]`` for values from ``edges[i - 1]`` on and below ``edges[i]``; ``unknown`` without a
    value."""

    id: str
    edges: tuple[int, ...]
    points: tuple[int, ...]
    unknown: int
    direction: str


@dataclass(frozen=True, slots=True)
class Split:
    """A feature of boosted trees. ``edges`` are the bins in which its drift is watched; the trees have thresholds of their own."""

    id: str
    edges: tuple[int, ...]
    direction: str


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as arrays, one place for each node, the root first and every parent before its children.

    At a node with ``left`` ≥ 0 a row goes to ``left`` if its ``feature`` (place among the features) is at most ``threshold`` or is
    unknown and ``missing_left``, else to ``right``. A node with ``left`` = ``right`` = -1 is a leaf and gives its ``value``
    (log-odds); that of an inner node is the mean of what its training rows got, of use for explanations only.
    """

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    missing_left: tuple[int, ...]
    value: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What both forms of a bundle hold beside the model itself.

    ``grounds`` are the least values of features without which an entity is not judged. ``outcome`` and ``rule`` say what a failure
    and what a unit was (:mod:`rules.model.units`), ``rows`` and ``positives`` how many there were in training, ``metrics`` what an
    evaluation gave, ``reference`` the shares of the training rows per bin (by feature id, unknown last), of their ``score``
    (bins by ``score_edges``, in points) and their ``base_rate``; ``versions`` of the libraries, ``seed`` of the fit.
    """

    name: str
    scheme: str
    scheme_hash: str
    points_per_doubling: int
    calibration: Calibration
    grounds: Mapping[str, int]
    outcome: Mapping[str, Any]
    rule: Mapping[str, Any]
    window: Window
    rows: int
    positives: int
    metrics: Mapping[str, Any]
    reference: Mapping[str, Any]
    versions: Mapping[str, str]
    seed: int

    def to_json(self) -> str:
        """The canonical JSON: :func:`from_json` gives an equal bundle with the same bytes.

        Raises
        ------
        BundleError
            If ``metrics``, ``reference``, ``outcome`` or ``rule`` hold something that is no plain data.
        """
        body = plain(_data(self), BundleError, "bundle", 16)
        body["format"] = SCORECARD if isinstance(self, Scorecard) else BOOSTED
        return canonical(body)

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard(Head):
    """An additive model: ``base`` and the points of every feature's bin sum to the score. ``l2`` is the strength that its fit took."""

    l2: float
    base: int
    features: tuple[Binned, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Boosted(Head):
    """Boosted trees: ``baseline`` and one leaf of every tree sum to log-odds."""

    baseline: float
    features: tuple[Split, ...]
    trees: tuple[Tree, ...]


Bundle: TypeAlias = Scorecard | Boosted


def canonical(body: Mapping[str, Any]) -> str:
    """Plain data as one line of JSON that is the same wherever it is written."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def described(value: Any) -> dict[str, Any]:
    """A description given as a mapping, or as an object with ``as_dict``, as plain data for ``outcome`` and ``rule``."""
    given = value.as_dict() if hasattr(value, "as_dict") else value
    body = plain(_data(given), BundleError, "description")
    if not isinstance(body, dict):
        raise BundleError("description", f"is {type(value).__name__}", "Give a mapping, or an object with as_dict()")
    return body


def _data(value: Any) -> Any:
    """Dataclasses and mappings, at whatever depth, as plain tables."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _data(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: _data(one) for key, one in value.items()}
    return [_data(one) for one in value] if isinstance(value, list | tuple) else value
