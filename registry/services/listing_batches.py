"""Many abnormal-operation listings at once: who is a candidate, one case and one reason a row, sub-numbers N-1, N-2 …"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from registry import clock
from registry.database import execute, write
from registry.errors import RegistryError
from registry.kinds import KINDS
from registry.models import Entity, ListingCase
from registry.services import abnormal_list, deliveries, ledger, listing_cases
from registry.services.documents import Desk
from registry.services.listing_cases import ListingConflict, ListingRefused

REPORT = KINDS["annual_report"].number
# Cases of one transaction: other writers wait no longer than these take.
CHUNK = 4
LONGEST_NAME = 40
# Who must report on a year: registered, open, there before the year ended.
CANDIDATES = """
SELECT e.id, e.code, e.name, e.kind, e.division, e.organ FROM entity e
WHERE e.id > ? AND e.registered_seq IS NOT NULL AND e.status = 1 AND e.kind <> 'other' AND e.division LIKE ?
AND (e.established IS NULL OR e.established <= ?)
AND EXISTS (SELECT 1 FROM coverage c WHERE c.kind = ? AND c.gone IS NULL AND c.from_day <= ?
            AND (c.to_day IS NULL OR c.to_day >= ?) AND substr(e.division, 1, length(c.division)) = c.division)
AND NOT EXISTS (SELECT 1 FROM fact f WHERE f.entity = e.id AND f.kind = ? AND f.code = ? AND f.gone IS NULL)
AND NOT EXISTS (SELECT 1 FROM record r WHERE r.entity_id = e.id AND r.kind = 'annual_report' AND r.code = ?
                AND r.replaced_seq IS NULL AND r.act <> 'withdraw')
AND NOT EXISTS (SELECT 1 FROM alias a WHERE a.entity = e.id AND a.until_seq IS NULL)
AND NOT EXISTS (SELECT 1 FROM record r WHERE r.entity_id = e.id AND r.kind = 'abnormal_listing' AND r.code = 1
                AND r.replaced_seq IS NULL AND r.ends_on IS NULL AND r.act NOT IN ('withdraw', 'step')
                AND (r.detail ->> 'year' IS NULL OR CAST(r.detail ->> 'year' AS INTEGER) = ?))
AND NOT EXISTS (SELECT 1 FROM listing_case c WHERE c.entity = e.id AND c.list = 'abnormal' AND c.action = 'enter'
                AND c.ground = 1 AND c.cause = ? AND c.state IN ({pending}))
AND ({within}) ORDER BY e.id
"""
UNCOVERED = """
SELECT count(*) FROM entity e WHERE e.registered_seq IS NOT NULL AND e.status = 1 AND e.division LIKE ?
AND NOT EXISTS (SELECT 1 FROM coverage c WHERE c.kind = ? AND c.gone IS NULL AND c.from_day <= ?
                AND (c.to_day IS NULL OR c.to_day >= ?) AND substr(e.division, 1, length(c.division)) = c.division)
AND ({within})
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be listed, and the reason that a case would give."""

    entity: int
    code: str
    name: str
    subject: str
    division: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would be listed; nothing is written.

    `unknown` are subjects of which no feed says whether they reported: counted with the first page, None on the others.
    """

    ground: int
    year: int | None
    items: list[Candidate]
    unknown: int | None
    next: int | None = None


@dataclass(slots=True)
class Batch:
    """What became of a batch: cases opened or found, rows that were refused with the reason, in order."""

    opened: int = 0
    unchanged: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def candidates(
    *, ground: int, year: int | None, today: date, division: str = "", divisions: Sequence[str] = ("",), organ: str | None = None,
    after: int = 0, limit: int | None = None,
) -> Plan:  # fmt: skip
    """Who may be listed for a ground: a plan, nothing is written.

    Ground 1: open subjects whose report on `year` is not on record after 30 June, where a feed of annual reports covers the
    half year in which it was due; who is not covered is counted as unknown and never listed. Ground 4: whom two special
    letters did not reach. Those listed already for the same cause are left out. Raises ListingRefused for other grounds
    (a person must verify those) and before the report is overdue.

    Nobody outside `divisions` is named or counted. A page reads as far as it is filled, not the whole register.
    """
    if ground == 4:
        found = [one for one in deliveries.uncontactable(today, organ=organ) if one.entity > after]
        items = [
            Candidate(
                entity.id, entity.code or "", entity.name, abnormal_list.subject_of(entity), entity.division,
                f"本机关先后于{one.first_on}、{one.second_on}向你单位登记的住所（经营场所）寄送专用信函（{one.letters[0]}、{one.letters[1]}），"
                "均无人签收，通过登记的住所（经营场所）无法取得联系。",
            )
            for one in sorted(found, key=lambda one: one.entity)
            if _open_and_unlisted(entity := Entity.get_by_id(one.entity), divisions, division)
        ]  # fmt: skip
        return _cut(Plan(4, None, items, 0), limit)
    if ground != 1:
        raise ListingRefused(
            f"Candidates are found for grounds 1 and 4. Ground {ground} rests on what a person verified: open a case of its own."
        )
    if year is None or today <= date(year + 1, 6, 30):
        raise ListingRefused(
            f"Give a year whose report is overdue on {today}: the report of a year is due by 30 June of the next."
        )
    covered = (REPORT, clock.day_number(date(year + 1, 1, 1)), clock.day_number(date(year + 1, 6, 30)))
    within = " OR ".join("e.division LIKE ?" for _ in divisions) or "1 = 0"
    prefixes = [f"{prefix}%" for prefix in divisions]
    states = ", ".join(f"'{state}'" for state in listing_cases.PENDING)
    cut = "" if limit is None else f" LIMIT {limit + 1:d}"
    rows = execute(
        CANDIDATES.format(pending=states, within=within) + cut,
        (after, f"{division}%", date(year, 12, 31).isoformat(), *covered, REPORT, year, year, year, str(year), *prefixes),
    ).fetchall()  # fmt: skip
    reason = f"你单位未按照规定期限报送并公示{year}年度年度报告。"
    items = [
        Candidate(
            entity, code or "", name, kind, area, reason if kind != "individual" else reason.replace("单位", "户")
        )
        for entity, code, name, kind, area, _ in rows
    ]
    unknown: int | None = None
    if not after:
        (unknown,) = execute(UNCOVERED.format(within=within), (f"{division}%", *covered, *prefixes)).fetchone()
    return _cut(Plan(1, year, items, unknown), limit)


def open_batch(
    name: str, rows: Iterable[tuple[str, str]], *, ground: int, year: int | None, opinion: str, desk: Desk,
    progress: Callable[[int, int | None], None] | None = None,
) -> Batch:  # fmt: skip
    """Open and propose one case a row (code, reason) under the name of a batch. Rows that cannot be are refused by name.

    Not one transaction: chunks are, and a row that fails takes nothing else with it. Safe to repeat as a whole. Raises
    ListingConflict where another ground or year has this name already.
    """
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ListingRefused(f"A batch has a name of 1 to {LONGEST_NAME} characters. Choose another.")
    other = ListingCase.get_or_none(
        (ListingCase.batch == name) & ((ListingCase.organ != desk.organ.name) | (ListingCase.ground != ground) | (ListingCase.year != year))
    )  # fmt: skip
    if other is not None:
        raise ListingConflict(
            f"There is a batch {name!r} already, of another organ, ground or year. Choose another name."
        )
    said = Batch()
    given = list(rows)
    for begin in range(0, len(given), CHUNK):
        with write():
            for code, reason in given[begin : begin + CHUNK]:
                try:
                    # A savepoint: the row that fails is taken back alone.
                    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
                        case, new = abnormal_list.start_listing(
                            pen,
                            code,
                            ground=ground,
                            facts=reason,
                            year=year,
                            order="",
                            verified_on=None,
                            batch=name,
                            desk=desk,
                        )
                        if new:
                            listing_cases.propose(pen, case, opinion=opinion, desk=desk, ready=("draft",))
                except RegistryError as error:
                    said.refused.append((code, error.detail))
                else:
                    said.opened += new
                    said.unchanged += not new
        if progress is not None:
            progress(min(begin + CHUNK, len(given)), len(given))
    return said


def decide_batch(
    name: str, *, agree: bool, opinion: str, desk: Desk, only: Iterable[int] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Batch:  # fmt: skip
    """Audit the proposed cases of a batch (`only` some of them): documents share one number, N-1, N-2 …, without a gap.

    A case that cannot take effect any more is reported and stays proposed. Safe to repeat: it goes on with what is left.
    """
    query = ListingCase.select(ListingCase.id).where(
        (ListingCase.batch == name) & (ListingCase.organ == desk.organ.name) & (ListingCase.state == "proposed")
    )
    wanted = None if only is None else set(only)
    numbers = [row.id for row in query.order_by(ListingCase.id) if wanted is None or row.id in wanted]
    said = Batch()
    for begin in range(0, len(numbers), CHUNK):
        with write():
            for number in numbers[begin : begin + CHUNK]:
                try:
                    with ledger.writing(now=desk.now, schemes=desk.schemes) as pen:
                        case = listing_cases.locked(pen, number, desk)
                        said.opened += abnormal_list.settle(pen, case, agree=agree, opinion=opinion, desk=desk)
                except RegistryError as error:
                    said.refused.append((str(number), error.detail))
        if progress is not None:
            progress(min(begin + CHUNK, len(numbers)), len(numbers))
    return said


@dataclass(frozen=True, slots=True)
class BatchCount:
    """A batch in numbers: rows opened, by state, and of those that took effect how many still stand, ended or were corrected."""

    name: str
    rows: int
    states: dict[str, int]
    listed: int
    standing: int
    removed: int
    corrected: int


def count(name: str, *, organ: str) -> BatchCount:
    """How a batch stands: `listed` is the initial count and equals standing + removed + corrected."""
    states = dict(
        execute(
            "SELECT state, count(*) FROM listing_case WHERE batch = ? AND organ = ? GROUP BY state ORDER BY state",
            (name, organ),
        ).fetchall()
    )
    rows = execute(
        "SELECT r.act, r.ends_on FROM listing_case c JOIN record r ON r.identity = c.identity AND r.replaced_seq IS NULL "
        "WHERE c.batch = ? AND c.organ = ? AND c.state = 'effective' AND c.action = 'enter'",
        (name, organ),
    ).fetchall()
    if not states:
        raise listing_cases.ListingCaseNotFound(
            f"{organ} has no batch {name!r}. `xinheng listing batch open` makes one."
        )
    corrected = sum(act == "withdraw" for act, _ in rows)
    removed = sum(act != "withdraw" and ends is not None for act, ends in rows)
    return BatchCount(
        name, sum(states.values()), states, len(rows), len(rows) - corrected - removed, removed, corrected
    )


def _open_and_unlisted(entity: Entity, divisions: Sequence[str], division: str) -> bool:
    within = entity.division.startswith(division) and any(entity.division.startswith(prefix) for prefix in divisions)
    if not within or entity.status != abnormal_list.OPEN:
        return False
    cause = abnormal_list.cause_of(entity, 4, None, "", date.min)
    waits = listing_cases.pending(entity.id, "abnormal", "enter", 4, cause)
    return waits is None and abnormal_list.same_open(entity, 4, None, cause) is None


def _cut(plan: Plan, limit: int | None) -> Plan:
    if limit is None or len(plan.items) <= limit:
        return plan
    items = plan.items[:limit]
    return Plan(plan.ground, plan.year, items, plan.unknown, items[-1].entity)
