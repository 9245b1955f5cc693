"""Why an entity has its class: every value, every point, every record, what was unknown, and how far the next class is.

An explanation is a view of the very arrays from which :func:`rules.engine.grade` takes its rows; its digest is equal by
construction, not by comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from rules import conditions, receipt
from rules.compiled import CompiledRule
from rules.dated import to_date
from rules.engine import Part, evaluate
from rules.judging import class_of
from rules.kinds import BASIS_KINDS, DIRECTIONS
from rules.parts import Title
from rules.receipt import NO_DATA, NO_HIT
from rules.scheme import Scheme
from rules.slices import OPEN

_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")


@dataclass(frozen=True, slots=True)
class ParameterUsed:
    """A parameter with the value it had; ``basis`` adds the Chinese name of its kind as ``kind_zh``."""

    name: str
    value: int
    unit: str
    basis: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class PointsRow:
    """One signed row of the score. ``rule`` is a rule id, ``veto:<rule>``, ``cap:<rule>``, ``cap:<group>``, ``clamp``
    or ``base``; ``records`` are the ledger numbers behind it; ``condition`` says in words when the rule hits."""

    rule: str
    points: int
    title: dict[str, str]
    group: str | None
    second: str | None
    sentence: dict[str, str]
    condition: dict[str, str]
    parameters: tuple[ParameterUsed, ...]
    indicators: tuple[str, ...]
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One indicator; ``value`` is None where it is unknown."""

    id: str
    title: dict[str, str]
    second: str
    unit: str
    value: int | None
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One grade with its reasons. The points of all rows add up to ``score`` exactly.

    ``undecided`` are rules without enough data, ``no_data`` groups of which no indicator is known. ``better`` and
    ``worse`` are points to the next class, always positive, None where there is none. Days are ISO dates.
    """

    entity: int
    day: str
    subject: str
    scheme: str
    scheme_hash: str
    class_: str
    score: int
    decided_by: str | None
    points: tuple[PointsRow, ...]
    undecided: tuple[str, ...]
    indicators: tuple[IndicatorRow, ...]
    unknown: tuple[str, ...]
    no_data: tuple[str, ...]
    known_indicators: int
    all_indicators: int
    better: int | None
    worse: int | None
    next_day: str | None
    breakpoints: tuple[tuple[str, str], ...]
    records: tuple[int, ...]
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, texts and integers in a fixed order, ready for JSON."""
        plain = asdict(self)
        plain["class"] = plain.pop("class_")
        plain["completeness"] = {"known": plain.pop("known_indicators"), "all": plain.pop("all_indicators")}
        plain["distance"] = {"better": plain.pop("better"), "worse": plain.pop("worse")}
        plain["breakpoints"] = [{"day": day, "cause": cause} for day, cause in self.breakpoints]
        return dict(sorted(_listed(plain).items()))


def explain(population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme) -> list[Explanation]:
    """Explain the grade of each row of ``population``, in its order; subjects not covered are left out.

    Takes the frames of :func:`rules.engine.grade` and raises what it raises. Meant for few rows: each explanation is
    Python objects.
    """
    found: dict[int, Explanation] = {}
    for part in evaluate(population, facts, coverage, scheme):
        reads = _reads(part)
        told: dict[str, _Told] = {}
        for at, row in enumerate(part.rows.tolist()):
            found[row] = _one(scheme, part, at, population["entity"][row], reads, told)
    return [found[row] for row in sorted(found)]


def _reads(part: Part) -> dict[str, tuple[list[int], list[int]]]:
    """For each indicator the records behind every row, as offsets and numbers: found once, not once an entity."""
    reads = {}
    for id_, column in part.columns.items():
        pairs = [(part.slices[kind].row[at], part.slices[kind].column("seq")[at]) for kind, at in column.reads]
        offsets, seqs = receipt.records(part.rows.size, pairs)
        reads[id_] = (offsets.tolist(), seqs.tolist())
    return reads


def _one(
    scheme: Scheme,
    part: Part,
    at: int,
    entity: int,
    reads: dict[str, tuple[list[int], list[int]]],
    told: dict[str, _Told],
) -> Explanation:
    ledger = part.judged.ledger[at]
    class_, score = int(ledger[0]), int(ledger[1])
    rows = _indicators(scheme, part, at, reads)
    values = {row.id: row.value for row in rows}
    records = {row.id: row.records for row in rows}
    unknown = tuple(row.id for row in rows if row.value is None)
    known_groups = {scheme.seconds[row.second].group for row in rows if row.value is not None}
    better, worse = _distance(scheme, part, score, class_)
    decided = int(part.judged.decided[at])
    following = int(part.next_day[at])
    return Explanation(
        entity=int(entity),
        day=_iso(int(part.days[at])),
        subject=part.compiled.subject,
        scheme=scheme.id,
        scheme_hash=scheme.hash,
        class_=scheme.classes[class_],
        score=score,
        decided_by=part.judged.deciders[decided] if decided >= 0 else None,
        points=tuple(_points(scheme, part, at, values, records, told)),
        undecided=tuple(one.rule.id for one in part.compiled.rules if ledger[2 + one.index] == NO_DATA),
        indicators=rows,
        unknown=unknown,
        no_data=tuple(group for group in scheme.groups if group not in known_groups),
        known_indicators=len(rows) - len(unknown),
        all_indicators=len(rows),
        better=better,
        worse=worse,
        next_day=_iso(following) if following < OPEN else None,
        breakpoints=tuple(_breakpoints(part, at)),
        records=tuple(part.seqs[part.offsets[at] : part.offsets[at + 1]].tolist()),
        digest=part.digests[at].hex(),
    )


def _indicators(
    scheme: Scheme, part: Part, at: int, reads: dict[str, tuple[list[int], list[int]]]
) -> tuple[IndicatorRow, ...]:
    rows = []
    for id_, column in part.columns.items():
        known = column.known if isinstance(column.known, bool) else bool(column.known[at])
        offsets, seqs = reads[id_]
        one = scheme.indicators[id_]
        value = int(column.values[at]) if known else None
        records = tuple(seqs[offsets[at] : offsets[at + 1]])
        rows.append(IndicatorRow(id_, one.title.as_dict(), one.second, one.unit, value, records))
    return tuple(rows)


def _points(
    scheme: Scheme,
    part: Part,
    at: int,
    values: dict[str, int | None],
    records: dict[str, tuple[int, ...]],
    told: dict[str, _Told],
) -> Iterator[PointsRow]:
    ledger = part.judged.ledger[at]
    if scheme.base:
        yield _plain("base", scheme.base, Title("基础分", "Points everyone starts with"))
    held: list[PointsRow] = []
    for one in part.compiled.rules:
        points = int(ledger[2 + one.index])
        if points not in (NO_HIT, NO_DATA):
            if one.rule.id not in told:
                told[one.rule.id] = _tell(scheme, one)
            row = _rule_row(scheme, one, points, values, records, told[one.rule.id])
            if one.rule.effect == "points":
                yield row
            else:
                held.append(row)
    for place, group in enumerate(scheme.groups.values()):
        cut = int(ledger[2 + len(scheme.rules) + place])
        if cut:
            title = Title(f"{group.title.zh}:最高 {group.highest} 分", f"{group.title.en}: at most {group.highest}")
            yield _plain(f"cap:{group.id}", cut, title, group.id)
    if ledger[-1]:
        low, high = scheme.lowest, scheme.highest
        title = Title(f"限于 {low} 至 {high} 分", f"Held within {low} to {high}")
        yield _plain("clamp", int(ledger[-1]), title)
    yield from sorted(held, key=lambda row: row.rule)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of a rule in the same words whomever it hits."""

    condition: dict[str, str]
    parameters: tuple[ParameterUsed, ...]
    units: dict[str, str]


def _tell(scheme: Scheme, one: CompiledRule) -> _Told:
    rule = one.rule
    # A condition names none but the rule's own indicators.
    named = {id_: scheme.indicators[id_].title.as_dict() for id_ in rule.indicators}
    titles = {lang: {id_: title[lang] for id_, title in named.items()} for lang in ("zh", "en")}
    units = {id_: indicator.unit for id_, indicator in scheme.indicators.items()}
    units.update((name, span.value.unit) for name, span in one.parameters.items())
    return _Told(
        condition={
            lang: conditions.sentence(rule.when, lang, titles=titles[lang], constants=one.constants)
            for lang in ("zh", "en")
        },
        parameters=tuple(
            ParameterUsed(
                name,
                one.constants[name],
                span.value.unit,
                {**span.basis.as_dict(), "kind_zh": BASIS_KINDS[span.basis.kind]},
            )
            for name, span in sorted(one.parameters.items())
        ),
        units=units,
    )


def _rule_row(
    scheme: Scheme,
    one: CompiledRule,
    points: int,
    values: dict[str, int | None],
    records: dict[str, tuple[int, ...]],
    told: _Told,
) -> PointsRow:
    rule = one.rule
    said: dict[str, int | None] = {**values, **one.constants}
    return PointsRow(
        rule=rule.id if rule.effect == "points" else f"{rule.effect}:{rule.id}",
        points=points,
        title=rule.title.as_dict(),
        group=scheme.seconds[rule.second].group,
        second=rule.second,
        sentence={lang: render(text, said, told.units) for lang, text in rule.reason.as_dict().items()},
        condition=told.condition,
        parameters=told.parameters,
        indicators=rule.indicators,
        records=tuple(sorted({seq for id_ in rule.indicators for seq in records[id_]})),
    )


def render(text: str, values: dict[str, int | None], units: dict[str, str]) -> str:
    """``text`` with every ``{name}`` replaced by its value: amounts in fen as yuan, an unknown value as a dash."""

    def put(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None:
            return "—"
        if units.get(match[1]) != "fen":
            return str(value)
        # Whole fen, never a float: 10,050 fen are 100.50 yuan.
        whole, rest = divmod(abs(value), 100)
        return f"{'-' if value < 0 else ''}{whole}.{rest:02}"

    return _PLACEHOLDER.sub(put, text)


def _plain(rule: str, points: int, title: Title, group: str | None = None) -> PointsRow:
    words = title.as_dict()
    return PointsRow(rule, points, words, group, None, words, {"zh": "", "en": ""}, (), (), ())


def _distance(scheme: Scheme, part: Part, score: int, class_: int) -> tuple[int | None, int | None]:
    """Points from the score to the nearest score of the next better and of the next worse class."""
    highest = part.compiled.cuts.highest
    # A cap or veto sets the class by the score, so class and score always agree.
    if int(class_of(scheme, part.compiled.cuts, np.array([score]))[0]) != class_:
        raise ValueError(f"Score {score} and class {scheme.classes[class_]} disagree: the ledger was changed.")
    last = class_ == len(highest) - 1
    if scheme.direction == DIRECTIONS[0]:
        return (score - highest[class_ - 1] if class_ else None), (None if last else highest[class_] + 1 - score)
    return (highest[class_] + 1 - score if class_ else None), (None if last else score - highest[class_ + 1])


def _breakpoints(part: Part, at: int) -> Iterator[tuple[str, str]]:
    days = [(day if isinstance(day, int) else int(day[at]), cause) for cause, day in part.causes]
    for day, cause in sorted(days):
        if day < OPEN:
            yield _iso(day), cause


def _iso(day: int) -> str:
    return to_date(day).isoformat()


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(inner) for key, inner in value.items()}
    return [_listed(inner) for inner in value] if isinstance(value, tuple | list) else value
