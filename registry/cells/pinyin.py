"""How a name is read 拼音: its syllables without tones, as the search by letters asks for them."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from functools import cache

__all__ = ["index_words", "phrases", "queries", "syllables", "threes"]

# One reading a character is enough for most; these words, place names above all, are read otherwise. The longest word
# that begins at a character wins, so 市长 would not stand in the way of 长沙 (no 市长 stands here).
READINGS: dict[str, str] = {
    "重庆": "chong qing", "重阳": "chong yang", "重新": "chong xin", "厦门": "xia men", "六安": "lu an",
    "蚌埠": "beng bu", "乐清": "yue qing", "乐亭": "lao ting", "音乐": "yin yue", "乐器": "yue qi", "乐团": "yue tuan",
    "声乐": "sheng yue", "单县": "shan xian", "番禺": "pan yu", "浚县": "xun xian", "大城县": "dai cheng xian",
    "洪洞": "hong tong", "尉犁": "yu li", "莘庄": "xin zhuang", "泌阳": "bi yang", "荥经": "ying jing",
    "中牟": "zhong mu", "栎阳": "yue yang", "铅山": "yan shan", "东阿": "dong e", "阿胶": "e jiao", "枞阳": "zong yang",
    "会计": "kuai ji", "会稽": "kuai ji", "银行": "yin hang", "商行": "shang hang", "车行": "che hang",
    "分行": "fen hang", "支行": "zhi hang", "行业": "hang ye", "茶行": "cha hang", "布行": "bu hang", "米行": "mi hang",
    "药行": "yao hang", "石行": "shi hang", "木行": "mu hang", "鱼行": "yu hang", "花行": "hua hang", "琴行": "qin hang",
    "拍卖行": "pai mai hang", "调味": "tiao wei", "调料": "tiao liao", "空调": "kong tiao", "调解": "tiao jie",
    "校准": "jiao zhun", "传记": "zhuan ji", "弹簧": "tan huang", "便宜": "pian yi", "切削": "qie xiao", "薄膜": "bo mo",
    "薄荷": "bo he", "参茸": "shen rong", "人参": "ren shen", "海参": "hai shen", "西洋参": "xi yang shen",
    "都市": "du shi", "首都": "shou du", "成都": "cheng du", "都江堰": "du jiang yan", "大夫": "dai fu",
    "校对": "jiao dui", "暖和": "nuan huo", "供给": "gong ji", "给水": "ji shui", "自给": "zi ji", "长": "chang",
    "都": "du", "曾": "zeng", "缪": "miao", "仇": "qiu", "覃": "qin", "藏": "zang", "呢": "ni", "佛": "fo", "什": "shi",
    "什锦": "shi jin", "长子县": "zhang zi xian", "长子营": "zhang zi ying", "成长": "cheng zhang", "生长": "sheng zhang",
    "增长": "zeng zhang", "家长": "jia zhang",
}  # fmt: skip
_LONGEST_WORD = max(map(len, READINGS))
# A name has so many initials that three of them in a row find few; fewer letters are looked for in Latin names only.
SHORTEST = 3
# Ways to cut letters into syllables that are asked for: xian is 西安 and 线.
MOST_WAYS = 8
_LETTERS = re.compile(r"[a-z]+")


@cache
def _table() -> dict[int, str]:
    """First reading of each character, without tone; ü is v."""
    # Phrases are ours (READINGS): the library's read 市长 in 市长沙, and take 30 MB.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin.constants import PINYIN_DICT

    return {code: _plain(readings.partition(",")[0]) for code, readings in PINYIN_DICT.items()}


@cache
def _plain(reading: str) -> str:
    """A syllable without its tone."""
    bare = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(letter for letter in bare if letter.isascii() and letter.isalpha())


@cache
def _known() -> frozenset[str]:
    """Every syllable that occurs."""
    return frozenset(_table().values()) | {one for words in READINGS.values() for one in words.split()}


@cache
def _beginnings() -> frozenset[str]:
    return frozenset(word[0] for word in READINGS)


def syllables(name: str) -> list[str]:
    """The syllables of a folded name in lower case; each Latin letter and digit is one of its own, the rest is left out."""
    table, beginnings, found, at = _table(), _beginnings(), [], 0
    while at < len(name):
        character = name[at]
        word = character
        if character in beginnings:
            for size in range(min(_LONGEST_WORD, len(name) - at), 0, -1):
                if name[at : at + size] in READINGS:
                    word = name[at : at + size]
                    break
        if word in READINGS:
            found += READINGS[word].split()
        elif (reading := table.get(ord(character))) is not None:
            found.append(reading)
        elif character.isascii() and character.isalnum():
            found.append(character.lower())
        at += len(word)
    return found


def index_words(read: list[str]) -> str:
    """What SQLite's full-text index stores of a name that is read so: its syllables, then its initials by threes."""
    initials = "".join(one[0] for one in read)
    return " ".join([*read, *threes(initials)])


def threes(initials: str) -> list[str]:
    """Initials as the index holds them: each three in a row is a word."""
    # The digit in front keeps three initials apart from a syllable: 1han is not han.
    return [f"1{initials[at : at + 3]}" for at in range(len(initials) - 2)]


def queries(text: str) -> list[tuple[str, str]]:
    """Ways to read letters that somebody typed: ("initials", "xhsp") and ("syllables", "xin heng"), at most nine.

    Empty for fewer than three letters, or anything but letters (blanks and apostrophes between them are left out).
    """
    letters = re.sub(r"[\s']+", "", text).lower()
    if len(letters) < SHORTEST or not _LETTERS.fullmatch(letters):
        return []
    ways: list[tuple[str, str]] = [("initials", letters)]
    for way in _cuts(letters, 0, _leading(letters)):
        ways.append(("syllables", " ".join(way)))
        if len(ways) > MOST_WAYS:
            break
    return ways


def _leading(letters: str) -> list[bool]:
    """For each place whether the letters from there on can be cut into syllables: no dead end is walked into twice."""
    leads = [False] * len(letters) + [True]
    for at in range(len(letters) - 1, -1, -1):
        leads[at] = any(leads[at + size] for size in _sizes(letters, at))
    return leads


def _sizes(letters: str, at: int) -> list[int]:
    """Lengths of the syllables that begin at a place, the longest first."""
    sizes = range(min(6, len(letters) - at), 0, -1)
    return [size for size in sizes if letters[at : at + size] in _known() and (size > 1 or letters[at] in "aeo")]


def _cuts(letters: str, at: int, leads: list[bool]) -> Iterator[list[str]]:
    """All ways to cut the letters from a place on into syllables, long syllables first."""
    if at == len(letters):
        yield []
    for size in _sizes(letters, at):
        if leads[at + size]:
            for rest in _cuts(letters, at + size, leads):
                yield [letters[at : at + size], *rest]


def phrases(text: str) -> str | None:
    """The FTS5 query over `index_words` for letters that somebody typed; None where they cannot be looked for."""
    found = [" ".join(threes(read)) if how == "initials" else read for how, read in queries(text)]
    return " OR ".join(f'"{one}"' for one in found) or None
