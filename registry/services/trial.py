"""The dry run: every row tried, nothing stored, and what was understood said as a person or a program can read it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from registry.errors import BadFile
from registry.kinds import KINDS, Statement
from registry.mappings import Column, shortened
from registry.mappings.form import same_heading
from registry.services.counts import Counts
from registry.services.parsing import Parsed, Refusal, RowParser
from registry.services.senders import Sender, judged
from registry.services.understanding import Source, body
from registry.services.visibility import REGULATOR, detail_for
from registry.tables.base import FORMS

# Causes that are listed, and numbers of rows that each names.
MOST_CAUSES, ROWS_NAMED = 20, 3
# First rows that are shown as they would be stored.
FIRST_ROWS = 3
_NUMBERS = re.compile(r"[0-9][0-9,.\-]*")
_QUOTED = re.compile(r"'[^']*'")

Progress = Callable[[int], None]
_Key = tuple[str, str]


@dataclass(slots=True)
class Cause:
    """One reason why rows are refused, or wait: how many rows, and the numbers of the first."""

    column: str
    reason: str
    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        self.count += 1
        if len(self.rows) < ROWS_NAMED:
            self.rows.append(row)


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was understood of a file: what it is, how its columns are read, its first rows, and what would become of all.

    `refusals` are the first refused cells (row, refusal), `causes` all of them grouped, `waits` the rows without a usable
    code by reason, `noted` what is kept and could not be understood in full (`Kind.noted`). `damage` says where the file breaks off, "" where it does not. Personal data is masked throughout.
    """

    opened: Source
    counts: Counts
    refusals: list[tuple[int, Refusal]]
    causes: list[Cause]
    waits: list[Cause]
    noted: list[Cause]
    first: list[dict[str, Any]]
    damage: str
    run: None = None
    resumed_at: int = 0

    @property
    def mapping(self) -> str:
        return self.opened.mapping.id

    @property
    def encoding(self) -> str:
        return self.opened.file.encoding

    def as_dict(self) -> dict[str, Any]:
        """All of it for programs: plain values only."""
        return described(self.opened) | {
            "counts": {"read": self.counts.read} | {name: getattr(self.counts, name) for name in _COUNTED},
            "first_rows": self.first,
            "refusals": _listed(self.causes),
            "waits": _listed(self.waits),
            "noted": _listed(self.noted),
            "damage": self.damage or None,
        }


_COUNTED = ("stored", "unmatched", "rejected", "undated")


def dry_run(
    opened: Source, *, today: date, key: bytes, show: int = 20, progress: Progress | None = None, sender: Sender | None = None,
) -> Understanding:  # fmt: skip
    """Read the whole file and check every row; touch no database. `unmatched` counts rows without a usable code.

    With `sender` rows of other organs are refused as his import would refuse them.

    A file that breaks off is no error here: what stands before that place was tried, and `damage` says where it is.
    """
    parser = RowParser(opened.mapping, opened.header, today=today, key=key)
    counts, refusals = Counts(), list[tuple[int, Refusal]]()
    causes, waits, noted = dict[_Key, Cause](), dict[_Key, Cause](), dict[_Key, Cause]()
    first: list[dict[str, Any]] = []
    damage = ""
    try:
        for number, cells in body(opened):
            result = judged(parser.parse(cells), sender, parser.heading_of.get("organ", ""))
            if isinstance(result, list):
                counts.rejected += 1
                refusals += [(number, refusal) for refusal in result[: max(0, show - len(refusals))]]
                for refusal in result[
                    :1
                ]:  # a row is refused once; what else is wrong with it stands in the rejects file
                    _group(causes, refusal.column, refusal.reason, number)
                continue
            if result.party is None:
                counts.unmatched += 1
                _group(waits, "", result.why or "not_registered", number)
            else:
                counts.stored += 1
                counts.undated += result.statement.happened_on is None
            for column, reason in KINDS[result.statement.kind].noted(result.statement):
                _group(noted, column, reason, number, quoted=True)
            if len(first) < FIRST_ROWS:
                first.append(_shown(number, result))
            if progress is not None and counts.read % 5_000 == 0:
                progress(counts.read)
    except BadFile as error:
        damage = error.detail
    return Understanding(
        opened, counts, refusals, _ranked(causes), _ranked(waits), _ranked(noted), first, damage or opened.damage
    )


def _ranked(found: dict[_Key, Cause]) -> list[Cause]:
    return sorted(found.values(), key=lambda cause: (-cause.count, cause.rows))


def described(opened: Source) -> dict[str, Any]:
    """What is known of a file before a row is tried: what it is, its header, and how each column is read."""
    file, mapping = opened.file, opened.mapping
    return {
        "file": file.path.name, "form": file.form, "nature": FORMS[file.form], "encoding": file.encoding or None,
        "separator": file.separator or None, "compressed": file.compressed, "size": file.size, "digest": file.digest,
        "sheet": file.sheet or None, "other_sheets": [name for name in file.sheets if name != file.sheet],
        "notes": list(file.notes), "header_row": opened.header_row,
        "above": ["，".join(shortened(cell) for cell in row if cell.strip()) for row in opened.above],
        "rows": opened.rows, "left_out": dict(opened.left_out),
        "mapping": mapping.id, "title": mapping.title, "kind": mapping.kind, "source": opened.source,
        "columns": columns_of(opened), "constants": dict(mapping.constants), "unknown": list(map(shortened, opened.unknown)),
    }  # fmt: skip


def columns_of(opened: Source) -> list[dict[str, Any]]:
    """Every heading of the file, the field that it becomes, and how its cells are read."""
    mapping = opened.mapping
    persons = mapping.persons
    refused = [heading for one in mapping.refuse for heading in one.headings]
    code, name, person, number, state, ignored = (
        set(map(same_heading, headings))
        for headings in (
            mapping.party_code, mapping.party_name, persons.headings if persons else (), persons.number if persons else (),
            refused, mapping.ignore,
        )
    )  # fmt: skip
    listed: list[dict[str, Any]] = []
    for place, heading in enumerate(opened.header, start=1):
        same = same_heading(heading)
        fields = [
            (one.field, _read(one, opened))
            for one in mapping.columns
            if same in map(same_heading, (*one.headings, *one.text))
        ]
        fields += [("party code 主体代码", "number")] * (same in code) + [("party name 主体名称", "text")] * (
            same in name
        )
        fields += [("person or firm 主体类别", "text")] * (same in person)
        fields += [("number of a person 个人证件号", "keyed hash")] * (same in number)
        fields += [("rows refused by it 据此拒收", "text")] * (same in state)
        if not fields:
            left = "left out" if same in ignored or not heading else "unknown, left out"
            fields = [("", left)]
        listed += [
            {"column": place, "heading": shortened(heading), "field": field, "read": read} for field, read in fields
        ]
    return listed


def _read(column: Column, opened: Source) -> str:
    words = {"yuan": "amount in 元", "wan": "amount in 万元", "codes": f"codes of {column.system}"}.get(
        column.read, column.read
    )
    if column.read == "day":
        found = opened.days.get(column.field)
        return f"day: {found.words or 'no cell filled'}" if found else "day"
    if column.values:
        words += f", {len(column.values)} values"
    return "put together" if column.form else words


def _shown(number: int, result: Parsed) -> dict[str, Any]:
    """One row as a regulator would see it once it is stored; the name of a natural person cut to its first character."""
    name = f"{result.name[:1]}*" if result.why == "person" and result.name else result.name
    return {
        "row": number, "party": {"name": shortened(name), "code": result.shown_code, "why_it_waits": result.why or None},
        "record": _record(result.statement),
    }  # fmt: skip


def _record(said: Statement) -> dict[str, Any]:
    kind = KINDS[said.kind]
    found: dict[str, Any] = {
        "kind": said.kind, "happened_on": said.happened_on and said.happened_on.isoformat(),
        "ends_on": said.ends_on and said.ends_on.isoformat(), "organ": said.organ, "document_no": said.document_no,
        "code": said.code, "severity": said.severity,
    }  # fmt: skip
    if REGULATOR.sees(kind.amount):
        found["amount_fen"] = said.amount_fen
    return found | {"detail": {name: _cut(value) for name, value in detail_for(kind, said.detail, REGULATOR).items()}}


def _cut(value: Any) -> Any:
    return shortened(value) if isinstance(value, str) else value


def _group(found: dict[_Key, Cause], column: str, reason: str, row: int, *, quoted: bool = False) -> None:
    """Reasons that differ in a number or a quoted value only are one cause, shown as the first row has it.

    With `quoted` a quoted value is what it is about: each has a cause of its own.
    """
    key = column, reason if quoted else _NUMBERS.sub("0", _QUOTED.sub("''", reason))
    if key not in found:
        found[key] = Cause(column, reason)
    found[key].add(row)


def _listed(causes: list[Cause]) -> dict[str, Any]:
    shown = causes[:MOST_CAUSES]
    return {
        "causes": [{"column": one.column, "reason": one.reason, "count": one.count, "rows": one.rows} for one in shown],
        "more": len(causes) - len(shown),
    }
