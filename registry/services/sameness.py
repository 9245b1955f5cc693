"""What makes two statements the same record, and what makes two wordings the same: digests, and nothing else."""

import hashlib

import orjson

from registry.cells.names import fold_name
from registry.kinds import Statement

# Kinds of which an entity has one record, whoever tells of it; the newest words hold.
ONE_PER_KEY = ("registration", "coverage")


def digest(value: object) -> str:
    """32 hexadecimal characters of SHA-256 over canonical JSON."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def identity_of(statement: Statement, entity: int | str, content: str, source: str) -> str:
    """What makes a record itself: its key, who decided it, and its party.

    Where the organ is not named, the source stands in: two organs may give the same number. Where a source gives
    neither number nor row id, the content is the key. An entity has one registration, whoever tells of it.
    """
    key = (*statement.key, content) if statement.key[-1] == "content" else statement.key
    if statement.kind in ONE_PER_KEY:
        return digest([*key, entity])
    return digest([*key, fold_name(statement.organ) or f"source:{source}", entity])


def counted(statement: Statement) -> tuple[object, ...]:
    """The part of a statement that grading can see."""
    days = (None if day is None else day.isoformat() for day in (statement.happened_on, statement.ends_on))
    return (statement.code, statement.severity, statement.amount_fen, *days)


def content_of(statement: Statement) -> str:
    """Digest of all that was said, so that the same words again are recognised.

    The row's id at its source is no words: where it is what makes the record itself, it stands in the key.
    """
    detail = statement.detail
    if "source_row" in detail:
        detail = {name: value for name, value in detail.items() if name != "source_row"}
    return digest([
        statement.kind, statement.code, statement.severity, statement.amount_fen, statement.happened_on,
        statement.ends_on, statement.document_no, statement.organ, detail,
    ])  # fmt: skip
