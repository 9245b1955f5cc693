"""The parts of a scheme as frozen objects. Reading and checking them is the work of :mod:`rules.reading`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.conditions import Condition
from rules.dated import Basis, Dated
from rules.expressions import Expression


@dataclass(frozen=True, slots=True)
class Title:
    zh: str
    en: str

    def as_dict(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Group:
    """A first-level group; ``highest`` is the most points its rules may give together, None without limit."""

    id: str
    title: Title
    highest: int | None
    basis: Basis | None


@dataclass(frozen=True, slots=True)
class Second:
    """A second-level group inside ``group``."""

    id: str
    group: str
    title: Title


@dataclass(frozen=True, slots=True)
class Steps:
    """Weights in percent by age in days: ``percents[i]`` from age ``edges[i]`` on; the last percent is 0."""

    edges: tuple[int, ...]
    percents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Inclusive integer ranges in ascending order, and what every other integer gets."""

    lows: tuple[int, ...]
    highs: tuple[int, ...]
    values: tuple[int, ...]
    otherwise: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """``values[row][column]``: what two whole numbers, both counted from 0, give together."""

    values: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """Whom a scheme is for: those with any fact of ``kind``, on whatever day, that satisfies ``where``."""

    kind: int
    kind_name: str
    where: Condition | None
    where_text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A third-level indicator that nothing feeds yet, and what it needs."""

    id: str
    second: str
    title: Title
    needs: Title


@dataclass(frozen=True, slots=True)
class Cuts:
    """``highest[i]`` is the highest score of ``classes[i]``; classes go from the best to the worst."""

    classes: tuple[str, ...]
    highest: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    """What to count among the facts of one kind. Keys as in docs/schemes.md; days are integers."""

    id: str
    second: str
    title: Title
    unit: str
    kind: int
    kind_name: str
    measure: str
    where: Condition | None = None
    where_text: str = ""
    window: int | None = None
    of: str = ""
    per: int = 1
    steps: str = ""
    lookup: str = ""
    edges: tuple[int, ...] = ()
    which: str = "last"
    empty: int = 0
    ahead: int = 0
    years: int = 0
    deadline: tuple[int, int] = (0, 0)  # month, day
    scheme: str = ""  # of a measure `grade`: whose class or score
    indicator: str = ""  # what a measure `percent_of_norm` or `ratio` compares
    norm: str = ""
    least: int = 1  # of a measure `percent_of_norm`: a norm below it counts as this
    base: str = ""  # of a measure `ratio`: what it is a share of, and a prior of so much `weight`
    scale: int = 1000
    prior: int = 0
    usual: str = ""  # the norm that takes the place of the prior where the context has it
    weight: int = 0
    row: str = ""  # of a measure `matrix`: the two indicators and the table
    column: str = ""
    matrix: str = ""


@dataclass(frozen=True, slots=True)
class ParameterValue:
    value: int
    unit: str
    subjects: Mapping[str, int] = field(default_factory=dict)

    def of(self, subject: str) -> int:
        return self.subjects.get(subject, self.value)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``effect`` is ``points``, ``veto`` (to ``target``, a class) or ``cap`` (to parameter ``at_most``)."""

    id: str
    second: str
    title: Title
    effect: str
    when: Condition
    when_text: str
    points: Expression | None
    points_text: str
    target: str | None
    reason: Title
    subjects: tuple[str, ...]
    parameters: Mapping[str, Dated[ParameterValue]]
    indicators: tuple[str, ...]  # ids it reads, sorted
    basis: Basis | None = None
