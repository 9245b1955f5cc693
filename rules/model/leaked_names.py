"""Names of features that are refused whatever they hold: what they name is not known, or not fair, when a list is drawn up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One family of refused names: whole English words or phrases, and Chinese terms anywhere in a name."""

    family: str
    words: tuple[str, ...]
    terms: tuple[str, ...]
    zh: str
    en: str


REFUSED: tuple[Refusal, ...] = (
    Refusal(
        "identity",
        ("id", "uuid", "uscc", "code", "name", "address", "phone", "seq", "row", "key", "registration no", "document no",
         "licence no", "license no", "registration number", "document number", "licence number", "license number"),
        ("信用代码", "注册号", "编号", "序号", "证号", "文号", "身份证", "名称", "姓名", "地址", "住所", "电话"),
        "是主体或记录的标识，模型会背下结果而不是学会规律",
        "names an entity or a record: a model would learn its outcomes by heart",
    ),
    Refusal(
        "place",
        ("division", "postcode", "postal", "zip", "zipcode", "county", "ward", "latitude", "longitude", "lat", "lon", "lng", "geohash"),
        ("区划", "邮编", "邮政编码", "经度", "纬度"),
        "是区划或邮编的数字，只说明由谁管辖，不说明主体",
        "is digits of a place: it says who supervises, nothing of the entity",
    ),
    Refusal(
        "inspector",
        ("inspector", "sanitarian", "officer", "inspected by", "checked by"),
        ("检查员", "检查人员", "执法人员", "执法员", "承办人", "监督员"),
        "指明检查人员，拟定名单时尚未确定，且衡量的是检查员而不是主体",
        "names the inspector: not known when a list is drawn up, and it measures the inspector, not the entity",
    ),
    Refusal(
        "weather",
        ("weather", "temperature", "rain", "rainfall", "precipitation", "humidity", "wind", "snow", "sunshine"),
        ("天气", "气温", "降水", "降雨", "湿度", "风力"),
        "是检查当日的天气，拟定名单时不可能知道",
        "is the weather of the visit: not known when a list is drawn up",
    ),
    Refusal(
        "visit",
        ("outcome", "label", "target", "y", "visit", "this visit", "of visit", "at visit", "current visit", "visit day", "visit date",
         "visit result", "visit purpose", "visit weekday", "visit type", "this check", "check result", "weekday", "inclusion"),
        ("本次", "当次", "当日", "检查结果"),
        "属于这次检查本身，正是要预测的内容",
        "belongs to the visit itself, which is what is to be foretold",
    ),
    Refusal(
        "class",
        ("class", "grade", "type", "category", "status", "tier", "statutory", "current", "extraction"),
        ("当前", "现状", "现行", "法定类别", "风险等级", "风险分类", "企业类型", "登记状态"),
        "是提取数据时的等级或类型，可能由结果而来",
        "is a class or type as it stands when the data are taken: it may follow from the outcome",
    ),
)  # fmt: skip
# Words that cannot be part of an innocent longer one: also found where a name is written without breaks.
_ANYWHERE = ("inspector", "sanitarian", "postcode", "zipcode", "weather")
# A figure about all of a place is context, not the place: division_rate, 区划平均.
_AGGREGATES = frozenset({"rate", "norm", "mean", "share", "load"})
# Where a word is only refused as the whole name: visits_before and last_visit tell of earlier ones.
_ALONE = frozenset({"visit", "y", "row", "key"})


def refused(name: str) -> Refusal | None:
    """The family of refused names that ``name`` belongs to, or null.

    English words are matched whole, in snake_case and camelCase, singular or plural, without regard to case; Chinese terms
    anywhere. A rate over a division (``division_rate``) is context and is not refused.
    """
    words = [_singular(word) for word in _words(name)]
    whole, spaced = " ".join(words), f" {' '.join(words)} "
    packed = re.sub(r"[^a-z]", "", name.lower())
    for one in REFUSED:
        if any(term in name for term in one.terms) and not (one.family == "place" and re.search("率|平均|均值", name)):
            return one
        for word in one.words:
            anywhere = f" {word} " in spaced or (word in _ANYWHERE and word in packed)
            hit = whole == word if word in _ALONE else anywhere
            if hit and not (one.family == "place" and words[-1] in _AGGREGATES):
                return one
    return None


def refused_names(names: Iterable[str]) -> dict[str, Refusal]:
    """Those of ``names`` that are refused, each with the family that it belongs to."""
    return {name: found for name in names if (found := refused(name))}


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word in ("status", "address", "class"):
        return word
    return word[:-2] if word.endswith(("sses", "xes")) else word.removesuffix("s")
