"""Personal numbers in free text: found, masked, and compared only by keyed hash.

Found are resident ids 公民身份号码 (15, 17, 18 and 20 characters), telephone numbers 电话 (mobiles, and landlines with
their area code), e-mail addresses 邮箱 and bank-card numbers 银行卡号. Credit codes, registration numbers, document
numbers, amounts and days stay as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Literal, NamedTuple

from registry.cells.checks import is_registration_no, passes_luhn, resident_check, resident_id
from registry.cells.width import half_width

PersonalKind = Literal["resident_id", "phone", "email", "bank_card"]

MASKS: dict[PersonalKind, str] = {
    "resident_id": "(个人证件号)",
    "phone": "(电话)",
    "email": "(邮箱)",
    "bank_card": "(银行卡号)",
}

_DOMAIN = b"xinheng/personal-number/v1\x00"
# Blanks, hyphens and invisible characters that people and spreadsheets put inside a number.
_GAP = r"[ \t\u200b-\u200d\u2060\ufeff\-‐‑–—]"
# The cheap question first: most texts hold no seven digits in a row (gaps of one character allowed) and no @.
_WORTH_READING = re.compile(rf"(?:[0-9０-９](?:{_GAP}|[－　\u00a0()（）])?){{7}}|[@＠]")
_RUN = re.compile(r"[0-9A-Za-z]+")
_DIGIT_RUN = re.compile(r"[0-9]+[Xx]?")
_SPACED_ID = re.compile(rf"(?<![0-9A-Za-z])[1-9](?:{_GAP}{{0,2}}[0-9]){{16}}{_GAP}{{0,2}}[0-9Xx](?![0-9A-Za-z])")
_SPACED_CARD = re.compile(
    rf"(?<![0-9A-Za-z])[3-6][0-9]{{3}}(?:{_GAP}[0-9]{{4}}){{3}}(?:{_GAP}?[0-9]{{1,3}})?(?![0-9A-Za-z])"
)
_MOBILE = re.compile(
    rf"(?:(?<![0-9A-Za-z.])|(?<=[Tt][Ee][Ll]))(?:\+?86{_GAP}?)?1[3-9][0-9]{_GAP}?[0-9]{{4}}{_GAP}?[0-9]{{4}}(?![0-9A-Za-z])"
)
_LANDLINE = re.compile(
    rf"(?<![0-9A-Za-z.])(?:\+?86{_GAP}?)?(?:\((?:0(?:10|2[0-9]|[3-9][0-9]{{2}}))\)|0(?:10|2[0-9]|[3-9][0-9]{{2}}))"
    rf"(?:{_GAP}{{0,2}})[2-8][0-9]{{2,3}}{_GAP}?[0-9]{{4}}(?:(?:-|转)[0-9]{{1,5}})?(?![0-9A-Za-z])"
)
_NAMED_PHONE = re.compile(
    r"(?:电话|手机|联系方式|传真|[Tt][Ee][Ll])(?:号码?)?[为是:.]?\s*([2-8][0-9]{6,7})(?![0-9A-Za-z])"
)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Bounded, so that a long text without a dot or an @ costs linear time.
_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}")
_CARD = re.compile(r"(?=[3-6]|95)[0-9]{16,19}")
# After these words fifteen digits are a registration number, even if they could be somebody's birthday.
_REGISTRATION_BEFORE = re.compile(r"(?:注册号|执照号?码?|登记号)[^0-9。;]{0,8}$")
_AMOUNT_AFTER = re.compile(r"\s*(?:\.[0-9]|[元圆万亿角分%])")


class Span(NamedTuple):
    """A personal number: ``text[start:end]``, and what it is."""

    start: int
    end: int
    kind: PersonalKind


def keyed_hash(value: str, key: bytes) -> str:
    """HMAC-SHA256 of ``value`` under ``key`` as 64 hexadecimal digits, separated from every other use of the key.

    Numbers are few enough to be tried one by one, so a plain hash would give them away; without the key this one does
    not. Hash the canonical form (``Identifier.value``), else one person has several hashes.

    Raises
    ------
    ValueError
        If ``key`` is shorter than 16 bytes.
    """
    if len(key) < 16:
        raise ValueError("The key for personal numbers needs at least 16 bytes; make one with `openssl rand -hex 32`.")
    return hmac.new(key, _DOMAIN + value.encode("utf-8"), hashlib.sha256).hexdigest()


def find_personal(text: str) -> list[Span]:
    """The personal numbers in ``text``, from left to right, never overlapping; positions are those of ``text``."""
    if _WORTH_READING.search(text) is None:
        return []
    # Row ids of feeds are full of digits that look like telephone numbers; blanked in place, positions stay.
    plain = _UUID.sub(lambda uuid: " " * len(uuid.group()), half_width(text))
    found: list[Span] = []
    taken = bytearray(len(plain))

    def claim(start: int, end: int, kind: PersonalKind) -> None:
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            found.append(Span(start, end, kind))

    for match in _EMAIL.finditer(plain):
        claim(*match.span(), "email")
    for match in _RUN.finditer(plain):
        for start, end in _residents(plain, match.start(), match.end()):
            claim(start, end, "resident_id")
    for match in _SPACED_ID.finditer(plain):
        digits = re.sub(_GAP, "", match.group()).upper()
        # With gaps only a right check character counts: two numbers side by side must not become one person.
        if resident_id(digits) is not None and resident_check(digits[:17]) == digits[17]:
            claim(*match.span(), "resident_id")
    for match in _RUN.finditer(plain):
        if _CARD.fullmatch(match.group()) and passes_luhn(match.group()) and not _is_something_else(plain, match):
            claim(*match.span(), "bank_card")
    for match in _SPACED_CARD.finditer(plain):
        if passes_luhn(re.sub(_GAP, "", match.group())):
            claim(*match.span(), "bank_card")
    for pattern in (_MOBILE, _LANDLINE):
        for match in pattern.finditer(plain):
            if not _is_something_else(plain, match):
                claim(*match.span(), "phone")
    for match in _NAMED_PHONE.finditer(plain):
        claim(*match.span(1), "phone")
    return sorted(found)


def mask_personal(text: str) -> str:
    """``text`` with every personal number replaced by what it was, for example ``(个人证件号)`` or ``(电话)``.

    Safe to repeat, and cheap (under a microsecond) on text that holds no seven digits and no ``@``.
    """
    spans = find_personal(text)
    if not spans:
        return text
    parts: list[str] = []
    end = 0
    for span in spans:
        parts += (text[end : span.start], MASKS[span.kind])
        end = span.end
    parts.append(text[end:])
    return "".join(parts)


def _residents(plain: str, start: int, end: int) -> list[tuple[int, int]]:
    """Resident ids within one run of letters and digits."""
    run = plain[start:end].upper()
    if len(run) < 15:
        return []
    if resident_id(run) is not None:
        of_company = is_registration_no(run) and _REGISTRATION_BEFORE.search(plain[max(0, start - 20) : start])
        return [] if of_company else [(start, end)]
    if len(run) == 18 and not run.isdigit():
        return []  # a credit code, perhaps mistyped, is no place to look for fifteen digits
    found = []
    for match in _DIGIT_RUN.finditer(run):
        for number in (match.group(), match.group().rstrip("X")):  # an X behind may belong to the next word
            if resident_id(number) is not None:
                found.append((start + match.start(), start + match.start() + len(number)))
                break
    return found


def _is_something_else(plain: str, match: re.Match[str]) -> bool:
    """Whether digits are an amount (元 or decimals follow) or the serial of a document number (〔2020〕…号, 第…号)."""
    if _AMOUNT_AFTER.match(plain, match.end()):
        return True
    before = plain[match.start() - 1 : match.start()]
    return before != "" and before in "〕]】)第" and plain[match.end() : match.end() + 1] == "号"
