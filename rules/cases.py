"""Worked cases: what each rule must say for given indicators on a given day, written beside the rule.

A case judges one rule alone, by the same code that grades: indicators that are not given are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from rules import content
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
        Naming every mistake in the case files, every rule of the scheme that has no case, and every parameter that
        changes without a case of its rule on the last day of the old value and one on the first day of the new one, of
        which at least one would say something else with the other value.
    """
    return read_files(content.files_of(folder), folder.name, scheme)


def read_files(files: Mapping[str, str | bytes], name: str, scheme: Scheme) -> list[Case]:
    """As :func:`read`, from the texts of the files by their path inside the folder; ``name`` stands for the folder."""
    mistakes: list[Mistake] = []
    cases: list[Case] = []
    for path in sorted(path for path in files if path.startswith("rules/") and path.endswith(content.CASES)):
        before = len(mistakes)
        root = content.toml(f"{name}/{path}", files[path], mistakes)
        if len(mistakes) > before:
            continue
        for number, table in enumerate(root.list_of("case"), start=1):
            table.key = f"case {number}"
            case = _case(table, scheme)
            table.finish()
            cases.append(case)
        root.finish()
    if not mistakes:  # else a case that is there would be called missing
        mistakes.extend(_not_shown(cases, scheme, f"{name}/rules"))
    if mistakes:
        raise SchemeError(mistakes)
    return cases


def run(folder: Path, scheme: Scheme) -> list[Outcome]:
    """Judge every case of ``folder`` under ``scheme``; see :attr:`Outcome.passed`. Raises as :func:`read`."""
    return list(_outcomes(read(folder, scheme), scheme))


def run_files(files: Mapping[str, str | bytes], name: str, scheme: Scheme) -> list[Outcome]:
    """As :func:`run`, from the texts of the files; see :func:`read_files`."""
    return list(_outcomes(read_files(files, name, scheme), scheme))


def _not_shown(cases: list[Case], scheme: Scheme, file: str) -> Iterator[Mistake]:
    """Rules without a case, and changes of a parameter that no case on both sides shows: that is where mistakes live."""
    for id_, rule in scheme.rules.items():
        own = [case for case in cases if case.rule == id_]
        about = [case for case in own if case.subject in rule.subjects]
        if not own:
            remedy = "Write a [[case]] for it in a file rules/<topic>.cases.toml"
            yield Mistake(file, f"rule.{id_}", "has no worked case", remedy)
            continue
        for name, dated in rule.parameters.items():
            for old, new in pairwise(dated.spans):
                if old.value == new.value:
                    continue
                both = (new.start - 1, new.start)
                last, first = (to_date(day) for day in both)
                beside = [case for case in about if case.day in both]
                missing = sorted(set(both) - {case.day for case in beside})
                if missing:
                    lacks = " or on ".join(str(to_date(day)) for day in missing)
                    problem = f"changes on {first}, but the rule has no worked case on {lacks}"
                    remedy = (
                        f"Write a [[case]] of this rule on {last}, the last day of the old value, and one on {first}, "
                        "the first day of the new one"
                    )
                # A case judges one rule alone, with no score that a cap could hold.
                elif name != "at_most" and all(len({_said(case, scheme, day) for day in both}) == 1 for case in beside):
                    problem = (
                        f"changes on {first}, but the cases on {last} and on {first} say the same with either value"
                    )
                    remedy = "Give one of them indicators with which the rule says something else on the other day"
                else:
                    continue
                yield Mistake(file, f"rule.{id_}.parameter.{name}", problem, remedy)


def _outcomes(cases: list[Case], scheme: Scheme) -> Iterator[Outcome]:
    return (Outcome(case, *_said(case, scheme, case.day)) for case in cases)


def _said(case: Case, scheme: Scheme, day: int) -> tuple[str, int | None]:
    """Result and points of the rule of ``case`` on ``day``, for the indicators that the case gives."""
    try:
        compiled = scheme.compiled(case.subject, scheme.epoch(day))
    except NotInForce:
        return "no_hit", None
    one = next((one for one in compiled.rules if one.rule.id == case.rule), None)
    if one is None:  # not in force on the day, or not for the subject
        return "no_hit", None
    columns = {
        id_: Column(np.array([case.given.get(id_, 0)], np.int64), id_ in case.given, []) for id_ in one.rule.indicators
    }
    points = int(judge(scheme, compiled.only(one), columns, 1).ledger[0, 2 + one.index])
    if points == NO_DATA:
        return "no_data", None
    return ("no_hit", None) if points == NO_HIT else ("hit", points)


def _case(table: Table, scheme: Scheme) -> Case:
    rule = table.choice("rule", tuple(scheme.rules))
    name = table.text("name", '"what the case shows"')
    on = table.day("on")
    subject = table.choice("subject", scheme.subjects, scheme.subjects[0])
    raw = table.raw("given", "Write given = { indicator = 1 }")
    given = Table(table.file, f"{table.key}.given", raw, table.mistakes)
    # Of a rule that is not there nobody knows what it reads.
    reads = scheme.rules[rule].indicators if rule == table.data.get("rule") else tuple(given.data)
    values = {id_: given.integer(id_) for id_ in reads if given.has(id_)}
    for id_ in sorted(set(given.data) - set(reads)):
        given.see(id_)
        remedy = f"Rule {rule!r} reads {', '.join(reads)}"
        given.wrong(id_, "is not read by the rule", remedy)
    raw = table.raw("expect", 'Write expect = { result = "hit" }')
    expect = Table(table.file, f"{table.key}.expect", raw, table.mistakes)
    result = expect.choice("result", RESULTS)
    points = expect.integer("points") if expect.has("points") else None
    if result == "hit" and points is None and rule in scheme.rules and scheme.rules[rule].effect == "points":
        # Else the case would hold whatever the rule gives.
        expect.wrong("points", "is missing", 'Write how many the rule gives: expect = { result = "hit", points = 20 }')
    expect.finish()
    return Case(table.file, table.key, rule, name, on or 0, subject, values, result, points)
