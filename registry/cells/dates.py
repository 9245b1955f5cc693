"""Days in cells, as the systems of the organs write them. The clock is an argument."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import Literal

from registry.cells import CellError, is_blank
from registry.cells.width import half_width

__all__ = ["OPEN_END", "Order", "day"]

Order = Literal["dmy", "mdy"]

#: What 2099-12-31, 9999-12-31 and 长期 mean in a column of ends: no end is set.
OPEN_END = date(9999, 12, 31)

_OPEN_WORDS = frozenset({"长期", "长期有效", "永久", "永久有效", "无固定期限", "无期限"})
_EARLIEST = 1900
_CHINA = timezone(timedelta(hours=8))
# A time of day may follow and is dropped: the day is the one that was written down, whatever the zone.
_TIME = (
    r"(?:[T ]*[0-9]{1,2}(?::[0-9]{1,2}){1,2}(?:\.[0-9]+)?(?: ?[AP]M)?(?:Z|[+\-][0-9]{2}:?[0-9]{2})?"
    r"| *[0-9]{1,2}时(?:[0-9]{1,2}分)?(?:[0-9]{1,2}秒)?)?"
)
_YEAR_FIRST = re.compile(
    rf"([0-9]{{4}})(?:([\-/.])([0-9]{{1,2}})\2([0-9]{{1,2}})|年([0-9]{{1,2}})月([0-9]{{1,2}})日?){_TIME}"
)
_YEAR_LAST = re.compile(rf"([0-9]{{1,2}})([\-/.])([0-9]{{1,2}})\2([0-9]{{4}}){_TIME}")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[ T]?[0-9]{2}:?[0-9]{2}:?[0-9]{2})?")
_SERIAL = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")
_EPOCH = re.compile(r"-?[0-9]{1,16}")
# Midnight of 9999-12-31 in China: what NECIPS writes for "no end", and what a later moment of that day means too.
_NO_END_MS = 253_402_185_600_000
# A moment with all its digits and nothing between.
_COMPACT_LENGTHS = (8, 14)


def day(
    text: str, today: date | None = None, *, order: Order | None = None, serial: bool = False, epoch: bool = False
) -> date | None:
    """Read one day; None for a blank cell, :data:`OPEN_END` for 2099-12-31, 9999-12-31 and 长期.

    Read are ``2024-03-08``, ``2024/3/8``, ``2024.3.8``, ``20240308``, ``2024年3月8日``, with or without a time of day,
    in full-width digits too. Where the year comes last, ``26/10/2023`` is read because only one reading is possible;
    ``03/04/2023`` is refused unless ``order`` says how the file writes.

    Parameters
    ----------
    today : date, optional
        Refuse days after it, except :data:`OPEN_END`.
    order : "dmy" or "mdy", optional
        What comes first where the year comes last.
    serial : bool
        The column may hold serial numbers of a spreadsheet (44744 is 2022-07-02, the 1900 system of Excel).
    epoch : bool
        The column may hold milliseconds since 1970, before it with a minus; the day is the one in China (UTC+8).

    Raises
    ------
    CellError
        If the text is no day, the day does not exist, lies before 1900, is ambiguous, or is after ``today``.
    """
    if is_blank(text):
        return None
    plain = half_width(text).strip().upper()
    if plain in _OPEN_WORDS:
        return OPEN_END
    found = _read(plain, text, order, serial, epoch)
    if (found.year, found.month, found.day) in ((2099, 12, 31), (9999, 12, 31)):
        return OPEN_END
    if found.year < _EARLIEST:
        raise CellError("This day lies before 1900", text, "Leave the cell empty if the day is not known.")
    if today is not None and found > today:
        raise CellError(f"This day lies after today ({today})", text, "Correct the day, or post it when it has come.")
    return found


def _read(plain: str, text: str, order: Order | None, serial: bool, epoch: bool) -> date:
    if match := _YEAR_FIRST.fullmatch(plain):
        year, _, month, dom, month_zh, dom_zh = match.groups()
        return _date(int(year), int(month or month_zh), int(dom or dom_zh), text)
    if (match := _COMPACT.fullmatch(plain)) and not (epoch and len(plain) not in _COMPACT_LENGTHS):
        return _date(int(match[1]), int(match[2]), int(match[3]), text)
    if match := _YEAR_LAST.fullmatch(plain):
        first, _, second, year = match.groups()
        return _year_last(int(first), int(second), int(year), text, order)
    if match := _SERIAL.fullmatch(plain):
        if not serial:
            raise CellError(
                "This may be the serial number of a day in a spreadsheet", text,
                "Say in the mapping that the column holds serials, or format it as a date and export again.",
            )  # fmt: skip
        # Excel believes in 1900-02-29, hence the 30th; five digits start in 1927, well after that day.
        return date(1899, 12, 30) + timedelta(days=int(match[1]))
    if epoch and _EPOCH.fullmatch(plain):
        if int(plain) >= _NO_END_MS:
            return OPEN_END
        try:
            return (datetime(1970, 1, 1, tzinfo=_CHINA) + timedelta(hours=8, milliseconds=int(plain))).date()
        except OverflowError:
            raise CellError("There is no such moment", text, "Write the day, for example 2024-03-08.") from None
    raise CellError("This is not a day", text, "Write year, month and day, for example 2024-03-08.")


def _year_last(first: int, second: int, year: int, text: str, order: Order | None) -> date:
    if order is None:
        if first <= 12 and second <= 12 and first != second:
            raise CellError(
                "Day and month cannot be told apart", text, "Set the order of the column in the mapping (dmy or mdy)."
            )
        order = "mdy" if second > 12 else "dmy"
    return _date(year, second, first, text) if order == "dmy" else _date(year, first, second, text)


def _date(year: int, month: int, dom: int, text: str) -> date:
    try:
        return date(year, month, dom)
    except ValueError:
        raise CellError("There is no such day", text, "Correct the day or the month.") from None
