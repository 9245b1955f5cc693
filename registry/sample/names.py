"""Names and addresses of the sample, from our own parts: a place that is on no map, an invented word, a trade, a form.

No list of real names is read and no real person's name is made up: individual businesses carry a shop sign only.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from registry.sample.latent import Ints, Streams
from registry.sample.shape import KINDS, Shape

FIRST = (
    "澄霁珩砚棠缃杼霖沅湉璟煦瀚曜翊昶钰铄淳熹蔚茗筠栩旌骐骁晟睿祺禾穗稷黍苒荟菡芷芮芃沐沁汐泓涵润澍澈濯岚峤嵘峻崧朗昭昕"
)
SECOND = (
    "川屿澜岑汀泽渊洲涧沣源浦津湾坤垣域堃培基塬奕弈弘彦彤影律徽徵恺恒悦惟慕懿扬拓捷振敏斐旭昊昌晏晖景智朔杰柏桓桢棣楠"
)
THIRD = "安宝诚达丰福光和宏鸿嘉金锦康隆茂鹏庆荣瑞顺泰腾通旺祥信兴旭耀益盈永裕元远卓"
FORMS = ("有限公司", "", "专业合作社")
LARGE_FORM = "股份有限公司"
ROADS = (
    "稷下路 云锦路 砚池街 杼机巷 霁月路 珩玉街 缃帙路 棠梨街 "
    "砺剑路 岑楼巷 汀兰路 澜沧桥路 织锦大道 信衡大道 禾稼路 茗坊街"
)
_TWO = len(FIRST) * len(SECOND)
_THREE = _TWO * len(THIRD)
_ROUNDS = 40


class NameParts(NamedTuple):
    """Which parts each name is made of: places in lists of distinct words, one array per part."""

    place: Ints
    fancy: Ints
    word: Ints


def entity_names(shape: Shape, kind: Ints, industry: Ints, division: Ints, large: Ints, streams: Streams) -> pl.Series:
    """A distinct Chinese name for every entity.

    Parameters
    ----------
    kind, industry, division : places in KINDS, ``shape.industries`` and ``shape.districts``
    large : 1 where the enterprise is a company limited by shares
    """
    rng = streams("names")
    trades = _words(shape)
    slot = kind * len(shape.industries) + industry
    word = trades.places[trades.starts[slot] + (rng.random(len(kind)) * trades.counts[slot]).astype(np.int64)]
    # A third of the enterprises name the city, the others and all shops their district.
    place = np.where((kind == 0) & (rng.random(len(kind)) < 0.34), 0, division + 1)
    fancy = np.where(rng.random(len(kind)) < 0.7, rng.integers(0, _TWO, len(kind)), _three(rng, len(kind)))
    parts = _made_distinct(NameParts(place, fancy, word), rng)
    shorts = pl.Series([shape.table["place"]["city"], *(district.short for district in shape.districts)])
    fulls = pl.Series([shape.table["place"]["city"] + "市", *(district.name for district in shape.districts)])
    frame = pl.DataFrame(
        {
            "company": shorts.gather(parts.place),
            "local": fulls.gather(parts.place),
            "fancy": _fancy_words().gather(parts.fancy),
            "word": trades.words.gather(parts.word),
            "form": pl.Series([*FORMS, LARGE_FORM]).gather(np.where((kind == 0) & (large == 1), 3, kind)),
            "kind": kind,
        }
    )
    place_word = pl.when(pl.col("kind") == 0).then("company").otherwise("local")
    return frame.select(name=pl.concat_str(place_word, "fancy", "word", "form")).to_series()


def addresses(shape: Shape, division: Ints, rng: np.random.Generator) -> pl.Series:
    """A street and number that exist nowhere, in each entity's district."""
    roads = pl.Series(ROADS.split())
    heads = pl.Series([f"{shape.table['place']['city']}市{district.name}" for district in shape.districts])
    frame = pl.DataFrame(
        {
            "head": heads.gather(division),
            "road": roads.gather(rng.integers(0, len(roads), len(division))),
            "number": rng.integers(1, 1200, len(division)),
        }
    )
    return frame.select(address=pl.format("{}{}{}号", "head", "road", "number")).to_series()


def shared(plain: pl.Series, kind: Ints, division: Ints, about: Mapping[str, Any], streams: Streams) -> pl.Series:
    """The addresses with a room or a stall, so that few are alike by chance, and the clusters 集群注册 that share one.

    Parameters
    ----------
    plain : street and number of every entity
    kind, division : places in KINDS and among the districts
    about : table `addresses` of the shape: share of the enterprises that share an address, fewest and most of one cluster
    """
    rng = streams("rooms")
    floor, room = rng.integers(1, 7, len(kind)), rng.integers(1, 41, len(kind))
    frame = pl.DataFrame({"plain": plain, "room": floor * 100 + room, "stall": kind == KINDS.index("individual")})
    behind = pl.when("stall").then(pl.format("{}铺", "room")).otherwise(pl.format("{}室", "room"))
    own = frame.select(pl.concat_str("plain", behind)).to_series()
    return own.gather(_hosts(kind, division, about, streams("clusters")))


def _hosts(kind: Ints, division: Ints, about: Mapping[str, Any], rng: np.random.Generator) -> Ints:
    """Whose address each entity has: its own, or that of the first enterprise of its cluster, in the same district."""
    host = np.arange(len(kind))
    fewest, most = about["cluster"]
    for district in range(int(division.max(initial=-1)) + 1):
        here = rng.permutation(np.nonzero((kind == 0) & (division == district))[0])
        quota, start = round(len(here) * about["clustered"]), 0
        while quota - start >= fewest:
            size = min(int(rng.integers(fewest, most + 1)), quota - start)
            host[here[start : start + size]] = here[start]
            start += size
    return host


class _Words(NamedTuple):
    """The words of trades: each word once, and a list of places in it, cut into one stretch per kind and industry."""

    words: pl.Series
    places: Ints
    starts: Ints
    counts: Ints


def _words(shape: Shape) -> _Words:
    known: dict[str, int] = {}
    places: list[int] = []
    starts, counts = [], []
    for kind in range(len(KINDS)):
        for industry in shape.industries:
            starts.append(len(places))
            counts.append(len(industry.words[kind]))
            places.extend(known.setdefault(word, len(known)) for word in industry.words[kind])
    return _Words(pl.Series(list(known)), np.array(places), np.array(starts), np.array(counts))


def _fancy_words() -> pl.Series:
    two = [first + second for first in FIRST for second in SECOND]
    return pl.Series(two + [word + third for word in two for third in THIRD])


def _three(rng: np.random.Generator, count: int) -> Ints:
    return rng.integers(_TWO, _TWO + _THREE, count)


def _made_distinct(parts: NameParts, rng: np.random.Generator) -> NameParts:
    """Give every later bearer of a name a longer invented word until no two are alike."""
    fancy = parts.fancy.copy()
    for _ in range(_ROUNDS):
        key = (parts.place * (_TWO + _THREE) + fancy) * 100_000 + parts.word
        _, firsts = np.unique(key, return_index=True)
        if len(firsts) == len(key):
            return NameParts(parts.place, fancy, parts.word)
        again = np.ones(len(key), dtype=bool)
        again[firsts] = False
        fancy[again] = _three(rng, int(again.sum()))
    raise ValueError(f"{len(parts.place)} entities need more names than the parts give. Ask for a smaller district.")
