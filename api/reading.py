"""An OpenAPI document as a person reads it: sections, operations, parameters, fields."""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

_REF = re.compile(r"#/components/(\w+)/(.+)")
# Nested fields are shown to this depth; below it the document itself is clearer.
DEPTH = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One parameter or field."""

    name: str
    type: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """One of the bodies that an operation takes."""

    name: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    description: str
    scopes: list[str]
    parameters: list[Line]
    forms: list[Form]
    example: str
    answers: list[tuple[str, str]]
    fields: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    anchor: str
    title: str
    operations: list[Operation]


def sections(spec: dict[str, Any]) -> list[Section]:
    """The operations of a document by tag, in the order of the tags."""
    found = {tag["name"]: Section(tag["name"], tag["description"], []) for tag in spec.get("tags", [])}
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                found[operation["tags"][0]].operations.append(
                    _operation(spec, method, path, operation, item.get("parameters", []))
                )
    return list(found.values())


def _operation(spec: dict[str, Any], method: str, path: str, operation: dict[str, Any], shared: list[Any]) -> Operation:
    parameters = [_resolved(spec, one) for one in [*shared, *operation.get("parameters", [])]]
    content = _resolved(spec, operation.get("requestBody", {})).get("content", {}).get("application/json", {})
    answers = {code: _resolved(spec, answer) for code, answer in operation["responses"].items() if code != "default"}
    good = next((answer for code, answer in answers.items() if str(code).startswith("2")), {})
    shape = good.get("content", {}).get("application/json", {}).get("schema", {})
    example = content.get("example")
    return Operation(
        anchor=re.sub(r"[^a-z0-9]+", "-", f"{method} {path}".lower()).strip("-"),
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        scopes=operation.get("x-scopes", []),
        parameters=[
            Line(
                one["name"], _type(spec, one.get("schema", {})), one.get("required", False), one.get("description", "")
            )
            for one in parameters
        ],
        forms=_forms(spec, content.get("schema", {})),
        example="" if example is None else orjson.dumps(example, option=orjson.OPT_INDENT_2).decode(),
        answers=[(str(code), answer.get("description", "")) for code, answer in answers.items()],
        fields=_lines(spec, shape),
    )


def _forms(spec: dict[str, Any], schema: dict[str, Any]) -> list[Form]:
    choices = schema.get("oneOf", [schema] if schema else [])
    return [Form(_name(choice), _lines(spec, choice)) for choice in choices]


def _name(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _lines(spec: dict[str, Any], schema: dict[str, Any], prefix: str = "", depth: int = 0) -> list[Line]:
    schema = _resolved(spec, schema)
    lines: list[Line] = []
    for name, inner in schema.get("properties", {}).items():
        lines.append(
            Line(
                prefix + name,
                _type(spec, inner),
                name in schema.get("required", []),
                inner.get("description", ""),
            )
        )
        below = _resolved(spec, inner)
        if depth < DEPTH and below.get("type") == "array":
            lines += _lines(spec, below.get("items", {}), f"{prefix}{name}[].", depth + 1)
        elif depth < DEPTH:
            lines += _lines(spec, below, f"{prefix}{name}.", depth + 1)
    return lines


def _type(spec: dict[str, Any], schema: dict[str, Any]) -> str:
    schema = _resolved(spec, schema)
    kind = schema.get("type", "any")
    names = [name for name in (kind if isinstance(kind, list) else [kind]) if name]
    if "array" in names:
        return f"list of {_type(spec, schema.get('items', {}))}"
    text = " or ".join(names)
    return f"{text} ({schema['format']})" if "format" in schema else text


def _resolved(spec: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """The node, or what it refers to; a nullable reference is read as its reference."""
    for choice in (node, *node.get("anyOf", []), *node.get("allOf", [])):
        match = _REF.fullmatch(str(choice.get("$ref", "")))
        if match:
            found: dict[str, Any] = spec["components"][match[1]][match[2]]
            return {**found, **{name: value for name, value in node.items() if name not in ("$ref", "anyOf", "allOf")}}
    return node
