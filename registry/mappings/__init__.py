"""Mappings: how the columns of a file become the fields of a kind. A mapping is a TOML file beside this one."""

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from registry.cells.personal import mask_personal
from registry.cells.width import half_width
from registry.errors import BadFile
from registry.kinds import KINDS

# How much of a header a message shows.
MOST_SHOWN, LONGEST_SHOWN = 12, 40
FOLDER = Path(__file__).parent
Read = Literal["text", "day", "yuan", "wan", "capital", "list", "integer", "industry"]
READS: tuple[Read, ...] = ("text", "day", "yuan", "wan", "capital", "list", "integer", "industry")


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the kind: the headings it may stand under, and how its cells are read."""

    field: str
    headings: tuple[str, ...]
    read: Read = "text"
    order: Literal["ymd", "dmy"] = "ymd"


@dataclass(frozen=True, slots=True)
class Mapping:
    id: str
    kind: str
    title: str
    # Every group must have one of its headings in the file, else this mapping does not fit.
    requires: tuple[tuple[str, ...], ...]
    party_code: tuple[str, ...]
    party_name: tuple[str, ...]
    columns: tuple[Column, ...]
    constants: dict[str, Any]
    # Headings that are known and left out on purpose (personal data, duplicates of other columns).
    ignore: frozenset[str]

    def headings(self) -> list[str]:
        """Every heading that the mapping knows, used or left out."""
        used = [heading for column in self.columns for heading in column.headings]
        return [*self.party_code, *self.party_name, *used, *self.ignore]

    def knows(self, header: list[str]) -> int:
        """How many different headings of a file the mapping knows."""
        return len(set(header).intersection(self.headings()))

    def fits(self, header: list[str]) -> bool:
        present = set(header)
        return all(present.intersection(group) for group in self.requires)


def clean_heading(text: str) -> str:
    """A heading without blanks, line breaks and a byte-order mark, in half width."""
    return "".join(half_width(text).replace("\ufeff", "").split())


@cache
def shipped() -> dict[str, Mapping]:
    """Every mapping that comes with the product, by id."""
    return {mapping.id: mapping for mapping in (load(path) for path in sorted(FOLDER.glob("*.toml")))}


def load(path: Path) -> Mapping:
    """Read one mapping file. Raises BadFile, naming file and key, for anything that is not understood."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        head = _table(path, "[mapping]", data.pop("mapping"))
        party = _table(path, "[party]", data.pop("party"))
        fields = _table(path, "[fields]", data.pop("fields"))
        constants = _table(path, "[constants]", data.pop("constants", {}))
        kind = _text(path, "[mapping] kind", head.pop("kind"))
        requires = head.pop("requires")
        if not isinstance(requires, list) or not requires:
            raise BadFile(
                f'{path.name}: [mapping] requires must be a list of lists of headings, for example [["文书号"]].'
            )
        mapping = Mapping(
            id=path.stem,
            kind=kind,
            title=_text(path, "[mapping] title", head.pop("title")),
            requires=tuple(_headings(path, "[mapping] requires", group) for group in requires),
            party_code=_headings(path, "[party] code", party.pop("code")),
            party_name=_headings(path, "[party] name", party.pop("name")),
            columns=tuple(_column(path, name, value) for name, value in fields.items()),
            constants=constants,
            ignore=frozenset(_headings(path, "[mapping] ignore", head.pop("ignore", []), least=0)),
        )
    except OSError as error:
        raise BadFile(f"The mapping {path.name} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{path.name} is not valid TOML: {error}.") from error
    except KeyError as error:
        raise BadFile(f"{path.name}: the key {error} is missing. docs/imports.md shows a whole mapping.") from error
    for where, rest in (("", data), ("[mapping] ", head), ("[party] ", party)):
        for key in rest:
            raise BadFile(f"{path.name}: {where}{key} is not a key of a mapping. docs/imports.md lists them.")
    if kind not in KINDS:
        raise BadFile(f"{path.name}: [mapping] kind = {kind!r} is not a kind. Kinds are: {', '.join(KINDS)}.")
    known = set(KINDS[kind].schema._declared_fields)
    for name in [*(column.field for column in mapping.columns), *constants]:
        if name not in known:
            raise BadFile(f"{path.name}: {kind} has no field {name!r}. Its fields are: {', '.join(sorted(known))}.")
    return mapping


def _table(path: Path, where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadFile(f"{path.name}: {where} must be a table. docs/imports.md shows a whole mapping.")
    return dict(value)


def _text(path: Path, where: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadFile(f"{path.name}: {where} must be text in quotes.")
    return value


def _headings(path: Path, where: str, value: Any, *, least: int = 1) -> tuple[str, ...]:
    """A list of headings. One text would be read character by character, so it is refused."""
    if not isinstance(value, list) or len(value) < least or not all(isinstance(one, str) and one for one in value):
        raise BadFile(f'{path.name}: {where} must be a list of headings in quotes, for example ["文书号"].')
    return tuple(map(clean_heading, value))


def _column(path: Path, field: str, value: Any) -> Column:
    where = f"[fields] {field}"
    if isinstance(value, list):
        return Column(field, _headings(path, where, value))
    if not isinstance(value, dict) or "from" not in value:
        raise BadFile(f"{path.name}: {where} must be a list of headings, or a table with `from`.")
    rest = dict(value)
    column = Column(
        field, _headings(path, f"{where} from", rest.pop("from")), rest.pop("read", "text"), rest.pop("order", "ymd")
    )
    if rest or column.read not in READS or column.order not in ("ymd", "dmy"):
        raise BadFile(
            f"{path.name}: [fields] {field} takes `from`, `read` ({', '.join(READS)}) and `order` (ymd, dmy)."
        )
    return column


def choose(header: list[str], *, kind: str | None, name: str | None) -> Mapping:
    """Find the mapping of a file by its headings, or the one that was named.

    Raises BadFile when none fits (saying which came nearest and what it misses) or several do.
    """
    known = shipped()
    if name is not None:
        if name not in known:
            raise BadFile(f"There is no mapping {name!r}. Mappings are: {', '.join(known)}.")
        if not known[name].fits(header):
            raise BadFile(f"Mapping {name} does not fit: {_missing(known[name], header)}.")
        return known[name]
    wanted = [mapping for mapping in known.values() if kind in (None, mapping.kind)]
    fitting = [mapping for mapping in wanted if mapping.fits(header)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        # The one that knows most of the headings; a draw is for a person to settle.
        ranked = sorted(fitting, key=lambda mapping: -mapping.knows(header))
        shares = [mapping.knows(header) for mapping in ranked[:2]]
        if shares[0] > shares[1]:
            return ranked[0]
        names = ", ".join(mapping.id for mapping in fitting)
        raise BadFile(f"Several mappings fit this header: {names}. Name one with --mapping.")
    if not any(mapping.knows(header) for mapping in known.values()):
        # The first line is probably a row: people and their numbers stand in it, so none of it is shown.
        raise BadFile(
            f"No mapping fits: none of the {len(header)} cells of the first line is a heading that any mapping knows. If the "
            "file has no line of headings, add one; docs/imports.md shows how to write a mapping."
        )
    nearest = max(wanted, key=lambda mapping: mapping.knows(header), default=None)
    hint = f" Nearest is {nearest.id}: {_missing(nearest, header)}." if nearest else ""
    raise BadFile(f"No mapping fits the header {shown(header)}.{hint} docs/imports.md shows how to write one.")


def shown(headings: Iterable[str], near: dict[str, str | None] | None = None) -> str:
    """Headings as a message may show them: the first twelve, shortened, personal numbers masked.

    Where a file has no line of headings, they are the cells of its first row. `near` names the heading that is
    probably meant (`unknown_headings`).
    """
    cut = list(headings)
    listed: list[str] = []
    for heading in cut[:MOST_SHOWN]:
        text = mask_personal(heading)
        meant = (near or {}).get(heading)
        listed.append(
            (text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…")
            + (f" (did you mean {meant}?)" if meant else "")
        )
    more = len(cut) - len(listed)
    return "，".join(listed) + (f" and {more} more" if more else "")


def _missing(mapping: Mapping, header: list[str]) -> str:
    groups = [" or ".join(group) for group in mapping.requires if not set(header).intersection(group)]
    return f"the file has no column {' and no column '.join(groups)}"


def unknown_headings(mapping: Mapping, header: list[str]) -> dict[str, str | None]:
    """Headings that the mapping does not know, each with the known one it resembles most (or None)."""
    known = mapping.headings()
    strange = [heading for heading in header if heading and heading not in known]
    return {heading: next(iter(difflib.get_close_matches(heading, known, 1)), None) for heading in strange}
