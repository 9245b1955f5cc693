"""Names of entities, folded so that two ways of writing one name compare equal, and cut up for search."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from opencc import OpenCC

__all__ = ["fold_name", "names_an_enterprise", "search_phrase", "search_tokens", "simplified"]

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


def simplified(text: str) -> str:
    """The text with traditional characters 繁体字 written in their simplified form, for comparing and finding names.

    One character at a time, and only characters that are nothing but the traditional form of another one: those of
    GB 2312, and variants that simplified names use as well (昇, 堃, 濛), stay. So no two simplified names ever become
    one: 日昇 and 日升 are two names. Two traditional ones may (發 and 髮), so the result identifies nobody by itself.
    """
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return text.translate(_traditional())
    return text


@cache
def _traditional() -> dict[int, str]:
    """Traditional character → simplified one, where the way back leads to the same character (in any of three regions)."""
    every = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    # A line each: nothing is converted by its neighbours.
    simple = OpenCC("t2s").convert("\n".join(every)).split("\n")
    back = [OpenCC(way).convert("\n".join(simple)).split("\n") for way in ("s2t", "s2tw", "s2hk")]
    return {
        ord(one): other
        for one, other, *ways in zip(every, simple, *back, strict=True)
        if one != other and one in ways and len(other) == 1 and not _in_gb2312(one)
    }


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


# Words that names of enterprises and shops have and names of persons do not.
_ENTERPRISE = re.compile(
    "公司|企业|集团|厂|店|铺|中心|银行|商行|车行|药房|书局|商社|合作社|事务所|研究院|医院|学院|学校|诊所|门诊|超市|商场|市场|酒家|酒楼|酒吧|宾馆|饭馆|菜馆|"
    "茶馆|网吧|餐厅|食堂|小吃|饭庄|工厂|作坊|工作室|经营部|服务部|门市|销售部|营业部|分行|支行|分社|联社|信用社|基地|农场|林场|牧场|渔场|加油站|"
    "服务站|维修|修理|理发|美发|美容|招待所|旅馆|旅社|俱乐部|协会|基金会|幼儿园|养老院|个体"
)
_ENTERPRISE_LATIN = re.compile(r"LTD|LIMITED|COMPANY|CORP|GMBH|INC\.|LLC|CO\.|GROUP|HOTEL|SHOP|STORE|BANK")
_LONGEST_PERSON = 4


def names_an_enterprise(folded: str) -> bool:
    """Whether a folded name can only be an enterprise's 企业名称: whose name may be a person's is never found by it alone.

    Two to four characters without a word of trade are a person's name, and so is anything in Latin letters, or with the
    dot of a transcribed name (·), that says no form of enterprise.
    """
    if _ENTERPRISE.search(folded) or _ENTERPRISE_LATIN.search(folded):
        return True
    ideographs = sum("\u3400" <= character <= "\u9fff" for character in folded)
    return ideographs > _LONGEST_PERSON and "·" not in folded and "*" not in folded


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
