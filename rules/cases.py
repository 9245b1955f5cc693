"""Worked cases: what each rule must say for given indicators on a given day, written beside the rule.

A case judges one rule alone, by the same code that grades: indicators that are not given are unknown.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rules.compiled import Compiled
from rules.dated import to_date
from rules.errors import Mistake, NotInForce, SchemeError
from rules.indicators import Column
from rules.judging import judge
from rules.reader import Table
from rules.receipt import NO_DATA, NO_HIT
from rules.scheme import Scheme

RESULTS = ("hit", "no_hit", "no_data")


@dataclass(frozen=True, slots=True)
class Case:
    """One case as it was written. ``points`` is None where the case does not say."""

    file: str
    key: str
    rule: str
    name: str
    day: int
    subject: str
    given: dict[str, int]
    result: str
    points: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rule said, and whether the case expected it."""

    case: Case
    result: str
    points: int | None

    @property
    def passed(self) -> bool:
        expected = self.case.points
        return self.result == self.case.result and (expected is None or expected == self.points)

    def __str__(self) -> str:
        case = self.case
        wanted = case.result if case.points is None else f"{case.result} with {case.points} points"
        given = self.result if self.points is None else f"{self.result} with {self.points} points"
        said = "as expected" if self.passed else f"expected {wanted}, but it is {given}"
        return f"{case.file}: {case.key}: {case.rule}, {case.name!r} on {to_date(case.day)}: {said}."


def read(folder: Path, scheme: Scheme) -> list[Case]:
    """All cases of the scheme in ``folder``.

    Raises
    ------
    SchemeError
        Naming every mistake in the case files, and every rule of the scheme that has no case.
    """
    mistakes: list[Mistake] = []
    cases: list[Case] = []
    for path in sorted((folder / "rules").glob("*.cases.toml")):
        file = f"{folder.name}/rules/{path.name}"
        try:
            root = Table(file, "", tomllib.loads(path.read_text(encoding="utf-8")), mistakes)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            mistakes.append(Mistake(file, "(TOML)", f"cannot be read: {error}", "Mend the line; see https://toml.io"))
            continue
        for number, table in enumerate(root.list_of("case"), start=1):
            table.key = f"case {number}"
            case = _case(table, scheme)
            table.finish()
            cases.append(case)
        root.finish()
    for rule in sorted(set(scheme.rules) - {case.rule for case in cases}):
        remedy = "Write a [[case]] for it in a file rules/<topic>.cases.toml"
        mistakes.append(Mistake(f"{folder.name}/rules", f"rule.{rule}", "has no worked case", remedy))
    if mistakes:
        raise SchemeError(mistakes)
    return cases


def run(folder: Path, scheme: Scheme) -> list[Outcome]:
    """Judge every case of ``folder`` under ``scheme``; see :attr:`Outcome.passed`. Raises as :func:`read`."""
    return list(_outcomes(read(folder, scheme), scheme))


def _outcomes(cases: list[Case], scheme: Scheme) -> Iterator[Outcome]:
    for case in cases:
        try:
            compiled = scheme.compiled(case.subject, scheme.epoch(case.day))
        except NotInForce:
            yield Outcome(case, "no_hit", None)
            continue
        yield _judged(case, scheme, compiled)


def _judged(case: Case, scheme: Scheme, compiled: Compiled) -> Outcome:
    one = next((one for one in compiled.rules if one.rule.id == case.rule), None)
    if one is None:  # not in force on the day, or not for the subject
        return Outcome(case, "no_hit", None)
    columns = {
        id_: Column(np.array([case.given.get(id_, 0)], np.int64), id_ in case.given, []) for id_ in one.rule.indicators
    }
    points = int(judge(scheme, compiled.only(one), columns, 1).ledger[0, 2 + one.index])
    if points == NO_DATA:
        return Outcome(case, "no_data", None)
    return Outcome(case, "no_hit", None) if points == NO_HIT else Outcome(case, "hit", points)


def _case(table: Table, scheme: Scheme) -> Case:
    rule = table.choice("rule", tuple(scheme.rules))
    name = table.text("name", '"what the case shows"')
    on = table.day("on")
    subject = table.choice("subject", scheme.subjects, scheme.subjects[0])
    raw = table.raw("given", "Write given = { indicator = 1 }")
    given = Table(table.file, f"{table.key}.given", raw, table.mistakes)
    reads = scheme.rules[rule].indicators if rule in scheme.rules else ()
    values = {id_: given.integer(id_) for id_ in reads if given.has(id_)}
    for id_ in sorted(set(given.data) - set(reads)):
        given.see(id_)
        remedy = f"Rule {rule!r} reads {', '.join(reads)}"
        given.wrong(id_, "is not read by the rule", remedy)
    raw = table.raw("expect", 'Write expect = { result = "hit" }')
    expect = Table(table.file, f"{table.key}.expect", raw, table.mistakes)
    result = expect.choice("result", RESULTS)
    points = expect.integer("points") if expect.has("points") else None
    expect.finish()
    return Case(table.file, table.key, rule, name, on or 0, subject, values, result, points)
