"""Who may see a field of a record: declared beside the field, `metadata={"sees": "public", ...}`, and read here."""

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

from marshmallow import Schema, fields

from registry.kinds.codes import Label

Sees = Literal["public", "regulator", "internal", "detail", "case", "never"]
SEES: tuple[Sees, ...] = get_args(Sees)
# From the masking matrix of docs/data-dictionary.md: what is told to whom, in words.
LEVELS: Mapping[Sees, Label] = {
    "public": Label("公众", "anyone, while the record is published"),
    "regulator": Label("监管部门和当事人", "regulators (`entities:read`), and the enterprise itself"),
    "internal": Label("监管部门", "regulators only (`entities:read`)"),
    "detail": Label("明细", "who has `records:detail`, each reading on record; the enterprise itself"),
    "case": Label("投诉举报经办人", "who handles the complaint (`complaints:handle`), each reading on record"),
    "never": Label("不显示", "nobody: a keyed hash, what is read and not kept, or what would tell a class"),
}
# What the ledger and its verbs add to the detail of any kind.
ADDED: Mapping[str, Sees] = {
    "printed_no": "public",
    "removed_because": "public",
    "withdrawn_because": "internal",
}


def sees(field: fields.Field[Any]) -> Sees:
    """Who may see a field; nobody, where its file does not say."""
    said = field.metadata.get("sees")
    return cast(Sees, said) if said in SEES else "never"


def levels_of(schema: type[Schema]) -> dict[str, Sees]:
    """Who may see each field of a schema, by its name."""
    return {name: sees(field) for name, field in schema._declared_fields.items()}


def nested(field: fields.Field[Any]) -> type[Schema] | None:
    """The schema of the objects that a field holds, or holds a list of."""
    inner = field.inner if isinstance(field, fields.List) else field
    return type(inner.schema) if isinstance(inner, fields.Nested) else None
