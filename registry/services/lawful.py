"""Erasures as the tamper check sees them: lawful where a step of the ledger names the row, tampering otherwise."""

from typing import Any

import orjson

from registry.database import execute
from registry.sealing import leaves
from registry.sealing.findings import Findings
from registry.sealing.leaves import Row, Salts
from registry.sealing.merkle import Hash

STEP = "erasure"


class Erasures:
    """The table of erasures, the rows that it names, and the steps that explain it. Memory: one entry per erased row."""

    def __init__(self, h: Hash, found: Findings) -> None:
        self._h, self._found = h, found
        self.rows: dict[int, tuple[str | None, int]] = {
            seq: (kept, step) for seq, kept, step in execute("SELECT seq, kept, step_seq FROM erasure").fetchall()
        }
        # Row → the fields of it that steps say were erased (None: all), and what must be left where it was all.
        self._told: dict[int, set[str] | None] = {}
        self._remains: dict[int, str] = {}
        # Row → the fields that are gone (None: all), and what is left of it.
        self._seen: dict[int, tuple[set[str] | None, str]] = {}
        # Rows of which something was said already.
        self._wrong: set[int] = set()

    @property
    def count(self) -> int:
        return len(self._seen)

    def step(self, values: tuple[Any, ...]) -> None:
        """Take note of a row of ROW_SQL, sealed already or not, if it is a step that says what was erased."""
        if values[1] != "step" or values[4] != STEP:
            return
        try:
            detail = orjson.loads(values[17])
            names = set(detail["fields"])
            for seq in detail["rows"]:
                if not names:
                    self._told[seq] = None
                    self._remains[seq] = str(detail["remains"][str(seq)])
                elif (told := self._told.setdefault(seq, set())) is not None:
                    told |= names
        except (ValueError, KeyError, TypeError):
            self._found.add("erasure", "is a step of erasure that cannot be read.", values[0])

    def check(self, row: Row, salt: Any, digest: bytes) -> None:
        """Check a row without salt, or one that the table names: what is left must still fit its leaf."""
        seq = row.seq
        if seq not in self.rows:
            self._found.add(
                "altered", "has lost its salt, and no erasure names it: it cannot be checked any more.", seq
            )
            return
        if salt is not None:
            self._found.add("erasure", "is named as erased and has its salt: the erasure was made up, or undone.", seq)
            self._wrong.add(seq)
            return
        kept = self.rows[seq][0]
        if kept is None:
            if row.columns != leaves.emptied(row.columns) or row.detail:
                self._found.add("altered", "was erased as a whole, and something was written in its place.", seq)
            self._seen[seq] = (None, leaves.remains(self._h, row.columns))
            return
        try:
            salts = Salts.from_json(kept)
        except ValueError:
            self._found.add("erasure", "was erased in part, and what was kept to prove the rest is unreadable.", seq)
            self._wrong.add(seq)
            return
        self._seen[seq] = (set(salts.erased), "")
        extra = set(row.detail) - set(salts.fields)
        if extra or leaves.sealed_as(self._h, row, salts, digest) is None:
            self._found.add("altered", "was erased in part, and the rest is not what was sealed: it was altered.", seq)

    def finish(self) -> None:
        """Hold the table against the steps: what nobody put on record is tampering."""
        for seq, (gone, left) in sorted(self._seen.items()):
            if seq not in self._told:
                self._found.add("erasure", "was erased, and no step of the ledger says so: unlawful.", seq)
                continue
            told = self._told[seq]
            if told is not None and (gone is None or not gone <= told):
                self._found.add("erasure", "has lost more than the steps of the ledger say: unlawful.", seq)
            elif gone is None and left != self._remains.get(seq):
                self._found.add("altered", "was erased as a whole, and what was left of it was altered.", seq)
        for seq in sorted(set(self._told) - set(self._seen) - self._wrong):
            self._found.add("erasure", "was erased by a step of the ledger, and its content is back.", seq)
        for seq in sorted(set(self.rows) - set(self._seen) - set(self._told) - self._wrong):
            self._found.add("erasure", "is named as erased and is not: the erasure was made up.", seq)
