"""Two pictures of the figures of inspections, as SVG that needs nothing beside it: problems found by class, and by slice.

Narrow, so that their words can be read on a telephone. Colours are told apart also by the colour-blind (Okabe & Ito, 2008), and each bar
has its words besides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rules.model.pictures import BLUE, ORANGE
from rules.model.svg import INK, LINE, SOFT, box, line, percent, picture, text, ticks

_WIDTH, _LEFT, _RIGHT, _TOP = 440, 92, 24, 74
_BAR, _ROW, _GAP = 13, 34, 12
_SHORT = {
    "draw": "draw", "random": "random slice", "priority": "priority", "designated": "designated", "recheck": "re-check",
}  # fmt: skip
Bar = tuple[str, str, float | None, float | None, float | None]  # colour, words, share, low, high


@dataclass(frozen=True, slots=True)
class _Group:
    zh: str
    en: str
    bars: Sequence[Bar]


def by_slice(body: Mapping[str, Any]) -> str:
    """Problems found among those who were met, with 95 % intervals, by slice."""
    groups = [_Group(one["title"], _SHORT[one["slice"]], [_plain(one["found"], BLUE)]) for one in body["slices"]]
    return _drawn("各类对象问题发现率", "Problems found, by slice", groups)


def by_class(body: Mapping[str, Any], scheme: str) -> str:
    """For each class of a scheme the rate without bias, and below it the plain share of all its visits."""
    plain = {one["class"]: one["found"] for one in body["classes"] if one["scheme"] == scheme}
    pooled: Sequence[Mapping[str, Any]] = next(
        (one["items"] for one in body["unbiased"]["pooled"] if one["scheme"] == scheme), []
    )
    groups = []
    for name in dict.fromkeys([*plain, *(one["class"] for one in pooled)]):
        rates = [one for one in pooled if one["class"] == name]
        bars = [_weighed(one) for one in rates] + ([_plain(plain[name], ORANGE)] if name in plain else [])
        zh, en = {"all": ("全部", "all"), "ungraded": ("未评定", "ungraded")}.get(name, (name, ""))
        groups.append(_Group(zh, en, bars))
    return _drawn("分类问题发现率", f"Problems found, by class ({scheme})", groups, key=True)


def _plain(found: Mapping[str, Any], colour: str) -> Bar:
    words = f"{found['part']} / {found['of']}"
    return colour, words, found["share"], found["low"], found["high"]


def _weighed(one: Mapping[str, Any]) -> Bar:
    return BLUE, f"{one['failures']} / {one['answered']}", one["rate"], one["low"], one["high"]


def _drawn(zh: str, en: str, groups: Sequence[_Group], *, key: bool = False) -> str:
    most = max([0.05, *(bar[4] for group in groups for bar in group.bars if bar[4] is not None)])
    steps = [one for one in ticks(0, most, 4) if one <= 1]
    high = max(steps[-1], min(most, 1.0))
    top = _TOP + (22 if key else 0)
    bottom = top + sum(_ROW * max(len(group.bars), 1) + _GAP for group in groups)

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / high

    shapes = []
    if key:
        for place, (colour, words) in enumerate(((BLUE, "无偏估计 unbiased"), (ORANGE, "直接比例 plain share"))):
            shapes += [box(24 + 190 * place, 66, 12, 12, fill=colour), text(42 + 190 * place, 76, words, size=12.5)]
    for step in steps:
        shapes += [line(x(step), top, x(step), bottom), text(x(step), bottom + 17, percent(step), size=12, colour=SOFT, anchor="middle")]  # fmt: skip
    y = float(top)
    for group in groups:
        rows = max(len(group.bars), 1)
        middle = y + _ROW * rows / 2
        shapes.append(text(_LEFT - 10, middle + (0 if group.en else 4), group.zh, size=13.5, anchor="end", weight=700))
        shapes += [text(_LEFT - 10, middle + 15, group.en, size=11.5, colour=SOFT, anchor="end")] if group.en else []
        for colour, words, share, low, end in group.bars:
            if share is None or low is None or end is None:
                shapes.append(text(_LEFT + 6, y + 21, f"无依据 no ground ({words})", size=12, colour=SOFT))
            else:
                shapes.append(text(_LEFT + 4, y + 12, f"{percent(round(share, 3))}　{words}", size=12, colour=INK))
                shapes.append(box(_LEFT, y + 16, x(share) - _LEFT, _BAR, fill=colour))
                at = y + 16 + _BAR / 2
                shapes += [line(x(low), at, x(end), at, colour=INK, width=1.6)]
                shapes += [line(x(one), at - 4, x(one), at + 4, colour=INK, width=1.6) for one in (low, end)]
            y += _ROW
        y += _GAP
        shapes.append(line(24, y - _GAP / 2, _WIDTH - _RIGHT, y - _GAP / 2, colour=LINE))
    shapes.append(line(_LEFT, top, _LEFT, bottom, colour=SOFT))
    return picture(_WIDTH, int(bottom + 28), zh, en, shapes)
