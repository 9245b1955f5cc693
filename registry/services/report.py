"""The quality-credit report 企业质量信用报告 of an entity, on the outline of GB/T 31870-2015, from what may be seen today.

It counts and lists; it grades nothing: a risk class or score is no part of it, whoever reads it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from registry import clock, mappings
from registry.database import dicts, execute, in_slices
from registry.kinds import KINDS
from registry.kinds.codes import Label
from registry.models import Entity, Objection, Record
from registry.services import dossier, ledger, timeline, visibility
from registry.services.complaints import BadPeriod
from registry.services.visibility import Reader

# Years that a report looks back on unless it is told otherwise: the longest publicity of a record. Product default.
YEARS = 3
# Most lines of one part; its figures are of all of them.
LISTED = 100
OUTLINE = "GB/T 31870-2015"
# Kinds that say what holds rather than what happened: they belong to the period while they hold.
LASTING = ("licence", "certification", "standard_declared", "abnormal_listing", "serious_listing", "outside_list")
# What the report is made from, in its order.
USED = (
    "licence", "certification", "standard_declared", "product_sampling", "spot_check", "recall", "item_12315", "penalty",
    "satisfaction_survey", "award", "abnormal_listing", "serious_listing", "accident", "outside_list",
)  # fmt: skip
# What stands beside a record to which its party objects, or whose objection was upheld and which is not corrected yet.
NOTES: dict[str, Label] = {
    "received": Label("当事人已提出异议，待受理。", "Its party has objected; not accepted yet."),
    "accepted": Label("当事人已提出异议，正在核实。", "Its party has objected; this is being verified."),
    "upheld": Label("异议成立，内容待更正，已停止公示。", "An objection was upheld: to be corrected, not published."),
}
# Sources that are no file of a known form.
SOURCES: dict[str, Label] = {
    ledger.ORGAN: Label("机关直接报送", "posted by the organ"),
    "sample": Label("样例数据", "synthetic data"),
}
# From here on a foreign list speaks against an entity.
POOR = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One numbered part of the report: its lines (at most LISTED), and how many there are in all.

    `connected` says whether any feed of its kind reaches here: without one and without a record the part is unknown, not empty.
    """

    title: Label
    lines: list[dict[str, Any]]
    total: int
    connected: bool = True


@dataclass(frozen=True, slots=True)
class Year:
    """Figures of one year. `sampled` are batches that were judged, `rate` is passed of sampled in tenths of a percent."""

    year: int
    sampled: int = 0
    passed: int = 0
    checks: int = 0
    clean: int = 0
    complaints: int = 0
    upheld: int = 0
    refused: int = 0
    penalties: int = 0
    penalty_fen: int = 0

    @property
    def rate(self) -> int | None:
        return None if not self.sampled else self.passed * 1000 // self.sampled


@dataclass(frozen=True, slots=True)
class Source:
    """How much of one kind is behind the report, from where, and since when a feed of it is connected here."""

    kind: str
    title: Label
    records: int
    sources: list[Label]
    connected_from: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A report on `first` to `last`, both included, from ledger rows up to `known`."""

    entity: Entity
    basics: dict[str, Any]
    first: date
    last: date
    known: int
    parts: dict[str, list[Part]]
    years: list[Year]
    sources: list[Source]
    undated: int
    left_out: int


@dataclass(slots=True)
class _Read:
    by_kind: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    undated: int = 0
    left_out: int = 0


def of(
    entity: Entity, *, reader: Reader, today: date, zone: str, first: date | None = None, last: date | None = None
) -> Report:
    """The report on an entity for a period (default: the last three years up to today). A constant number of queries.

    What was withdrawn or repaired is not in it, and how many such records there were is not either; records that wait to
    be confirmed are left out and counted in `left_out`, undated ones in `undated`. Raises BadPeriod.
    """
    last = last or today
    first = first or _years_before(last, YEARS)
    if first > last or last > today:
        raise BadPeriod(
            f"A report from {first} to {last} cannot be made on {today}. Give a first day (`from`) that is not after the last "
            "one (`to`), and a last day that is not after today."
        )
    known = ledger.head()
    ids = timeline.merged(entity.id, known)
    read = _read(ids, zone, first, last)
    connected = _connected(entity)
    lines = _liner(reader, last, _notes(read.by_kind))
    years = [_year(number, read.by_kind) for number in range(last.year, first.year - 1, -1)]
    return Report(
        entity, dossier.basics_of(entity, None) | {"provisional": entity.provisional}, first, last, known,
        _parts(read.by_kind, lines, connected), years, _sources(read.by_kind, connected), read.undated, read.left_out,
    )  # fmt: skip


def _years_before(day: date, years: int) -> date:
    # Three years up to 29 February begin on 28 February: the month has no such day then.
    return (
        day.replace(year=day.year - years, day=28)
        if (day.month, day.day) == (2, 29)
        else day.replace(year=day.year - years)
    )


def _read(ids: Sequence[int], zone: str, first: date, last: date) -> _Read:
    """The records of the period that may be told, newest first, by kind."""
    rows = timeline.rows_of(ids, zone)
    uncounted = timeline.left_out(ids)
    sealed = timeline.sealed_today(rows, uncounted)
    read = _Read()
    wanted: list[int] = []
    for row in rows:
        if (
            row.kind not in USED
            or row.act in ("step", "withdraw")
            or row.replaced_seq is not None
            or row.identity in sealed
        ):
            continue
        if row.happened_on is None:
            read.undated += 1
        elif _within(row, first.isoformat(), last.isoformat()):
            if row.identity in uncounted and uncounted[row.identity] != "capped":
                read.left_out += 1
            else:
                wanted.append(row.seq)
    for part in in_slices(wanted):
        for said in dicts(Record.select().where(Record.seq.in_(list(part)))):
            read.by_kind[said["kind"]].append(said)
    for found in read.by_kind.values():
        found.sort(key=lambda said: (said["happened_on"], said["seq"]), reverse=True)
    return read


def _within(row: timeline.Row, first: str, last: str) -> bool:
    assert row.happened_on is not None
    if row.kind in LASTING:
        return row.happened_on <= last and (row.ends_on is None or row.ends_on > first)
    return first <= row.happened_on <= last


Lines = Callable[[Label, Iterable[Mapping[str, Any]], bool], Part]


def _liner(reader: Reader, last: date, notes: Mapping[str, Label]) -> Lines:
    def part(title: Label, found: Iterable[Mapping[str, Any]], connected: bool) -> Part:
        every = list(found)
        lines = [_line(row, reader, last) | {"note": notes.get(row["identity"])} for row in every[:LISTED]]
        return Part(title, lines, len(every), connected)

    return part


def _notes(found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Label]:
    """What to say beside records with an open objection, or an upheld one that no correction has followed yet. One query."""
    words = {row["identity"]: row["seq"] for rows in found.values() for row in rows}
    notes: dict[str, Label] = {}
    for part in in_slices(sorted(words)):
        wanted = Objection.identity.in_(list(part)) & Objection.state.in_(list(NOTES))
        for one in Objection.select().where(wanted).order_by(Objection.id):
            if one.state != "upheld" or words[one.identity] < one.seq:
                notes[one.identity] = NOTES[one.state]
    return notes


def _line(row: Mapping[str, Any], reader: Reader, last: date) -> dict[str, Any]:
    # What ended after the period had not ended in it; the end of what is valid for a time stands in its own line.
    ended = row["kind"] in timeline.ENDS and row["ends_on"] is not None and row["ends_on"] <= last
    ends = row["ends_on"] if ended or row["kind"] not in timeline.ENDS else None
    seen = visibility.shown(row["kind"], {**row, "ends_on": ends}, reader)
    return {
        "day": row["happened_on"].isoformat(), "ended_on": row["ends_on"].isoformat() if ended else None, "line": seen["line"],
        "organ": seen["organ"], "document_no": seen["document_no"], "seq": row["seq"],
    }  # fmt: skip


def _parts(
    found: Mapping[str, list[dict[str, Any]]], part: Lines, connected: Mapping[int, int]
) -> dict[str, list[Part]]:
    def fed(name: str) -> bool:
        return KINDS[name].number in connected

    def of_kind(name: str) -> Part:
        return part(KINDS[name].title, found.get(name, ()), fed(name))

    failed = [row for row in found.get("product_sampling", ()) if row["detail"]["result"] == "failed"]
    guilty = [row for row in found.get("accident", ()) if row["severity"]]
    poor = [row for row in found.get("outside_list", ()) if row["severity"] >= POOR]
    refused = [row for row in found.get("recall", ()) if row["severity"] >= POOR]
    return {
        "qualification": [of_kind("licence"), of_kind("certification")],
        "capability": [of_kind("standard_declared")],
        "performance": [
            of_kind("recall"), of_kind("satisfaction_survey"),
            part(Label("行政检查", "Checks"), found.get("spot_check", ()), fed("spot_check")),
        ],
        "good": [of_kind("award")],
        "bad": [
            of_kind("serious_listing"), of_kind("abnormal_listing"), of_kind("penalty"),
            part(Label("监督抽检不合格", "Failed product samplings"), failed, fed("product_sampling")),
            part(Label("受调查影响、责令或拒不召回", "Recalls that were not voluntary"), refused, fed("recall")),
            part(Label("负有责任的质量安全事故", "Accidents it is responsible for"), guilty, fed("accident")),
            part(Label("外部不良名单", "Adverse outside lists"), poor, fed("outside_list")),
        ],
    }  # fmt: skip


def _year(number: int, found: Mapping[str, list[dict[str, Any]]]) -> Year:
    def within(name: str) -> list[dict[str, Any]]:
        return [row for row in found.get(name, ()) if row["happened_on"].year == number]

    results = [row["detail"]["result"] for row in within("product_sampling")]
    checks = [row["code"] for row in within("spot_check")]
    items = [row["severity"] for row in within("item_12315") if row["code"] != 3]  # a consultation 咨询 says nothing
    penalties = [row["amount_fen"] for row in within("penalty")]
    return Year(
        number, sampled=sum(one in ("passed", "failed") for one in results), passed=results.count("passed"),
        checks=len(checks), clean=checks.count(1), complaints=sum(one > 0 for one in items),
        upheld=sum(one > 1 for one in items), refused=items.count(3), penalties=len(penalties), penalty_fen=sum(penalties),
    )  # fmt: skip


def _connected(entity: Entity) -> dict[int, int]:
    """Kinds, by number, of which a feed reaches the division of the entity, and the day since when."""
    rows = execute("SELECT kind, division, from_day FROM coverage WHERE gone IS NULL AND to_day IS NULL").fetchall()
    connected: dict[int, int] = {}
    for kind, division, from_day in rows:
        if entity.division.startswith(division):
            connected[kind] = min(from_day, connected.get(kind, from_day))
    return connected


def source_named(source: str) -> Label:
    """A source by its words: what its mapping is called; one that was named at the import by that name."""
    mapping = mappings.shipped().get(source)
    if mapping is not None:
        return Label(mapping.title, source)
    return SOURCES.get(source, Label(source, ""))


def _sources(found: Mapping[str, list[dict[str, Any]]], connected: Mapping[int, int]) -> list[Source]:
    """Where the report comes from: a kind without a record and without a feed is unknown, not none."""
    said = []
    for name in USED:
        kind, records = KINDS[name], found.get(name, [])
        since = connected.get(kind.number)
        said.append(
            Source(
                name, kind.title, len(records), [source_named(one) for one in sorted({row["source"] for row in records})],
                None if since is None else clock.day_of(since).isoformat(),
            )
        )  # fmt: skip
    return said
