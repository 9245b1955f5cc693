"""What has been read of a scheme so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rules.dated import Dated
from rules.errors import Mistake, Refused
from rules.parts import Group, Indicator, Lookup, Matrix, Rule, Second, Steps, Wanted
from rules.reader import Table

if TYPE_CHECKING:
    from rules.scheme import Scheme


@dataclass(slots=True)
class Draft:
    """What has been read so far, and where each id was declared.

    ``inner`` are the schemes whose grade an indicator may read, by id; where one cannot be read, why. ``measures`` are
    those of every indicator of the scheme by id, because an indicator may read one that is declared later.
    """

    mistakes: list[Mistake] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    seconds: dict[str, Second] = field(default_factory=dict)
    steps: dict[str, Dated[Steps]] = field(default_factory=dict)
    lookups: dict[str, Dated[Lookup]] = field(default_factory=dict)
    matrices: dict[str, Dated[Matrix]] = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    inner: Mapping[str, Scheme | Refused] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)
    indicators: dict[str, Indicator] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    declared: dict[tuple[str, str], str] = field(default_factory=dict)

    def declare(self, sort: str, id_: str, table: Table) -> None:
        before = self.declared.setdefault((sort, id_), table.file)
        if before != table.file:
            remedy = "Rename one of the two: an id names one thing in the whole scheme"
            self.mistakes.append(Mistake(table.file, table.key, f"duplicate id, already declared in {before}", remedy))
