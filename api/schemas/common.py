"""Fields and schemas that several endpoints share. Descriptions are read by strangers: they feed the document."""

import re
from datetime import date, datetime
from typing import Any, NamedTuple

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from registry.kinds.base import Text
from registry.kinds.registration import SUBJECTS

PAGE = 50
LONGEST_PAGE = 200
# The first row of the ledger is 1; beyond this no number is given.
HIGHEST_SEQ = 2**53


class Out(Schema):
    """What we send. New fields may be added at any time, and the document says so: strict clients stay unbroken."""

    class Meta:
        unknown = INCLUDE

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        # The mapper takes what a dictionary lacks from its methods: a row without `items` would send dict.items.
        return obj.get(attr, default) if isinstance(obj, dict) else super().get_attribute(obj, attr, default)


class Whole(fields.Integer):
    """A whole number in a query string, ASCII digits only: the mapper's own would take 1.5, +5 and full-width digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or re.fullmatch(r"[0-9]{1,16}", value, re.ASCII) is None:
            raise ValidationError("This is not a whole number. Write digits only.")
        return int(value)


class Moment(NamedTuple):
    """A point of knowledge: a ledger number, milliseconds UTC, or the end of a day. One of the three is set."""

    seq: int | None
    at: int | None
    day: date | None = None


class KnownAt(fields.String):
    """A moment in RFC 3339 with its offset, a day (its end where the registry works), or a ledger number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if re.fullmatch(r"[0-9]{1,15}", text, re.ASCII):
            return Moment(int(text), None)
        # In a query string + means a blank; a client that forgot to escape it means the offset.
        try:
            moment = datetime.fromisoformat(re.sub(r" (?=\d\d:\d\d$)", "+", text))
        except ValueError:
            moment = None
        if moment is not None and re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) and 1949 <= moment.year <= 2100:
            return Moment(None, None, moment.date())
        if moment is None or moment.tzinfo is None or "T" not in text.upper():
            raise ValidationError(
                "Give a ledger number, a day as in 2026-11-21 (its end), or a moment with its offset as in "
                "2026-11-21T09:30:00Z (in a URL + is %2B)."
            )
        return Moment(None, int(moment.timestamp() * 1000))


def no_nul(text: str) -> None:
    """PostgreSQL stores no NUL byte, and no text needs one."""
    if "\x00" in text:
        raise ValidationError("The text contains a NUL byte. Leave it out.")


class FindQuery(Schema):
    code = fields.String(
        load_default="",
        validate=[validate.Length(0, 40), no_nul],
        metadata={"description": "Credit code or registration number 统一社会信用代码或注册号, in any spelling"},
    )


class PageQuery(Schema):
    after = fields.String(
        load_default=None,
        validate=[validate.Length(1, 200), no_nul],
        metadata={"description": "Token `next` of the page before 上一页的 next"},
    )
    limit = Whole(
        load_default=PAGE,
        validate=validate.Range(1, LONGEST_PAGE),
        metadata={"description": f"Most items on the page 每页条数, 1 to {LONGEST_PAGE}"},
    )


class LabelOut(Out):
    zh = fields.String(required=True, metadata={"description": "Chinese 中文"})
    en = fields.String(required=True, metadata={"description": "English"})


class ProblemSchema(Out):
    """An error as RFC 9457 describes it."""

    type = fields.String(
        required=True, metadata={"description": "Where the error is explained", "format": "uri-reference"}
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What is wrong, where, and what to do"})
    code = fields.String(required=True, metadata={"description": "Stable: switch on this"})
    instance = fields.String(required=True, metadata={"description": "Number of the request, as in the log"})
    problems = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Refused fields, each with what is wrong with it"},
    )


class Digits(Text):
    """Digits of a code, or a prefix of it."""

    def __init__(self, longest: int, description: str) -> None:
        super().__init__(
            longest, load_default="", metadata={"description": description, "pattern": f"^[0-9]{{0,{longest}}}$"}
        )
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if re.fullmatch(rf"[0-9]{{0,{self.longest}}}", text, re.ASCII) is None:
            raise ValidationError(f"Give a prefix of up to {self.longest} digits.")
        return text


def one_of_subjects(**kwargs: Any) -> fields.String:
    named = ", ".join(f"{name} {term}" for name, term in SUBJECTS.items())
    return fields.String(
        load_default="",
        validate=validate.OneOf(["", *SUBJECTS]),
        metadata={"description": f"Kind 主体类型: {named}"},
        **kwargs,
    )


def division_prefix() -> Digits:
    return Digits(6, "Division, GB/T 2260: a prefix of up to six digits 行政区划")


def industry_prefix() -> Digits:
    return Digits(4, "Industry, GB/T 4754: a prefix of up to four digits 行业")


class OfSchemeQuery(PageQuery):
    """A page of what stands beside the grades of one scheme or one entity."""

    scheme = fields.String(
        load_default="", validate=[validate.Length(0, 32), no_nul], metadata={"description": "Of one scheme 评价方案"}
    )
    code = fields.String(
        load_default="",
        validate=[validate.Length(0, 40), no_nul],
        metadata={"description": "Of one entity 统一社会信用代码或注册号"},
    )
