"""What officers propose, checked as `xinheng scheme check` does, over the schemes that will hold on its first day."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from registry.config import Settings
from registry.errors import UnknownScheme
from registry.services import book
from registry.services.scheme_files import BadProposal
from rules import cases
from rules import content as contents
from rules.errors import Mistake, SchemeError
from rules.scheme import Scheme, load_files

ID = re.compile(r"[a-z][a-z0-9-]{1,31}")
# Paths of the API beside those of schemes.
TAKEN = ("proposals", "comparisons")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. ``scheme`` is None where there are mistakes; ``failed`` are cases with another result, in words.

    ``id`` is what the files call the scheme, "" where they do not say it legibly.
    """

    id: str
    scheme: Scheme | None
    mistakes: tuple[Mistake, ...] = ()
    failed: tuple[str, ...] = ()
    cases: int = 0

    @property
    def in_order(self) -> bool:
        return self.scheme is not None and not self.failed


def check(settings: Settings, files: Mapping[str, str], on: date) -> Checked:
    """Read a scheme from files and judge its worked cases, over the inner schemes that hold on the day `on`.

    Raises BadProposal for an id that none may have.
    """
    source = contents.from_files(files, "proposal")
    id_, name = source.id, source.id or "proposal"
    if id_ and (ID.fullmatch(id_) is None or id_.startswith(book.SHADOW) or id_ in TAKEN):
        raise BadProposal(
            f"A scheme cannot have the id {id_[:40]!r}. An id has 2 to 32 small letters, digits and -, does not begin with "
            f"{book.SHADOW!r} (what trials are graded under) and is not {' or '.join(TAKEN)}. Change [scheme] id in scheme.toml."
        )
    inner: dict[str, Scheme] = {}
    for other in sorted(source.inner):
        # What no scheme in force is called stays away: reading the files says so, with file and key.
        with suppress(UnknownScheme):
            inner[other] = book.in_force(settings, other, on=on)
    try:
        scheme = load_files(files, name, book.numbers(), inner)
        outcomes = cases.run_files(files, name, scheme)
    except SchemeError as error:
        return Checked(id_, None, tuple(error.mistakes))
    return Checked(id_, scheme, (), tuple(str(one) for one in outcomes if not one.passed), len(outcomes))
