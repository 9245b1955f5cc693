"""Whose records the sender of a file may hand in: those of his own organ, or with a scope of its own, of others too.

Never listings of an organ that decides on them by cases here: what `POST /records` refuses does not come by a file either.
"""

from dataclasses import dataclass, replace

from registry.cells.names import fold_name
from registry.cells.personal import mask_personal
from registry.config import Settings
from registry.services import listings
from registry.services.parsing import Parsed, Refusal

# Registrations make and rename entities; who may send them at all is a matter of their own scope.
OF_THEIR_OWN = ("registration",)


@dataclass(frozen=True, slots=True)
class Sender:
    """The organ for which a file is sent, and whether its key has the scope `imports:others`.

    `settings` say which organs decide on lists here (`[listings] organs`); without them none does.
    """

    organ: str
    others: bool = False
    settings: Settings | None = None

    def judged(self, row: Parsed | list[Refusal], column: str) -> Parsed | list[Refusal]:
        """A row as it may come from this sender: as it is, marked as foreign, or refused. `column` is the heading of the organ.

        A row that names no organ, or this one (names compared folded), is the sender's own. A listing of an organ that decides
        by cases here is refused, whoever sends it. Raises ConfigError where the file of those organs cannot be read.
        """
        if isinstance(row, list) or row.statement.kind in OF_THEIR_OWN:
            return row
        said, kind = row.statement.organ, row.statement.kind
        own = not fold_name(said) or fold_name(said) == fold_name(self.organ)
        organ = self.organ if own else said
        if (own or self.others) and self.settings is not None and listings.by_cases(kind, organ, self.settings):
            reason = (
                f"{listings.wants_case(kind, organ, 'enter', 'remove', 'correct')} Listings from before there were cases here "
                "are imported on the server (`xinheng import`, drop folder)."
            )
            return [Refusal(column, mask_personal(said)[:60], reason)]
        if own:
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
