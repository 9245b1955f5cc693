"""Whose business an entity is: conditions on a column of divisions, for the prefixes that a caller has."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any


def in_sql(divisions: Sequence[str], column: str) -> tuple[str, list[str]]:
    """` AND (…)` over a column of six digits, and the values of its question marks; nothing where every division is asked for."""
    if "" in divisions:
        return "", []
    bounds = [bound for prefix in divisions for bound in (prefix.ljust(6, "0"), prefix.ljust(6, "9"))]
    return f" AND ({' OR '.join(f'{column} BETWEEN ? AND ?' for _ in divisions)}) ", bounds


def in_query(query: Any, column: Any, divisions: Sequence[str]) -> Any:
    """A query of the mapper with the same condition."""
    if "" in divisions:
        return query
    return query.where(reduce(or_, (column.startswith(prefix) for prefix in divisions)))
