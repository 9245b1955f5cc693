"""Search: entities by code, older numbers, name (two characters, or three letters of how it is read), division, industry, class."""

from dataclasses import dataclass
from typing import Any

from registry import cursor
from registry.cells.checks import is_organisation_code
from registry.cells.names import search_tokens
from registry.database import execute
from registry.errors import RegistryError
from registry.identity import fold_code
from registry.page import Page
from registry.services.entities import named_like

COLUMNS = (
    "id",
    "code",
    "registration_no",
    "name",
    "kind",
    "status",
    "industry",
    "division",
    "address",
    "established",
    "provisional",
)


class TooVague(RegistryError):
    code = "query_too_vague"
    status = 422


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. Empty parts do not filter. `class_` needs the right to read grades: the caller checks it."""

    q: str = ""
    division: str = ""
    kind: str = ""
    industry: str = ""
    class_: str = ""
    divisions: tuple[str, ...] = ("",)


def page(query: Query, *, scheme: str, with_class: bool, after: str | None, limit: int) -> Page[dict[str, Any]]:
    """Entities that match, in order of id, one query a page. With `with_class` each carries its class under `scheme`.

    An entity that was merged 合并 is found by its own names and numbers, and `merged_into` is the code of the one it is.
    """
    where: list[str] = []
    values: list[object] = []
    text = query.q.strip()
    if text:
        folded = fold_code(text)
        if len(folded) in (13, 15, 18) and folded.isascii() and folded.isalnum() and folded[2:6].isdigit():
            where.append("(e.code = ? OR e.registration_no = ?)")
            values += [folded, folded]
        elif len(search_tokens(text)) < 2:  # one token is one character; two stand apart by a blank
            raise TooVague("One character finds too much. Give at least two characters of the name, or a whole code.")
        elif is_organisation_code(folded) and any(map(str.isdigit, folded[:8])):
            where.append("e.organisation_code = ?")
            values.append(folded)
        else:
            sql, names = named_like(text)
            where.append(f"e.id IN ({sql})")
            values += names
    for column, prefix in (("division", query.division), ("industry", query.industry)):
        if prefix:
            low, high = prefix_range(column, prefix)
            where.append(f"e.{column} BETWEEN ? AND ?")
            values += [low, high]
    if query.kind:
        where.append("e.kind = ?")
        values.append(query.kind)
    if "" not in query.divisions:
        where.append("(" + " OR ".join("e.division BETWEEN ? AND ?" for _ in query.divisions) + ")")
        values += [bound for prefix in query.divisions for bound in prefix_range("division", prefix)]
    join = 'LEFT JOIN alias a ON a.entity = e.id AND a.until_seq IS NULL LEFT JOIN entity w ON w.id = a."into" '
    shown = ", coalesce(w.code, w.registration_no)"
    if with_class:
        join += "LEFT JOIN grade_state s ON s.scheme = ? AND s.entity = e.id "
        values.insert(0, scheme)
        shown += ", s.class"
        if query.class_:
            where.append("s.class = ?")
            values.append(query.class_)
    if after is not None:
        where.append("e.id > ?")
        values.append(cursor.decode(after, int)[0])
    condition = f"WHERE {' AND '.join(where)} " if where else ""
    columns = ", ".join(f"e.{column}" for column in COLUMNS)
    sql = f"SELECT {columns}{shown} FROM entity e {join}{condition}ORDER BY e.id LIMIT ?"  # noqa: S608 (columns are ours)
    rows = [
        dict(zip((*COLUMNS, "merged_into", *(["class"] if with_class else [])), row, strict=True))
        for row in execute(sql, [*values, limit + 1]).fetchall()
    ]
    more = len(rows) > limit
    return Page(rows[:limit], cursor.encode(rows[limit - 1]["id"]) if more else None)


def prefix_range(column: str, prefix: str) -> tuple[object, object]:
    """The smallest and largest value that begins with a prefix of digits."""
    if column == "industry":
        width = 4 - len(prefix)
        return int(prefix) * 10**width, int(prefix) * 10**width + 10**width - 1
    return prefix.ljust(6, "0"), prefix.ljust(6, "9")
