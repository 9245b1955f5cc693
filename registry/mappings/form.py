"""The form of a mapping: a TOML file that says how the columns of a file become the fields of a kind."""

import dataclasses
import re
import string
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from registry.cells.width import half_width
from registry.errors import BadFile
from registry.kinds import KINDS

Read = Literal["text", "day", "yuan", "wan", "capital", "list", "integer", "industry", "codes", "moment"]
READS: tuple[Read, ...] = ("text", "day", "yuan", "wan", "capital", "list", "integer", "industry", "codes", "moment")
Order = Literal["ymd", "dmy", "mdy"]
ORDERS: tuple[Order, ...] = ("ymd", "dmy", "mdy")
# What parts of a list cell are separated by, unless the mapping says otherwise.
PARTS = ",，;；"
# The column of an import's mapping in the database.
ID = re.compile(r"[\w-]{1,64}")
# A shorter value is never found inside a cell: 正常 stands in 不正常 as well.
SHORTEST_WITHIN = 3
# Values that a cell may stand for; a TOML file can hold others, which no field takes.
_PLAIN = (str, int, bool)


def clean_heading(text: str) -> str:
    """A heading without blanks, line breaks and a byte-order mark, in half width."""
    return "".join(half_width(text).replace("\ufeff", "").split())


def same_heading(text: str) -> str:
    """A clean heading as it is compared: codes of columns are written in either case (`UniSCID`, `UNISCID`)."""
    return text.upper()


def same_value(text: str) -> str:
    """A cell as it is looked up among the values of a mapping: half width, without blanks, in upper case."""
    return "".join(half_width(text).split()).upper()


@dataclass(frozen=True, slots=True)
class Column:
    """One field of the kind: the headings it may stand under, and how its cells are read.

    `values` replaces what a cell says (with `within`: by the longest key that it contains), `otherwise` what none of them
    covers. `read = "codes"` makes results of code, code system and text: the code is the cell or its value, the text the
    cell or that of the `text` headings. `form` writes several columns as one text, "" where one of them is empty; `join` puts
    the cells that are filled one behind the other, with this between.
    `serial` and `epoch` are found in the file itself, never written in a mapping.
    """

    field: str
    headings: tuple[str, ...]
    read: Read = "text"
    order: Order = "ymd"
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    within: bool = False
    otherwise: Any = None
    system: str = ""
    text: tuple[str, ...] = ()
    split: str = PARTS
    form: str = ""
    join: str = ""
    serial: bool = False
    epoch: bool = False

    def value_of(self, cell: str) -> Any:
        """What a cell stands for; None where the mapping does not say."""
        plain = same_value(cell)
        found = self.values.get(plain)
        if found is None and self.within:
            fitting = [key for key in self.values if len(key) >= SHORTEST_WITHIN and key in plain]
            found = self.values[max(fitting, key=lambda key: (len(key), key))] if fitting else None
        return self.otherwise if found is None else found


@dataclass(frozen=True, slots=True)
class Persons:
    """Which rows are about natural persons 自然人: those with one of `values` under `headings`, or all where there are no headings.

    `number` are the headings of their numbers, which are kept as keyed hash only.
    """

    headings: tuple[str, ...] = ()
    values: frozenset[str] = frozenset()
    number: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that are refused for what they say of themselves, for example that the decision was withdrawn."""

    headings: tuple[str, ...]
    values: frozenset[str]
    why: str


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
    # Where headings alone say too little (one column of names): words, one of which the name of the file or a title must have.
    says: tuple[str, ...] = ()
    persons: Persons | None = None
    refuse: tuple[Refused, ...] = ()
    # Where the party is registered (GB/T 2260): headings of a column, else one area for all rows. For matching by name.
    division: tuple[str, ...] = ()
    area: str = ""

    def headings(self) -> list[str]:
        """Every heading that the mapping knows, used or left out."""
        used = [heading for column in self.columns for heading in (*column.headings, *column.text)]
        persons = (*self.persons.headings, *self.persons.number) if self.persons else ()
        refused = [heading for one in self.refuse for heading in one.headings]
        return [*self.party_code, *self.party_name, *self.division, *persons, *refused, *used, *self.ignore]

    def known(self) -> frozenset[str]:
        """Every heading that the mapping knows, as headings are compared."""
        return frozenset(map(same_heading, self.headings()))

    def knows(self, header: Iterable[str]) -> int:
        """How many different headings of a file the mapping knows."""
        return len(self.known().intersection(map(same_heading, header)))

    def has_columns(self, header: Iterable[str]) -> bool:
        """Whether every column that the mapping needs is there."""
        present = set(map(same_heading, header))
        return all(present.intersection(map(same_heading, group)) for group in self.requires)

    def fits(self, header: Iterable[str], said: str = "") -> bool:
        """Whether a file is one of those that the mapping is for. `said`: the name of the file and the rows above its header."""
        return self.has_columns(header) and (not self.says or any(word in said for word in self.says))


def load(path: Path) -> Mapping:
    """Read one mapping file. Raises BadFile, naming file and key, for anything that is not understood."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(f"The mapping {path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path.name} is not valid TOML: {error}.") from error
    return parse(text, path.name)


def parse(text: str, name: str) -> Mapping:
    """The mapping that a TOML text is; `name` is that of its file. Raises BadFile as `load` does."""
    try:
        data = tomllib.loads(text)
        head = _table(name, "[mapping]", data.pop("mapping"))
        party = _table(name, "[party]", data.pop("party"))
        fields = _table(name, "[fields]", data.pop("fields"))
        constants = _table(name, "[constants]", data.pop("constants", {}))
        kind = _text(name, "[mapping] kind", head.pop("kind"))
        requires = head.pop("requires")
        if not isinstance(requires, list) or not requires:
            raise BadFile(f'{name}: [mapping] requires must be a list of lists of headings, for example [["文书号"]].')
        if not {"code", "name"} & set(party):
            raise BadFile(f"{name}: [party] needs code or name: without a party a row is about nobody.")
        says = head.pop("says", [])
        mapping = Mapping(
            id=name.removesuffix(".toml"),
            kind=kind,
            title=_text(name, "[mapping] title", head.pop("title")),
            requires=tuple(_headings(name, "[mapping] requires", group) for group in requires),
            party_code=_headings(name, "[party] code", party.pop("code")) if "code" in party else (),
            party_name=_headings(name, "[party] name", party.pop("name")) if "name" in party else (),
            columns=tuple(_column(name, one, value) for one, value in fields.items()),
            constants=constants,
            ignore=frozenset(_headings(name, "[mapping] ignore", head.pop("ignore", []), least=0)),
            says=_words(name, "[mapping] says", says, least=0),
            persons=_persons(name, party.pop("persons", None)),
            division=_headings(name, "[party] division", party.pop("division")) if "division" in party else (),
            area=_area(name, party.pop("area", "")),
            refuse=_refuse(name, data.pop("refuse", [])),
        )
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"{name} is not valid TOML: {error}.") from error
    except KeyError as error:
        raise BadFile(f"{name}: the key {error} is missing. docs/imports.md shows a whole mapping.") from error
    for where, rest in (("", data), ("[mapping] ", head), ("[party] ", party)):
        for key in rest:
            raise BadFile(f"{name}: {where}{key} is not a key of a mapping. docs/imports.md lists them.")
    if not ID.fullmatch(mapping.id):
        raise BadFile(f"{name}: a mapping is named by letters, digits and hyphens, 64 at most. Rename the file.")
    if kind not in KINDS:
        raise BadFile(f"{name}: [mapping] kind = {kind!r} is not a kind. Kinds are: {', '.join(KINDS)}.")
    known = set(KINDS[kind].schema._declared_fields)
    for one in [*(column.field for column in mapping.columns), *constants]:
        if one not in known:
            raise BadFile(f"{name}: {kind} has no field {one!r}. Its fields are: {', '.join(sorted(known))}.")
    return mapping


def _area(name: str, value: Any) -> str:
    if value and (not isinstance(value, str) or not re.fullmatch(r"[1-9][0-9]([0-9]{2}){0,2}", value)):
        raise BadFile(
            f'{name}: [party] area must be two, four or six digits of GB/T 2260 in quotes, for example "1101".'
        )
    return str(value)


def _table(name: str, where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadFile(f"{name}: {where} must be a table. docs/imports.md shows a whole mapping.")
    return dict(value)


def _text(name: str, where: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadFile(f"{name}: {where} must be text in quotes.")
    return value


def _words(name: str, where: str, value: Any, *, least: int = 1) -> tuple[str, ...]:
    """A list of words. One text would be read character by character, so it is refused."""
    if not isinstance(value, list) or len(value) < least or not all(isinstance(one, str) and one for one in value):
        raise BadFile(f'{name}: {where} must be a list of words in quotes, for example ["经营异常"].')
    return tuple(value)


def _headings(name: str, where: str, value: Any, *, least: int = 1) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) < least or not all(isinstance(one, str) and one for one in value):
        raise BadFile(f'{name}: {where} must be a list of headings in quotes, for example ["文书号"].')
    return tuple(map(clean_heading, value))


def _persons(name: str, value: Any) -> Persons | None:
    if value is None:
        return None
    where = "[party] persons"
    given = _table(name, where, value)
    if not given or set(given) - {"from", "values", "number"} or ("from" in given) != ("values" in given):
        raise BadFile(
            f'{name}: {where} takes `from` with `values`, and `number`, for example {{ from = ["类别"], values = ["自然人"], number = '
            '["证件号码"] }.'
        )
    return Persons(
        _headings(name, f"{where} from", given.get("from", []), least=0),
        frozenset(map(same_value, _words(name, f"{where} values", given.get("values", []), least=0))),
        _headings(name, f"{where} number", given.get("number", []), least=0),
    )


def _refuse(name: str, value: Any) -> tuple[Refused, ...]:
    where = "[[refuse]]"
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadFile(f"{name}: {where} must be a list of tables with `from`, `values` and `why`.")
    found: list[Refused] = []
    for one in value:
        if set(one) != {"from", "values", "why"}:
            raise BadFile(f"{name}: {where} takes `from`, `values` and `why`.")
        words = _words(name, f"{where} values", one["values"])
        found.append(
            Refused(
                _headings(name, f"{where} from", one["from"]), frozenset(map(same_value, words)), _text(name, f"{where} why", one["why"]),
            )
        )  # fmt: skip
    return tuple(found)


def _column(name: str, one: str, value: Any) -> Column:
    where = f"[fields] {one}"
    if isinstance(value, list):
        return Column(one, _headings(name, where, value))
    if not isinstance(value, dict) or not {"from", "form"} & set(value):
        raise BadFile(f"{name}: {where} must be a list of headings, or a table with `from`.")
    rest = dict(value)
    form = rest.pop("form", "")
    headings = _placed(name, where, form) if "from" not in rest else _headings(name, f"{where} from", rest.pop("from"))
    read, order, values = rest.pop("read", "text"), rest.pop("order", "ymd"), rest.pop("values", {})
    column = Column(
        one, headings, read, order, _values(name, where, values), rest.pop("within", False), rest.pop("otherwise", None),
        rest.pop("system", ""), _headings(name, f"{where} text", rest.pop("text", []), least=0), rest.pop("split", PARTS), form,
        rest.pop("join", ""),
    )  # fmt: skip
    texts = (column.system, column.split, column.join)
    odd = not isinstance(column.within, bool) or not all(isinstance(text, str) for text in texts)
    if (
        rest
        or read not in READS
        or order not in ORDERS
        or odd
        or not isinstance(column.otherwise, (*_PLAIN, type(None)))
    ):
        raise BadFile(
            f"{name}: [fields] {one} takes `from`, `read` ({', '.join(READS)}), `order` ({', '.join(ORDERS)}), `values`, "
            "`within` (true or false), `otherwise`, `system`, `text`, `split`, `join` and `form`. docs/imports.md says what they do."
        )
    if read == "codes" and not column.system:
        raise BadFile(f"{name}: {where} reads codes and needs `system`: the same code means two things in two lists.")
    if (column.system or column.text) and read != "codes":
        raise BadFile(f'{name}: {where} has `system` or `text`, which go with read = "codes".')
    return column


def _values(name: str, where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(one, _PLAIN) for one in value.values()):
        raise BadFile(
            f'{name}: {where} values must be a table of texts, whole numbers, true or false, for example {{ "合格" = "1" }}.'
        )
    return {same_value(key): one for key, one in value.items()}


def _placed(name: str, where: str, form: Any) -> tuple[str, ...]:
    """The headings that a form names in braces."""
    try:
        placed = [one for _, one, spec, turned in string.Formatter().parse(form) if one is not None]
        plain = all(not spec and not turned for _, _, spec, turned in string.Formatter().parse(form))
    except (ValueError, TypeError):
        placed, plain = [], False
    if not placed or not plain or not all(placed):
        raise BadFile(f'{name}: {where} form must name headings in braces, for example "{{年}}年第{{号}}号".')
    return tuple(map(clean_heading, placed))


__all__ = [
    "ID", "ORDERS", "PARTS", "READS", "Column", "Mapping", "Order", "Read", "clean_heading", "load", "parse", "same_heading",
    "same_value",
]  # fmt: skip
