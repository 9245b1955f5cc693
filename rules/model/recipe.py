"""The recipe of a model: which features, in which direction the law or the trade lets each of them count, how fine the bins are.

It is a TOML file beside this module, read whole: a misspelt key would otherwise change a model without a word.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rules.guard import RESERVED
from rules.model import ModelError
from rules.model.checked import Checked

FILE = Path(__file__).with_name("recipe.toml")
# More is riskier, less is riskier, or the data decide; with "up" a higher value never gives fewer points.
DIRECTIONS = ("up", "down", "none")
# Keys that stand beside the features in what a bundle remembers of its training rows.
TAKEN = frozenset({"score", "score_edges", "base_rate"})
_MOST_FEATURES = 200
_MOST_STRENGTHS = 10


class RecipeError(ModelError):
    """The recipe cannot be used: ``where`` names the key."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One indicator of the scheme that the model reads. ``direction`` is one of `DIRECTIONS`, ``why`` says on what ground."""

    id: str
    direction: str
    why: str


@dataclass(frozen=True, slots=True)
class Trees:
    """The boosted challenger: how many trees, how large, how strongly held back."""

    rounds: int
    learning_rate: float
    leaves: int
    least_rows: int  # in a leaf
    l2: float
    tried: float = 1.0  # share of the features that a split may choose from


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is fitted.

    ``bins`` is the most bins of one feature, ``least_share`` the least share of the training rows that a bin must hold,
    ``l2`` the strengths that may hold neighbouring bins together (in training rows of average weight), of which a fit takes the one
    that foretells rows it was not fitted to best. A training row loses half
    its weight with every ``half_life`` days before the newest (0: none does). An entity whose
    feature in ``grounds`` is unknown or below the value there is not judged; ``history`` is the indicator that counts earlier visits,
    of which an entity must have as many as the units of training had at least. A fit is refused with fewer than
    ``least_rows`` rows or ``least_positives`` failures.
    """

    scheme: str
    features: tuple[Feature, ...]
    bins: int
    least_share: float
    l2: tuple[float, ...]
    trees: Trees
    grounds: Mapping[str, int]
    half_life: int = 0
    history: str = ""
    points_per_doubling: int = 100
    least_rows: int = 500
    least_positives: int = 50

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the features, in the order of the recipe."""
        return tuple(one.id for one in self.features)


def load(path: Path = FILE) -> Recipe:
    """The recipe in the file ``path``; the shipped one if none is named.

    Raises
    ------
    RecipeError
        If the file is no TOML, lacks a key, holds an unknown one or a value outside its bounds.
    """
    return read(path.read_text(encoding="utf-8"), path.name)


def read(text: str, file: str = "recipe.toml") -> Recipe:
    """The recipe in ``text``; ``file`` stands for it in messages. Raises RecipeError as :func:`load`."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError(file, f"cannot be read: {error}", "Mend the line; see https://toml.io") from None
    whole = Checked(raw, file, RecipeError)
    head = whole.table("recipe")
    trees = whole.table("boosted")
    recipe = Recipe(
        scheme=head.text("scheme"),
        features=tuple(_feature(one) for one in whole.tables("feature", most=_MOST_FEATURES)),
        bins=head.whole("bins", low=2, high=200),
        least_share=head.number("least_share", low=0.0, high=0.5),
        l2=_strengths(head),
        half_life=head.whole("half_life", low=0, high=100_000),
        history=head.id("history"),
        points_per_doubling=head.whole("points_per_doubling", low=1, high=10_000),
        least_rows=head.whole("least_rows", low=2, high=10**9),
        least_positives=head.whole("least_positives", low=1, high=10**9),
        trees=Trees(
            rounds=trees.whole("rounds", low=1, high=2_000),
            learning_rate=trees.number("learning_rate", low=1e-4, high=1.0),
            leaves=trees.whole("leaves", low=2, high=256),
            least_rows=trees.whole("least_rows", low=1, high=10**6),
            l2=trees.number("l2", low=0.0, high=1e9),
            tried=trees.number("tried", low=0.01, high=1.0),
        ),
        grounds=MappingProxyType(whole.integers("grounds")),
    )
    for table in (head, trees, whole):
        table.finish()
    _consistent(recipe, file)
    return recipe


def against(recipe: Recipe, indicators: Collection[str]) -> None:
    """Refuse a recipe that names a feature which is no indicator of its scheme.

    Raises
    ------
    RecipeError
        Naming every such feature and ground.
    """
    lacking = [id_ for id_ in (*recipe.ids, *recipe.grounds, recipe.history) if id_ and id_ not in indicators]
    if lacking:
        raise RecipeError(
            "recipe",
            f"scheme {recipe.scheme!r} has no indicator {', '.join(dict.fromkeys(lacking))}",
            "Declare it in the scheme, or take the feature out of the recipe",
        )


def _strengths(head: Checked) -> tuple[float, ...]:
    found = head.numbers("l2", most=_MOST_STRENGTHS, low=0.0, high=1e9)
    if not found:
        raise head.wrong("l2", "is empty", "Write at least one strength, for example [250]")
    return found


def _feature(table: Checked) -> Feature:
    found = Feature(table.id("id"), table.choice("direction", DIRECTIONS), table.text("why"))
    table.finish()
    return found


def _consistent(recipe: Recipe, file: str) -> None:
    seen: set[Any] = set()
    for place, id_ in enumerate(recipe.ids):
        where = f"{file}: feature[{place}].id"
        if id_ in seen:
            raise RecipeError(where, f"names {id_!r} a second time", "Keep one of the two")
        if id_ in TAKEN or id_ in RESERVED:
            raise RecipeError(where, f"{id_!r} is a reserved word", "Choose another id for the indicator")
        seen.add(id_)
