"""Whose records the sender of a file may hand in: those of his own organ, or with a scope of its own, of others too."""

from dataclasses import dataclass, replace

from registry.cells.names import fold_name
from registry.cells.personal import mask_personal
from registry.services.parsing import Parsed, Refusal

# Registrations make and rename entities; who may send them at all is a matter of their own scope.
OF_THEIR_OWN = ("registration",)


@dataclass(frozen=True, slots=True)
class Sender:
    """The organ for which a file is sent, and whether its key has the scope `imports:others`."""

    organ: str
    others: bool = False

    def judged(self, row: Parsed | list[Refusal], column: str) -> Parsed | list[Refusal]:
        """A row as it may come from this sender: as it is, marked as foreign, or refused. `column` is the heading of the organ.

        A row that names no organ, or this one (names compared folded), is the sender's own.
        """
        if isinstance(row, list) or row.statement.kind in OF_THEIR_OWN:
            return row
        said = row.statement.organ
        if not fold_name(said) or fold_name(said) == fold_name(self.organ):
            return row
        if self.others:
            return replace(row, foreign=True)
        reason = (
            f"This key sends the records of {self.organ} only, and the row is another organ's. Let that organ's key send it, give "
            "this key the scope imports:others, or import the file on the server (`xinheng import`, drop folder)."
        )
        return [Refusal(column, mask_personal(said)[:60], reason)]


def judged(row: Parsed | list[Refusal], sender: Sender | None, column: str) -> Parsed | list[Refusal]:
    """The same where there may be no sender to be judged: the operator's own files, by command or drop folder, are trusted."""
    return row if sender is None else sender.judged(row, column)


__all__ = ["Sender", "judged"]
