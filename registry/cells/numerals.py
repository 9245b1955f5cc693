"""Chinese numerals 中文数字, plain and as on cheques, alone or mixed with digits (3万, 1.5万, 1万5千)."""

from __future__ import annotations

import re
from decimal import Decimal

_DIGITS = {
    character: value
    for value, characters in enumerate(
        ["零〇○", "一壹弌幺", "二贰貳两兩", "三叁參叄", "四肆", "五伍", "六陆陸", "七柒", "八捌", "九玖"]
    )
    for character in characters
}
_ZERO = "零〇○"
_DIGIT = "".join(character for character in _DIGITS if character not in _ZERO)

#: Characters of which a number in words may consist, for use inside a character class.
CHARACTERS = "".join(_DIGITS) + "十拾百佰千仟万萬亿億"

_LITERAL = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?")
_D = rf"[{_DIGIT}]|[0-9](?:\.[0-9]+)?"
# Thousands, hundreds, tens, ones; 十 alone is ten, but 百 and 千 must say how many.
_SECTION = re.compile(
    rf"(?:(?P<t>{_D})[千仟](?P<z1>[{_ZERO}])?)?(?:(?P<h>{_D})[百佰](?P<z2>[{_ZERO}])?)?"
    rf"(?:(?P<d>{_D})?(?P<ten>[十拾])(?P<z3>[{_ZERO}])?)?(?P<o>[{_DIGIT}]|[0-9]{{2,3}})?"
)
_STANDARD = str.maketrans("萬億", "万亿")


def number(text: str) -> Decimal | None:
    """Read a non-negative number; None when the characters do not make one.

    ``二万八千`` 28000, ``壹佰贰拾万`` 1200000, ``二〇〇〇`` 2000, ``1.5万`` 15000, ``1万5千`` 15000, ``17,797.93``. The
    spoken shortening ``三万五`` is refused: it may mean 35000, or its unit may be missing.
    """
    plain = text.translate(_STANDARD)
    if len(plain) > 1 and all(character in _DIGITS for character in plain):
        return Decimal("".join(str(_DIGITS[character]) for character in plain))  # written digit by digit
    above, yi, below = plain.rpartition("亿")
    if not yi:
        return _below_yi(plain)
    left, right = _below_yi(above), _remainder(below, Decimal(10**8))
    return None if left is None or right is None or left == 0 else left * 10**8 + right


def _below_yi(text: str) -> Decimal | None:
    above, wan, below = text.partition("万")
    if not wan:
        return _section(text)
    left, right = _section(above), _remainder(below, Decimal(10**4))
    return None if left is None or right is None or left == 0 else left * 10**4 + right


def _remainder(text: str, limit: Decimal) -> Decimal | None:
    """What stands after 亿 or 万: nothing, or a number below it whose unit is not left to guess."""
    if not text:
        return Decimal(0)
    if len(text) == 1 and text not in _ZERO:
        return None
    value = _below_yi(text.lstrip(_ZERO)) if text.strip(_ZERO) else Decimal(0)
    return value if value is not None and value < limit else None


def _section(text: str) -> Decimal | None:
    """A number below ten thousand in words, or any number in digits."""
    if _LITERAL.fullmatch(text):
        return Decimal(text.replace(",", ""))
    if text and not text.strip(_ZERO):
        return Decimal(0)
    match = _SECTION.fullmatch(text)
    if match is None or not text:
        return None
    ones = match["o"]
    shortened = (match["t"] or match["h"]) and not match["ten"] and not (match["z1"] or match["z2"])
    if ones and shortened and len(ones) == 1:
        return None
    value = Decimal(0)
    for part, unit in (("t", 1000), ("h", 100), ("d", 10)):
        if match[part]:
            value += _digit(match[part]) * unit
        elif part == "d" and match["ten"]:
            value += 10
    return value + (_digit(ones) if ones else 0)


def _digit(text: str) -> Decimal:
    return Decimal(_DIGITS[text]) if text in _DIGITS else Decimal(text)
