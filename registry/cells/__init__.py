"""Reading the cells of real files: amounts, days, names, document numbers, personal numbers.

Every reader is pure: text in, value out, :class:`CellError` when the text cannot mean what the column says.
"""

from __future__ import annotations

import re

from registry.cells.personal import mask_personal
from registry.cells.width import half_width
from registry.errors import RegistryError

__all__ = ["CellError", "is_blank"]

_LONGEST_QUOTE = 60
_NOTHING = frozenset(["无", "暂无", "没有", "无数据", "未提供", "未填写", "不详", "未知", "空", "待定"])
_NOTHING_LATIN = frozenset(["N/A", "NA", "#N/A", "NULL", "NONE", "NIL", "(NULL)"])
_STROKES = re.compile(r"[-‐‑‒–—―−_/\\.、。~]*")


class CellError(RegistryError):
    """A cell that cannot be read: what is wrong, the text, and what to do about it.

    ``text`` is safe to log and to show: personal numbers are masked first and only then is it cut to 60
    characters, so that no half of a number stays behind.
    """

    code = "bad_cell"
    status = 422

    def __init__(self, what: str, text: str, remedy: str) -> None:
        safe = mask_personal(text)
        self.what = what
        self.text = safe if len(safe) <= _LONGEST_QUOTE else safe[: _LONGEST_QUOTE - 1] + "…"
        self.remedy = remedy
        super().__init__(f"{what}: {self.text!r}. {remedy}", what=what, remedy=remedy)


def is_blank(text: str) -> bool:
    """Whether ``text`` is one of the many ways to say that there is nothing: ``""``, 无, N/A, ``-``, ``/`` …

    ``0`` is not blank (it is an amount), nor is ``NaN`` (it is the trace of a calculation that failed), nor ``***``
    (something was there and has been masked).
    """
    folded = half_width(text).strip()
    return (
        not folded or folded in _NOTHING or folded.upper() in _NOTHING_LATIN or _STROKES.fullmatch(folded) is not None
    )
