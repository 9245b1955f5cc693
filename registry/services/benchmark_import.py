"""A benchmark as the registry takes it in: registrations, spot checks, penalties, 12315 items and licences of its own ledger.

Names and ids of real parties stay outside: an entity is a made-up label and a credit code made from a hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

import polars as pl

from registry.cells.checks import CREDIT_ALPHABET, organisation_check
from registry.config import Settings
from registry.database import execute
from registry.errors import RegistryError
from registry.identity import complete_code
from registry.kinds import KINDS, Statement
from registry.kinds.base import RecordSchema
from registry.services import audit, entities, ledger
from registry.services.benchmark_files import Set
from registry.services.benchmark_form import Benchmark
from registry.services.entities import Party

# In a province number that no real place has, like the synthetic district.
DIVISION, NOWHERE = "990199", "990000"
CHUNK = 4_000
_SPACE = len(CREDIT_ALPHABET) ** 8
ACTOR = "xinheng model benchmark"
Progress = Callable[[str, int, int], None]


class NotABenchmark(RegistryError):
    """The registry holds records that are not of the benchmark to be loaded."""

    code = "not_a_benchmark"
    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The registry holds records that are not of the benchmark {name}: the two must never mix. Leave --database out "
            "(a temporary database is made), or name an empty one."
        )


@dataclass(slots=True)
class Loaded:
    """What was loaded.

    Attributes
    ----------
    entities : `id` String (of the set), `entity` Int64 (of the registry), `code` String
    visits : `id` String, `entity` Int64, `day` Date, `seq` Int64, in the order in which they were stated
    counts : kind → records; `entities`
    """

    entities: pl.DataFrame
    visits: pl.DataFrame
    counts: dict[str, int] = field(default_factory=dict)


def source_of(mapping: Benchmark) -> str:
    """The source under which the records of a benchmark stand in the ledger."""
    return f"benchmark:{mapping.name}"


def credit_codes(name: str, ids: Iterable[str]) -> dict[str, str]:
    """A valid and distinct credit code for each id of a set, from a hash: the same set and ids give the same codes."""
    taken: set[str] = set()
    codes: dict[str, str] = {}
    for id_ in ids:
        again = 0
        while (code := _code(f"{name}\x1f{id_}\x1f{again}")) in taken:
            again += 1
        taken.add(code)
        codes[id_] = code
    return codes


def _code(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big") % _SPACE
    body = ""
    for _ in range(8):
        number, rest = divmod(number, len(CREDIT_ALPHABET))
        body += CREDIT_ALPHABET[rest]
    return complete_code(f"91{DIVISION}{body}{organisation_check(body)}")


def load(
    settings: Settings, mapping: Benchmark, rows: Set, *, today: date, now: Callable[[], int], progress: Progress | None = None
) -> Loaded:  # fmt: skip
    """Load a benchmark into the connected registry, through the schemas of the kinds and the ledger.

    Safe to repeat: what stands there already is unchanged. Each chunk of rows is one transaction; no grade is marked as due.
    Raises NotABenchmark where the registry holds anything else, BadRecord where a row is none that its kind accepts.
    """
    source = source_of(mapping)
    if execute("SELECT 1 FROM record WHERE source <> ? AND act <> 'step' LIMIT 1", (source,)).fetchone():
        raise NotABenchmark(mapping.name)
    return _Loading(settings, mapping, rows, source, today, now, progress or (lambda *_: None)).run()


class _Loading:
    def __init__(
        self, settings: Settings, mapping: Benchmark, rows: Set, source: str, today: date, now: Callable[[], int], tell: Progress
    ) -> None:  # fmt: skip
        self.settings, self.mapping, self.rows, self.source = settings, mapping, rows, source
        self.today, self.now, self.tell = today, now, tell
        self.organ = f"基准数据 {mapping.name}"
        self.total = sum(frame.height for frame in (rows.entities, rows.visits, rows.complaints, rows.licences))
        self.done = 0
        self.counts: dict[str, int] = {"entities": rows.entities.height}
        self.codes = credit_codes(mapping.name, rows.entities["id"])
        self.numbers: dict[str, int] = {}

    def run(self) -> Loaded:
        self._register()
        seqs = self._visit()
        self._state("penalty", self._penalties())
        self._state("item_12315", self._complaints())
        self._state("licence", self._licences())
        self._cover()
        known = self.rows.entities.select(
            "id",
            pl.col("id").replace_strict(self.numbers, return_dtype=pl.Int64).alias("entity"),
            pl.col("id").replace_strict(self.codes, return_dtype=pl.String).alias("code"),
        )
        entity = pl.col("entity").replace_strict(self.numbers, return_dtype=pl.Int64)
        visits = self.rows.visits.select("id", entity, "day", pl.Series("seq", seqs, dtype=pl.Int64))
        return Loaded(known, visits, self.counts)

    def _register(self) -> None:
        schema = KINDS["registration"].schema(today=self.today, key=b"")
        # In order of code: the order in which ids were given out says how old an entity is.
        ordered = sorted(self.rows.entities.iter_rows(), key=lambda row: self.codes[row[0]])
        houses = {
            address: number for number, address in enumerate(sorted({row[3] for row in ordered if row[3]}), start=1)
        }
        numbered = enumerate(ordered, start=1)
        while chunk := list(islice(numbered, CHUNK)):
            parties = []
            for number, (id_, established, division, address) in chunk:
                said = {
                    "name": f"{self.mapping.name} {number}", "subject": "enterprise", "organ": self.organ,
                    "division": division or NOWHERE, "established": established,
                    "address": f"{self.mapping.name} 地址 {houses[address]}" if address else "",
                }  # fmt: skip
                code = self.codes[id_]
                statement = KINDS["registration"].state(schema.load(said))
                parties.append((entities.Party(code=code, organisation_code=code[8:17], name=said["name"]), statement))
            with ledger.writing(now=self.now(), schemes=[]) as pen:
                entities.register(pen, parties, source=self.source)
            found = entities.match([Party(code=self.codes[id_]) for _, (id_, *_) in chunk])
            for (_, (id_, *_)), one in zip(chunk, found, strict=True):
                assert one is not None
                self.numbers[id_] = one.id
            self._advance(len(chunk))

    def _visit(self) -> list[int]:
        return self._state("spot_check", self._checks(), counts=self.rows.visits.height)

    def _checks(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for id_, entity, day, purpose, serious, problem, minor, _ in self.rows.visits.iter_rows():
            # 3: found, follow-up pending; 2: found and corrected; 1: nothing found.
            code = "3" if serious + problem else "2" if minor else "1"
            said = {
                "organ": self.organ, "source_row": self._row("visit", id_), "checked_on": day, "results": [{"code": code}],
                "purpose": "" if purpose == "unstated" else purpose, "serious_found": serious, "problems_found": problem,
                "minor_found": minor,
            }  # fmt: skip
            yield entity, said

    def _penalties(self) -> Iterator[tuple[str, dict[str, Any]]]:
        fined = self.rows.visits.filter(pl.col("penalty").is_not_null()).select("id", "entity", "day", "penalty")
        for id_, entity, day, kind in fined.iter_rows():
            row = {"organ": self.organ, "source_row": self._row("penalty", id_), "decided_on": day, "kinds": [kind]}
            yield entity, row

    def _complaints(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for id_, entity, day, kind in self.rows.complaints.iter_rows():
            row = {"organ": self.organ, "source_row": self._row("complaint", id_), "type": kind, "received_on": day}
            yield entity, row | {"accepted": True}

    def _licences(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for id_, entity, first, last, subject in self.rows.licences.iter_rows():
            row = {"organ": self.organ, "source_row": self._row("licence", id_), "valid_from": first, "valid_to": last}
            yield entity, row | {"subject": subject, "decided_on": min(first, self.today)}

    def _row(self, what: str, id_: str) -> str:
        """What tells a row apart at its source, without saying its id."""
        return hashlib.sha256(f"{self.mapping.name}\x1f{what}\x1f{id_}".encode()).hexdigest()[:32]

    def _state(self, kind: str, said: Iterator[tuple[str, dict[str, Any]]], *, counts: int = 0) -> list[int]:
        """State records of a kind, in order; the ledger row of each."""
        schema: RecordSchema = KINDS[kind].schema(today=self.today, key=b"")
        state, seqs = KINDS[kind].state, list[int]()
        while chunk := list(islice(said, CHUNK)):
            pairs: list[tuple[int, Statement]] = [(self.numbers[id_], state(schema.load(row))) for id_, row in chunk]
            with ledger.writing(now=self.now(), schemes=[]) as pen:
                seqs += [outcome.seq for outcome in pen.state(pairs, source=self.source)]
            if kind != "penalty":  # not among the rows that were counted before
                self._advance(len(chunk))
        self.counts[kind] = len(seqs)
        return seqs

    def _cover(self) -> None:
        """Say which feeds were connected since when: from the first record of a kind on. What the set lacks stays unknown."""
        rows = self.rows
        since = {
            "registration": rows.visits["day"].min(), "spot_check": rows.visits["day"].min(),
            "penalty": rows.visits["day"].min() if self.counts["penalty"] else None,
            "item_12315": rows.complaints["day"].min(), "licence": rows.licences["first"].min(),
        }  # fmt: skip
        with ledger.writing(now=self.now(), schemes=[]) as pen:
            stored = False
            for kind, first in since.items():
                if isinstance(first, date):
                    said = pen.cover(kind, "", first, None, source=self.source)
                    stored = stored or said.said == "stored"
            if stored:
                audit.note(
                    "benchmark.loaded", actor=ACTOR, subject=self.mapping.name, now=self.now(), **self.counts
                )  # fmt: skip

    def _advance(self, rows: int) -> None:
        self.done += rows
        self.tell("import", self.done, self.total)
