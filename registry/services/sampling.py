"""Loading the synthetic district into an empty registry: the same rows that posting and importing would have stored."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import orjson
import polars as pl

from registry import privacy
from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name
from registry.config import Settings
from registry.database import execute, insert_rows, is_postgres, session
from registry.errors import NotEmpty
from registry.kinds import DERIVED, KINDS, Statement
from registry.sample.generator import SEED, Sample, Size, generate
from registry.sample.keys import record_key
from registry.services import audit, entities, grading, ledger, sample_inspection
from registry.services.entities import ENTITY_COLUMNS
from registry.services.facts import FACT_COLUMNS, parts_of
from registry.services.ledger import RECORD_COLUMNS, Pen
from registry.services.mirrors import MIRRORS

SOURCE = "sample"
# Columns of `fact` but the last: nothing of a sample was replaced.
FACTS: dict[str, type[pl.DataType]] = {
    "entity": pl.Int64, "known": pl.Int64, "part": pl.Int16, "kind": pl.Int16, "code": pl.Int32, "severity": pl.Int16,
    "amount": pl.Int64, "day": pl.Int32, "ends": pl.Int32,
}  # fmt: skip
Progress = Callable[[str, int, int], None]


def load_sample(
    settings: Settings,
    *,
    size: Size = "town",
    seed: int = SEED,
    density: float = 1,
    today: date,
    now: int,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make the district and load it in one transaction: all of it, or nothing.

    Invented persons are told apart by hashes under the registry's own privacy key, as those of a feed would be.
    Returns counts of entities, per kind of record and in all. Raises NotEmpty unless the registry is empty: a
    synthetic enterprise must never stand among real ones. Raises ConfigError where the privacy key cannot be read.
    """
    tell = progress or (lambda *_: None)
    with session():
        if ledger.head():
            raise NotEmpty(
                "The registry holds records already. Load the sample into an empty one: name another database in [database] url."
            )
        tell("generate", 0, 1)
        sample = generate(size, today=today, seed=seed, density=density, key=privacy.key(settings))
        total = sample.entities.height + sum(frame.height for frame in sample.records.values())
        with ledger.writing(now=now, schemes=[]) as pen:
            if pen.seq:
                raise NotEmpty("The registry was filled by somebody else meanwhile. Nothing was loaded.")
            with _indexes_last():
                facts = [_registrations(pen, sample)]
                done = sample.entities.height
                tell("load", done, total)
                for kind, frame in sample.records.items():
                    facts += _records(pen, kind, frame)
                    done += frame.height
                    tell("load", done, total)
            _facts(facts)
            for kind, division, from_on, to_on in sample.coverage:
                pen.cover(kind, division, from_on, to_on, source=SOURCE)
            # Everyone is due: nothing of this was ever graded.
            for scheme in grading.schemes(settings):
                insert_rows(
                    "stale",
                    ("scheme", "entity", "seq"),
                    ((scheme, number, pen.seq) for number in range(1, sample.entities.height + 1)),
                )
            sample_inspection.load(sample.entities, today=today, now=now, seed=seed)
            audit.note("sample.loaded", actor="xinheng sample", subject=str(size), now=now, seed=seed, density=density)
        counts = {kind: frame.height for kind, frame in sample.records.items()}
        return {"entities": sample.entities.height, "records": sum(counts.values()), **counts}


@contextmanager
def _indexes_last() -> Generator[None, None, None]:
    """Build the indexes of the tables that are empty now after their rows: sorted in one go, not row by row at random.

    Part of the caller's transaction: whoever reads meanwhile sees the registry as it was, and a failure leaves it so.
    """
    if is_postgres():
        yield
        return
    indexes = execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL "
        "AND tbl_name IN ('entity', 'entity_name', 'record', 'relation') ORDER BY rowid"
    ).fetchall()
    for name, _ in indexes:
        execute(f'DROP INDEX "{name}"')
    yield
    for _, made in indexes:
        execute(made)


def _registrations(pen: Pen, sample: Sample) -> pl.DataFrame:
    """Entities, their names and their registration rows. Entity id = row number + 1 = ledger number."""
    # The term is given by its last day; the ledger keeps the first day on which it no longer holds.
    frame = sample.entities.with_columns(
        pl.int_range(1, pl.len() + 1).alias("id"),
        pl.col("industry").cast(pl.Int32),
        pl.col("term_ends").dt.offset_by("1d"),
    )
    count = frame.height
    assert (pen.entity, pen.seq) == (0, 0)
    insert_rows("entity", ENTITY_COLUMNS, _entity_rows(frame))
    folded = [fold_name(name) for name in frame["name"]]
    insert_rows(
        "entity_name",
        ("id", "entity_id", "folded"),
        ((number, number, name) for number, name in enumerate(folded, start=1)),
    )
    entities.index_names(enumerate(folded, start=1))
    insert_rows("record", RECORD_COLUMNS, _registration_rows(frame))
    pen.entity = pen.name = pen.seq = count
    return frame.select(
        entity="id",
        known="id",
        kind=pl.lit(1),
        code="industry",
        severity="status",
        amount="capital_fen",
        day="established",
        ends="term_ends",
    )


def _entity_rows(frame: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    columns = ("id", "code", "name", "kind", "status", "industry", "division", "address", "established", "capital_fen")
    for number, code, name, kind, status, industry, division, address, established, capital in frame.select(
        columns
    ).iter_rows():
        yield (
            number, code, None, code[8:17], name, kind, status, industry, division, "", address, _day(established), capital, number, False,
        )  # fmt: skip


def _registration_rows(frame: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    columns = (
        "id",
        "name",
        "kind",
        "status",
        "industry",
        "division",
        "address",
        "established",
        "capital_fen",
        "term_ends",
    )
    for number, name, kind, status, industry, division, address, established, capital, ends in frame.select(
        columns
    ).iter_rows():
        detail = {"name": name, "subject": kind, "division": division, "address": address}
        yield _row(
            number,
            "registration",
            ("registration",),
            number,
            industry,
            status,
            capital,
            established,
            ends,
            "",
            "",
            orjson.dumps(detail),
            detail,
        )


def _records(pen: Pen, kind: str, frame: pl.DataFrame) -> list[pl.DataFrame]:
    first = pen.seq + 1
    insert_rows("record", RECORD_COLUMNS, _record_rows(kind, frame, first))
    pen.seq += frame.height
    if kind == "relation":
        insert_rows("relation", ("known", *MIRRORS[kind].columns, "gone"), _other_sides(frame, first))
    own = frame.select(
        entity=pl.col("entity") + 1, known=pl.int_range(first, first + pl.len()), kind=pl.lit(KINDS[kind].number), code="code",
        severity="severity", amount="amount_fen", day="happened_on", ends="ends_on",
    )  # fmt: skip
    return [own, _beside(kind, frame, first)] if kind in DERIVED else [own]


def _beside(kind: str, frame: pl.DataFrame, first: int) -> pl.DataFrame:
    """The facts that records of a kind project beside their own."""
    columns = (
        "entity",
        "code",
        "severity",
        "amount_fen",
        "happened_on",
        "ends_on",
        "document_no",
        "organ",
        "detail_json",
    )
    rows = [
        fact[:-1]
        for seq, (entity, code, severity, amount, happened, ends, number, organ, detail) in enumerate(
            frame.select(columns).iter_rows(), start=first
        )
        for fact in parts_of(
            entity + 1,
            seq,
            Statement(kind, code, severity, amount, happened, ends, number, organ, (), orjson.loads(detail)),
        )
    ]
    return pl.DataFrame(rows, schema=dict(zip(FACT_COLUMNS[:-1], FACTS.values(), strict=True)), orient="row")


def _record_rows(kind: str, frame: pl.DataFrame, first: int) -> Iterator[tuple[Any, ...]]:
    columns = (
        "entity",
        "happened_on",
        "ends_on",
        "code",
        "severity",
        "amount_fen",
        "document_no",
        "organ",
        "detail_json",
    )
    organs = {organ: fold_name(organ) for organ in frame["organ"].unique()}
    for seq, (entity, happened, ends, code, severity, amount, number, organ, detail) in enumerate(
        frame.select(columns).iter_rows(), start=first
    ):
        folded = fold_document_no(number) if number else ""
        said = orjson.loads(detail)
        key = (*record_key(kind, organs[organ], folded, code, happened, said), organs[organ])
        yield _row(
            seq,
            kind,
            key,
            entity + 1,
            code,
            severity,
            amount,
            happened,
            ends,
            folded,
            organ,
            detail.encode(),
            said,
        )


def _other_sides(frame: pl.DataFrame, first: int) -> Iterator[tuple[Any, ...]]:
    """Rows of the mirror by which relations are found from their other side, as `registry/services/mirrors.py` keeps it."""
    other, person = (
        pl.col("detail_json").str.json_path_match(path).alias(path) for path in ("$.other_code", "$.person_hash")
    )
    columns = ("entity", "code", other, person, "amount_fen", "happened_on", "ends_on")
    for known, (entity, type_, code, hashed, share, begins, ends) in enumerate(
        frame.select(columns).iter_rows(), start=first
    ):
        yield known, entity + 1, type_, code or "", hashed, share, _day(begins), _day(ends), None


def _row(
    seq: int, kind: str, key: tuple[str, ...], entity: int, code: int, severity: int, amount: int, happened: date, ends: date | None,
    document_no: str, organ: str, detail_json: bytes, detail: dict[str, Any],
) -> tuple[Any, ...]:  # fmt: skip
    said = [kind, code, severity, amount, happened, ends, document_no, organ, detail]
    return (
        seq, "state", _digest([*key, entity]), _digest(said), kind, entity, code, severity, amount, _day(happened), _day(ends),
        document_no, organ, SOURCE, detail_json.decode(), None, None, None, "number",
    )  # fmt: skip


def _digest(value: list[Any]) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _day(day: date | None) -> Any:
    return day if day is None or is_postgres() else day.isoformat()


def _facts(parts: list[pl.DataFrame]) -> None:
    """All facts in order of entity: the order in which the table is kept, so that nothing is moved twice."""
    frame = pl.concat(
        part.with_columns(part=pl.col("part") if "part" in part.columns else pl.lit(0)).select(
            pl.col(name).cast(dtype) for name, dtype in FACTS.items()
        )
        for part in parts
    ).sort("entity", "known", "part")
    for piece in frame.iter_slices(200_000):
        insert_rows("fact", FACT_COLUMNS, ((*row, None) for row in piece.iter_rows()))
