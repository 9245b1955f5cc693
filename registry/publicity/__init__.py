"""The rules of publication 公示 and repair 信用修复 as dated data: which regime, which class, from when until when.

Pure: a record's columns in, days out. The tables are the TOML files beside this one; every row says what it rests on.
"""

import calendar
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from registry.errors import ConfigError
from registry.services import workdays

FOLDER = Path(__file__).parent
CLASSES = ("none", "minor", "general", "serious")
BASIS_KINDS = {
    "statute": "法律法规规章",
    "normative_document": "规范性文件",
    "local_example": "地方标准示例",
    "product_default": "产品默认值，无法定依据",
    "officer": "经办人认定",
}


@dataclass(frozen=True, slots=True)
class Class:
    """The class of a penalty, and the row of the table (or the officer) that says so."""

    name: str
    basis: str
    basis_kind: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Whether and how long a record may be shown on one channel.

    earliest : first day on which publication may be stopped on application; None where there is no such day
    latest : first day on which it must not be shown any more; None where it has no end
    counts_from : the day from which the periods were counted
    basis : what the periods rest on, each followed by the kind of text that it is, ready to be printed
    """

    regime: str
    published: bool
    earliest: date | None
    latest: date | None
    counts_from: date
    basis: str
    basis_kind: str


@dataclass(frozen=True, slots=True)
class RepairRule:
    """What a repair takes: conditions by name, and working days for acceptance and decision."""

    id: str
    conditions: tuple[str, ...]
    accept_within: int
    decide_within: int
    basis: str
    basis_kind: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a repair; `checked` by the registry itself or by the officer who decides."""

    zh: str
    en: str
    checked: str


def add_months(day: date, months: int) -> date:
    """The same day of the month so many months later; the last day of that month where it has no such day (Civil Code, Art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    month += 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def class_of(detail: Mapping[str, Any], *, subject: str, division: str, decided_on: date) -> Class | None:
    """The class of a penalty by the table; None where it cannot be told: the fine or the kind could not be read.

    `detail` is the penalty's own (kinds, fine_fen in fen); `subject` the kind of its party, `division` GB/T 2260.
    """
    kinds = set(detail.get("kinds", ()))
    if detail.get("amount_unread") or detail.get("kind_unread") or not kinds:
        return None
    table = _table("classes")
    fitting = [row for row in table["row"] if _in_time(row, decided_on) and _fits_subject(row, subject, division)]
    local = {(row["class"], tuple(row.get("subjects", ()))) for row in fitting if row.get("province")}
    found = [
        row
        for row in fitting
        if (row.get("province") or (row["class"], tuple(row.get("subjects", ()))) not in local)
        and _fits_penalty(row, kinds, int(detail.get("fine_fen", 0)))
    ]
    if not found:
        return Class(table["default"], table["default_basis"], table["default_basis_kind"])
    # The heaviest counts; of the same weight the first id, so that the order of the file never decides.
    row = max(sorted(found, key=lambda one: one["id"]), key=lambda one: CLASSES.index(one["class"]))
    return Class(row["class"], f"{row['id']}: {row['basis']}", row["basis_kind"])


def _fits_subject(row: Mapping[str, Any], subject: str, division: str) -> bool:
    return subject in row.get("subjects", (subject,)) and division.startswith(row.get("province", ""))


def _fits_penalty(row: Mapping[str, Any], kinds: set[str], fine_fen: int) -> bool:
    return (
        ("only" not in row or kinds <= set(row["only"]))
        and ("any" not in row or bool(kinds & set(row["any"])))
        and fine_fen >= row.get("fine_from_fen", 0)
        and ("fine_below_fen" not in row or fine_fen < row["fine_below_fen"])
    )


def penalty_terms(
    class_: str,
    detail: Mapping[str, Any],
    *,
    channel: str,
    organ: str,
    decided_on: date,
    published_on: date,
    today: date,
    old_rows: str,
) -> Terms:
    """How long a penalty of a class may be shown on a channel that first showed it, or is to show it, on `published_on`.

    The regime is that of the day from which publication counts: the day of publication, or the last day on which the
    law wanted it published, whichever is first (late publication must not prolong it). With `old_rows` = "retime" the
    regime that is in force `today` takes the place of an older one. Raises ConfigError where the table has a gap.
    """
    sort = organ_sort(organ)
    # The limit of the regime that the decision itself falls under: 20 working days, or 7 on Credit China.
    within = regime(channel, sort, decided_on)["publish_within"]
    start = max(decided_on, min(published_on, workdays.due(decided_on, within)))
    held = regime(channel, sort, start)
    if old_rows == "retime" and (current := regime(channel, sort, max(today, start))) is not held:
        held = current
    if held["counts_from"] == "document":
        start = decided_on
    row = held["class"][class_]
    if not row.get("published", True):
        return Terms(held["id"], False, None, None, start, _cited(held), held["basis_kind"])
    special = "special_min_months" in row and _is_special(detail)
    least = row["special_min_months"] if special else row["min_months"]
    return Terms(
        held["id"],
        True,
        add_months(start, least),
        add_months(start, row["max_months"]),
        start,
        f"{_cited(held)}；{held['counts_basis']}（{BASIS_KINDS[held['counts_basis_kind']]}）",
        held["basis_kind"],
    )


def _cited(row: Mapping[str, Any]) -> str:
    """What a row rests on, and what kind of text that is, once."""
    return f"{row['basis']}（{BASIS_KINDS[row['basis_kind']]}）"


def _is_special(detail: Mapping[str, Any]) -> bool:
    text = "".join(str(detail.get(name, "")) for name in ("violation", "basis", "content"))
    return any(word in text for word in _table("regimes")["special"]["words"])


def other_terms(
    kind: str, *, severity: int, happened_on: date | None, ends_on: date | None, until: date | None, published_on: date
) -> Terms:
    """How long a record of another kind than penalty may be shown. `until`: a longer restriction that a law sets."""
    row = _table("kinds")[kind]
    earliest = latest = None
    start = published_on
    if "max_months" in row:
        start = happened_on or published_on
        earliest, latest = add_months(start, row["min_months"]), add_months(start, row["max_months"])
        latest = max(latest, until) if until else latest
    elif severity > 0 and "negative_max_months" in row:
        start = min(published_on, workdays.due(happened_on, 20)) if happened_on else published_on
        earliest = add_months(start, row["negative_min_months"])
        latest = add_months(start, row["negative_max_months"])
    if row.get("ends_with") == "record" and ends_on is not None:
        latest = ends_on if latest is None else min(latest, ends_on)
    return Terms(kind, True, earliest, latest, start, _cited(row), row["basis_kind"])


def channels_of(kind: str) -> tuple[str, ...]:
    """Channels on which records of a kind are published at all."""
    return tuple(_table("kinds").get(kind, {}).get("channels", ()))


def ends_with_record(kind: str) -> bool:
    """Whether publication of a kind ends on the first day on which the record itself no longer holds."""
    return bool(_table("kinds").get(kind, {}).get("ends_with") == "record")


def regimes_over(day: date) -> list[str]:
    """Regimes of penalties that hold no more on a day."""
    return sorted(row["id"] for row in _table("regimes")["regime"] if row.get("until", date.max) <= day)


def organ_sort(organ: str) -> str:
    """The system of organs that this one belongs to, by its name; "other" where no word of the table is in it."""
    for sort, words in _table("regimes")["organs"].items():
        if any(word in organ for word in words):
            return str(sort)
    return "other"


def regime(channel: str, sort: str, day: date) -> dict[str, Any]:
    """The row of the table that holds on a channel for a sort of organs on a day. Raises ConfigError for none, or two."""
    found = [
        row
        for row in _table("regimes")["regime"]
        if channel in row["channels"] and sort in row["organs"] and _in_time(row, day)
    ]
    if len(found) != 1:
        raise ConfigError(
            f"registry/publicity/regimes.toml has {len(found)} regimes for {channel}, organs {sort}, on {day}; there must "
            "be one. Mend `from` and `until` of its rows."
        )
    row: dict[str, Any] = found[0]
    return row


def regime_title(name: str) -> str:
    """What a regime is called, by its id; "" where there is none of that id."""
    return next((str(row["title"]) for row in _table("regimes")["regime"] if row["id"] == name), "")


def repair_rule(kind: str, applied_on: date) -> RepairRule | None:
    """What a repair of a record of this kind takes when it is applied for on a day; None where there is no repair."""
    for row in _table("repairs")["rule"]:
        if kind in row["kinds"] and _in_time(row, applied_on):
            return RepairRule(
                row["id"], tuple(row["conditions"]), row["accept_within"], row["decide_within"], row["basis"], row["basis_kind"]
            )  # fmt: skip
    return None


def condition(name: str) -> Condition:
    """A condition of repair by its name."""
    return Condition(**_table("repairs")["condition"][name])


def _in_time(row: Mapping[str, Any], day: date) -> bool:
    return bool(row["from"] <= day and day < row.get("until", date.max))


@cache
def _table(name: str) -> dict[str, Any]:
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    for row in _rows(data):
        if "basis" in row and row.get("basis_kind") not in BASIS_KINDS:
            raise ConfigError(
                f"registry/publicity/{name}.toml: {row.get('id', row['basis'])} has the basis_kind "
                f"{row.get('basis_kind')!r}. It must be one of {', '.join(BASIS_KINDS)}."
            )
    return data


def _rows(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    tables = [value for value in data.values() if isinstance(value, dict)]
    return tables + [row for value in data.values() if isinstance(value, list) for row in value]
