"""The lists as a whole: which verbs each has, how many stand on it, and listings that end by themselves after their term."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry import clock
from registry.config import Settings
from registry.database import execute, in_slices
from registry.errors import RecordNotFound
from registry.kinds import KINDS
from registry.kinds.serious_listing import TERM_YEARS
from registry.models import ListingCase, Record
from registry.publicity import add_months
from registry.services import abnormal_list, audit, documents, ledger, listing_cases, serious_list
from registry.services.documents import Desk
from registry.services.listing_cases import ListingConflict

KIND = KINDS["serious_listing"]
NAMES = {3: "abnormal", 4: "serious"}
# Where a case of each sort is opened.
OPENED_BY = {
    "enter": "POST /api/v1/listings/abnormal or /serious (`xinheng listing open`)",
    "remove": "POST /api/v1/listings/removals (`xinheng listing remove`)",
    "correct": "POST /api/v1/listings/corrections (`xinheng listing correct`)",
}


@dataclass(frozen=True, slots=True)
class Count:
    """How many stand on a list: subjects 户数 and rows 条数 apart. `subject` and `ground` are None in a total over them."""

    list: str
    subject: str | None
    ground: int | None
    entities: int
    rows: int


def by_cases(kind: str, organ: str, settings: Settings) -> bool:
    """Whether records of this kind come and go by cases here: listings of an organ in the file of `[listings] organs`."""
    return kind in listing_cases.KINDS.values() and organ in documents.organs(settings)


def only_by_cases(kind: str, organ: str, settings: Settings, *actions: str) -> None:
    """Raise ListingConflict, with where to go, where what is asked for takes a case (`actions`: keys of OPENED_BY).

    Two persons and a document stand behind each decision on a list. Other organs' systems report what they decided
    themselves, in their own way.
    """
    if by_cases(kind, organ, settings):
        raise ListingConflict(wants_case(kind, organ, *actions))


def wants_case(kind: str, organ: str, *actions: str) -> str:
    """What is said to whom brings a listing that takes a case, with where to open it (`actions`: keys of OPENED_BY)."""
    return (
        f"{organ} decides on its {KINDS[kind].title.en} records by cases here: two persons, and a document. Open one: "
        f"{'; '.join(OPENED_BY[action] for action in actions)}."
    )


def propose(case: ListingCase, *, opinion: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Give the first opinion 初审 on a case of either list. Safe to repeat."""
    verb = abnormal_list.propose if case.list == "abnormal" else serious_list.propose
    return verb(case.id, opinion=opinion, desk=desk)


def decide(case: ListingCase, *, agree: bool, opinion: str, desk: Desk) -> tuple[ListingCase, bool]:
    """Audit 审核 a case of either list. Safe to repeat."""
    verb = abnormal_list.decide if case.list == "abnormal" else serious_list.decide
    return verb(case.id, agree=agree, opinion=opinion, desk=desk)


def count(today: date, divisions: Sequence[str] = ("",)) -> list[Count]:
    """Who stands on the lists on a day: by list, subject and ground; by list and subject; by list.

    Rows with a date that are not removed, withdrawn or uncounted. An entity with several open rows is one subject, so the
    subjects of the grounds may add up to more than the total.
    """
    within = " OR ".join("e.division LIKE ?" for _ in divisions)
    day = clock.day_number(today)
    rows = execute(
        "SELECT f.kind, e.kind, f.code, f.entity, count(*) FROM fact f JOIN entity e ON e.id = f.entity "  # noqa: S608 (marks only)
        f"WHERE f.kind IN (3, 4) AND f.gone IS NULL AND f.day <= ? AND (f.ends IS NULL OR f.ends > ?) AND ({within}) "
        "GROUP BY f.kind, e.kind, f.code, f.entity",
        (day, day, *(f"{prefix}%" for prefix in divisions)),
    ).fetchall()
    subjects: dict[tuple[str, str | None, int | None], set[int]] = {}
    number: dict[tuple[str, str | None, int | None], int] = {}
    for kind, subject, ground, entity, times in rows:
        name = NAMES[kind]
        for key in ((name, subject, ground), (name, subject, None), (name, None, None)):
            subjects.setdefault(key, set()).add(entity)
            number[key] = number.get(key, 0) + times
    order = sorted(number, key=lambda key: (key[0], key[1] is not None, key[1] or "", key[2] is not None, key[2] or 0))
    return [Count(*key, len(subjects[key]), number[key]) for key in order]


def end_of_term(listed_on: date | None, until: str | None) -> date:
    """The day on which a listing ends: three years after it began, or `until` (ISO) where a law sets a longer restriction.

    A listing of 29 February ends on 28 February: the month has no such day (Civil Code, article 202).
    """
    assert listed_on is not None  # an undated listing projects no fact
    term = add_months(listed_on, 12 * TERM_YEARS)
    return max(term, date.fromisoformat(until)) if until else term


def over(today: date) -> list[tuple[int, date]]:
    """(ledger number, last day) of every serious-violation listing without a removal whose term is over by `today`."""
    # Facts are the narrow table; an undated listing has none, and no term that could end.
    rows = execute(
        "SELECT f.known FROM fact f "
        "WHERE f.kind = ? AND f.ends IS NULL AND f.gone IS NULL AND f.day <= ? ORDER BY f.known",
        (KIND.number, clock.day_number(today) - 365 * TERM_YEARS),
    ).fetchall()
    found: list[tuple[int, date]] = []
    for part in in_slices([row[0] for row in rows], 10_000):
        for record in Record.select().where(Record.seq.in_(part)).order_by(Record.seq):
            end = end_of_term(record.happened_on, record.detail.get("until"))
            if end <= today:
                found.append((record.seq, end))
    return found


def end(
    seq: int, *, on: date, actor: str, schemes: list[str], now: int, settings: Settings | None = None, today: date | None = None
) -> ledger.Outcome:  # fmt: skip
    """End a listing on a day: a correction that says when it was removed, in a transaction of its own.

    Safe to repeat: a listing that has its removal, or was withdrawn or corrected meanwhile, is left as it is. The
    correction stands under the source of the listing: its old words, sent again, do not reopen it, its new ones count.
    Publication stops on every channel in the same transaction, `today` (else `on`).
    Where the organ that listed issues its documents here (`settings`, with `today` as the day of issue) the removal gets
    its document 移出决定书 in the same transaction. Raises RecordNotFound where there is no such listing.
    """
    with ledger.writing(now=now, schemes=schemes) as pen:
        record = Record.get_or_none((Record.seq == seq) & (Record.kind == KIND.name))
        if record is None:
            raise RecordNotFound(f"The ledger has no serious-violation listing {seq}.")
        if record.replaced_seq is not None or record.act == "withdraw" or record.ends_on is not None:
            return ledger.Outcome("unchanged", seq)
        document = ""
        if settings is not None and record.organ in documents.organs(settings):
            at = documents.desk(settings, organ=record.organ, actor=actor, today=today or on, now=now, schemes=schemes)
            document = serious_list.ended_by_term(pen, record, on=on, desk=at).printed_no
            pen.flush()
            ended = Record.get((Record.identity == record.identity) & Record.replaced_seq.is_null())
            outcome = ledger.Outcome("corrected", ended.seq)
        else:
            outcome = serious_list.end(pen, record, on=on, because="term_over", today=today or on, by=actor)
            pen.flush()
        said: dict[str, Any] = {"by": outcome.seq, "on": on.isoformat()} | ({"document": document} if document else {})
        audit.note("listing.ended", actor=actor, subject=f"record {seq}", now=now, **said)
        return outcome
