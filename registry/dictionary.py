"""The data dictionary 数据字典: every kind of record as its file declares it, as one page.

    python -m registry.dictionary                  print docs/data-dictionary.md
    python -m registry.dictionary --projections    print the table "What each kind projects" of docs/architecture.md

Nothing here is written by hand: a kind that is added, or a field that changes, changes the page, and a test compares.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from marshmallow import Schema, fields, missing, validate

from registry import mappings
from registry.kinds import KINDS, Kind
from registry.kinds.base import Moment, Projection, RecordSchema
from registry.kinds.codes import CodeList
from registry.kinds.seen import LEVELS, sees
from registry.kinds.terms import Choice

HEAD = """\
# Data dictionary 数据字典

Made from `registry/kinds/` by `python -m registry.dictionary`; a test keeps it current, so change a kind and not this page.

A record is posted as JSON with the fields of its kind and the party that it is about (`POST /api/v1/records/<kind>`), or
imported through a mapping, whose headings stand in the last column. Days are `YYYY-MM-DD` between 1949-10-01 and today where
they say what has happened; amounts are in fen 分, 1/100 yuan; personal numbers in any text are masked before they are stored.
A field that takes a term of a code list takes our name for it, or the Chinese or English term.

The five integers that a record projects into the table of facts are all that grading reads (see
[architecture](architecture.md)). A record without a day is kept and projects nothing.

Every field says who sees it, and what nobody declared is shown to nobody (`registry/services/visibility.py`). A record of
which a reader sees no field of its own does not exist for him. Numbers of natural persons are never kept: where one tells
people apart (who complained, who owns) a keyed hash stands for it.

| seen by | who |
|---|---|
"""
_CHINESE = re.compile(r"[\u4e00-\u9fff][\u4e00-\u9fff、（）“”]*")


def page(kinds: Mapping[str, Kind] = KINDS) -> str:
    """The whole dictionary in Markdown, kinds in the order of their numbers."""
    listed = "\n".join(
        f"| {kind.number} | [{kind.title.zh}](#{name}) | `{name}` | {kind.title.en} |" for name, kind in kinds.items()
    )
    head = HEAD + "".join(f"| {level} {label.zh} | {label.en} |\n" for level, label in LEVELS.items())
    parts = [head, f"| number | 记录类别 | kind | |\n|---|---|---|---|\n{listed}\n", _common()]
    parts += [_kind(kind) for kind in kinds.values()]
    return "\n".join(parts)


def projections(kinds: Mapping[str, Kind] = KINDS) -> str:
    """What each kind projects into `fact`, as one table in Markdown."""
    rows = ["| kind | number | `code` | `severity` | `amount` | `day` | `ends` |", "|---|---|---|---|---|---|---|"]
    found = [(kind.number, kind.title, kind.projects) for kind in kinds.values()]
    found += [(one.number, one.title, one.projects) for kind in kinds.values() if (one := kind.derives) is not None]
    for number, title, said in sorted(found, key=lambda one: one[0]):
        cells = (number, said.code, said.severity, said.amount, said.day, said.ends)
        rows.append(f"| {title.en[0].lower()}{title.en[1:]} {title.zh} | {' | '.join(map(str, cells))} |")
    return "\n".join(rows) + "\n"


def chinese(field: fields.Field[Any]) -> str:
    """The Chinese term of a field: the first one in its description; "" where it has none."""
    described = field.plain if isinstance(field, Choice) else str(field.metadata.get("description", ""))
    found = _CHINESE.search(described)
    return found[0].strip("（") if found else ""


def fields_of(schema: type[Schema]) -> dict[str, fields.Field[Any]]:
    """Fields of a schema by name, in the order in which they are declared, those of every kind left out."""
    common = RecordSchema._declared_fields if issubclass(schema, RecordSchema) else {}
    return {name: field for name, field in schema._declared_fields.items() if name not in common}


def _common() -> str:
    rows = "\n".join(_row(name, field, {}) for name, field in RecordSchema._declared_fields.items())
    return f"## Fields of every kind\n\n{_HEADER}\n{rows}\n"


_HEADER = "| field | term 中文名 | type and limits | needed | seen by | description | headings |\n|---|---|---|---|---|---|---|"


def _kind(kind: Kind) -> str:
    headings = _headings(kind.name)
    rows = [_row(name, field, headings) for name, field in fields_of(kind.schema).items()]
    rows += [_row(name, field, headings) for name, field in RecordSchema._declared_fields.items() if name in headings]
    nested = [_row(f"{name}[].{inner}", field, {}) for name, outer in fields_of(kind.schema).items()
              for inner, field in _nested(outer).items()]  # fmt: skip
    parts = [
        f'<a id="{kind.name}"></a>\n## {kind.number} {kind.title.zh} {kind.title.en}: `{kind.name}`\n',
        "" if kind.postable else "Comes from files only (`xinheng import`).\n",
        f"{_HEADER}\n" + "\n".join([*rows, *nested]) + "\n",
        f"Projects:\n\n{_projected(kind.projects)}",
        _besides(kind),
        _derived(kind),
        *(_code_list(one) for one in kind.lists),
    ]  # fmt: skip
    return "\n".join(part for part in parts if part)


def _projected(said: Projection) -> str:
    integers = {"code": said.code, "severity": said.severity, "amount": said.amount, "day": said.day, "ends": said.ends}
    rows = "\n".join(f"| `{name}` | {_cell(text)} |" for name, text in integers.items())
    return f"| integer | meaning |\n|---|---|\n{rows}\n"


def _besides(kind: Kind) -> str:
    """The facts of a derived kind that its records project beside their own."""
    one = kind.derives
    if one is None:
        return ""
    head = f"And besides, as facts of {one.number} {one.title.zh} {one.title.en} (`{one.name}`), covered where `{kind.name}` is:"
    return f"{head}\n\n{_projected(one.projects)}"


def _derived(kind: Kind) -> str:
    """What a record's detail holds beside its fields, and who sees that and the amount."""
    said = [f"`{name}` {level}" for name, level in kind.derived.items()]
    said += [] if kind.amount == "public" else [f"the amount {kind.amount}"]
    return f"Seen by, beside the fields: {', '.join(said)}.\n" if said else ""


def _row(name: str, field: fields.Field[Any], headings: Mapping[str, list[str]]) -> str:
    described = field.plain if isinstance(field, Choice) else str(field.metadata.get("description", ""))
    known = ", ".join(f"`{heading}`" for heading in headings.get(name, ()))
    needed = "yes" if field.required else _default(field)
    cells = (f"`{name}`", chinese(field), _type(field), needed, sees(field), described, known)
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _default(field: fields.Field[Any]) -> str:
    value = field.load_default
    if value is missing or value is None or value == "" or value is list:
        return ""
    return f"else `{str(value).lower() if isinstance(value, bool) else value}`"


def _type(field: fields.Field[Any]) -> str:
    """Type and limits in words."""
    if isinstance(field, Choice):
        return f"term of `{field.terms.id}`" + (
            f", other wording becomes `{field.otherwise}`" if field.otherwise else ""
        )
    if isinstance(field, fields.List):
        return f"list of {_type(field.inner)}{_limits(field)}"
    name = "amount in fen" if type(field).__name__ == "Fen" else field.metadata.get("type") or _NAMES[_base(field)]
    return f"{name}{_limits(field)}"


_NAMES: dict[type[fields.Field[Any]], str] = {
    fields.Date: "day", fields.Integer: "whole number", fields.Boolean: "true or false", fields.String: "text",
    fields.Nested: "objects", Moment: "moment",
}  # fmt: skip


def _base(field: fields.Field[Any]) -> type[fields.Field[Any]]:
    return next(one for one in type(field).__mro__ if one in _NAMES)


def _limits(field: fields.Field[Any]) -> str:
    said = [_limit(check) for check in field.validators]
    said += [f"{field.metadata['minimum']} to {field.metadata['maximum']}"] if "maximum" in field.metadata else []
    return "".join(f", {one}" for one in said if one)


def _limit(check: object) -> str:
    if isinstance(check, validate.OneOf):
        return "one of " + ", ".join(f"`{one}`" for one in check.choices if one != "")
    if isinstance(check, validate.Regexp):
        return "of the form `" + str(check.regex.pattern) + "`"
    if isinstance(check, validate.Length | validate.Range):
        low, high = check.min, check.max
        if high is None:
            return f"at least {low}"
        return f"{low:,} to {high:,}" if low else f"at most {high:,}"
    return ""


def _nested(field: fields.Field[Any]) -> dict[str, fields.Field[Any]]:
    inner = field.inner if isinstance(field, fields.List) else field
    return fields_of(type(inner.schema)) if isinstance(inner, fields.Nested) else {}


def _headings(kind: str) -> dict[str, list[str]]:
    """Headings under which shipped mappings find each field of a kind."""
    found: dict[str, list[str]] = {}
    for mapping in mappings.shipped().values():
        for column in mapping.columns if mapping.kind == kind else ():
            found.setdefault(column.field, []).extend(column.headings)
    return {field: list(dict.fromkeys(names)) for field, names in found.items()}


def _code_list(one: CodeList) -> str:
    held = "".join(_dated(one.since, one.until)) or ", without dates"
    lines = [f"`{one.id}` {one.title.zh} {one.title.en}: {one.basis}{held}.\n"]
    lines += ["| code | term | English | number | severity | also written |", "|---|---|---|---|---|---|"]
    for code, term in one.terms.items():
        cells = (f"`{code}`", term.zh, term.en, str(term.number), str(term.severity), "、".join(term.words))
        lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def _dated(since: date | None, until: date | None) -> Iterator[str]:
    if since:
        yield f", from {since}"
    if until:
        yield f", until before {until}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(projections() if "--projections" in sys.argv[1:] else page())
