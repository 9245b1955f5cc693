"""The signed roots that a tamper check can rely on: those of the file, and those of the database that follow them."""

from array import array
from bisect import bisect_left
from contextlib import suppress
from pathlib import Path

from registry.sealing import rootfile, signing
from registry.sealing.findings import Findings
from registry.sealing.signing import NOTHING, Root
from registry.services import seal
from registry.services.seal import Log


class Roots:
    """The signed roots that can be relied on: sizes and roots, in order.

    `set_back_to` is how many rows the newest root of the database covers where the file knows of a later one, else None:
    what lies behind it was never sealed in this database, or its seal was removed, and nobody can tell which.
    """

    def __init__(self, log: Log, found: Findings) -> None:
        self._log, self._found = log, found
        self.sizes = array("q")
        self.at = array("q")
        self._roots = bytearray()
        self._digests = bytearray()
        self._in_file = False
        self.set_back_to: int | None = None

    def root(self, number: int) -> bytes:
        return bytes(self._roots[32 * number : 32 * number + 32])

    def sealed_at(self, size: int) -> int | None:
        """When the root over `size` rows was signed (milliseconds UTC), or None where there is none."""
        place = bisect_left(self.sizes, size)
        return self.at[place] if place < len(self.sizes) and self.sizes[place] == size else None

    def of_file(self, path: Path) -> None:
        """Read the file of roots: every line signed, and each following the one before."""
        previous = NOTHING
        with suppress(FileNotFoundError):
            for line in rootfile.lines(path):
                self._in_file = True
                if line.number == 1:
                    self._heading(path, line)
                    continue
                root = line.root
                if root is None:
                    self._found.add(
                        "roots_file", f"Line {line.number} of {path.name} is no signed root: it was altered."
                    )
                    continue
                if not self._is_ours(root):
                    self._found.add(
                        "roots_file", f"Line {line.number} of {path.name} is not signed by the key of the log."
                    )
                    continue
                if root.previous != previous or (self.sizes and root.size <= self.sizes[-1]):
                    self._found.add(
                        "roots_file",
                        f"Before line {line.number} of {path.name} a root is missing: lines were removed or moved.",
                    )
                previous = self._keep(root)

    def _heading(self, path: Path, line: rootfile.Line) -> None:
        if line.heading == self._log.heading:
            return
        if line.heading is not None and line.heading.get("log") == self._log.name:
            self._found.add("key", f"{path.name} was begun with another public key: the key of the log was exchanged.")
        else:
            self._found.add("roots_file", f"{path.name} does not belong to this log: one of the two was exchanged.")

    def _is_ours(self, root: Root) -> bool:
        same = (root.log, root.algorithm) == (self._log.name, self._log.algorithm)
        return same and signing.is_signed(self._log.public_key, root)

    def _keep(self, root: Root) -> bytes:
        digest = root.digest(self._log.hash)
        self.sizes.append(root.size)
        self.at.append(root.at)
        self._roots += root.root
        self._digests += digest
        return digest

    def of_database(self, path: Path) -> None:
        """Hold the roots of the database against those of the file, in step; what follows the file's end is kept too."""
        h, number, count, late = self._log.hash, 0, len(self.sizes), 0
        previous = NOTHING
        for root in seal.roots_after(self._log, 0):
            while number < count and self.sizes[number] < root.size:
                self._gone(self.sizes[number])
                number += 1
            if root.previous != previous:
                self._found.add(
                    "root",
                    f"The root of {root.size} rows does not follow the one before: a root was removed or exchanged.",
                )
            digest = root.digest(h)
            if number < count and self.sizes[number] == root.size:
                if self._digests[32 * number : 32 * number + 32] != digest:
                    self._found.add(
                        "root", f"The root of {root.size} rows is not the one that was exported: it was exchanged."
                    )
                number += 1
            elif not self._is_ours(root):
                self._found.add(
                    "root", f"The root of {root.size} rows is not signed by the key of the log: it is forged."
                )
            elif number < count:
                self._found.add("roots_file", f"{path.name} lacks the root of {root.size} rows: a line was removed.")
            else:
                late += 1
                self._keep(root)
            previous = digest
        if number < count:
            self.set_back_to = self.sizes[number - 1] if number else 0
            self._found.add(
                "rolled_back",
                f"{path.name} knows a root of {self.sizes[count - 1]} rows and the database none beyond "
                f"{self.set_back_to}: the database was set back to an old backup, or its end was removed.",
            )
        self._missing(path, late)

    def _gone(self, size: int) -> None:
        self._found.add(
            "root", f"The root of {size} rows was exported and is not in the database any more: it was removed."
        )

    def _missing(self, path: Path, late: int) -> None:
        """Roots that only the database has. One may be on its way; more mean that the file was cut, or never written."""
        if not late:
            return
        if not self._in_file:
            self._found.add(
                "roots_file",
                f"There is no file of roots {path.name}, and {late} root(s) were signed: nothing outside the database speaks "
                "for it. Name a copy with --roots.",
            )
        elif late > 1:
            self._found.add(
                "roots_file", f"{path.name} lacks the last {late} roots: its end was removed, or it is an older copy."
            )
        else:
            self._found.notes.append(f"The newest root is not in {path.name} yet.")
