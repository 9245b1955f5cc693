"""What makes a record of the sample itself: the keys that the kinds would give them, from the columns of the frames."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from registry.cells.documents import fold_document_no
from registry.cells.names import fold_name

Detail = Mapping[str, Any]

# What follows organ and number in a key: one document may say several things.
_BEHIND: Mapping[str, Callable[[Detail], tuple[str, ...]]] = {
    "licence": lambda detail: (fold_document_no(detail["licence_no"]),),
    "product_sampling": lambda detail: (fold_name(detail["product"]), fold_name(detail["batch"])),
    "registration_change": lambda detail: (detail["item"],),
    "award": lambda detail: (fold_name(detail["name"]), ""),
    "satisfaction_survey": lambda detail: (fold_name(detail["subject"]),),
    "outside_list": lambda detail: (detail["list"], "", ""),
}


def record_key(kind: str, organ: str, number: str, code: int, happened: date, detail: Detail) -> tuple[str, ...]:
    """The key of a record, as its kind makes it; a test holds the two together.

    Parameters
    ----------
    organ, number : folded; an empty number stands for none

    Raises
    ------
    KeyError
        If the kind is one whose records always have a number in the sample, and this one has none.
    """
    if number:
        behind = _BEHIND.get(kind)
        return (kind, "document", organ, number, *(behind(detail) if behind else ()))
    return _UNNUMBERED[kind](code, happened, detail)


_UNNUMBERED: Mapping[str, Callable[[int, date, Detail], tuple[str, ...]]] = {
    "annual_report": lambda code, happened, detail: ("annual_report", "year", str(code)),
    "outside_list": lambda code, happened, detail: (
        "outside_list", "entry", detail["list"], "", "", happened.isoformat(), str(detail["year"])
    ),
    "relation": lambda code, happened, detail: (
        "relation", "who", detail["type"], detail.get("person_hash") or detail["other_code"], happened.isoformat()
    ),
}  # fmt: skip
