"""The beginning of a mapping for a file that none fits: fields by the nearest headings, for a person to complete."""

import json
from pathlib import Path

from marshmallow import fields
from rapidfuzz import fuzz, process

from registry import dictionary, mappings
from registry.errors import BadFile
from registry.kinds import KINDS
from registry.kinds.base import Day, Fen, RecordSchema
from registry.mappings.form import Mapping, clean_heading, same_heading

# How much alike a heading and the name of a field must be, of 100.
ALIKE = 78
# Headings of papers and people: never proposed for a field.
_PERSONAL = ("身份证", "证件号", "电话", "手机", "法定代表人", "负责人", "联系人", "执法人员", "检查人员")


def draft(header: list[str], kind: str, file: Path) -> str:
    """A mapping of `kind` for a file with this header, as TOML with comments. It is a proposal: nothing is certain in it.

    Raises BadFile where the kind does not exist.
    """
    if kind not in KINDS:
        raise BadFile(f"{kind!r} is not a kind. Kinds are: {', '.join(KINDS)}.")
    headings = list(dict.fromkeys(heading for heading in map(clean_heading, header) if heading))
    every = list(mappings.shipped().values())
    code = _taken(headings, [one for mapping in every for one in mapping.party_code])
    name = _taken(
        [one for one in headings if one not in code], [one for mapping in every for one in mapping.party_name]
    )
    rest = [one for one in headings if one not in (*code, *name)]
    found = _fields(rest, kind, [mapping for mapping in every if mapping.kind == kind])
    left = [one for one in rest if one not in found.values()]
    needs = [*([name[0]] if name else code[:1]), *list(found.values())[:2]]
    lines = [
        f"# Begun from the headings of {file.name}. Read every line: what a heading resembles is not always what it means.",
        "[mapping]",
        f'kind = "{kind}"',
        f"title = {_quoted(file.stem.split('.')[0])}",
        f"requires = [{', '.join(f'[{_quoted(one)}]' for one in needs)}]",
        "# Known and left out on purpose. A heading that stands nowhere in this file stops the import.",
        f"ignore = [{', '.join(_quoted(one) for one in left if _is_personal(one))}]",
        "",
        "[party]",
        *([f"code = [{', '.join(map(_quoted, code))}]"] if code else []),
        *([f"name = [{', '.join(map(_quoted, name))}]"] if name else []),
        *(
            []
            if code or name
            else ["# Which columns name the party? code = [...] and name = [...]; one of them is needed."]
        ),
        "",
        "[fields]",
        *(_line(kind, field, heading) for field, heading in found.items()),
    ]
    undecided = [one for one in left if not _is_personal(one)]
    if undecided:
        lines += ["# No field was found for these. Give each its field, or put it into `ignore`:"]
        lines += [f"#   {one}" for one in undecided]
    needed = [
        name for name, field in KINDS[kind].schema._declared_fields.items() if field.required and name not in found
    ]
    if needed:
        lines += ["# The kind needs these fields, from a column above or from the constants below:"]
        lines += [
            f"#   {name}: {KINDS[kind].schema._declared_fields[name].metadata.get('description', '')}"
            for name in needed
        ]
    return "\n".join([*lines, "", "[constants]", ""])


def _taken(headings: list[str], known: list[str]) -> list[str]:
    wanted = set(map(same_heading, known))
    return [one for one in headings if same_heading(one) in wanted]


def _fields(headings: list[str], kind: str, shipped: list[Mapping]) -> dict[str, str]:
    """Field → heading: those that a shipped mapping of the kind reads so, then those that are most alike, each used once."""
    schema: type[RecordSchema] = KINDS[kind].schema
    candidates: dict[str, str] = {}  # what a heading may look like → the field that it would be
    for name, field in schema._declared_fields.items():
        if term := dictionary.chinese(field):
            candidates.setdefault(term, name)
    for mapping in shipped:
        for column in mapping.columns:
            candidates |= dict.fromkeys(column.headings, column.field)
    choices = {one: one.upper() for one in candidates}
    scored: list[tuple[float, str, str]] = []
    for heading in headings:
        if _is_personal(heading):
            continue
        for one, score, _ in process.extract(
            same_heading(heading), list(choices.values()), scorer=fuzz.ratio, limit=3, score_cutoff=ALIKE
        ):
            place = next(key for key, value in choices.items() if value == one)
            scored.append((-score, heading, candidates[place]))
    found: dict[str, str] = {}
    for _, heading, name in sorted(scored):
        if name not in found and heading not in found.values():
            found[name] = heading
    return {name: found[name] for name in schema._declared_fields if name in found}


def _is_personal(heading: str) -> bool:
    return any(word in heading for word in _PERSONAL) or heading == "序号"


def _line(kind: str, name: str, heading: str) -> str:
    field = KINDS[kind].schema._declared_fields[name]
    place = f"[{_quoted(heading)}]"
    if isinstance(field, Day):
        return f'{name} = {{ from = {place}, read = "day" }}'
    if isinstance(field, Fen):
        unit = "wan" if "万" in heading else "yuan"
        return f'{name} = {{ from = {place}, read = "{unit}" }}  # yuan 元 or wan 万元: look at the cells'
    if isinstance(field, fields.Integer):
        return f'{name} = {{ from = {place}, read = "integer" }}'
    if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        return f'{name} = {{ from = {place}, read = "codes", system = "" }}  # name the code system, and `values` where the cells are words'
    if isinstance(field, fields.List):
        return f'{name} = {{ from = {place}, read = "list" }}'
    return f"{name} = {place}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
