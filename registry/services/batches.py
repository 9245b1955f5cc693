"""Many records in one request: the good ones are stored, the bad ones named, each chunk its own transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry.config import Settings
from registry.errors import BadRecord, DatabaseBusy
from registry.services import entities, records
from registry.services.records import Checked, Posted
from rules.scheme import Scheme

UNREGISTERED = {"party.code": ["No entity is registered under this number. Give its 18-character credit code."]}
DEFERRED = {"record": ["The database did not become free in time. This record was not stored; send it again."]}


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one row of a batch: `posted`, or the `problems` it was refused for, or neither while deferred."""

    posted: Posted | None = None
    problems: dict[str, list[str]] | None = None
    deferred: bool = False


def post(
    kind_name: str,
    payloads: Sequence[Any],
    *,
    organ: str,
    source: str,
    actor: str,
    scheme: Scheme,
    schemes: list[str],
    today: date,
    now: int,
    with_grades: bool,
    settings: Settings | None = None,
) -> list[Row]:
    """Store the good rows of a batch and say of every row what became of it, in order. Safe to repeat.

    Chunks of `records.BATCH` are transactions of their own, so other writers wait only for one. Should the database
    stay busy, the chunks before are stored and the rest is `deferred`; DatabaseBusy is raised only if nothing was stored.
    """
    rows: list[Row] = [Row(deferred=True)] * len(payloads)
    good: list[tuple[int, Checked]] = []
    for index, payload in enumerate(payloads):
        try:
            good.append((index, records.check(kind_name, payload, organ=organ, today=today, settings=settings)))
        except BadRecord as error:
            rows[index] = Row(problems=error.problems)
    matched = entities.match([checked.party for _, checked in good])
    known: list[tuple[int, Checked]] = []
    for (index, checked), found in zip(good, matched, strict=True):
        if found is None and checked.party.code is None:
            rows[index] = Row(problems=UNREGISTERED)
        else:
            known.append((index, checked))
    for start in range(0, len(known), records.BATCH):
        chunk = known[start : start + records.BATCH]
        try:
            posted = records.post(
                [checked for _, checked in chunk],
                source=source, actor=actor, scheme=scheme, schemes=schemes, today=today, now=now, with_grades=with_grades,
            )  # fmt: skip
        except DatabaseBusy:
            if start == 0:
                raise
            break
        for (index, _), one in zip(chunk, posted, strict=True):
            rows[index] = Row(posted=one)
    return rows
