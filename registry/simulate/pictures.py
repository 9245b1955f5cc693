"""Three pictures of a simulation, each an SVG file that needs nothing beside it: findings by month, rates by class, visits per entity.

Colours are those of Okabe & Ito (2008), told apart also by the colour-blind; every line has its dash besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.model.pictures import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION
from rules.model.svg import INK, SOFT, Plot, box, dot, line, path, percent, picture, text, ticks

# Colour, width and dash of each policy.
LINES: Mapping[str, tuple[str, float, str]] = {
    "random": (GREY, 2.2, "4 4"),
    "ratio": (GREEN, 2.2, "10 4"),
    "class": (ORANGE, 2.4, ""),
    "class+model": (BLUE, 3.2, ""),
    "greedy": (VERMILION, 2.4, "7 4"),
}
# Shades of entities visited once, twice, …; the last is for so many or more.
SHADES = ("#cfe1ee", SKY, BLUE, ORANGE, VERMILION)
_WIDTH = 860
_SHOWN = 6  # labels of months


def pictures(report: Mapping[str, Any]) -> dict[str, str]:
    """Every picture by name (``findings``, ``rates``, ``visits``), from what :func:`registry.simulate.measures.report` says."""
    return {"findings": findings(report), "rates": rates(report), "visits": visits(report)}


def findings(report: Mapping[str, Any]) -> str:
    """Violations found so far, month by month, for each policy."""
    policies, months = report["policies"], report["months"]
    up = ticks(0, max(1, *(one["by_month"][-1] for one in policies.values())))
    plot = Plot(96, 78, 470, 400, (0, 0), (len(months), up[-1]))
    step = max(1, -(-len(months) // _SHOWN))
    shapes = plot.across(
        list(range(0, len(months) + 1, step)),
        lambda value: _month_after(months, int(value)),
        "月末",
        "end of the month",
    )
    shapes += plot.up(up, lambda value: f"{value:,.0f}", "累计发现违法行为（起）", "violations found so far")
    for name, one in policies.items():
        colour, width, dash = LINES[name]
        places = enumerate([0, *one["by_month"]])
        shapes.append(
            path(((plot.x(at), plot.y(found)) for at, found in places), colour=colour, width=width, dash=dash)
        )
    shapes += plot.frame()
    for place, name in enumerate(sorted(policies, key=lambda one: -policies[one]["violations"])):
        one, y, (colour, width, dash) = policies[name], 118 + place * 58, LINES[name]
        shapes += [
            line(594, y - 4, 626, y - 4, colour=colour, width=width, dash=dash),
            text(636, y, one["title"]["zh"], weight=700),
            text(636, y + 16, one["title"]["en"], size=12, colour=SOFT),
            text(836, y, f"{one['violations']:,}", anchor="end", weight=700),
        ]
        if one["times_random"] is not None:
            shapes.append(text(836, y + 16, f"× {one['times_random']:.2f}", size=12, colour=SOFT, anchor="end"))
    shapes.append(text(594, 90, "× 与纯随机相比 against random", size=12, colour=SOFT))
    return picture(
        _WIDTH,
        560,
        "同样的检查户次，各种办法各发现多少问题",
        f"The same visits, other choices: {_about(report)}",
        shapes,
    )


def rates(report: Mapping[str, Any]) -> str:
    """Rates per class as a policy's visits give them: naive and unbiased, beside the truth; without a random slice and with one."""
    policies = report["policies"]
    without = next(name for name in ("greedy", "ratio", "random") if name in policies)
    sliced = next(name for name in ("class+model", "class", "random") if name in policies)
    classes = [row["class"] for row in policies[without]["classes"]]
    top = max(row["naive_high"] for name in (without, sliced) for row in policies[name]["classes"] if row["visits"])
    up = ticks(0, min(1.0, max(0.1, top)))
    shapes: list[str] = []
    for left, name in ((96, without), (506, sliced)):
        plot = Plot(left, 152, 330, 336, (0, 0), (len(classes), up[-1]))
        shapes += plot.up(up, percent, "问题发现率", "share of visits that find something") if left == 96 else [
            line(plot.left, plot.y(tick), plot.left + plot.width, plot.y(tick)) for tick in up
        ]  # fmt: skip
        title = policies[name]["title"]
        shapes += [
            text(left, 122, title["zh"], weight=700), text(left, 139, title["en"], size=12, colour=SOFT),
        ]  # fmt: skip
        for place, row in enumerate(policies[name]["classes"]):
            shapes += _rates_of(plot, place, row)
        shapes += plot.frame()
        middle = left + plot.width / 2
        shapes += [
            text(middle, 532, "风险类别（D 最高），右为全部", anchor="middle"),
            text(middle, 549, "risk class (D is the highest), and all", size=12, colour=SOFT, anchor="middle"),
        ]
    legend = (
        (box(96, 72, 14, 14, fill=VERMILION, radius=2), "检查中的占比 naive", 116),
        (dot(262, 79, 5.5, fill=BLUE), "随机份额的无偏估计 unbiased", 274),
        (line(462, 79, 484, 79, colour=INK, width=3), "实际 truth", 492),
    )
    for shape, words, x in legend:
        shapes += [shape, text(x, 84, words, size=12)]
    shapes.append(text(836, 84, "细线为 95% 区间 thin lines: 95 % intervals", size=12, colour=SOFT, anchor="end"))
    return picture(
        _WIDTH, 570, "各类实际有多少问题：直接算、无偏估计与实际", f"What one would believe of each class, and what is so: {_about(report)}", shapes
    )  # fmt: skip


def _rates_of(plot: Plot, place: int, row: Mapping[str, Any]) -> list[str]:
    bottom = plot.top + plot.height
    middle = plot.x(place + 0.5)
    name = "全部 all" if row["class"] == "all" else row["class"]
    shapes = [text(middle, bottom + 22, name, size=13, anchor="middle", weight=700)]
    if row["visits"]:
        x = plot.x(place + 0.14)
        shapes += [
            box(x, plot.y(row["naive"]), 20, bottom - plot.y(row["naive"]), fill=VERMILION),
            line(x + 10, plot.y(row["naive_low"]), x + 10, plot.y(row["naive_high"]), colour=INK, width=1.4),
        ]
    if row["rate"] is not None:
        x = plot.x(place + 0.68)
        high = min(row["high"], plot.high[1])
        shapes += [
            line(x, plot.y(row["low"]), x, plot.y(high), colour=BLUE, width=2),
            dot(x, plot.y(row["rate"]), 5.5, fill=BLUE),
        ]
    if row["truth"] is not None:
        shapes.append(
            line(
                plot.x(place + 0.08),
                plot.y(row["truth"]),
                plot.x(place + 0.92),
                plot.y(row["truth"]),
                colour=INK,
                width=3,
            )
        )
    return shapes


def visits(report: Mapping[str, Any]) -> str:
    """How the visits of each policy fall on entities: on those visited once, twice, or over and over."""
    policies = report["policies"]
    plot = Plot(196, 118, 400, 66 * len(policies), (0, 0), (1, len(policies)))
    fifths = [0, 0.2, 0.4, 0.6, 0.8, 1]
    shapes = plot.across(fifths, percent, "占检查户次", "share of the visits")
    for place, (name, one) in enumerate(policies.items()):
        y = plot.top + 66 * place
        shapes += [
            text(184, y + 30, one["title"]["zh"], anchor="end", weight=700 if name == "class+model" else 400),
            text(184, y + 46, one["title"]["en"], size=11, colour=SOFT, anchor="end"),
        ]
        at, total = 0.0, max(one["visits"], 1)
        for shade, share in zip(SHADES, _shares(one["visited"], total), strict=True):
            shapes.append(box(plot.x(at), y + 14, plot.width * share, 36, fill=shade))
            at += share
        shapes += [
            text(690, y + 37, f"{one['never_share']:.1%}", anchor="end"),
            text(756, y + 37, f"{one['entities_found']:,}", anchor="end"),
            text(836, y + 37, str(one["most"]), anchor="end"),
        ]
    for x, zh, en in (
        (690, "从未检查", "never visited"),
        (756, "发现户数", "found at"),
        (836, "单户最多", "most of one"),
    ):
        shapes += [text(x, 92, zh, size=12, anchor="end"), text(x, 107, en, size=11, colour=SOFT, anchor="end")]
    words = ("1 次 once", "2", "3", "4", "5 次及以上 or more")
    along = 196
    for shade, word in zip(SHADES, words, strict=True):
        shapes += [box(along, 82, 14, 14, fill=shade, radius=2), text(along + 19, 94, word, size=12)]
        along += 92 if word == words[0] else 46
    shapes += plot.frame()
    return picture(
        _WIDTH, 118 + 66 * len(policies) + 78, "检查落在谁身上", f"On whom the visits fall: {_about(report)}", shapes
    )


def _shares(visited: list[int], total: int) -> list[float]:
    """Shares of the visits by how often their entity was visited: once … and the rest, from entities by number of visits."""
    own = [number * count / total for number, count in enumerate(visited[:-1])][1:]
    return [*own, max(0.0, 1.0 - sum(own))]


def _month_after(months: list[str], number: int) -> str:
    """The month that had ended after so many, as 2026-03; nothing before the first."""
    return months[number - 1] if number else ""


def _about(report: Mapping[str, Any]) -> str:
    asked = report["asked"]
    return (
        f"{asked['entities']:,} entities, {len(report['months'])} months, {report['visits_a_month']} visits a month, "
        f"{asked['parameters']}"
    )
