"""Names of entities, folded so that two ways of writing one name compare equal, and cut up for search."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["fold_name", "search_phrase", "search_tokens"]

_INVISIBLE = re.compile(r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x1f\x7f]+")
_BRACKETS = str.maketrans("[{〔【〖〈《「『]}〕】〗〉》」』", "(((((((((" + ")))))))))")
_DOTS = re.compile(r"[•‧∙⋅・●]")
_TRAILING = re.compile(r"[。.,;:、!?*·\-_…]+$")


def fold_name(text: str) -> str:
    """The form of a name under which it is compared (归一名称).

    NFKC (full-width letters, wide brackets, compatibility characters), upper-case Latin, no blanks or invisible
    characters, all brackets ``()``, all middle dots ``·``, no punctuation at the end. Idempotent. Two entities may
    share a folded name, so it identifies nobody by itself.
    """
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    if not folded.isascii():
        # Taking blanks out and upper-casing may leave a letter and an accent side by side, which NFKC composes.
        folded = unicodedata.normalize("NFKC", _DOTS.sub("·", folded.translate(_BRACKETS)).upper())
    return _TRAILING.sub("", folded.upper())


def _searchable(text: str) -> str:
    """The characters of a folded name that are indexed: letters, digits, ideographs, private-use rare characters."""
    return "".join(c for c in fold_name(text) if unicodedata.category(c)[0] in "LN" or unicodedata.category(c) == "Co")


def search_tokens(text: str) -> str:
    """The name as one token a character, separated by blanks: what a SQLite FTS5 column (``unicode61``) stores.

    Trigram indexes return nothing for two Chinese characters, without an error; single characters under a phrase query
    find names by any part. Brackets and dots are left out on both sides, so 甲(乙)丙 is found by 乙丙.
    """
    return " ".join(_searchable(text))


def search_phrase(text: str) -> str | None:
    """The FTS5 query that finds names containing ``text``; None when nothing searchable is left.

    Only letters, digits and ideographs come through, so no text can break out of the quotation marks.
    """
    tokens = search_tokens(text)
    return f'"{tokens}"' if tokens else None
