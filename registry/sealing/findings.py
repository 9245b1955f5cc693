"""What a tamper check has found: rows by number, in as few words as they allow, and never more than a person reads."""

from dataclasses import dataclass, field

# Findings of one sort that are kept; the rest are counted.
MOST = 100


@dataclass(slots=True)
class Finding:
    """One thing that is wrong. `first` and `last` are ledger rows; 0 where it is about no row."""

    what: str
    first: int
    last: int
    text: str

    @property
    def rows(self) -> str:
        if not self.first:
            return ""
        return f"row {self.first}" if self.first == self.last else f"rows {self.first} to {self.last}"

    @property
    def sentence(self) -> str:
        return f"{self.rows}: {self.text}" if self.first else self.text

    def as_dict(self) -> dict[str, object]:
        return {"what": self.what, "first": self.first or None, "last": self.last or None, "text": self.sentence}


@dataclass(slots=True)
class Findings:
    """Findings in the order in which they were made; neighbouring rows with the same text are one."""

    items: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _open: dict[str, Finding] = field(default_factory=dict)

    def add(self, what: str, text: str, first: int = 0, last: int | None = None) -> None:
        """Say what is wrong, of rows `first` to `last` (default: `first` alone)."""
        last = first if last is None else last
        before = self._open.get(what)
        if before is not None and first and before.last + 1 == first and before.text == text:
            before.last = last
            return
        self.counts[what] = self.counts.get(what, 0) + 1
        found = Finding(what, first, last, text)
        self._open[what] = found
        if self.counts[what] <= MOST:
            self.items.append(found)

    def has(self, what: str, row: int) -> bool:
        """Whether a row is among the newest findings of a sort."""
        before = self._open.get(what)
        return before is not None and before.first <= row <= before.last

    @property
    def more(self) -> int:
        """How many were counted and not kept."""
        return sum(count - MOST for count in self.counts.values() if count > MOST)
