"""Whether a public field of a record seems to hold personal data: then it is not published until somebody has looked."""

import re
from collections.abc import Iterator
from typing import Any

from registry.cells.personal import find_personal
from registry.cells.width import half_width
from registry.kinds import KINDS
from registry.kinds.seen import ADDED, levels_of
from registry.services.life import Target

_ACCOUNT = re.compile(r"(?:账号|帐号|账户|帐户|卡号)[^0-9]{0,12}([0-9](?:[ \-]?[0-9]){7,29})")
# Looser than what is masked when a record arrives: here a doubt is enough, because a person looks at it then.
_ID_LIKE = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9A-Za-z])")  # fmt: skip
# What these fields hold is a number of an organ or of a decision, never of a person.
_NUMBERS = ("organ_code", "source_organ_code", "document_no", "printed_no", "linked")


def personal_in(target: Target) -> list[tuple[str, str]]:
    """(field, kind of pattern) of every public field that seems to hold an id, phone, account or e-mail; never the value."""
    kind = KINDS[target.kind]
    public = {name for name, sees in {**levels_of(kind.schema), **kind.derived, **ADDED}.items() if sees == "public"}
    found: set[tuple[str, str]] = set()
    for name, value in target.detail.items():
        if name in public and name not in _NUMBERS:
            for text in _texts(value):
                found |= {(name, what) for what in _patterns(text)}
    found |= {("organ", what) for what in _patterns(target.organ)}
    return sorted(found)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _patterns(text: str) -> set[str]:
    plain = half_width(text)
    found: set[str] = {span.kind for span in find_personal(text)}
    if _ACCOUNT.search(plain):
        found.add("bank_account")
    if _ID_LIKE.search(plain):
        found.add("resident_id")
    return found
