"""Check-character arithmetic of the numbers that name enterprises and people. No text is folded here.

Sources: GB 32100-2015 (unified social credit code 统一社会信用代码), GB 11714 (organisation code 组织机构代码),
GS15-2006 (registration number 注册号, ISO 7064 MOD 11,10), GB 11643-1999 (resident id 公民身份号码, ISO 7064 MOD 11-2).
"""

from __future__ import annotations

import re
from datetime import date
from operator import mul

CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # value order 0-30; no I, O, S, V, Z
# First two digits of GB/T 2260 divisions, one range a region; 83 is on the permits of residents from Taiwan.
PROVINCES = frozenset(
    str(first)
    for block in (
        range(11, 16),
        range(21, 24),
        range(31, 38),
        range(41, 47),
        range(50, 55),
        range(61, 66),
        (71, 81, 82, 83),
    )
    for first in block
)
# Positions 1-2 of a credit code: registering department and what it registers.
CREDIT_PREFIXES = frozenset(
    department + category
    for department, categories in {
        "1": "1239", "2": "19", "3": "123459", "4": "19", "5": "1239", "6": "129", "7": "129", "8": "19",
        "9": "123", "A": "19", "N": "1239", "Y": "1",
    }.items()
    for category in categories
)  # fmt: skip


def _table(alphabet: str) -> bytes:
    """A ``bytes.translate`` table from character to value; what the alphabet lacks is 0, so check the charset first."""
    values = bytearray(256)
    for value, character in enumerate(alphabet):
        values[ord(character)] = value
    return bytes(values)


_CREDIT_VALUES = _table(CREDIT_ALPHABET)
_CREDIT_WEIGHTS = (*(pow(3, i, 31) for i in range(17)), 1)
_INNER_VALUES = _table("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_INNER_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_WEIGHTS = tuple(pow(2, 17 - i, 11) for i in range(17))
_ORGANISATION = re.compile(r"[0-9A-Z]{8}[0-9X]")
_DIGITS = re.compile(r"[0-9]+")


def credit_check(first17: str) -> str:
    """The check character that 17 characters of the GB 32100 alphabet call for."""
    total = sum(map(mul, first17.encode("ascii").translate(_CREDIT_VALUES), _CREDIT_WEIGHTS))
    return CREDIT_ALPHABET[-total % 31]


def credit_check_holds(code: str) -> bool:
    """Whether the 18th character of ``code`` (18 characters of the alphabet) is right."""
    return not sum(map(mul, code.encode("ascii").translate(_CREDIT_VALUES), _CREDIT_WEIGHTS)) % 31


def organisation_check(first8: str) -> str:
    """The check character of GB 11714 for eight characters 0-9 A-Z."""
    total = sum(map(mul, first8.encode("ascii").translate(_INNER_VALUES), _INNER_WEIGHTS))
    return "0X987654321"[total % 11]


def is_organisation_code(code: str) -> bool:
    """Whether ``code`` is nine characters whose last is the check character of GB 11714."""
    return _ORGANISATION.fullmatch(code) is not None and organisation_check(code[:8]) == code[8]


def is_credit_code(code: str) -> bool:
    """Whether every sign of a credit code is there: outer and inner check, known prefix, province at positions 3-4."""
    return (
        len(code) == 18
        and not code.strip(CREDIT_ALPHABET)
        and credit_check_holds(code)
        and code[:2] in CREDIT_PREFIXES
        and (code[2:4] in PROVINCES or code[2:8] == "100000")
        and is_organisation_code(code[8:17])
    )


def registration_check(first14: str) -> str:
    """The check digit of GS15-2006 (ISO 7064 MOD 11,10) for 14 digits."""
    product = 10
    for character in first14:
        product = (((product + ord(character) - 48) % 10 or 10) * 2) % 11
    return str((11 - product) % 10)


def is_registration_no(number: str) -> bool:
    """Whether ``number`` is 15 digits of which the last is the check digit of GS15-2006."""
    return len(number) == 15 and _DIGITS.fullmatch(number) is not None and registration_check(number[:14]) == number[14]


def passes_luhn(number: str) -> bool:
    """Whether a string of digits passes the Luhn check of bank cards (ISO/IEC 7812)."""
    total = 0
    for place, character in enumerate(reversed(number)):
        digit = ord(character) - 48
        total += digit if place % 2 == 0 else (digit * 2 - 9 if digit > 4 else digit * 2)
    return total % 10 == 0


def resident_check(first17: str) -> str:
    """The check character of a resident id (GB 11643, ISO 7064 MOD 11-2) for 17 digits."""
    return "10X98765432"[sum((ord(c) - 48) * w for c, w in zip(first17, _RESIDENT_WEIGHTS, strict=True)) % 11]


def _is_day(year: int, month: int, dom: int) -> bool:
    try:
        date(year, month, dom)
    except ValueError:
        return False
    return True


def _born_in_15(digits: str) -> bool:
    # Fifteen-digit ids were given out until 1999, so the century is always 19. Nobody born before 1910 trades today,
    # and leaving 00-09 out keeps the registration numbers of companies (seventh digit 0) from looking like birthdays.
    year = int(digits[6:8])
    return digits[:2] in PROVINCES and year >= 10 and _is_day(1900 + year, int(digits[8:10]), int(digits[10:12]))


def _born_in_17(digits: str) -> bool:
    year = int(digits[6:10])
    return 1900 <= year < 2050 and _is_day(year, int(digits[10:12]), int(digits[12:14]))


def _resident_18(number: str) -> bool:
    """Whether 18 characters are a resident id rather than a credit code; the reasons are in docs/identifiers.md."""
    if not _born_in_17(number):
        return False
    holds = resident_check(number[:17]) == number[17]
    if number[0] == "9":  # permanent residence cards of foreigners since 2023; nearly always a credit code instead
        return holds and number[1:3] in PROVINCES and not is_credit_code(number)
    return number[:2] in PROVINCES and (holds or not is_credit_code(number))


def resident_id(number: str) -> str | None:
    """The resident id (公民身份号码) that ``number`` is or is built on, as 18 characters; None when there is none.

    ``number`` has only digits, with an ``X`` allowed where the check character of an 18-character id stands. Read are
    15 digits; 17 (15 + a two-digit serial, or 18 that lost the check character); 18; 20 (18 + a two-digit serial). The
    older 15 digits are written as the 18 characters they became in 1999, so one person has one keyed hash. An id of 18
    characters whose birth date is possible counts even where its check character is wrong: a mistyped id is personal.
    A 15-digit number that is also a valid registration number is returned too; the caller decides by the column.
    """
    size = len(number)
    head = number[:17]
    if size not in (15, 17, 18, 20) or _DIGITS.fullmatch(head) is None:
        return None
    if size == 15:
        return _widened(number) if _born_in_15(number) else None
    if size == 17:
        if head[:2] in PROVINCES and _born_in_17(head):
            return head + resident_check(head)
        return _widened(number[:15]) if _born_in_15(number) else None
    tail = number[17:]
    if not (tail[0].isdigit() or tail[0] == "X") or not (size == 18 or _DIGITS.fullmatch(tail[1:])):
        return None
    return number[:18] if _resident_18(number[:18]) else None


def _widened(fifteen: str) -> str:
    first17 = f"{fifteen[:6]}19{fifteen[6:]}"
    return first17 + resident_check(first17)
