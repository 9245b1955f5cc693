"""The tour of an inspection list: district by district, street by street, house by house, so that nobody walks twice.

It is worked out from divisions and addresses alone: nothing in it tells a class, a score, or who was drawn by lot.
"""

import re
from typing import NamedTuple

from registry.cells import numerals
from registry.cells.names import simplified
from registry.cells.width import half_width

# Levels above a street, from the widest; each is taken off once, from the front, where more than one character stands before it.
LEVELS = ("省|自治区", "市|自治州|地区|盟", "自治县|区|县|旗|市", "街道办事处|街道|镇|乡")
_LEVELS = tuple(re.compile(rf"[^\d路街巷弄道]{{2,10}}?(?:{names})") for names in LEVELS)
# 街道 is a part of a town and no street, and what is called 道 alone may be a part of it.
_STREET = re.compile(
    r"([^\d号]{1,20}?(?:大道|大街|胡同|路|街(?!道)|巷|弄|(?<!街)道|村)|[^\d号]{0,20}?\d+号(?:路|街(?!道)))"
)
_NUMBER = re.compile(rf"[{numerals.CHARACTERS}]+(?=号|弄|巷|组|幢|栋|楼|室|单元)")
_PART = re.compile(r"\d+|\D+")
_BLANKS = re.compile(r"[\s,，、.。·()（）#]+")


class Place(NamedTuple):
    """Where an address lies: its street ("" where none is named), and the rest of it, whose numbers compare as numbers."""

    street: str
    rest: tuple[tuple[int, int, str], ...]


def place(address: str) -> Place:
    """Read street and house number out of an address 住所.

    Full-width and traditional characters, blanks, and the names of province, city, district and town in front make no
    difference; numbers in words are numbers (十二号 is 12号). An address that names no street is its own rest.
    """
    text = _BLANKS.sub("", simplified(half_width(address)))
    text = _NUMBER.sub(_in_digits, text)
    for level in _LEVELS:
        found = level.match(text)
        # What is left must still name a street: 中心城市路 has no city in front.
        if found is not None and _STREET.match(text, found.end()) is not None:
            text = text[found.end() :]
    street = _STREET.match(text)
    named = "" if street is None else street[1]
    return Place(named, tuple(map(_compared, _PART.findall(text[len(named) :]))))


def _in_digits(found: re.Match[str]) -> str:
    value = numerals.number(found[0])
    return found[0] if value is None else f"{value:f}"


def _compared(part: str) -> tuple[int, int, str]:
    # Longer than any house number: compared as text, for no column or machine word must hold it.
    return (0, int(part), "") if part.isdecimal() and len(part) <= 12 else (1, 0, part)


def key(division: str, address: str, code: str) -> tuple[str, bool, Place, str]:
    """What a tour is sorted by: division, then street (rows without one last), house number, and code among neighbours."""
    found = place(address)
    return division, not found.street, found, code
