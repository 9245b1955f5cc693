"""Fields that several kinds share: a term of a code list, yes or no, the last day of a validity."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields

from registry import privacy
from registry.cells.checks import resident_id
from registry.cells.dates import OPEN_END
from registry.cells.personal import keyed_hash, mask_personal
from registry.cells.width import half_width
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
        super().__init__(metadata={**described, "type": "string", "description": text}, **kwargs)
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


def person_number(text: str) -> str | None:
    """The number of a person's paper in one form, so that one person has one hash; None where it says nothing.

    A resident id 公民身份号码 in any of its lengths is that of 18 characters; any other paper is its letters and digits.
    """
    plain = re.sub(r"[\s\-]", "", half_width(text)).upper()
    if "*" in plain or len(plain) < 6:
        return None
    return resident_id(plain) or f"paper/{plain}"


def phone_number(text: str) -> str | None:
    """A telephone number in one form: digits, without the country's 86; None where it says nothing."""
    plain = half_width(text)
    digits = re.sub(r"\D", "", plain)
    digits = re.sub(r"^(?:00)?86(?=1\d{10}$)", "", digits)
    return f"phone/{digits}" if "*" not in plain and 7 <= len(digits) <= 16 else None


class Hashed(fields.Field[str]):
    """What tells a person apart, read as its keyed hash; "" where it tells nothing (empty, masked by its source).

    The text goes nowhere: no error quotes it, and what cannot be read is left out, not refused.
    """

    def __init__(self, canonical: Callable[[str], str | None], **kwargs: Any) -> None:
        described = {"type": "string", **kwargs.pop("metadata", {})}
        super().__init__(load_default="", allow_none=True, metadata=described, **kwargs)
        self.canonical = canonical

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("Send it as text.")
        text = str(value)
        plain = self.canonical(text) if len(text) <= 200 else None
        if plain is None:
            return ""
        key: bytes | None = getattr(self.root, "key", None)
        return keyed_hash(plain, privacy.in_use() if key is None else key)


class Dropped(fields.Field[str]):
    """What sources send and this registry must not keep: taken, and gone at once."""

    def __init__(self, **kwargs: Any) -> None:
        described = {"type": "string", **kwargs.pop("metadata", {})}
        super().__init__(load_default="", allow_none=True, metadata=described, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        return ""


def in_order(data: Mapping[str, Any], first: str, last: str, what: str) -> None:
    """Refuse a day `last` before the day `first`: `what` names both, for example "End before the start"."""
    if data.get(first) and data.get(last) and data[last] < data[first]:
        raise ValidationError({last: [f"{what}: {data[last]} lies before {data[first]}. Correct one of the two days."]})
