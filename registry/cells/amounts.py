"""Money in cells and sentences, as integer fen 分 (1/100 yuan). Decimal only: no amount is ever a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Literal

from registry.cells import CellError, is_blank
from registry.cells.currencies import currency_of, exponent
from registry.cells.fines import confiscated_in, fines_in
from registry.cells.numerals import CHARACTERS, number
from registry.cells.width import half_width

__all__ = ["HIGHEST_FEN", "Capital", "Unit", "capital", "confiscated_in_words", "fen", "fen_in_words"]

Unit = Literal["yuan", "wan"]

HIGHEST_FEN = 10**15  # ten trillion yuan; more is a shifted column, not money
_FACTOR: dict[Unit, int] = {"yuan": 100, "wan": 1_000_000}
_DIGITS_ONLY = "Write digits, for example 2000 or 2,000.50."
_BLANKS = re.compile(r"\s+")
_CELL = re.compile(
    rf"(?:人民币|RMB|CNY|¥)*(?P<number>[+\-−]?[0-9.,{CHARACTERS}]+(?:E[+\-]?[0-9]{{1,2}})?)"
    r"(?P<yuan>人民币元|人民币|元|圆)?[整正]?(?:人民币|RMB|CNY)?",
    re.IGNORECASE,
)


def fen(text: str, unit: Unit = "yuan") -> int | None:
    """Read a cell of an amount column as fen; None when the cell is blank (``""``, 无, ``-``, N/A).

    ``unit`` is the unit of the column: ``wan`` (万元) in the penalty templates of Credit China, so ``0.2`` is
    2,000 yuan. A unit written in the cell (``0.2万元``, ``2000元``) wins over that of the column; a numeral without one
    (伍仟, 5千) is refused in a ``wan`` column, because who writes a number in words means yuan. Fractions of a fen are
    rounded half up: they are the traces of binary floating point in the source (``0.30000000000000004``).

    Raises
    ------
    CellError
        If the text is no number, is negative, not finite, or above 10^15 fen, or leaves the unit to guess.
    """
    if is_blank(text):
        return None
    plain = _BLANKS.sub("", half_width(text))
    match = _CELL.fullmatch(plain)
    if match is None:
        raise CellError("This is not an amount", text, _DIGITS_ONLY)
    own_unit = match["yuan"] or any(great in match["number"] for great in "万亿萬億")
    value = _decimal(match["number"], text)
    if unit == "wan" and not own_unit and value and any(character in CHARACTERS for character in match["number"]):
        raise CellError(
            "This number in words has no unit, and its column is in 万元",
            text,
            "Write 元 or 万元 behind it, or digits.",
        )
    return _whole(value * (100 if own_unit else _FACTOR[unit]), text)


def _decimal(digits: str, text: str) -> Decimal:
    sign, plain = (-1, digits[1:]) if digits[0] in "-−" else (1, digits.removeprefix("+"))
    if "," not in plain:
        try:
            return sign * Decimal(plain)
        except InvalidOperation:
            pass  # not digits alone: numerals, tried below
    value = number(plain)
    if value is None:
        raise CellError("This is not an amount", text, _DIGITS_ONLY)
    return sign * value


def _whole(value: Decimal, text: str) -> int:
    """``value`` (in minor units) as an integer within the lawful range."""
    if not value.is_finite():
        raise CellError("This amount is not a finite number", text, "Leave the cell empty if there is no amount.")
    if value < 0:
        raise CellError("An amount cannot be negative", text, "Correct the sign, or post a correction of the record.")
    if value > HIGHEST_FEN:
        raise CellError("This amount is above ten trillion yuan", text, "Check the unit of the column, 元 or 万元.")
    return int(value.to_integral_value(rounding=ROUND_HALF_UP))


def fen_in_words(text: str) -> int | None:
    """The fine 罚款 that a decision imposes, in fen; None when the text imposes none or does not say how much.

    Several fines are added; a total (共计…元罚款) stands for the fines before it, and an amount repeated in brackets or
    in digits counts once. Left out are confiscations, refunds, amounts already paid, limits quoted from the law
    (五万元以下罚款), and fines a piece (每台处五千元) whose number of pieces is not said. A text that is nothing
    but an amount (贰仟元整) is that amount.

    Raises
    ------
    CellError
        If the amount is above 10^15 fen.
    """
    value = fines_in(text)
    return None if value is None else _whole(value * 100, text)


def confiscated_in_words(text: str) -> int | None:
    """The money confiscated (没收违法所得、非法所得、非法财物) by a decision, in fen; None when no amount is named.

    Raises
    ------
    CellError
        If the amount is above 10^15 fen.
    """
    value = confiscated_in(text)
    return None if value is None else _whole(value * 100, text)


@dataclass(frozen=True, slots=True)
class Capital:
    """Registered capital 注册资本.

    ``fen`` is set for renminbi only: nothing is converted. ``minor`` is the amount in the minor unit of ``currency``
    (cents for USD, yen for JPY). Both are None where the cell names no amount. ``currency`` is an ISO 4217 code.
    """

    fen: int | None
    currency: str | None
    minor: int | None = None


_CAPITAL = re.compile(
    r"(?P<before>[A-Z]{3}|[¥￥$€£]|[^\d\W]*?(?:币|元|镑|郎|克))?:?"
    r"(?P<number>[+\-−]?[0-9][0-9.,]*(?:E[+\-]?[0-9]+)?|[零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖十拾百佰千仟]+)?"
    r"(?P<rest>.*)",
    re.IGNORECASE,
)
# 1000元 says its unit, 1000人民币 and 1000 USD do not: the column may still be in 万元.
_NAMES_UNIT = re.compile(r"[元圆镑郎克盾铢$¥€£]")
_SCALE = re.compile(r"[百千]?[万亿]+")


def capital(text: str, unit: Unit | None = None) -> Capital:
    """Read registered capital as registers write it: ``1,000(万元人民币)``, ``3(万美元)``, ``500(万)``, ``N/A``.

    Where no currency is named it is CNY. ``unit`` is the unit of the column, used only where the cell names none.
    An empty cell gives ``Capital(None, None)``, and a unit without a number (``万元(人民币)``) gives its currency only.

    Raises
    ------
    CellError
        If the text is no amount, names a currency we do not know, has no unit at all, or is negative or absurd.
    """
    if is_blank(text):
        return Capital(None, None)
    plain = _BLANKS.sub("", half_width(text))
    match = _CAPITAL.fullmatch(plain)
    rest = plain if match is None else f"{match['before'] or ''}{match['rest']}"
    scale = _SCALE.search(rest)
    word = re.sub(r"[()]", "", rest.replace(scale.group(), "", 1) if scale else rest)
    currency = currency_of(word)
    if currency is None:
        raise CellError("The currency of this capital is not known", text, "Name it in Chinese or by ISO 4217 code.")
    if match is None or not match["number"]:
        return Capital(None, currency)
    amount = _decimal(match["number"], text)
    if scale:
        factor = {"万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, "万亿": 10**12}.get(scale.group())
        if factor is None:
            raise CellError("The unit of this capital is not known", text, "Write 万元, 亿元 or 元.")
        amount *= factor
    elif not _NAMES_UNIT.search(word):
        if unit is None:
            raise CellError("This capital has no unit", text, "Say in the mapping whether the column is in 元 or 万元.")
        amount *= 10**4 if unit == "wan" else 1
    minor = _whole(amount * 10 ** exponent(currency), text)
    return Capital(minor if currency == "CNY" else None, currency, minor)
