"""Complaints and reports 12315事项: who makes them in series 职业索赔, what of these counts, and what is published 投诉公示.

Everything follows from the ledger and from dated parameters (`registry/parameters/complaints.toml`): whoever runs this again
over the same rows comes to the same items, in whatever order they arrived.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from registry import clock, parameters
from registry.database import dicts, execute, in_slices
from registry.errors import RegistryError
from registry.kinds.item_12315 import TYPES
from registry.models import Entity, Record, Uncounted
from registry.services import aliases, audit, ledger

PARAMETERS = parameters.shipped("complaints")
WINDOW, LIMIT, CAP = (PARAMETERS[name] for name in ("serial_window_days", "serial_items", "serial_cap"))
KIND = "item_12315"
COMPLAINT = TYPES["complaint"][0]
# A row of `claim` as it stood at a ledger number.
HELD = "AND known <= ? AND (gone IS NULL OR gone > ?)"
# What is said of a category that too few complaints have.
OTHER = "其他"


class BadPeriod(RegistryError):
    """A period that no figures can be given for."""

    code = "bad_period"
    status = 422


@dataclass(frozen=True, slots=True)
class Claim:
    """One item of one claimant, a keyed hash: about which entity, received on which day (number), and what it weighs."""

    identity: str
    entity: int
    day: int
    severity: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What follows for the items of one claimant: those made in series, and of these the ones beyond the cap.

    `beyond` says of each: (most items that the claimant made within one window, limit, cap).
    """

    serial: frozenset[str]
    beyond: dict[str, tuple[int, int, int]]


def judge(claims: Iterable[Claim]) -> Judged:
    """Judge all items of one claimant. Pure; the order in which they are given does not matter.

    Items are *serial* where they are among more than `serial_items` that their claimant has made within
    `serial_window_days`, the earlier ones too: who has made many made those as well. Of the serial items that would count,
    about one entity and within the window that ends on its day, the first `serial_cap` count and the rest are beyond the
    cap. The parameters are those of the last day of the window.
    """
    ordered = sorted(claims, key=lambda one: (one.day, one.identity))
    days = [one.day for one in ordered]
    serial: list[int] = []
    most_made, marked = 0, 0  # places before `marked` were looked at
    for place, one in enumerate(ordered):
        on = clock.day_of(one.day)
        first = bisect_right(days, one.day - WINDOW.on(on).value)
        if place + 1 - first > LIMIT.on(on).value:
            serial.extend(range(max(first, marked), place + 1))
            marked = place + 1
            most_made = max(most_made, place + 1 - first)
    counted: dict[int, list[int]] = defaultdict(list)
    beyond: dict[str, tuple[int, int, int]] = {}
    for place in serial:
        one = ordered[place]
        if one.severity:
            on = clock.day_of(one.day)
            window, limit, most = (parameter.on(on).value for parameter in (WINDOW, LIMIT, CAP))
            mine = counted[one.entity]
            if len(mine) - bisect_right(mine, one.day - window) >= most:
                beyond[one.identity] = (most_made, limit, most)
            else:
                mine.append(one.day)
    return Judged(frozenset(ordered[place].identity for place in serial), beyond)


def claims_of(claimants: Sequence[str], *, known: int | None = None) -> dict[str, list[Claim]]:
    """The items of claimants (keyed hashes), as they stood when the ledger had `known` rows; now, where it is not given."""
    seq = aliases.NOW if known is None else known
    found: dict[str, list[Claim]] = {claimant: [] for claimant in claimants}
    for part in in_slices(sorted(set(claimants))):
        marks = ", ".join("?" * len(part))
        sql = f"SELECT claimant, identity, entity, day, severity FROM claim WHERE claimant IN ({marks}) {HELD}"  # noqa: S608
        for claimant, *rest in execute(sql, (*part, seq, seq)).fetchall():
            found[claimant].append(Claim(*rest))
    return found


def serial_items(claimants: Sequence[str], *, known: int | None = None) -> set[str]:
    """Identities of the items that these claimants have made in series."""
    return {identity for claims in claims_of(claimants, known=known).values() for identity in judge(claims).serial}


# --- what counts ----------------------------------------------------------------------------------------------------


def to_judge() -> list[str]:
    """Claimants of whom something may have to change: with more items than any limit, or with one that was capped."""
    many = execute(
        "SELECT claimant FROM claim WHERE gone IS NULL GROUP BY claimant HAVING count(*) > ?", (LIMIT.least,)
    ).fetchall()
    capped = execute(
        "SELECT c.claimant FROM uncounted u JOIN claim c ON c.identity = u.identity AND c.gone IS NULL WHERE u.why = 'capped'"
    ).fetchall()
    return sorted({claimant for (claimant,) in (*many, *capped)})


def cap(claimant: str, *, actor: str, today: date, schemes: list[str], now: int) -> tuple[int, int]:
    """Let the items of a claimant beyond the cap count no more, and those count again that are beyond it no longer.

    Each change is a ledger row (a step `capped`, or the record restated), in one transaction; the entities are marked.
    Safe to repeat. Returns how many were (capped, let count again). An item that does not count for another reason
    (repaired, waiting for a person) is left to it.
    """
    with ledger.writing(now=now, schemes=schemes) as pen:
        claims = claims_of([claimant])[claimant]
        wanted = judge(claims).beyond
        rows = _current([claim.identity for claim in claims])
        why = _left_out(list(rows))
        entities = {claim.identity: claim.entity for claim in claims}
        capped = [identity for identity in sorted(wanted) if identity not in why]
        freed = sorted(identity for identity, reason in why.items() if reason == "capped" and identity not in wanted)
        for identity in capped:
            made, limit, most = wanted[identity]
            pen.step(
                "capped", about=identity, entity=entities[identity], key=[rows[identity]], on=today, by=actor, leaves_out="capped",
                detail={"items": made, "limit": limit, "cap": most, "basis_kind": LIMIT.on(today).basis_kind},
            )  # fmt: skip
        for identity in freed:
            pen.restate(rows[identity], source=actor, reason="No longer beyond the cap of a serial claimant")
        if capped or freed:
            pen.flush()
            audit.note("complaints.capped", actor=actor, subject=f"{len(capped)} items", now=now, freed=len(freed))
        return len(capped), len(freed)


def _current(identities: Sequence[str]) -> dict[str, int]:
    """The row that holds now of each identity."""
    found: dict[str, int] = {}
    for part in in_slices(sorted(set(identities))):
        marks = ", ".join("?" * len(part))
        sql = f"SELECT identity, seq FROM record WHERE identity IN ({marks}) AND replaced_seq IS NULL"  # noqa: S608
        found |= dict(execute(sql, part).fetchall())
    return found


def _left_out(identities: Sequence[str]) -> dict[str, str]:
    """Those of the records that do not count, and why."""
    found: dict[str, str] = {}
    for part in in_slices(identities):
        sql = f"SELECT identity, why FROM uncounted WHERE identity IN ({', '.join('?' * len(part))})"  # noqa: S608
        found |= dict(execute(sql, part).fetchall())
    return found


@dataclass(frozen=True, slots=True)
class Serial:
    """A claimant in series, without a word of who it is: a pseudonym, his items of the newest window, and the capped ones."""

    pseudonym: str
    items: int
    entities: int
    last_on: date
    capped: int


def serial_claimants(divisions: Sequence[str] = ("",)) -> list[Serial]:
    """Claimants who have made an item in series about entities of these divisions, most items first.

    Who is serial is judged by all items, wherever they were made; figures and days are of the items about these divisions
    only, and a claimant without one is not named. For those who handle complaints.
    """
    claimed = claims_of(to_judge())
    everywhere = any(not prefix for prefix in divisions)
    inside = set() if everywhere else _within({one.entity for claims in claimed.values() for one in claims}, divisions)
    found: list[Serial] = []
    for claimant, claims in claimed.items():
        judged = judge(claims)
        ours = [one for one in claims if everywhere or one.entity in inside]
        serial = [one.day for one in ours if one.identity in judged.serial]
        if serial:
            last = max(serial)
            recent = [one for one in ours if last - WINDOW.on(clock.day_of(last)).value < one.day <= last]
            capped = sum(one.identity in judged.beyond for one in ours)
            found.append(
                Serial(
                    f"投诉举报人 {claimant[:8]}",
                    len(recent),
                    len({one.entity for one in recent}),
                    clock.day_of(last),
                    capped,
                )
            )
    return sorted(found, key=lambda one: (-one.items, one.pseudonym))


def _within(entities: Iterable[int], divisions: Sequence[str]) -> set[int]:
    """Those of the entities whose division begins with one of these."""
    found: set[int] = set()
    for part in in_slices(sorted(entities)):
        sql = f"SELECT id, division FROM entity WHERE id IN ({', '.join('?' * len(part))})"  # noqa: S608
        found |= {one for one, division in execute(sql, part).fetchall() if division.startswith(tuple(divisions))}
    return found


# --- what is published ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Period:
    """Days of receipt, the first and the last included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BadPeriod(f"The period ends on {self.last}, before it begins on {self.first}. Exchange the two days.")


@dataclass(slots=True)
class Counts:
    """Complaints that were accepted and are closed; of these settled, refused mediation, found true."""

    accepted: int = 0
    settled: int = 0
    mediation_refused: int = 0
    upheld: int = 0

    def add(self, detail: dict[str, Any]) -> None:
        self.accepted += 1
        self.settled += bool(detail.get("settled"))
        self.mediation_refused += bool(detail.get("mediation_refused"))
        self.upheld += bool(detail.get("upheld"))

    def as_dict(self) -> dict[str, int]:
        return {
            "accepted": self.accepted, "settled": self.settled, "mediation_refused": self.mediation_refused, "upheld": self.upheld,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Publicity:
    """What is published of the complaints about an entity, and what was left out and why (that is not published)."""

    period: Period
    total: Counts
    by_category: dict[str, Counts]
    left_out: dict[str, int] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """What anyone may see: counts, never an item, and the rules behind them with what they rest on."""
        return {
            "from": self.period.first.isoformat(),
            "to": self.period.last.isoformat(),
            **self.total.as_dict(),
            "by_category": [{"category": name, **counts.as_dict()} for name, counts in self.by_category.items()],
            "parameters": [
                PARAMETERS[name].as_dict(self.period.last) for name in ("serial_window_days", "serial_items", "publicity_least")
            ],
        }  # fmt: skip


def usual_period(today: date) -> Period:
    """The days that are published where nobody asks for others: `publicity_days` until today."""
    return Period(today - timedelta(days=PARAMETERS["publicity_days"].on(today).value - 1), today)


def publicity(entity: Entity | int, period: Period) -> Publicity:
    """Complaint publicity 投诉公示 of an entity: complaints received in a period, accepted and closed, by category.

    Left out: reports and consultations, what is open or was not accepted, what who made it has withdrawn, items made in
    series, records that were withdrawn, and those that do not count (repaired, waiting for a person or a review, erased).
    Visibility is today's: nothing is published as of another day. A category with fewer complaints than
    `publicity_least` is counted as 其他. The number of queries does not grow with the complaints.
    """
    id_ = aliases.root(entity if isinstance(entity, int) else entity.id)
    family = aliases.family(id_)
    rows = dicts(
        Record.select(Record.identity, Record.code, Record.ends_on, Record.detail, Uncounted.why)
        .left_outer_join(Uncounted, on=(Uncounted.identity == Record.identity))
        .where(
            Record.entity.in_(family) & (Record.kind == KIND) & Record.replaced_seq.is_null()
            & Record.act.not_in(("withdraw", "step")) & Record.happened_on.between(period.first, period.last)
        )
    )  # fmt: skip
    claimants = sorted({row["detail"]["claimant_hash"] for row in rows if "claimant_hash" in row["detail"]})
    serial = serial_items(claimants) if claimants else set()
    left: Counter[str] = Counter()
    total = Counts()
    named: dict[str, Counts] = defaultdict(Counts)
    for row in rows:
        detail, closed = row["detail"], row["ends_on"]
        if row["code"] != COMPLAINT:
            left["no_complaint"] += 1
        elif row["identity"] in serial or row["why"] == "capped":
            left["serial"] += 1
        elif row["why"] is not None:
            left["not_counted"] += 1
        elif not detail.get("accepted"):
            left["not_accepted"] += 1
        elif detail.get("dropped"):
            left["withdrawn"] += 1
        elif closed is None or closed > period.last:
            left["open"] += 1
        else:
            total.add(detail)
            named[detail.get("category") or OTHER].add(detail)
    return Publicity(
        period, total, _large_enough(named, PARAMETERS["publicity_least"].on(period.last).value), dict(left)
    )


def _large_enough(named: dict[str, Counts], least: int) -> dict[str, Counts]:
    """Categories by size, the small ones as one."""
    found = {name: counts for name, counts in named.items() if counts.accepted >= least and name != OTHER}
    rest = Counts()
    for name, counts in named.items():
        if name not in found:
            for part, number in counts.as_dict().items():
                setattr(rest, part, getattr(rest, part) + number)
    ordered = dict(sorted(found.items(), key=lambda item: (-item[1].accepted, item[0])))
    return {**ordered, OTHER: rest} if rest.accepted else ordered
