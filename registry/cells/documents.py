"""Numbers of decisions (文书号), folded so that the same decision from two sources compares equal."""

from __future__ import annotations

import re
import unicodedata

from registry.cells import is_blank

__all__ = ["fold_document_no", "printed_document_no"]

_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x1f\x7f]+")
_DASHES = re.compile(r"[‐‑‒–—―−﹣－]+")
_BRACKETS = str.maketrans("{〔【〖〈《<]}〕】〗〉》>[", "(((((((" + "))))))))" + "(")
_YEAR = re.compile(r"\((?P<year>(?:19|20)[0-9]{2})年?\)")
_SERIAL = re.compile(r"(?<=\])(?:字)?第?0*(?P<serial>[0-9]+)")
_FOLDED_YEAR = re.compile(r"\[((?:19|20)[0-9]{2})\]")
_LONELY_SERIAL = re.compile(r"第0*([0-9]+)号")


def printed_document_no(text: str) -> str:
    """A document number as officials write it, 信市监处罚〔2026〕311号: for numbers of which only the folded form is at hand."""
    return _FOLDED_YEAR.sub(r"〔\1〕", text)


def fold_document_no(text: str) -> str:
    """The form of a document number under which it is compared; ``""`` for a blank cell.

    ``某税罚〔2020〕6 号``, ``某税罚[2020]第006号`` and ``某税罚（2020年）6`` all give ``某税罚[2020]6号``. Blanks
    go, brackets and dashes are unified, 第 before the serial goes, and 号 after a serial at the end is supplied.
    Leading zeros of the serial go too: a register that pads and one that does not write the same decision, and no
    organ numbers both 6 and 006 in one year. Zeros elsewhere stay. Idempotent.
    """
    if is_blank(text):
        return ""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).upper()
    plain = _DASHES.sub("-", plain).translate(_BRACKETS)
    plain = _YEAR.sub(r"[\g<year>]", plain)
    plain = _SERIAL.sub(r"\g<serial>", plain)
    plain = _LONELY_SERIAL.sub(r"\1号", plain)
    plain = plain.rstrip("。.,;、")
    return f"{plain}号" if re.search(r"\][0-9]+(?:-[0-9]+)?$", plain) else plain
