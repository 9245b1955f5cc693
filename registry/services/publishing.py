"""Publishing many records at once: what was reviewed, with counts and causes."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from registry import publicity
from registry.database import execute
from registry.errors import RegistryError
from registry.services import publication, reviews
from registry.services.publication import NotPublishable

# Records of which the numbers are read at a time; each is published in a transaction of its own.
AT_ONCE = 500
# Records that are named for one outcome.
NAMED = 5
# Outcomes after which nothing is left to do; every other one has its records named.
DONE = ("published", "unchanged", "reviewed")


@dataclass(frozen=True, slots=True)
class Published:
    """What became of many records.

    records : how many were looked at
    whole : on how many of them every channel is as it should be (published, or published before)
    outcomes : how many had each outcome, in the order in which they came: the `said` of a channel, or the code of an error;
        a record counts once per different outcome, so the outcomes of several channels add up to more than `records`
    named : ledger rows of the first NAMED records of each outcome after which something is left to do
    """

    records: int
    whole: int
    outcomes: dict[str, int]
    named: dict[str, list[int]]


def publish_all(
    kind: str,
    *,
    organ: str,
    source: str = "",
    channels: Sequence[str] = (),
    review: str = "",
    actor: str,
    schemes: list[str],
    today: date,
    now: Callable[[], int],
    old_rows: str,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Published:
    """Publish the records of a kind and an organ (of one source, where it is given) that passed their review.

    `review` is the reason under which records without a review are passed first, by `actor`: never those that he posted or
    imported himself. Each record is a transaction of its own, so one that cannot be published stops none of the others.
    Safe to repeat, and to go on with after a cut.

    Raises NotPublishable where records of this kind are not published at all.
    """
    if not publicity.channels_of(kind):
        raise NotPublishable(
            f"Records of kind {kind} are not published. registry/publicity/kinds.toml names those that are."
        )
    found: Counter[str] = Counter()
    named: dict[str, list[int]] = defaultdict(list)
    records = whole = 0
    for records, seq in enumerate(_seqs(kind, organ, source), start=1):
        said = _one(seq, kind, channels, review, actor, schemes, today, now, old_rows)
        found.update(sorted(said))
        whole += said <= set(DONE)
        for name in said - set(DONE):
            if len(named[name]) < NAMED:
                named[name].append(seq)
        progress(records, None)
    return Published(records, whole, dict(found), dict(named))


def _one(
    seq: int, kind: str, channels: Sequence[str], review: str, actor: str, schemes: list[str], today: date,
    now: Callable[[], int], old_rows: str,
) -> set[str]:  # fmt: skip
    said: set[str] = set()
    for attempt in (1, 2):
        try:
            shown = publication.publish(
                seq, kind, channels=channels, organ=None, actor=actor, today=today, now=now(), old_rows=old_rows
            )
            return said | {one.said for one in shown}
        except publication.NotReviewed as error:
            if not review or attempt == 2 or publication.was_refused(seq):
                return said | {error.code}
        except RegistryError as error:
            return said | {error.code}
        try:
            reviews.review(
                seq,
                kind,
                outcome="passed",
                reason=review,
                organ=None,
                actor=actor,
                schemes=schemes,
                today=today,
                now=now(),
            )
        except RegistryError as error:
            return said | {error.code}
        said.add("reviewed")
    return said


def _seqs(kind: str, organ: str, source: str) -> Iterator[int]:
    """Ledger rows that hold, in order, read piece by piece."""
    last = 0
    where = "kind = ? AND organ = ? AND replaced_seq IS NULL AND act <> 'withdraw'" + (
        " AND source = ?" if source else ""
    )
    values = (kind, organ, *([source] if source else []))
    while True:
        rows = execute(
            f"SELECT seq FROM record WHERE seq > ? AND {where} ORDER BY seq LIMIT ?",  # noqa: S608
            (last, *values, AT_ONCE),
        ).fetchall()
        yield from (row[0] for row in rows)
        if len(rows) < AT_ONCE:
            return
        last = rows[-1][0]
