"""Why an entity has its class: every value, every point, every record, what was unknown, and how far the next class is.

An explanation is a view of the very arrays from which :func:`rules.engine.grade` takes its rows; its digest is equal by
construction, not by comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict

import numpy as np
import polars as pl

from rules import conditions, receipt
from rules.compiled import CompiledRule
from rules.dated import to_date
from rules.distance import distance
from rules.engine import Part, evaluate
from rules.given import NOTHING, Given
from rules.kinds import BASIS_KINDS
from rules.parts import Title
from rules.plural import agree
from rules.receipt import CLAMP, NO_DATA, NO_HIT, OVERRIDE
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
    """One signed row of the score. ``rule`` is a rule id, ``veto:<rule>``, ``cap:<rule>``, ``cap:<group>``, ``clamp``,
    ``override:<seq>``, ``raise:<seq>`` or ``base``; ``records`` are the ledger numbers behind it; ``condition`` says in words when the
    rule hits."""

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

    ``undecided`` are rules without enough data, ``no_data`` groups of which no indicator is known. ``better``, ``worse``
    and ``notes`` are those of :class:`rules.distance.Distance`. Days are ISO dates.
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
    notes: tuple[dict[str, str], ...]
    next_day: str | None
    breakpoints: tuple[tuple[str, str], ...]
    records: tuple[int, ...]
    digest: str

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, texts and integers in a fixed order, ready for JSON."""
        plain = asdict(self)
        plain["class"] = plain.pop("class_")
        plain["completeness"] = {"known": plain.pop("known_indicators"), "all": plain.pop("all_indicators")}
        plain["distance"] = {name: plain.pop(name) for name in ("better", "worse", "notes")}
        plain["breakpoints"] = [{"day": day, "cause": cause} for day, cause in self.breakpoints]
        return dict(sorted(_listed(plain).items()))


def explain(
    population: pl.DataFrame, facts: pl.DataFrame, coverage: pl.DataFrame, scheme: Scheme, given: Given = NOTHING
) -> list[Explanation]:
    """Explain the grade of each row of ``population``, in its order; whom the scheme does not grade is left out.

    Takes the frames of :func:`rules.engine.grade` and raises what it raises. Meant for few rows: each explanation is
    Python objects.
    """
    found: dict[int, Explanation] = {}
    for part in evaluate(population, facts, coverage, scheme, given):
        seen, digests = _seen(scheme, part), part.digests()
        told: dict[str, _Told] = {}
        for at, row in enumerate(part.rows.tolist()):
            found[row] = _one(scheme, part, at, population["entity"][row], digests[at].hex(), seen, told)
    return [found[row] for row in sorted(found)]


class Reason(TypedDict):
    """One row of a score in few words, ready for JSON: those fields of :class:`PointsRow`."""

    rule: str
    title: dict[str, str]
    points: int
    sentence: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reasons:
    """The heaviest rows of one score, and the digest of the grade. What several rows say alike may be one object."""

    entity: int
    heaviest: list[Reason]
    digest: bytes


def reasons(
    population: pl.DataFrame,
    facts: pl.DataFrame,
    coverage: pl.DataFrame,
    scheme: Scheme,
    given: Given = NOTHING,
    *,
    most: int,
) -> list[Reasons]:
    """As :func:`explain`, for a list of hundreds: only rows with points above 0, the heaviest first, at most ``most`` of each score.

    Equally heavy ones stand in order of ``rule``. Nothing is worked out of records, conditions and lighter rows.
    """
    found: dict[int, Reasons] = {}
    for part in evaluate(population, facts, coverage, scheme, given):
        entities = population["entity"].gather(part.rows).to_list()
        told = zip(part.rows.tolist(), entities, _heaviest(scheme, part, most), part.digests(), strict=True)
        for row, entity, heaviest, digest in told:
            found[row] = Reasons(entity, heaviest, digest)
    return [found[row] for row in sorted(found)]


def _heaviest(scheme: Scheme, part: Part, most: int) -> list[list[Reason]]:
    ledger, rules = part.judged.ledger, {one.index: one for one in part.compiled.rules}
    names = {index: _name(one) for index, one in rules.items()}
    # What did not hit, or could not be decided, is a number far below 0; and a group's cap never lifts a score.
    of_rules = ledger[:, 2 : 2 + len(scheme.rules)]
    rows, places = np.nonzero(of_rules > 0)
    hits: list[list[tuple[int, str, int]]] = [[] for _ in range(part.rows.size)]
    for at, index, points in zip(rows.tolist(), places.tolist(), of_rules[rows, places].tolist(), strict=True):
        hits[at].append((-points, names[index], index))
    others: list[PointsRow] = []
    lifted = (ledger[:, CLAMP] > 0) | (ledger[:, OVERRIDE] > 0) | (scheme.base > 0)
    for at in np.flatnonzero(lifted).tolist():
        for row in _beside(scheme, part, at):
            if row.points > 0:
                others.append(row)
                hits[at].append((-row.points, row.rule, -len(others)))
    said: dict[int, _Said] = {}
    columns: dict[str, list[int | None]] = {}
    made: dict[tuple[int, int, tuple[int | None, ...]], Reason] = {}

    def reason(at: int, minus: int, index: int) -> Reason:
        if index < 0:
            row = others[-index - 1]
            return Reason(rule=row.rule, title=row.title, points=row.points, sentence=row.sentence)
        rule = rules[index].rule
        if index not in said:
            said[index] = _said(scheme, rules[index])
            columns.update((id_, _values(part, id_)) for id_ in said[index].named if id_ in part.columns)
        values = tuple(columns[id_][at] if id_ in columns else None for id_ in said[index].named)
        key = (index, minus, values)
        if key not in made:
            sentence = said[index].of(values)
            made[key] = Reason(rule=names[index], title=rule.title.as_dict(), points=-minus, sentence=sentence)
        return made[key]

    return [[reason(at, minus, index) for minus, _, index in sorted(mine)[:most]] for at, mine in enumerate(hits)]


@dataclass(slots=True)
class _Seen:
    """One indicator over a whole part, as plain Python: worked out once, not once an entity."""

    id: str
    title: dict[str, str]
    second: str
    unit: str
    values: list[int | None]
    offsets: list[int]
    seqs: list[int]

    def records(self, at: int) -> tuple[int, ...]:
        """The records behind the value of one row."""
        return tuple(self.seqs[self.offsets[at] : self.offsets[at + 1]])


def _seen(scheme: Scheme, part: Part) -> dict[str, _Seen]:
    """Each indicator with its value in every row (None where it is unknown) and the records behind it."""
    found = {}
    for id_, column in part.columns.items():
        pairs = [(part.slices[kind].row[at], part.slices[kind].column("seq")[at]) for kind, at in column.reads]
        offsets, seqs = receipt.records(part.rows.size, [*pairs, *column.pairs])
        one, told = scheme.indicators[id_], _values(part, id_)
        found[id_] = _Seen(id_, one.title.as_dict(), one.second, one.unit, told, offsets.tolist(), seqs.tolist())
    return found


def _values(part: Part, id_: str) -> list[int | None]:
    """The value of one indicator in every row of a part, None where it is unknown."""
    column = part.columns[id_]
    known, values = np.broadcast_to(column.known, part.rows.shape).tolist(), column.values.tolist()
    return [value if there else None for value, there in zip(values, known, strict=True)]


def _one(
    scheme: Scheme, part: Part, at: int, entity: int, digest: str, seen: dict[str, _Seen], told: dict[str, _Told]
) -> Explanation:
    ledger = part.judged.ledger[at]
    class_, score = int(ledger[0]), int(ledger[1])
    rows = tuple(
        IndicatorRow(one.id, one.title, one.second, one.unit, one.values[at], one.records(at)) for one in seen.values()
    )
    unknown = tuple(row.id for row in rows if row.value is None)
    known_groups = {scheme.seconds[row.second].group for row in rows if row.value is not None}
    away = distance(scheme, part, at)
    following = int(part.next_day[at])
    return Explanation(
        entity=int(entity),
        day=_iso(int(part.days[at])),
        subject=part.compiled.subject,
        scheme=scheme.id,
        scheme_hash=scheme.hash,
        class_=scheme.classes[class_],
        score=score,
        decided_by=part.decided_by(at),
        points=tuple(_points(scheme, part, at, seen, told)),
        undecided=tuple(one.rule.id for one in part.compiled.rules if ledger[2 + one.index] == NO_DATA),
        indicators=rows,
        unknown=unknown,
        no_data=tuple(group for group in scheme.groups if group not in known_groups),
        known_indicators=len(rows) - len(unknown),
        all_indicators=len(rows),
        better=away.better,
        worse=away.worse,
        notes=away.notes,
        next_day=_iso(following) if following < OPEN else None,
        breakpoints=tuple(_breakpoints(part, at)),
        records=tuple(part.seqs[part.offsets[at] : part.offsets[at + 1]].tolist()),
        digest=digest,
    )


def _points(scheme: Scheme, part: Part, at: int, seen: dict[str, _Seen], told: dict[str, _Told]) -> Iterator[PointsRow]:
    ledger = part.judged.ledger[at]
    yield from _base(scheme)
    held: list[PointsRow] = []
    for one in part.compiled.rules:
        points = int(ledger[2 + one.index])
        if points not in (NO_HIT, NO_DATA):
            if one.rule.id not in told:
                told[one.rule.id] = _tell(scheme, one)
            row = _rule_row(scheme, one, points, at, seen, told[one.rule.id])
            if one.rule.effect == "points":
                yield row
            else:
                held.append(row)
    for place, group in enumerate(scheme.groups.values()):
        cut = int(ledger[2 + len(scheme.rules) + place])
        if cut:
            title = Title(f"{group.title.zh}:最高 {group.highest} 分", f"{group.title.en}: at most {group.highest}")
            yield _plain(f"cap:{group.id}", cut, title, group.id)
    yield from _clamped(scheme, part, at)
    yield from sorted(held, key=lambda row: row.rule)
    yield from _decided(part, at)


def _beside(scheme: Scheme, part: Part, at: int) -> Iterator[PointsRow]:
    """The rows of one score that are no rule's and may lie above 0."""
    yield from _base(scheme)
    yield from _clamped(scheme, part, at)
    yield from _decided(part, at)


def _base(scheme: Scheme) -> Iterator[PointsRow]:
    if scheme.base:
        yield _plain("base", scheme.base, Title("基础分", "Points everyone starts with"))


def _clamped(scheme: Scheme, part: Part, at: int) -> Iterator[PointsRow]:
    ledger = part.judged.ledger[at]
    if ledger[CLAMP]:
        low, high = scheme.lowest, scheme.highest
        title = Title(f"限于 {low} 至 {high} 分", f"Held within {low} to {high}")
        yield _plain("clamp", int(ledger[CLAMP]), title)


def _decided(part: Part, at: int) -> Iterator[PointsRow]:
    """What a person has set, or a raise."""
    ledger = part.judged.ledger[at]
    if part.override is not None and part.override.place[at] >= 0:
        seq = int(part.override.seq[at])
        row = _plain(f"override:{seq}", int(ledger[OVERRIDE]), Title("人工认定", "Set by a person"))
        yield replace(row, records=(seq,))
    elif (decided := part.decided_by(at) or "").startswith("raise:"):
        row = _plain(decided, int(ledger[OVERRIDE]), Title("风险模型上调一级", "Raised by one class on a model's word"))
        yield replace(row, records=(int(decided.removeprefix("raise:")),))


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of a rule in the same words whomever it hits."""

    condition: dict[str, str]
    parameters: tuple[ParameterUsed, ...]
    said: _Said


@dataclass(frozen=True, slots=True)
class _Said:
    """The reason of a rule, in words for any values of the indicators that it names."""

    reason: dict[str, str]
    constants: Mapping[str, int]
    units: dict[str, str]
    named: tuple[str, ...]
    sentences: dict[tuple[int | None, ...], dict[str, str]]  # by the values of those: most entities share theirs

    def of(self, values: tuple[int | None, ...]) -> dict[str, str]:
        if values not in self.sentences:
            given = {**dict(zip(self.named, values, strict=True)), **self.constants}
            self.sentences[values] = {lang: render(text, given, self.units) for lang, text in self.reason.items()}
        return self.sentences[values]


def _said(scheme: Scheme, one: CompiledRule) -> _Said:
    reason = one.rule.reason.as_dict()
    placed = {name for text in reason.values() for name in _PLACEHOLDER.findall(text)}
    named = tuple(sorted(placed.intersection(scheme.indicators)))
    units = {name: scheme.indicators[name].unit for name in named}
    units.update((name, span.value.unit) for name, span in one.parameters.items())
    return _Said(reason, one.constants, units, named, {})


def _tell(scheme: Scheme, one: CompiledRule) -> _Told:
    rule = one.rule
    # A condition names none but the rule's own indicators.
    named = {id_: scheme.indicators[id_].title.as_dict() for id_ in rule.indicators}
    titles = {lang: {id_: title[lang] for id_, title in named.items()} for lang in ("zh", "en")}
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
        said=_said(scheme, one),
    )


def _rule_row(
    scheme: Scheme, one: CompiledRule, points: int, at: int, seen: dict[str, _Seen], told: _Told
) -> PointsRow:
    rule = one.rule
    values = tuple(seen[name].values[at] if name in seen else None for name in told.said.named)
    return PointsRow(
        rule=_name(one),
        points=points,
        title=rule.title.as_dict(),
        group=scheme.seconds[rule.second].group,
        second=rule.second,
        sentence=told.said.of(values),
        condition=told.condition,
        parameters=told.parameters,
        indicators=rule.indicators,
        records=tuple(sorted({seq for id_ in rule.indicators for seq in seen[id_].records(at)})),
    )


def _name(one: CompiledRule) -> str:
    return one.rule.id if one.rule.effect == "points" else f"{one.rule.effect}:{one.rule.id}"


def render(text: str, values: dict[str, int | None], units: dict[str, str]) -> str:
    """``text`` with every ``{name}`` replaced by its value: amounts in fen as yuan, an unknown value as a dash. English words
    agree with a value of 1 (:func:`rules.plural.agree`)."""

    def put(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None:
            return "—"
        if units.get(match[1]) != "fen":
            return str(value)
        # Whole fen, never a float: 10,050 fen are 100.50 yuan.
        whole, rest = divmod(abs(value), 100)
        return f"{'-' if value < 0 else ''}{whole}.{rest:02}"

    return agree(_PLACEHOLDER.sub(put, text))


def _plain(rule: str, points: int, title: Title, group: str | None = None) -> PointsRow:
    words = title.as_dict()
    return PointsRow(rule, points, words, group, None, words, {"zh": "", "en": ""}, (), (), ())


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
