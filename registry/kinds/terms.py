"""Fields that several kinds share: a term of a code list, yes or no, the last day of a validity."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields

from registry.cells.dates import OPEN_END
from registry.cells.personal import mask_personal
from registry.kinds.base import Day
from registry.kinds.codes import CodeList

# What a mistyped name of ours looks like; anything else is a source's own wording.
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FAR = date(2099, 12, 31)


class Choice(fields.Field[str]):
    """One term of a list, given by our name (`ordinary`), in Chinese (普通) or in English; read as our name.

    With `otherwise`, wording of a source that the list does not know becomes that term (the kind keeps the wording in a
    field beside it); a mistyped name of ours is refused all the same. With `within`, the longest term in a text counts.
    """

    def __init__(self, terms: CodeList, *, otherwise: str = "", within: bool = False, **kwargs: Any) -> None:
        described = kwargs.pop("metadata", {})
        listed = ", ".join(f"{name} {term.zh}" for name, term in terms.terms.items())
        text = f"{described.get('description', '')}: {listed}"
        # No enum: the contract must not refuse the Chinese terms, nor the wording that becomes `otherwise`.
        super().__init__(metadata={"type": "string", "description": text}, **kwargs)
        self.terms, self.otherwise, self.within, self.plain = terms, otherwise, within, described.get("description", "")

    def found(self, text: str) -> str | None:
        return self.terms.find(text, within=self.within)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if isinstance(value, str):
            found = self.found(value)
            if found is not None:
                return found
            if self.otherwise and value.strip() and "\x00" not in value and not _NAME.fullmatch(value.strip()):
                return self.otherwise
            shown = mask_personal(value.replace("\x00", "␀"))[:40]
        else:
            shown = type(value).__name__
        raise ValidationError(f"{shown!r} is not one of: {', '.join(self.terms.terms)} (or the Chinese terms).")


class Flag(fields.Boolean):
    """True or false, 是 or 否: nothing else that a program might take for one of them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(truthy={True, "是"}, falsy={False, "否"}, **kwargs)


class LastDay(Day):
    """The last day on which something holds. 2099-12-31 and 9999-12-31 mean that no end is set, and are read as none."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        day = super()._deserialize(value, attr, data, **kwargs)
        return None if day in (OPEN_END, _FAR) else day


def in_order(data: Mapping[str, Any], first: str, last: str, what: str) -> None:
    """Refuse a day `last` before the day `first`: `what` names both, for example "End before the start"."""
    if data.get(first) and data.get(last) and data[last] < data[first]:
        raise ValidationError({last: [f"{what}: {data[last]} lies before {data[first]}. Correct one of the two days."]})
