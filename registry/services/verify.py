"""The tamper check 台账核验: leaves, nodes and roots recomputed, the file of roots held against the database, caches derived anew.

It reads only, from one snapshot, in slices: its memory does not grow with the ledger (but for 40 bytes per signed root).
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry.config import Settings
from registry.database import db, execute, is_postgres
from registry.models import SealLog
from registry.sealing import leaves, signing
from registry.sealing.findings import Finding, Findings
from registry.sealing.leaves import Row, Salts
from registry.sealing.merkle import BATCH, STEP, Frontier, Hash
from registry.services import lawful, ledger, rederive
from registry.services.seal import Log
from registry.services.trusted import Roots

SLICE = BATCH * 16
# A row is dated when its writer begins and sealed when it has committed: so much may lie between (milliseconds).
LAG = 600_000

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Report:
    """What `verify` found. `findings` is empty where nothing was changed."""

    rows: int = 0
    sealed: int = 0
    sealed_at: int | None = None
    roots: int = 0
    erased: int = 0
    log: str = ""
    public_key: str = ""
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more: int = 0

    @property
    def unsealed(self) -> int:
        return max(0, self.rows - self.sealed)

    @property
    def fine(self) -> bool:
        return not self.findings


def verify(settings: Settings, *, roots_file: Path | None = None, progress: Progress | None = None) -> Report:
    """Check the whole ledger against its seal, the seal against the file of roots, and every cache against the ledger.

    `roots_file` is a copy of the file of roots that was kept elsewhere (default: `[seal] roots_file`). Found are rows that
    were altered, removed, inserted or dated back since they were sealed (by number, or by the batch where the leaves were
    rewritten as well), roots that were forged or removed, a database that was set back to an old backup, erasures that no
    step of the ledger explains, and caches that do not follow from the ledger. Writes nothing; needs no key.
    """
    found = Findings()
    report = Report()
    row = SealLog.get_or_none(SealLog.id == 1)
    if row is None:
        found.add("seal", "The ledger has no log to be sealed in: it was removed, or `xinheng init` was never run.")
        report.findings = found.items
        return report
    log = Log(row.name, row.algorithm, bytes(row.public_key))
    report.log, report.public_key = log.name, log.public_key.hex()
    path = roots_file or signing.place(settings, settings.seal.roots_file)
    if signing.has_key(settings) and signing.public_bytes(signing.private_key(settings)) != log.public_key:
        found.add("key", "The public key of the log is not that of the key of the seal: one of the two was exchanged.")
    trusted = Roots(log, found)
    trusted.of_file(path)
    with _snapshot():
        trusted.of_database(path)
        report.roots = len(trusted.sizes)
        special = rederive.Special()
        facts = rederive.Facts(found, special)
        ends = _Ends.read(trusted)
        total = ends.last + int(execute("SELECT coalesce(max(id), 0) FROM entity").fetchone()[0])
        tell = progress or (lambda *_: None)
        _Pass(log, found, report, trusted, facts).run(ends, lambda row: tell(row, total))
        facts.finish()
        rederive.check(found, special, lambda entity: tell(ends.last + entity, total))
    report.findings, report.notes, report.more = found.items, found.notes, found.more
    return report


@contextmanager
def _snapshot() -> Generator[None, None, None]:
    """One state of the database for everything that is read, while others go on writing."""
    with db.atomic():
        if is_postgres():
            execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where the ledger ends, as its tables have it: rows, leaves, the head, and the newest signed root."""

    first: int
    highest: int
    count: int
    leaf: int
    head: int
    signed: int
    # Where the database was set back: how many rows its own newest root covers.
    back: int | None = None

    @classmethod
    def read(cls, trusted: Roots) -> "_Ends":
        first, highest, count = execute(
            "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0), count(*) FROM record"
        ).fetchone()
        leaf = int(execute("SELECT coalesce(max(seq), 0) FROM leaf").fetchone()[0])
        signed = trusted.sizes[-1] if trusted.sizes else 0
        return cls(first, highest, count, leaf, ledger.head(), signed, trusted.set_back_to)

    @property
    def last(self) -> int:
        """The last row that there should be, as far as anything but the head speaks of it."""
        return max(self.signed, self.present)

    @property
    def present(self) -> int:
        """The last row that is there and belongs to the ledger."""
        return min(self.head, self.highest)

    @property
    def sealed(self) -> int:
        """How many rows must have a leaf. A database that was set back answers for its own roots, not for later ones."""
        return max(min(self.leaf, self.last), self.signed if self.back is None else self.back)

    def judge(self, found: Findings) -> None:
        """Say what stands where nothing should, and what is missing at the end."""
        if self.highest > self.head:
            found.add("inserted", "stands beyond the end of the ledger: it was inserted.", self.head + 1, self.highest)
        if self.first < 1:
            found.add(
                "inserted", f"The ledger begins with row 1, and a row {self.first} stands before: it was inserted."
            )
        if self.head > self.last:
            found.add("removed", "is not in the ledger any more: it was removed.", self.last + 1, self.head)
        if self.leaf > self.last:
            found.add("leaf", "is a leaf of no row: it was made up, or the row was removed.", self.last + 1, self.leaf)
        elif self.back is not None:
            self._set_back(found, self.back)
        elif self.leaf > self.signed:
            found.notes.append(f"{self.leaf - self.signed} leaves are not under a signed root yet.")

    def _set_back(self, found: Findings, back: int) -> None:
        if self.present > back:
            found.notes.append(
                f"Rows {back + 1} to {self.present} are under no signed root of this database: they were not sealed when this copy "
                "was made, or their seal was removed. Nothing vouches for them; hold them against their sources."
            )
        if self.signed > self.present:
            found.add(
                "removed",
                "is not in this database and was sealed: it was written after this copy was made, or it was removed.",
                self.present + 1, self.signed,
            )  # fmt: skip


class _Pass:
    """One walk over rows, leaves, moments, nodes and roots, in order."""

    def __init__(self, log: Log, found: Findings, report: Report, trusted: Roots, facts: rederive.Facts) -> None:
        self.h: Hash = log.hash
        self.found, self.report, self.trusted, self.facts = found, report, trusted, facts
        self.erasures = lawful.Erasures(self.h, found)
        self.next_root = 0
        self.moment = 0
        # Trees that may be the sealed one: where leaves and stored nodes contradict each other, the next root decides.
        self.trees = [Frontier(self.h)]
        self.low: Frontier | None = Frontier(self.h)
        self.lost = False

    def run(self, ends: "_Ends", tell: Callable[[int], None]) -> None:
        """Walk from row 1 to the last one that there should be; `tell` hears how far it is."""
        ends.judge(self.found)
        # The rows that a set-back database lacks at its end are one finding, which `judge` has made.
        last = ends.last if ends.back is None else max(ends.present, ends.back)
        low = 0
        while low < last:
            if low >= ends.signed and (skipped := self._gap(low, last)) > low:
                low = skipped
                continue
            high = min(low + SLICE, last)
            self._slice(low, high, ends.sealed)
            tell(high)
            low = high
        self.erasures.finish()
        self.report.rows, self.report.erased = ends.count, self.erasures.count
        self.report.sealed = ends.signed if ends.back is None else ends.back
        self.report.sealed_at = self.trusted.sealed_at(self.report.sealed)

    def _gap(self, low: int, last: int) -> int:
        """Where the rows behind `low` go on, if not within a slice: a made-up number must not make the check walk for years."""
        rows = execute("SELECT min(seq) FROM record WHERE seq > ?", (low,)).fetchone()
        leaf = execute("SELECT min(seq) FROM leaf WHERE seq > ?", (low,)).fetchone()
        after = min([last, *(int(seq) - 1 for seq in (*rows, *leaf) if seq is not None)])
        if after - low < SLICE:
            return low
        self.found.add("removed", "is not in the ledger any more: it was removed.", low + 1, after)
        return after

    def _slice(self, low: int, high: int, leaves_until: int) -> None:
        sql = f"SELECT {leaves.ROW_SQL}, {rederive.FACT_SQL} WHERE r.seq > ? AND r.seq <= ?"
        rows = {values[0]: values for values in execute(sql, (low, high)).fetchall()}
        self.facts.turn_to(low, high)
        sealed = {
            seq: (at, salt, bytes(digest))
            for seq, at, salt, digest in execute(
                "SELECT seq, at, salt, hash FROM leaf WHERE seq > ? AND seq <= ?", (low, high)
            ).fetchall()
        }
        nodes = self._nodes(low, high)
        moments = self._moments(low, high)
        for seq in range(low + 1, high + 1):
            values, leaf = rows.get(seq), sealed.get(seq)
            if values is None:
                self.found.add("removed", "is not in the ledger any more: it was removed.", seq)
            else:
                self._row(values, leaf, moments[seq - low - 1], rows, sealed)
                self.facts.compare(values)
            if seq <= leaves_until:
                self._leaf(seq, leaf[2] if leaf is not None else None, nodes)

    def _nodes(self, low: int, high: int) -> dict[tuple[int, int], bytes]:
        found: dict[tuple[int, int], bytes] = {}
        level = STEP
        while 1 << level <= high:
            for number, digest in execute(
                "SELECT number, hash FROM seal_node WHERE level = ? AND number >= ? AND number < ?",
                (level, low >> level, high >> level),
            ).fetchall():
                found[level, number] = bytes(digest)
            level += STEP
        return found

    def _moments(self, low: int, high: int) -> list[int | None]:
        """The moment of each row of the slice. They never fall, and none lies before the root that was signed before."""
        given: list[int | None] = []
        rows = execute("SELECT seq, at FROM moment WHERE seq > ? AND seq <= ? ORDER BY seq", (low, high)).fetchall()
        if not rows or rows[-1][0] < high:
            rows += execute("SELECT seq, at FROM moment WHERE seq > ? ORDER BY seq LIMIT 1", (high,)).fetchall()
        for seq, at in rows:
            first = low + len(given) + 1
            if at < self.moment:
                self.found.add(
                    "back_dated", "lies before the rows before it: its moment was set back.", first, min(seq, high)
                )
            self.moment = max(self.moment, at)
            given += [at] * (min(seq, high) - low - len(given))
        return given + [None] * (high - low - len(given))

    def _row(
        self, values: tuple[Any, ...], leaf: tuple[int, Any, bytes] | None, at: int | None,
        rows: dict[int, Any], sealed: dict[int, Any],
    ) -> None:  # fmt: skip
        seq = values[0]
        if at is None:
            self.found.add("removed", "has no moment: it was removed from the table of moments.", seq)
        elif self.next_root and at < self.trusted.at[self.next_root - 1] - LAG:
            self.found.add(
                "back_dated",
                "is dated more than ten minutes before a root that does not have it was signed: it was dated back, or the "
                "clock of the machine was set back.",
                seq,
            )
        self.erasures.step(values)
        if leaf is None:
            return
        try:
            row = leaves.read(values[:20], leaf[0])
        except (ValueError, TypeError):
            self.found.add("altered", "cannot be read: its detail is no JSON object.", seq)
            return
        if leaf[1] is None or seq in self.erasures.rows:
            self.erasures.check(row, leaf[1], leaf[2])
        elif leaves.sealed_as(self.h, row, leaves.salts(self.h, bytes(leaf[1]), row.detail), leaf[2]) is None:
            self._altered(row, leaf, rows, sealed)
        if at is not None and at != leaf[0]:
            self.found.add("back_dated", "has another moment than the one that was sealed: it was dated anew.", seq)

    def _altered(self, row: Row, leaf: Any, rows: dict[int, Any], sealed: dict[int, Any]) -> None:
        """Name a row that is not what was sealed; where its neighbour is, a row was put in before or taken out here."""
        if not self.found.has("altered", row.seq - 1):
            for step, what, text in (
                (1, "inserted", "was inserted, and the rows behind it moved on."),
                (-1, "removed", "was removed, and the rows behind it moved up."),
            ):
                theirs, place = (row.seq + 1, row.seq) if step == 1 else (row.seq, row.seq + 1)
                if theirs in rows and place in sealed and sealed[place][1] is not None:
                    moved = leaves.read((place, *rows[theirs][1:20]), sealed[place][0])
                    salts: Salts = leaves.salts(self.h, bytes(sealed[place][1]), moved.detail)
                    if leaves.sealed_as(self.h, moved, salts, sealed[place][2]) is not None:
                        self.found.add(what, text, row.seq)
                        break
        self.found.add("altered", "is not what was sealed: it was altered.", row.seq)

    def _leaf(self, seq: int, digest: bytes | None, nodes: dict[tuple[int, int], bytes]) -> None:
        """Grow the tree by one leaf as the table has it, and hold it against stored nodes and signed roots."""
        if digest is None:
            self.found.add("leaf", "has no leaf any more: it was removed from the seal.", seq)
            self.low = None
        elif self.low is not None:
            self.low.push(digest)
        if seq % BATCH == 0:
            self._fill(seq, nodes)
        while self.next_root < len(self.trusted.sizes) and self.trusted.sizes[self.next_root] <= seq:
            if self.trusted.sizes[self.next_root] == seq:
                self._root(seq)
            self.next_root += 1

    def _fill(self, seq: int, nodes: dict[tuple[int, int], bytes]) -> None:
        """A batch is complete: compare its hash with the stored one, and go on with both where they differ."""
        computed = None if self.low is None else self.low.root()
        kept = nodes.get((STEP, (seq >> STEP) - 1))
        if computed != kept:
            self.found.add(
                "leaves", "have leaves and a stored hash that contradict each other: one of them was rewritten.",
                seq - BATCH + 1, seq,
            )  # fmt: skip
        ways = [way for way in dict.fromkeys((computed, kept)) if way is not None]
        grown: list[Frontier] = []
        for tree in self.trees:
            for way in ways:
                twin = tree.copy() if len(ways) > 1 else tree
                for level, number, digest in twin.push(way, STEP):
                    stored = nodes.get((level, number))
                    if stored != digest and len(self.trees) == len(ways) == 1 and not self.lost:
                        last = number + 1 << level
                        self.found.add(
                            "leaves",
                            "lie under a stored hash that was rewritten or removed.",
                            (number << level) + 1,
                            last,
                        )
                grown.append(twin)
        # Four at the most: beyond that somebody rewrote the seal at large, which the roots say.
        self.trees = grown[:4]
        self.low = Frontier(self.h)

    def _root(self, size: int) -> None:
        expected = self.trusted.root(self.next_root)
        if self.low is None or not self.trees:
            right: list[Frontier] = []
        else:
            right = [tree for tree in self.trees if tree.joined(self.low) == expected]
        before = self.trusted.sizes[self.next_root - 1] if self.next_root else 0
        if right:
            self.trees, self.lost = right, False
            return
        if self.lost:
            # The roots behind a wrong one are wrong with it, unless stored hashes lead past it.
            return
        self.found.add(
            "sealed_rows",
            "do not give the root that was signed: rows among them were changed and their leaves rewritten.",
            before + 1, size,
        )  # fmt: skip
        self.lost = True
