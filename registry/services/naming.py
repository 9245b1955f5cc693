"""By name 按名称匹配: the one entity of an area that has, and nobody else there had, exactly this name. Or nobody."""

from collections import defaultdict
from collections.abc import Iterable

from registry.cells.names import names_an_enterprise
from registry.database import execute, in_slices
from registry.services import aliases
from registry.services.parsing import CHECK_DIGIT, Parsed
from registry.services.parties import AREA, BadArea, area_of, folded_name

# What a row says of its party's number where it has none that could be looked up. A personal number is not among them.
NUMBERLESS = ("blank", "masked", "phone", "spreadsheet_number", "unusable", CHECK_DIGIT)


def area_of_key(divisions: Iterable[str]) -> str:
    """The area in which the parties of a key's rows are registered: its one division, or "" where it has several or all."""
    held = sorted(set(divisions))
    return area_of(held[0]) if len(held) == 1 and AREA.fullmatch(held[0]) else ""


def name_alone(result: Parsed) -> str:
    """The folded name of a row that may be found by it: it has no usable number and its name is no person's. Else ""."""
    if result.party is not None or result.person_hash is not None or result.why not in NUMBERLESS:
        return ""
    folded = folded_name(result.name)
    return folded if names_an_enterprise(folded) else ""


def by_name(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """For each (folded name, area) the entity that it can only be; pairs that lead nowhere, or to several, are left out.

    Exactly one entity of the area has or had the name, and it is registered; entities that were merged are one. Without an
    area nobody is found. Two queries for the whole batch.
    """
    pairs = {(folded, area) for folded, area in wanted if folded and area}
    holders: dict[str, list[tuple[int, str, bool]]] = defaultdict(list)
    for part in in_slices(sorted({folded for folded, _ in pairs})):
        sql = (
            "SELECT n.folded, e.id, e.division, e.registered_seq FROM entity_name n JOIN entity e ON e.id = n.entity_id "  # noqa: S608
            f"WHERE n.folded IN ({', '.join('?' * len(part))})"
        )
        for folded, entity, division, registered in execute(sql, part).fetchall():
            holders[folded].append((entity, division, registered is not None))
    into = aliases.roots([entity for held in holders.values() for entity, _, _ in held])
    found: dict[tuple[str, str], int] = {}
    for folded, area in pairs:
        there = [one for one in holders[folded] if one[1].startswith(area)]
        everyone = {into.get(entity, entity) for entity, _, _ in there}
        # A provisional entity is nobody's registration: it casts doubt and lends no certainty.
        if len(everyone) == 1 and any(registered for _, _, registered in there):
            found[folded, area] = everyone.pop()
    return found


__all__ = ["NUMBERLESS", "BadArea", "area_of", "area_of_key", "by_name", "name_alone"]
