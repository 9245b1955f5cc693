"""What a kind of record is: one schema, one projection, one identity. To add a kind is to add one file beside this one."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from registry.cells.personal import mask_personal
from registry.kinds.codes import CodeList, Label
from registry.kinds.seen import Sees

# No decision of a market regulator is older than the first registrations of the reform era.
EARLIEST = date(1949, 10, 1)
# Severity from which on a statement of any kind is grave.
GRAVE = 3


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says about one entity, ready for the ledger. `key` is what makes it this record (see `Kind.key`).

    The five searched columns (code, severity, amount_fen, happened_on, ends_on) are also what the kind projects into
    `fact`; docs/architecture.md says what they mean for each kind.
    """

    kind: str
    code: int
    severity: int
    amount_fen: int
    happened_on: date | None
    ends_on: date | None
    document_no: str
    organ: str
    key: tuple[str, ...]
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One fact that a record projects beside its own, under the number of a derived kind and on the same day.

    `amount` is at least 0; what the three integers mean is said by the derived kind's `Projection`.
    """

    code: int
    severity: int
    amount: int


class Day(fields.Date):
    """A day, as `date` or ISO text, between 1949-10-01 and a limit that the schema gives."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        day = value if type(value) is date else super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(day, date)
        if day < EARLIEST:
            raise ValidationError(f"{day} is before {EARLIEST}. Check the year.")
        return day


class Text(fields.String):
    """Free text of one line or many. Personal numbers in it are masked before anything else sees them."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        checks = [validate.Length(max=longest), *([validate.Length(min=1)] if kwargs.get("required") else [])]
        super().__init__(validate=checks, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\x00" in text:
            raise ValidationError("The text contains a NUL byte. Remove it and send the record again.")
        return mask_personal(text.strip())


class Moment(fields.Field[str]):
    """A moment of a source's own clock, read as ISO text of whole seconds so that moments compare as texts."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = str(value).strip().replace("/", "-")
        try:
            found = datetime.fromisoformat(text) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None:
            raise ValidationError(f"{value!r} is not a moment. Write it as 2026-03-01T10:20:30.")
        return found.replace(tzinfo=None, microsecond=0).isoformat()


class Fen(fields.Integer):
    """An amount in fen (1/100 yuan), never negative."""

    def __init__(self, **kwargs: Any) -> None:
        too_much = "{input} fen is not an amount between 0 and 10,000,000,000,000 yuan."
        super().__init__(strict=True, validate=validate.Range(0, 10**15, error=too_much), **kwargs)


class RecordSchema(Schema):
    """Fields that every kind of record has. Unknown keys are refused: a misspelt one would lose data in silence."""

    # Days that may not lie after `today`, with what the source calls them.
    PAST: ClassVar[tuple[str, ...]] = ()
    # The field whose day says which code lists hold.
    DATED: ClassVar[str] = ""

    organ = Text(
        200,
        load_default="",
        metadata={"sees": "public", "description": "Organ that decided 机关; empty means the key's organ"},
    )
    document_no = Text(
        128, load_default="", metadata={"sees": "public", "description": "Document number 文书号, as printed"}
    )
    source_row = Text(
        128,
        load_default="",
        metadata={
            "sees": "internal",
            "description": "The row's id at its source 来源记录号, where it has no document number",
        },
    )
    stated_at = Moment(
        load_default=None,
        allow_none=True,
        metadata={
            "sees": "internal",
            "description": "When the source wrote this version of the record 数据时间戳. Of two versions the later one holds, "
            "in whatever order they arrive",
        },
    )
    remark = Text(512, load_default="", metadata={"sees": "internal", "description": "Remark 备注"})

    def __init__(self, *, today: date, key: bytes | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.today = today
        # Of the hashes by which people are told apart; the registry's own where none is given.
        self.key = key

    @validates_schema
    def _no_future(self, data: dict[str, Any], **_: Any) -> None:
        problems = {
            name: [f"{data[name]} lies after today, {self.today}. Only what has happened can be recorded."]
            for name in self.PAST
            if data.get(name) is not None and data[name] > self.today
        }
        if problems:
            raise ValidationError(problems)

    @validates_schema
    def _lists_hold(self, data: dict[str, Any], **_: Any) -> None:
        on = data.get(self.DATED) if self.DATED else None
        if on is None:
            return
        problems: dict[str, list[str]] = {}
        for name, field_ in self.fields.items():
            terms: CodeList | None = getattr(field_, "terms", None)
            if terms is not None and data.get(name, "") not in (None, "", field_.load_default):
                why = terms.refusal(data[name], on)
                problems |= {name: [why]} if why else {}
        if problems:
            raise ValidationError(problems)

    @validates_schema
    def _number_fits(self, data: dict[str, Any], **_: Any) -> None:
        # Folding may write one character as several; 号 is supplied at the end.
        size = len(unicodedata.normalize("NFKC", data.get("document_no", "")).upper())
        if size >= 128:
            raise ValidationError(
                {"document_no": [f"Written plainly the number has {size} characters; 127 are the most. Shorten it."]}
            )


@dataclass(frozen=True, slots=True)
class Projection:
    """What the five integers of a kind's facts mean, in words: the contract that indicators are written against."""

    code: str
    severity: str
    day: str
    amount: str = "0"
    ends: str = "–"


@dataclass(frozen=True, slots=True)
class Derived:
    """A kind of fact that nobody states: records of another kind project it beside their own fact.

    It shares the ledger row, the day and the coverage of that record, and has a number of its own: an indicator counts
    one kind of fact. `parts` makes the facts from a statement, in a fixed order (they are numbered from 1 in it). It reads
    columns and detail of the statement and nothing else, so that the facts can always be made again from the ledger.
    """

    name: str
    number: int
    title: Label
    projects: Projection
    parts: Callable[["Statement"], tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class Mirror:
    """A table beside the ledger by which records of a kind are found from their other side: a cache, kept with every row.

    `row` makes the values of `columns` from a row of the ledger (its columns by name, `detail` as an object); None where
    the record has nothing to be found by. The table has `known` and `gone` besides (`registry/services/mirrors.py`).
    """

    table: str
    columns: tuple[str, ...]
    row: Callable[[Mapping[str, Any]], tuple[Any, ...] | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: how it is checked, what it projects, and what makes two statements the same record."""

    name: str
    number: int
    title: Label
    schema: type[RecordSchema]
    # Checked fields → the statement. Pure; never sees the database or the clock.
    state: Callable[[dict[str, Any]], Statement]
    # One line of the timeline, from a stored record's columns and detail.
    line: Callable[[Mapping[str, Any]], Label]
    # Whether a key may post it; registrations come from files only.
    postable: bool = True
    # Whether such a statement may list an entity or veto its class: found by name alone it must be confirmed first.
    grave: Callable[[Statement], bool] = field(default=lambda statement: statement.severity >= GRAVE, kw_only=True)
    # Said of every kind in docs/data-dictionary.md and docs/architecture.md, which are made from it.
    projects: Projection = field(kw_only=True)
    # Code lists that its fields are read by.
    lists: tuple[CodeList, ...] = field(default=(), kw_only=True)
    # Who may see what stands in a record's detail beside its fields; nobody what is not named.
    derived: Mapping[str, Sees] = field(default_factory=dict, kw_only=True)
    # Who may see the amount; nobody where it is no money.
    amount: Sees = field(default="public", kw_only=True)
    # What is made from a detail for who may not see it itself; `derived` says who may see that.
    also: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = field(default=None, kw_only=True)
    mirror: Mirror | None = field(default=None, kw_only=True)
    # What its records project beside their own fact.
    derives: Derived | None = field(default=None, kw_only=True)
    # What of a statement is kept and could not be understood: (term of the field, sentence), for who imports it.
    noted: Callable[[Statement], Iterable[tuple[str, str]]] = field(default=lambda statement: (), kw_only=True)

    def parts(self, statement: Statement) -> tuple[Part, ...]:
        """The facts that a statement of this kind projects beside its own; parts 1, 2, … in this order. Pure."""
        return () if self.derives is None else self.derives.parts(statement)


def key_of(kind: str, organ: str, document_no: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes a record itself: organ and document number; else the source's own row id; else nothing (its content)."""
    if document_no:
        return (kind, "document", organ, document_no)
    if data.get("source_row"):
        return (kind, "row", str(data["source_row"]))
    return (kind, "content")


__all__ = [
    "CodeList", "Day", "Derived", "Fen", "Kind", "Label", "Mirror", "Moment", "Part", "Projection", "RecordSchema", "Statement",
    "Text", "key_of",
]  # fmt: skip
