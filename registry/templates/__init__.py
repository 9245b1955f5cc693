"""Templates of exchange: how the fields of a kind become the columns of a file. A template is data, a TOML file beside this one.

It is the inverse of a mapping and names the one that reads it back; a test holds the two together.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from registry.errors import RegistryError
from registry.kinds import KINDS
from registry.kinds.codes import CodeList

FOLDER = Path(__file__).parent
Form = Literal["table", "json"]
FORMS: tuple[Form, ...] = ("table", "json")
Write = Literal["text", "wan", "day", "epoch", "terms", "texts"]
WRITES: tuple[Write, ...] = ("text", "wan", "day", "epoch", "terms", "texts")
# Columns of a record and of its party that a template may take; every other name is a field of the record's detail.
PARTY = ("party_name", "party_code", "party_registration_no", "party_organisation_code", "party_kind")
RECORD = ("code", "amount_fen", "day", "ends", "document_no", "organ")
_KEYS = ("heading", "key", "from", "write", "list", "separator", "values", "kept", "first", "unless", "empty")


class UnknownRecipient(RegistryError):
    code = "unknown_recipient"
    status = 404


class BadTemplate(RegistryError):
    """A template file that cannot be used."""

    code = "bad_template"


class UnknownTemplate(RegistryError):
    code = "unknown_template"
    status = 404


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file.

    `name` is what it takes ("" for a column that this registry has nothing for), `write` how: `text`; `wan` (fen as 万元 with
    six decimals); `day` (ISO); `epoch` (milliseconds since 1970 at midnight in China); `terms` (names of a code list as its
    Chinese terms, joined); `texts` (the texts of results, joined). `values` replaces what the field says. `kept` is
    (field, field of its code system, system): a record that came with that very system is written as it came. `first` is a
    field whose own wording wins. `unless` names a mark of the record that leaves the cell empty, `empty` what stands where there is nothing.
    """

    heading: str
    key: str
    name: str = ""
    write: Write = "text"
    terms: CodeList | None = None
    separator: str = "、"
    values: dict[str, str] = field(default_factory=dict)
    kept: tuple[str, str, str] | None = None
    first: str = ""
    unless: str = ""
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """How the records of a kind are written. `needs` are columns without which its recipients take no row."""

    id: str
    kind: str
    title: str
    mapping: str
    form: Form
    needs: tuple[str, ...]
    columns: tuple[Column, ...]

    def header(self, headings: Literal["zh", "code"] = "zh") -> list[str]:
        """The headings, in Chinese or as codes (`CF_WSH`)."""
        return [column.key if headings == "code" else column.heading for column in self.columns]


@dataclass(frozen=True, slots=True)
class Recipient:
    """A platform that records are sent to.

    `days` are the working days after the decision within which a row is in time. Where a kind is published on `channel`,
    sending is publishing: only what may be shown there goes out.
    """

    id: str
    title: str
    channel: str
    days: int
    basis: str
    templates: dict[str, str]


@cache
def shipped() -> dict[str, Template]:
    """Every template, by id."""
    return {one.id: one for one in (load(path) for path in sorted(FOLDER.glob("*.toml")) if path.stem != "recipients")}


@cache
def recipients() -> dict[str, Recipient]:
    """Every recipient of batches, by id."""
    data = tomllib.loads((FOLDER / "recipients.toml").read_text(encoding="utf-8"))
    return {
        name: Recipient(name, one["title"], one["channel"], one["days"], one["basis"], one["templates"])
        for name, one in data.items()
    }


def named(name: str | None, *, kind: str, form: Form | None = None) -> Template:
    """The template of that name, or the first of a kind and form. Raises UnknownTemplate, listing those of the kind."""
    fitting = [one for one in shipped().values() if one.kind == kind and form in (None, one.form)]
    if name is None and fitting:
        return max(fitting, key=lambda one: (one.form == "table", one.id))
    for one in fitting:
        if one.id == name:
            return one
    kinds = sorted({one.kind for one in shipped().values()})
    what = "JSON" if form == "json" else "table"
    listed = ", ".join(one.id for one in fitting) or f"none; kinds that have some are {', '.join(kinds)}"
    asked = f"template {name!r}" if name is not None else f"{what} template"
    raise UnknownTemplate(f"There is no {asked} for {kind}. Its templates are: {listed}.")


def recipient(name: str) -> Recipient:
    """The recipient of that name. Raises UnknownRecipient, listing those that there are."""
    found = recipients().get(name)
    if found is None:
        raise UnknownRecipient(f"There is no recipient {name!r}. Recipients are: {', '.join(recipients())}.")
    return found


def load(path: Path) -> Template:
    """Read one template file. Raises BadTemplate, naming file and key, for anything that is not understood."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        head, columns = data.pop("template"), data.pop("column")
        kind = head.pop("kind")
        if kind not in KINDS:
            raise BadTemplate(f"{path.name}: {kind!r} is not a kind. Kinds are: {', '.join(KINDS)}.")
        found = Template(
            path.stem, kind, head.pop("title"), head.pop("mapping"), head.pop("form"), tuple(head.pop("needs", ())),
            tuple(_column(path, kind, one) for one in columns),
        )  # fmt: skip
    except KeyError as error:
        raise BadTemplate(f"{path.name}: the key {error} is missing. docs/exchange.md shows a template.") from error
    if data or head:
        raise BadTemplate(f"{path.name}: {', '.join([*data, *head])} is not a key of a template.")
    if found.form not in FORMS or not set(found.needs) <= {column.name for column in found.columns}:
        raise BadTemplate(f"{path.name}: form is table or json, and `needs` names what columns take.")
    return found


def _column(path: Path, kind: str, data: dict[str, Any]) -> Column:
    where = f"{path.name}: column {data.get('heading')!r}"
    if strange := sorted(set(data) - set(_KEYS)):
        raise BadTemplate(f"{where} has {', '.join(strange)}. A column has: {', '.join(_KEYS)}.")
    lists = {one.id: one for one in KINDS[kind].lists}
    column = Column(
        data["heading"], data.get("key", data["heading"]), data.get("from", ""), data.get("write", "text"),
        lists.get(data.get("list", "")), data.get("separator", "、"), data.get("values", {}),
        tuple(data["kept"]) if "kept" in data else None, data.get("first", ""), data.get("unless", ""), data.get("empty", ""),
    )  # fmt: skip
    fields = KINDS[kind].schema._declared_fields
    if column.name not in ("", *PARTY, *RECORD, *fields):
        raise BadTemplate(f"{where} takes {column.name!r}, which {kind} has not.")
    if column.write not in WRITES or (column.write == "terms" and column.terms is None):
        raise BadTemplate(f"{where}: write is one of {', '.join(WRITES)}, and terms need a `list` of the kind.")
    return column
