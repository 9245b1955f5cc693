"""What keeping the one list and the two databases 一单两库 has in common: who acts, versions, what a verb says it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from marshmallow import ValidationError

from registry.cells.personal import PersonalKind, find_personal
from registry.database import execute, is_postgres
from registry.errors import RegistryError
from registry.kinds.base import Text

Outcome = Literal["stored", "unchanged"]


class VersionConflict(RegistryError):
    """Somebody changed the same thing meanwhile: the change names another version than the one that stands."""

    code = "version_conflict"
    status = 409

    def __init__(self, what: str, seen: int | None, current: int) -> None:
        named = "names no version" if seen is None else f"names version {seen}"
        super().__init__(
            f"{what} stands at version {current}, and the change {named}. Nothing was changed: read it again, and send the "
            f"change with `version` {current} if it still holds.",
            version=current,
        )


class RegisterRefused(RegistryError):
    """What was given cannot stand in the list or database. `problems` maps a field to what is wrong with it."""

    code = "register_refused"
    status = 422

    def __init__(self, problems: dict[str, list[str]]) -> None:
        listed = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in problems.items())
        super().__init__(f"Nothing was changed. {listed}", problems=problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, for which organ (empty at a terminal, which works for every organ), in which divisions, and when.

    `today` is the day where the registry works, `now` milliseconds UTC.
    """

    actor: str
    organ: str
    today: date
    now: int
    divisions: Sequence[str] = field(default=("",))

    def sees(self, division: str) -> bool:
        """Whether a division, or an area given by its prefix, lies within the divisions of this desk."""
        return any(division.startswith(prefix) for prefix in self.divisions)


def alone(table: str) -> None:
    """Wait for other writers of a small table until this transaction ends; readers go on. SQLite has one writer anyway.

    `table` is a name of ours, never what somebody sent.
    """
    if is_postgres():
        execute(f'LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE')


def check_version(what: str, seen: int | None, current: int) -> None:
    """Raise VersionConflict unless the change names the version that stands. `what` begins the sentence."""
    if seen != current:
        raise VersionConflict(what, seen, current)


class Plain(Text):
    """A text without the number of a person: of those who inspect none is kept, not even masked.

    `only` names the kinds of number that are looked for; what else has many digits may look like a telephone number.
    """

    def __init__(self, longest: int, *, only: Sequence[PersonalKind] = (), **kwargs: Any) -> None:
        super().__init__(longest, **kwargs)
        self.only = tuple(only)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        found = find_personal(value) if isinstance(value, str) else []
        if any(not self.only or span.kind in self.only for span in found):
            raise ValidationError(
                "This holds the number of a person (identity, telephone, e-mail or bank card), and none is kept here. Leave it out."
            )
        # Masking would spoil the number of a certificate that looks like a telephone number.
        if self.only and isinstance(value, str) and "\x00" not in value:
            return value.strip()
        return super()._deserialize(value, attr, data, **kwargs)


def in_force(day: date, first: date | None, until: date | None) -> bool:
    """Whether a day lies in [first, until): either end may be open."""
    return (first is None or first <= day) and (until is None or day < until)
