"""Who a row is about: reading the code column (代码列) of real files.

:func:`read_identifier` says what any cell of such a column is; :func:`check_code` says what is wrong with a unified
social credit code 统一社会信用代码 (GB 32100-2015), and how much it matters. The decisions, with their reasons, are in
``docs/identifiers.md``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from registry.cells import checks, is_blank
from registry.cells.personal import find_personal
from registry.cells.width import half_width

Reason = Literal[
    "length", "charset", "check", "inner_check", "unknown_prefix", "pilot", "registration_check", "unchecked",
    "several", "rounded", "number", "masked",
]  # fmt: skip
Kind = Literal[
    "credit_code", "registration_no", "registration_no_13", "organisation_code", "taxpayer_no", "person", "masked",
    "phone", "blank", "spreadsheet_number", "unusable",
]  # fmt: skip
USABLE: frozenset[Kind] = frozenset(
    ["credit_code", "registration_no", "registration_no_13", "organisation_code", "taxpayer_no"]
)


@dataclass(frozen=True, slots=True)
class CodeFault:
    """One thing that is wrong with a code. ``refuses`` is False for what is worth a warning and no more.

    ``message`` never quotes the number itself: it may be somebody's.
    """

    reason: Reason
    message: str
    refuses: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class Identifier:
    """What a cell of a code column turned out to be.

    ``value`` is the folded number for the usable kinds, the canonical 18-character resident id for ``person`` (hash it,
    never store it), the digits for ``phone``, and empty otherwise. ``or_kind`` names a second lawful reading of the
    same characters (``person`` and ``registration_no`` mostly): such a number may be looked up among the registered
    numbers in ``or_value``, and must not be stored as new. ``beside`` is a second number that stood in the cell.
    """

    kind: Kind
    value: str = ""
    warnings: tuple[CodeFault, ...] = ()
    faults: tuple[CodeFault, ...] = ()
    or_kind: Kind | None = None
    or_value: str = ""
    beside: Identifier | None = None

    @property
    def usable(self) -> bool:
        """Whether an entity can be looked for under ``value``."""
        return self.kind in USABLE

    @property
    def message(self) -> str:
        """Faults and warnings as one line; empty when there are none."""
        return " ".join(fault.message for fault in self.faults + self.warnings)

    def __repr__(self) -> str:
        shown = self.value if self.usable and self.or_kind != "person" else "…" if self.value else ""
        reasons = [fault.reason for fault in self.faults + self.warnings]
        return f"Identifier(kind={self.kind!r}, value={shown!r}, reasons={reasons})"


# Blanks, hyphens, quotation marks and invisible characters never belong to a number; exports put them there.
_DROPPED = {
    code: None
    for code in range(0x10000)
    if unicodedata.category(chr(code)) in ("Zs", "Zl", "Zp", "Cf", "Pd") or chr(code) in "\t\n\r\v\f−'\"`‘’“”＇＂"
}
_FOLD = {**{0xFF01 + i: ord(chr(0x21 + i).upper()) for i in range(0x5E)}, **_DROPPED, 0xFF0D: None}

_CREDIT = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{1,2}")
_WITH_POINT_ZERO = re.compile(r"([0-9]{9,20})\.0+")
_MOBILE = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"\(?0(?:10|2[0-9]|[3-9][0-9]{2})\)?[2-8][0-9]{6,7}")
_COOPERATIVE = re.compile(r"[0-9]{6}NA[0-9]{6}[0-9X]")
_MASK = re.compile(r"[*●•×]{3,}|\((?:个人证件号|电话|邮箱|银行卡号|已脱敏|脱敏|保密|隐藏)\)|X{4,}|已脱敏")
# The licence is one of several originals: 110000000000000(1-1), 110000000000000 1/1.
_ORIGINAL = re.compile(r"(?:\(\s*[0-9]{1,2}\s*[-‐‑–—/]+\s*[0-9]{1,2}\s*\)|\s[0-9]{1,2}\s*[-/]\s*[0-9]{1,2})\s*$")
_AFFIX = re.compile(
    r"^(?:=|统一社会信用代码|社会信用代码|营业执照|工商注册号|注册号|纳税人识别号|NO\.?|[:.])+|(?:号|[.。,;])+$"
)
_BETWEEN = re.compile(r"[/\\、,;|\s]+")
_LOOKALIKE = {"O": "0", "I": "1", "S": "5", "Z": "2", "V": "U"}

_AS_TEXT = "format the column as text in the source and export it again"
_SPREADSHEET = CodeFault(
    "number", f"A spreadsheet turned the code into a number and its last digits are lost: {_AS_TEXT}."
)
_ROUNDED = CodeFault("rounded", f"It ends in 000 as a number rounded by a spreadsheet does: {_AS_TEXT}.")
_PILOT = CodeFault(
    "pilot", "The check character is wrong, as on the pilot codes that Fujian gave out before the standard.", False
)
_INNER = CodeFault("inner_check", "The organisation code inside (positions 9-17) fails its own check.", False)
_BESIDE = CodeFault("several", "The cell holds more than one number; the most certain one was taken.", False)
_BESIDE_MASKED = CodeFault("masked", "The cell also holds a number that was masked.", False)


def fold_code(text: str) -> str:
    """Upper-case half-width ``text`` without blanks, hyphens, quotation marks and invisible characters.

    Idempotent. Nothing is corrected: a letter O stays a letter O, and :func:`check_code` says where it stands.
    """
    return text.translate(_FOLD).upper()


def check_code(code: str) -> tuple[CodeFault, ...]:
    """What is wrong with a unified social credit code, most basic first; empty for a code that is in order.

    ``code`` is folded (:func:`fold_code`). ``length``, ``charset`` and ``check`` refuse the code. ``inner_check``,
    ``unknown_prefix`` and ``pilot`` (codes of the Fujian pilot, whose last character follows no published rule) are
    warnings: real codes of that kind exist. Divisions (positions 3-8) are never checked against a table, because a code
    keeps the division of its registration for ever.
    """
    if len(code) != 18:
        return (CodeFault("length", f"A unified social credit code has 18 characters, this has {len(code)}."),)
    if not _CREDIT.fullmatch(code):
        return tuple(_charset_faults(code))
    inner_holds = checks.is_organisation_code(code[8:17])
    faults: list[CodeFault] = []
    if not checks.credit_check_holds(code):
        # M0 was the pilot's mark; MA, MB … are ordinary codes and get no pardon.
        if code[0] == "9" and code[2:4] == "35" and code[8:10] == "M0" and inner_holds:
            faults.append(_PILOT)
        else:
            faults.append(_check_fault(code))
            if code.endswith("000") and code.isdigit():
                faults.append(_ROUNDED)
    if not inner_holds:
        faults.append(_INNER)
    if code[:2] not in checks.CREDIT_PREFIXES:
        message = f"Positions 1-2 ({code[:2]}) name no registering department that we know."
        faults.append(CodeFault("unknown_prefix", message, False))
    return tuple(faults)


def complete_code(first17: str) -> str:
    """The 18-character credit code that begins with ``first17`` (GB 32100 alphabet, folded).

    Raises
    ------
    ValueError
        If ``first17`` is not 17 characters of the alphabet ``0-9A-HJ-NPQRTUWXY``.
    """
    if len(first17) != 17 or first17.strip(checks.CREDIT_ALPHABET):
        raise ValueError(
            f"A credit code is completed from 17 characters of {checks.CREDIT_ALPHABET}; these are {len(first17)}. "
            "Fold the text first (fold_code) and leave the check character out."
        )
    return first17 + checks.credit_check(first17)


def organisation_code(code: str) -> str:
    """The organisation code 组织机构代码 (9) inside a credit code (18) or a taxpayer number 纳税人识别号 (15).

    Raises
    ------
    ValueError
        If ``code`` has another length.
    """
    if len(code) == 18:
        return code[8:17]
    if len(code) == 15:
        return code[6:]
    raise ValueError(f"Credit codes (18) and taxpayer numbers (15) hold an organisation code; this has {len(code)}.")


def check_organisation_code(code: str) -> bool:
    """Whether ``code`` is a valid organisation code by GB 11714 (nine characters, folded, no hyphen)."""
    return checks.is_organisation_code(code)


def check_registration_no(number: str) -> bool:
    """Whether ``number`` is a valid 15-digit registration number by GS15-2006 (ISO 7064 MOD 11,10)."""
    return checks.is_registration_no(number)


def read_identifier(text: str) -> Identifier:
    """Say what a cell of a code column is. Never raises, and never quotes the cell in a message.

    A number that is or contains a resident id is ``person`` whatever else it could be; the ambiguous cases and how they
    are decided are listed in ``docs/identifiers.md``. A few microseconds for a credit code in order.
    """
    # The common case, taken early. 19 or 20 at positions 7-8 may be a year of birth: that takes the long way.
    if _CREDIT.fullmatch(text) and text[6:8] not in ("19", "20") and checks.credit_check_holds(text):
        if checks.is_organisation_code(text[8:17]) and text[:2] in checks.CREDIT_PREFIXES:
            return Identifier("credit_code", text)
        return Identifier("credit_code", text, warnings=check_code(text))
    return _read(text)


def _read(text: str) -> Identifier:
    plain = half_width(text).strip()
    if is_blank(plain) or plain.upper() in ("0", "NAN") or not fold_code(plain):
        return Identifier("blank")
    plain = _ORIGINAL.sub("", plain)
    code = _AFFIX.sub("", fold_code(plain))
    with_point = _WITH_POINT_ZERO.fullmatch(code)
    if with_point and len(with_point.group(1)) <= 15:  # up to fifteen digits survive as a floating-point number
        code = with_point.group(1)
    elif with_point or _SCIENTIFIC.fullmatch(code):
        return Identifier("spreadsheet_number", faults=(_SPREADSHEET,))
    whole = _read_number(code)
    if whole is not None:
        return whole
    parts = [_read_number(_AFFIX.sub("", fold_code(part))) for part in _BETWEEN.split(plain)]
    if len(parts) > 1:
        # A person makes the whole cell personal; the other number may still say which entity it is.
        known = sorted((part for part in parts if part is not None), key=_certainty)
        masked = _MASK.search(plain) is not None
        if known:
            first, second = known[0], known[1] if len(known) > 1 and known[1] != known[0] else None
            warnings = (*first.warnings, *((_BESIDE,) if second else ()), *((_BESIDE_MASKED,) if masked else ()))
            return Identifier(first.kind, first.value, warnings, first.faults, first.or_kind, first.or_value, second)
    for span in find_personal(plain):
        if span.kind == "resident_id":
            return Identifier("person", _canonical_person(plain[span.start : span.end]))
    if _MASK.search(plain.upper()):
        return Identifier("masked")
    faults = check_code(code)
    if len(code) == 15 and code.isdigit():
        expected = checks.registration_check(code[:14])
        message = f"The check digit (15th) of this registration number should be {expected}, not {code[14]}."
        faults = (CodeFault("registration_check", message),)
    return Identifier("unusable", faults=faults)


def _read_number(code: str) -> Identifier | None:
    """What a folded number is on its own; None when it is nothing that can be used or must be hidden."""
    size = len(code)
    person = checks.resident_id(code) if size in (15, 17, 18, 20) else None
    if size == 15:
        return _read_fifteen(code, person)
    if person is not None:
        return Identifier("person", person)
    if size == 18 and _CREDIT.fullmatch(code):
        faults = check_code(code)
        if not any(fault.refuses for fault in faults):
            return Identifier("credit_code", code, warnings=faults)
    elif size == 9 and checks.is_organisation_code(code):
        return Identifier("organisation_code", code)
    if _MOBILE.fullmatch(code) or _LANDLINE.fullmatch(code):
        return Identifier("phone", code.lstrip("+"))
    if size == 13 and _is_digits(code) and (code[:2] in checks.PROVINCES or code[:6] == "100000"):
        return Identifier("registration_no_13", code)
    return None


def _read_fifteen(code: str, person: str | None) -> Identifier | None:
    readings: list[tuple[Kind, str, tuple[CodeFault, ...]]] = []
    if person is not None:
        readings.append(("person", person, ()))
    if checks.is_registration_no(code):
        readings.append(("registration_no", code, ()))
    elif _COOPERATIVE.fullmatch(code):
        unchecked = CodeFault("unchecked", "Registration numbers with letters have no check character.", False)
        readings.append(("registration_no", code, (unchecked,)))
    if _is_digits(code[:6]) and code[:2] in checks.PROVINCES and checks.is_organisation_code(code[6:]):
        readings.append(("taxpayer_no", code, ()))
    if not readings:
        return None
    kind, value, warnings = readings[0]
    other = readings[1] if len(readings) > 1 else None
    return Identifier(kind, value, warnings, or_kind=other[0] if other else None, or_value=other[1] if other else "")


def _certainty(reading: Identifier) -> int:
    order: tuple[Kind, ...] = ("person", "credit_code", "registration_no", "taxpayer_no", "organisation_code")
    return order.index(reading.kind) if reading.kind in order else len(order)


def _canonical_person(number: str) -> str:
    folded = fold_code(number)
    return checks.resident_id(folded) or folded


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _charset_faults(code: str) -> list[CodeFault]:
    faults = []
    for position, character in enumerate(code, start=1):
        if character not in checks.CREDIT_ALPHABET:
            meant = _LOOKALIKE.get(character)
            hint = f" (perhaps {meant} is meant)" if meant else ""
            faults.append(CodeFault("charset", f"Character {position} is {character!r}, which no code contains{hint}."))
    return faults


def _check_fault(code: str) -> CodeFault:
    return CodeFault(
        "check", f"The check character (18th) should be {checks.credit_check(code[:17])}, not {code[17]}: "
        "one character of the code is wrong."
    )  # fmt: skip
