"""What a whole column says about its cells: in which order days are written, and whether they are numbers of a machine.

One cell cannot tell 3 April from 4 March; ten thousand cells of one column nearly always can.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from registry.cells import CellError, is_blank
from registry.cells.width import half_width

__all__ = ["DayColumn", "DayForm"]

_YEAR_LAST = re.compile(r"([0-9]{1,2})([\-/.])([0-9]{1,2})\2[0-9]{4}(?![0-9])")
_SERIAL = re.compile(r"[1-7][0-9]{4}(?:\.[0-9]+)?")
# Milliseconds of a day after 1973, or before it; smaller ones are taken for such where others in the column are.
_EPOCH = re.compile(r"-?[0-9]{12,15}")
_SMALL_EPOCH = re.compile(r"-?[0-9]{1,11}")

Seen = Literal["year_first", "dmy", "mdy", "either", "serial", "epoch", "small", "other"]


@dataclass(frozen=True, slots=True)
class DayForm:
    """How a column of days is written: which comes first where the year comes last, and which machines' numbers stand there."""

    order: Literal["ymd", "dmy", "mdy"] = "ymd"
    serial: bool = False
    epoch: bool = False
    words: str = ""


@dataclass(slots=True)
class DayColumn:
    """Watches the cells of one column, and then says how its days are written."""

    seen: Counter[Seen] = field(default_factory=Counter)

    def add(self, cell: str) -> None:
        """Take note of one cell."""
        # Nearly all days begin with a year and a mark: no more is asked of them.
        if len(cell) > 7 and cell[4] in "-/.年" and cell[:4].isdecimal():
            self.seen["year_first"] += 1
        elif not is_blank(cell):
            self.seen[_seen(half_width(cell).strip())] += 1

    def form(self, order: Literal["ymd", "dmy", "mdy"] = "ymd") -> DayForm:
        """How the column is written; `order` is what a mapping says of it, and "ymd" that it says nothing.

        Raises CellError where cells contradict each other or no cell tells day and month apart.
        """
        seen = self.seen
        if order == "ymd":
            order = self._order()
        epoch = seen["epoch"] > 0
        # A number among written days may be a slip of the hand; where they are as many, a spreadsheet wrote them.
        serial = 0 < seen["serial"] >= seen.total() - seen["serial"]
        words = [
            word
            for found, word in (
                (seen["year_first"], "year first"),
                (serial, "serial numbers of a spreadsheet"),
                (epoch, "milliseconds since 1970"),
            )
            if found
        ]
        if seen["dmy"] or seen["mdy"] or seen["either"]:
            words.append({"dmy": "day first (dmy)", "mdy": "month first (mdy)"}.get(order, "day and month alike"))
        return DayForm(order, serial, epoch, ", ".join(words))

    def _order(self) -> Literal["ymd", "dmy", "mdy"]:
        seen = self.seen
        if seen["dmy"] and seen["mdy"]:
            raise CellError(
                f"{seen['dmy']:,} cells can only be day first and {seen['mdy']:,} only month first", "",
                'Correct the days, or set the order of the column in the mapping: order = "dmy" or "mdy".',
            )  # fmt: skip
        if seen["dmy"] or seen["mdy"]:
            return "dmy" if seen["dmy"] else "mdy"
        # Beside days that begin with the year, a few cells that do not are refused one by one.
        if seen["either"] and not seen["year_first"]:
            raise CellError(
                f"Day and month cannot be told apart in any of its {seen['either']:,} cells with the year last", "",
                'Say in the mapping how the source writes: order = "dmy" or "mdy".',
            )  # fmt: skip
        return "ymd"


def _seen(plain: str) -> Seen:
    if match := _YEAR_LAST.match(plain):
        first, second = int(match[1]), int(match[3])
        if first > 12 >= second:
            return "dmy"
        if second > 12 >= first:
            return "mdy"
        return "other" if first > 12 or first == second else "either"
    if _SERIAL.fullmatch(plain):
        return "serial"
    if _EPOCH.fullmatch(plain) and not _compact_moment(plain):
        return "epoch"
    return "small" if _SMALL_EPOCH.fullmatch(plain) else "other"


def _compact_moment(plain: str) -> bool:
    """Whether twelve or fourteen digits are a moment written out, as 20240308163000, and no count of milliseconds."""
    return (
        len(plain) in (12, 14)
        and plain[:2] in ("19", "20")
        and "01" <= plain[4:6] <= "12"
        and "01" <= plain[6:8] <= "31"
    )
