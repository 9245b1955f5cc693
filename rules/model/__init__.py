"""Models: what the features of an inspection record say of the next routine visit.

A model is data. It is fitted by :mod:`rules.model.scorecard` (or :mod:`rules.model.boosted`), kept as a bundle
(:mod:`rules.model.bundle`), and read by :mod:`rules.model.score`, which needs no library that fits models. Its features are
indicators of a scheme (:mod:`rules.model.features`); which of them, and what law and experience say of each, stands in
recipe.toml (:mod:`rules.model.recipe`). docs/model.md tells the whole.
"""

from __future__ import annotations


class ModelError(ValueError):
    """A recipe, a bundle or a table of training rows that cannot be used: ``where`` it is wrong, and what would mend it."""

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        super().__init__(f"{where}: {problem}. {remedy}.")
        self.where = where
        self.problem = problem
        self.remedy = remedy
