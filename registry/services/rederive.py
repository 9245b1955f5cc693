"""Every cache made again from the ledger, and what differs: nothing that is counted or shown may say what no row says.

Checked are `replaced_seq`, facts, what does not count, the columns and names of entities, coverage, mirrors (relations,
claimants), the life of records (reviews, publication, repairs …), draws, lists and results of visits. The full-text indexes are not: they show no content.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson

from registry.clock import day_number
from registry.database import execute, in_slices
from registry.kinds import DERIVED, KINDS, Statement
from registry.sealing.findings import MOST, Findings
from registry.sealing.leaves import ROW_FROM
from registry.services import context_building, draw_check, life, mirrors, override_check, raise_check, scheme_history
from registry.services.facts import FactRow, parts_between, parts_of
from registry.services.parties import LONGEST_NAME, folded_name

# Rows of the ledger or entities that are read at once.
SLICE = 5_000
FACT_SQL = (
    "r.replaced_seq, f.kind, f.code, f.severity, f.amount, f.day, f.ends, f.gone "
    f"FROM {ROW_FROM} LEFT JOIN fact f ON f.entity = r.entity_id AND f.known = r.seq AND f.part = 0"
)
NUMBERS = {name: kind.number for name, kind in KINDS.items()}
CACHE = "cache"
_IDENTITY = re.compile(r"identity ([0-9a-f]{32})\b")


class Special:
    """Records that at some time did not count, or were found by name: their facts have a history of their own."""

    def __init__(self) -> None:
        self.uncounted: dict[str, tuple[str, int]] = {
            identity: (why, seq)
            for identity, why, seq in execute("SELECT identity, why, seq FROM uncounted").fetchall()
        }
        # Identity → the steps that left it out, oldest first.
        self.steps: dict[str, list[tuple[int, str]]] = {}
        found = execute(
            "SELECT seq, about, CAST(detail AS text) FROM record WHERE act = 'step' AND about IS NOT NULL AND entity_id IS NOT NULL "
            "AND CAST(detail AS text) LIKE ? ORDER BY seq",
            ('%"leaves_out"%',),
        ).fetchall()
        for seq, about, detail in found:
            why = _object(detail).get("leaves_out")
            if isinstance(why, str):
                self.steps.setdefault(about, []).append((seq, why))
        named = execute("SELECT DISTINCT identity FROM record WHERE matched = 'name'").fetchall()
        self.identities = {row[0] for row in named} | set(self.steps) | set(self.uncounted)


class Facts:
    """The facts of rows as the walk over the ledger meets them. Each row projects its own columns, once, and beside them
    what its kind derives, which counts as long as its own fact does."""

    def __init__(self, found: Findings, special: Special) -> None:
        self._found, self._special = found, special
        self.met = 0
        self._parts: dict[int, list[FactRow]] = {}

    def turn_to(self, low: int, high: int) -> None:
        """Make ready to compare the rows behind `low` up to `high`."""
        self._parts = parts_between(low, high)

    def compare(self, values: tuple[Any, ...]) -> None:
        """Compare one row of ROW_SQL and FACT_SQL with the fact beside it."""
        seq, act, identity, kind, entity, happened = values[0], values[1], values[2], values[4], values[5], values[9]
        replaced, fact = values[20], values[21:27]
        has = fact[0] is not None
        self.met += has
        self._compare_parts(values)
        projects = act not in ("withdraw", "step") and entity is not None and happened is not None
        if has:
            expected = (
                NUMBERS.get(kind), values[6], values[7], values[8], _number(happened), _number(values[10]),
            )  # fmt: skip
            if not projects or tuple(fact) != expected:
                self._found.add(CACHE, "has a fact that says something else than the row.", seq)
                return
        gone = values[27]
        if identity not in self._special.identities:
            if projects != has or (has and gone != replaced):
                self._found.add(
                    CACHE, "counts where it should not, or does not count where it should: its fact was changed.", seq
                )
        elif has or (projects and replaced is None and identity not in self._special.uncounted):
            ends = {replaced, *(step for step, _ in self._special.steps.get(identity, []))}
            counts = has and gone is None
            if (has and gone is not None and gone not in ends) or (
                counts != (projects and replaced is None and identity not in self._special.uncounted)
            ):
                self._found.add(
                    CACHE, "counts where it should not, or does not count where it should: its fact was changed.", seq
                )

    def _compare_parts(self, values: tuple[Any, ...]) -> None:
        seq, kind, entity, own, gone = values[0], values[4], values[5], values[21], values[27]
        if kind not in DERIVED:
            return
        there = self._parts.get(seq, [])
        self.met += len(there)
        expected: list[FactRow] = []
        if own is not None:
            statement = Statement(
                kind, values[6], values[7], values[8], _day(values[9]), _day(values[10]), values[11], values[12], (),
                _object(values[17]),
            )  # fmt: skip
            expected = [(*row[:-1], gone) for row in parts_of(entity, seq, statement)]
        if there != expected:
            title = DERIVED[kind].title
            self._found.add(CACHE, f"has facts of {title.zh} ({title.en}) that say something else than the row.", seq)

    def finish(self) -> None:
        """Facts that no row of the ledger has."""
        if int(execute("SELECT count(*) FROM fact").fetchone()[0]) == self.met:
            return
        rows = execute(
            "SELECT f.known FROM fact f LEFT JOIN record r ON r.seq = f.known AND r.entity_id = f.entity "  # noqa: S608
            f"AND (f.part = 0 OR r.kind IN ({', '.join('?' * len(DERIVED))})) "
            "WHERE r.seq IS NULL ORDER BY f.known LIMIT 1000",
            list(DERIVED),
        ).fetchall()
        for (seq,) in rows:
            self._found.add(CACHE, "is named by a fact, and no such row says so: the fact was made up.", seq)


def check(found: Findings, special: Special, tell: Callable[[int], None]) -> None:
    """Derive every other cache anew and say what differs; `tell` hears the last entity that was looked at."""
    _replaced(found)
    _uncounted(found, special)
    _entities(found, tell)
    _coverage(found)
    for text in mirrors.differences():
        found.add(CACHE, text)
    for text in life.derive_life():
        found.add(CACHE, _named(text) if found.counts.get(CACHE, 0) < MOST else text)
    for text, seq in scheme_history.differences():
        found.add(CACHE, text, seq)
    for text in chain(
        override_check.differences(),
        raise_check.differences(),
        context_building.differences(),
        draw_check.differences(),
    ):
        found.add(CACHE, text)


def _named(text: str) -> str:
    """The sentence with each record called as people call it: kind, document number, ledger row and whose it is."""
    return _IDENTITY.sub(lambda match: _called(match[1]) or match[0], text)


def _called(identity: str) -> str:
    row = execute(
        "SELECT r.seq, r.kind, r.document_no, e.code, e.registration_no FROM record r LEFT JOIN entity e ON e.id = r.entity_id "
        "WHERE r.identity = ? AND r.replaced_seq IS NULL",
        (identity,),
    ).fetchone()
    if row is None:
        return ""
    seq, kind, document_no, code, registration_no = row
    title = KINDS[kind].title.zh if kind in KINDS else kind
    whose = f", entity {code or registration_no}" if code or registration_no else ""
    return f"of {title} {document_no or 'without a document number'} (row {seq}{whose})"


def _replaced(found: Findings) -> None:
    wrong = execute(
        "SELECT r.seq FROM record r LEFT JOIN record n ON n.seq = r.replaced_seq "
        "WHERE r.replaced_seq IS NOT NULL AND (n.replaces IS NULL OR n.replaces <> r.seq) "
        "UNION SELECT p.seq FROM record n JOIN record p ON p.seq = n.replaces "
        "WHERE p.replaced_seq IS NULL OR p.replaced_seq <> n.seq ORDER BY 1"
    ).fetchall()
    for (seq,) in wrong:
        found.add(CACHE, "is marked as replaced by another row than the one that replaced it.", seq)


def _uncounted(found: Findings, special: Special) -> None:
    """What does not count now: left out by a step and not restated since, or grave and found by name alone."""
    for part in in_slices(sorted(special.identities), SLICE):
        marks = ", ".join("?" * len(part))
        sql = (
            "SELECT r.identity, r.seq, r.act, r.matched, r.kind, r.code, r.severity, r.amount_fen, CAST(r.happened_on AS text), "  # noqa: S608
            "CAST(r.ends_on AS text), r.document_no, r.organ, CAST(r.detail AS text), "
            "(SELECT max(s.seq) FROM record s WHERE s.identity = r.identity AND s.act = 'restate'), p.matched "
            "FROM record r LEFT JOIN record p ON p.seq = r.replaces "
            f"WHERE r.identity IN ({marks}) AND r.replaced_seq IS NULL"
        )
        rows = execute(sql, part).fetchall()
        current = {row[0]: row for row in rows}
        for identity in part:
            if identity in current:
                _held(found, special, current[identity])
            elif identity in special.uncounted:
                found.add(
                    CACHE, f"The table of what does not count names a record {identity} that the ledger does not have."
                )


def _held(found: Findings, special: Special, row: tuple[Any, ...]) -> None:
    identity, seq, act, matched, kind = row[:5]
    held = special.uncounted.get(identity)
    step = special.steps.get(identity, [])[-1:]
    restated = row[13]
    text = "is left out of counting, or let into it, against what the ledger says of it."
    if step and (restated is None or restated < step[0][0]):
        if held != (step[0][1], step[0][0]):
            found.add(CACHE, text, seq)
        return
    if act == "withdraw" or kind not in KINDS:
        return
    statement = Statement(
        kind, row[5], row[6], row[7], _day(row[8]), _day(row[9]), row[10], row[11], (), _object(row[12])
    )
    by_name = matched == "name" and KINDS[kind].grave(statement)
    confirmed = step and row[14] == "name" and matched != "name"
    if (by_name != (held is not None and held[0] == "by_name") and not (by_name and held is not None)) or (
        held is not None and held[0] != "by_name" and not confirmed
    ):
        found.add(CACHE, text, seq)


def _entities(found: Findings, tell: Callable[[int], None]) -> None:
    """The columns of entities from their newest registration, and a name for each that they were registered under."""
    after = 0
    while True:
        rows = execute(
            "SELECT e.id, e.name, e.kind, e.status, e.industry, e.division, e.organ, e.address, CAST(e.established AS text), "
            "e.capital_fen, e.registered_seq, e.provisional, r.entity_id, r.kind, r.replaced_seq, r.severity, r.code, r.organ, "
            "CAST(r.happened_on AS text), r.amount_fen, CAST(r.detail AS text), r.act, e.code, e.registration_no "
            "FROM entity e LEFT JOIN record r ON r.seq = e.registered_seq WHERE e.id > ? ORDER BY e.id LIMIT ?",
            (after, SLICE),
        ).fetchall()
        if not rows:
            break
        for row in rows:
            if not _follows(row):
                found.add(
                    CACHE,
                    f"Entity {row[-2] or row[-1] or row[0]} says something else than its registration in the ledger.",
                )
        _names(found, after, rows[-1][0])
        after = rows[-1][0]
        tell(after)
    stray = execute(
        "SELECT r.seq FROM record r LEFT JOIN entity e ON e.id = r.entity_id AND e.registered_seq = r.seq "
        "WHERE r.kind = 'registration' AND r.act <> 'step' AND r.replaced_seq IS NULL AND e.id IS NULL ORDER BY r.seq LIMIT 1000"
    ).fetchall()
    for (seq,) in stray:
        found.add(CACHE, "is the newest registration of an entity, and the entity does not know it.", seq)


def _follows(row: tuple[Any, ...]) -> bool:
    if row[10] is None:
        return bool(row[11])
    detail = _object(row[20])
    said = (
        str(detail.get("name", ""))[:LONGEST_NAME], detail.get("subject"), row[15], row[16], detail.get("division", ""), row[17],
        detail.get("address", ""), row[18], row[19],
    )  # fmt: skip
    belongs = row[12] == row[0] and row[13] == "registration" and row[14] is None
    return bool(belongs and tuple(row[1:10]) == said and not row[11])


def _names(found: Findings, low: int, high: int) -> None:
    known = set(
        execute(
            "SELECT entity_id, folded FROM entity_name WHERE entity_id > ? AND entity_id <= ?", (low, high)
        ).fetchall()
    )
    names = execute(
        "SELECT e.id, e.name, coalesce(e.code, e.registration_no) FROM entity e "
        "WHERE e.id > ? AND e.id <= ? AND e.registered_seq IS NOT NULL",
        (low, high),
    )
    for entity, name, number in names.fetchall():
        if name.strip() and (entity, folded_name(name)) not in known:
            found.add(
                CACHE,
                f"Entity {number or entity} cannot be found by its name: the name was removed from the table of names.",
            )


def _coverage(found: Findings) -> None:
    said = {
        seq: (code, _object(detail).get("division", ""), _number(begins), _number(ends), replaced)
        for seq, code, begins, ends, detail, replaced in execute(
            "SELECT seq, code, CAST(happened_on AS text), CAST(ends_on AS text), CAST(detail AS text), replaced_seq FROM record "
            "WHERE kind = 'coverage' AND act <> 'step' AND entity_id IS NULL"
        ).fetchall()
    }
    held = {
        row[0]: tuple(row[1:])
        for row in execute("SELECT known, kind, division, from_day, to_day, gone FROM coverage").fetchall()
    }
    for seq in sorted(set(said) | set(held)):
        if said.get(seq) != held.get(seq):
            found.add(CACHE, "says which feed was connected, and the table of coverage says something else.", seq)


def _object(text: str) -> dict[str, Any]:
    """The detail of a row; empty where it was made unreadable, which the leaf tells."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        return None


@lru_cache(1 << 15)
def _number(text: str | None) -> int | None:
    day = _day(text)
    return None if day is None else day_number(day)
