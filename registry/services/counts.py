"""What became of the rows of a file, or in a dry run what would become of them, in numbers that add up."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """read = stored + unchanged + unmatched + rejected, always; the others say more of these rows.

    A dry run compares with nothing that is stored: its `stored` are the rows with a usable code, also where the registry has
    them already, and what only an import can tell stays 0.
    """

    stored: int = 0
    unchanged: int = 0
    unmatched: int = 0
    rejected: int = 0
    undated: int = 0
    provisional: int = 0
    # Of the unchanged rows, those of which another source says something else that counts; nothing was applied.
    differs: int = 0
    # Rows that waited, from this file or another, and have found their party.
    released: int = 0
    # Of the stored and unchanged rows, those found by their exact name alone.
    by_name: int = 0
    # Of the unmatched rows, those that a person's decision drops: they do not wait.
    dropped: int = 0

    @property
    def read(self) -> int:
        return self.stored + self.unchanged + self.unmatched + self.rejected
