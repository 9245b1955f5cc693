"""Reading a bundle: points and chances for any number of rows, and what each feature gave. Numpy alone, no library that fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rules.errors import FrameError
from rules.model import binning, trees
from rules.model.binning import Floats
from rules.model.bundle import Binned, Boosted, Bundle, Scorecard
from rules.parts import Title
from rules.slices import Bools, Ints

LN2 = float(np.log(2.0))
MILLION = 1_000_000
_MOST = 1_000_000_000  # points
Columns = Mapping[str, tuple[Ints, Bools | None]]


def score(bundle: Bundle, frame: pl.DataFrame) -> pl.DataFrame:
    """What a model says of every row.

    Parameters
    ----------
    frame : rows of :func:`rules.model.features.features`
        ``entity``, ``day`` and a whole-number column for every feature and ground of the bundle, null where it is unknown.

    Returns
    -------
    DataFrame in the order of ``frame``
        ``entity`` Int64, ``day`` Int32, ``points`` Int32 (100 more double the odds, if the bundle says 100), ``chance`` Int32 in
        millionths, 1 to 999,999. Points and chance are null where the model has no ground to judge: a feature in ``grounds``
        is unknown or below its least value.

    Raises
    ------
    FrameError
        If a column is missing or not in whole numbers.
    """
    for needed in ("entity", "day"):
        if needed not in frame.columns:
            raise FrameError(f"The frame of features has no column {needed!r}. Work it out with rules.model.features.")
    given = total(bundle, frame)
    found = pl.DataFrame(
        [
            frame["entity"].cast(pl.Int64),
            frame["day"].cast(pl.Int32),
            pl.Series("points", given.astype(np.int32)),
            pl.Series("chance", chances(bundle, given)),
        ]
    )
    judged = judged_of(bundle, frame)
    if judged is None:
        return found
    held = pl.Series(judged)
    return found.with_columns(pl.when(held).then(pl.col(name)).alias(name) for name in ("points", "chance"))


def total(bundle: Bundle, frame: pl.DataFrame) -> Ints:
    """The points of every row, also of those that the model has no ground to judge. Raises FrameError as :func:`score`."""
    columns = {one.id: binning.column(frame, one.id) for one in bundle.features}
    if isinstance(bundle, Scorecard):
        return points(bundle.features, bundle.base, columns, frame.height)
    return as_points(bundle, trees.log_odds(bundle, _matrix(bundle, columns, frame.height)))


def points(features: Sequence[Binned], base: int, columns: Columns, size: int) -> Ints:
    """``base`` and the points of every feature's bin, summed for every row."""
    found: Ints = np.full(size, base, np.int64)
    for one in features:
        found += of_feature(one, *columns[one.id])
    return found


def of_feature(feature: Binned, values: Ints, known: Bools | None) -> Ints:
    """What one feature of a scorecard gives in every row."""
    table = np.array((*feature.points, feature.unknown), np.int64)
    found: Ints = table[binning.codes(values, known, feature.edges)]
    return found


def chances(bundle: Bundle, given: Ints) -> npt.NDArray[np.int32]:
    """Points as calibrated chances in millionths (Int32), never 0 and never certain."""
    calibration = bundle.calibration
    odds = calibration.intercept + calibration.slope * (given * (LN2 / bundle.points_per_doubling))
    with np.errstate(over="ignore"):
        chance = np.rint(MILLION / (1.0 + np.exp(-odds)))
    found: npt.NDArray[np.int32] = np.clip(chance, 1, MILLION - 1).astype(np.int32)
    return found


def judged_of(bundle: Bundle, frame: pl.DataFrame) -> Bools | None:
    """The rows that the model has ground to judge; None where that is all of them."""
    found: Bools | None = None
    for id_, least in bundle.grounds.items():
        values, known = binning.column(frame, id_)
        has = values >= least if known is None else known & (values >= least)
        found = has if found is None else found & has
    return None if found is None or found.all() else found


def contributions(
    bundle: Bundle, frame: pl.DataFrame, titles: Mapping[str, Title] | None = None
) -> list[list[dict[str, Any]]]:
    """What each feature gave in every row: with the base (:func:`base_of`) they sum to its points exactly.

    Of a scorecard these are the points of the bin. Of boosted trees they are what the splits on the feature moved the row away from
    the mean, in points, rounded such that they sum.

    Parameters
    ----------
    titles : of the features, by id

    Returns
    -------
    list of list of dict
        For every row one entry for each feature in the order of the bundle: ``feature``, ``value`` (None: unknown), ``points``,
        ``low`` and ``high`` (the least and the most points that the feature can give), ``from`` and
        ``until`` (the bin: values from ``from`` on and below ``until``; None without an end, where unknown, and of boosted
        trees), and ``title`` ({zh, en}) where ``titles`` has one.

    Raises
    ------
    FrameError
        If a column is missing or not in whole numbers.
    """
    columns = {one.id: binning.column(frame, one.id) for one in bundle.features}
    if isinstance(bundle, Scorecard):
        by_feature = [_of_bins(one, *columns[one.id]) for one in bundle.features]
    else:
        moved = _whole_moves(bundle, _matrix(bundle, columns, frame.height))
        # One point more on either side: that much rounding may add.
        low, high = (odds * (bundle.points_per_doubling / LN2) for odds in trees.bounds(bundle))
        ends = zip((np.floor(low) - 1).astype(int).tolist(), (np.ceil(high) + 1).astype(int).tolist(), strict=True)
        by_feature = [
            _of_splits(id_, columns[id_], moved[:, place], *both)
            for place, (id_, both) in enumerate(zip(columns, ends, strict=True))
        ]
    for id_, entries in zip(columns, by_feature, strict=True):
        if titles is not None and id_ in titles:
            for entry in entries:
                entry["title"] = titles[id_].as_dict()
    return [list(row) for row in zip(*by_feature, strict=True)]


def base_of(bundle: Bundle) -> int:
    """The points before any feature has spoken."""
    if isinstance(bundle, Scorecard):
        return bundle.base
    return int(as_points(bundle, np.array([trees.base(bundle)]))[0])


def counts(bundle: Bundle, frame: pl.DataFrame) -> dict[str, list[int]]:
    """Rows per bin in the bins of the bundle's ``reference``: every feature by id (unknown last), and ``score``.

    Rows that the model has no ground to judge count among the features and not in the score. Raises FrameError as
    :func:`score`.
    """
    found = {}
    for one in bundle.features:
        places = binning.place(*binning.column(frame, one.id), one.edges)
        found[one.id] = np.bincount(places, minlength=len(one.edges) + 2).tolist()
    given, judged = total(bundle, frame), judged_of(bundle, frame)
    limits = bundle.reference["score_edges"]
    places = binning.place(given if judged is None else given[judged], None, limits)
    found["score"] = np.bincount(places, minlength=len(limits) + 1).tolist()
    return found


def as_points(bundle: Boosted, odds: Floats) -> Ints:
    """Log-odds as whole points, inside 32 bits whatever the trees hold."""
    return np.clip(np.rint(odds * (bundle.points_per_doubling / LN2)), -_MOST, _MOST).astype(np.int64)


def _matrix(bundle: Boosted, columns: Columns, size: int) -> Floats:
    """Features beside each other as trees read them: not a number where unknown."""
    matrix = np.empty((size, len(bundle.features)))
    for place, one in enumerate(bundle.features):
        values, known = columns[one.id]
        matrix[:, place] = values if known is None else np.where(known, values, np.nan)
    return matrix


def _of_bins(feature: Binned, values: Ints, known: Bools | None) -> list[dict[str, Any]]:
    low, high = min(*feature.points, feature.unknown), max(*feature.points, feature.unknown)
    limits = (None, *feature.edges, None)
    places = binning.place(values, known, feature.edges).tolist()
    table = (*feature.points, feature.unknown)
    return [
        _entry(
            feature.id, value, table[place], low, high, *((None, None) if value is None else limits[place : place + 2])
        )
        for value, place in zip(_values(values, known), places, strict=True)
    ]


def _of_splits(id_: str, held: tuple[Ints, Bools | None], given: Ints, low: int, high: int) -> list[dict[str, Any]]:
    moved = zip(_values(*held), given.tolist(), strict=True)
    return [_entry(id_, value, one, low, high, None, None) for value, one in moved]


def _entry(
    id_: str, value: int | None, given: int, low: int, high: int, start: int | None, until: int | None
) -> dict[str, Any]:
    return {"feature": id_, "value": value, "points": given, "low": low, "high": high, "from": start, "until": until}


def _values(values: Ints, known: Bools | None) -> list[int | None]:
    if known is None:
        return list(values.tolist())
    return [value if has else None for value, has in zip(values.tolist(), known.tolist(), strict=True)]


def _whole_moves(bundle: Boosted, matrix: Floats) -> Ints:
    """Moves of every feature in whole points: rounded down, and the rest given to those that lost most."""
    odds, moved = trees.moves(bundle, matrix)
    exact = moved * (bundle.points_per_doubling / LN2)
    whole = np.floor(exact)
    lacking = as_points(bundle, odds) - base_of(bundle) - whole.sum(axis=1).astype(np.int64)
    rank = np.argsort(np.argsort(-(exact - whole), axis=1, kind="stable"), axis=1)
    size = len(bundle.features)
    # Rounding of base and sum may ask for one more than there are features, or for one less.
    each, rest = np.divmod(lacking, size)
    found: Ints = whole.astype(np.int64) + each[:, None] + (rank < rest[:, None])
    return found
