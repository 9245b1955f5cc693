"""The four pictures of a model card, each an SVG file that needs nothing beside it.

Colours are those of Okabe & Ito (2008), told apart also by the colour-blind; every line has its dash or place besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rules.model.orders import ORDERS
from rules.model.svg import INK, PAPER, SOFT, Plot, box, dot, line, path, percent, picture, text, ticks

BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, GREY = (
    "#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#8a9099",
)  # fmt: skip
# Colour, width and dash of each order.
LINES: Mapping[str, tuple[str, float, str]] = {
    "model": (BLUE, 3.2, ""),
    "boosted": (VERMILION, 2, "7 4"),
    "rules": (GREEN, 2.4, ""),
    "statutory": (PURPLE, 2, "2 3"),
    "overdue": (SKY, 2, "10 4"),
    "business_as_usual": (ORANGE, 2, ""),
    "random": (GREY, 1.6, "4 4"),
    "oracle": (INK, 1.6, "1 4"),
}
MOST_FEATURES = 32
_PALE = "#cfe1ee"


def pictures(
    report: Mapping[str, Any], ranges: Sequence[Mapping[str, Any]] = (), doubling: int = 100
) -> dict[str, str]:
    """Every picture for which there is material, by name: ``calibration``, ``capture``, ``classes``, ``contributions``.

    Parameters
    ----------
    report : of :func:`rules.model.report.evaluate`
    ranges : what each feature may give, as :func:`rules.model.card.ranges_of` says it
    doubling : points that double the odds
    """
    found = {"capture": capture(report), "classes": classes(report)}
    if report["calibration"]:
        found["calibration"] = reliability(report["calibration"])
    if ranges:
        found["contributions"] = contributions(ranges, doubling)
    return found


def capture(report: Mapping[str, Any]) -> str:
    """How many of the failures are found by which share of the visits, for each order."""
    plot = Plot(96, 78, 450, 400, (0, 0), (1, 1))
    fifths = [0, 0.2, 0.4, 0.6, 0.8, 1]
    shapes = plot.across(fifths, percent, "每期已完成的检查", "visits made, within each period")
    shapes += plot.up(fifths, percent, "已发现的问题", "failures found")
    curves = report["curves"]["orders"]
    # The model is drawn last, so that nothing covers it.
    for name in sorted(curves, key=lambda one: (one == "model", one in ("boosted", "rules"))):
        colour, width, dash = LINES[name]
        places = zip(report["curves"]["at"], curves[name], strict=True)
        shapes.append(
            path(((plot.x(at), plot.y(found)) for at, found in places), colour=colour, width=width, dash=dash)
        )
    shapes += [*plot.frame(), line(plot.x(0.2), plot.top, plot.x(0.2), plot.top + plot.height, colour=SOFT, dash="2 3")]
    at_fifth = report["curves"]["at"].index(0.2)
    shapes += [
        text(578, 92, "前 20% 的检查发现", size=12, colour=SOFT),
        text(578, 108, "found in the first 20 % of visits", size=12, colour=SOFT),
    ]
    for place, name in enumerate(sorted(curves, key=lambda one: -curves[one][at_fifth])):
        y, (colour, width, dash) = 138 + place * 42, LINES[name]
        strong = 700 if name == "model" else 400
        shapes += [
            line(578, y - 4, 610, y - 4, colour=colour, width=width, dash=dash),
            text(620, y, ORDERS[name].zh, weight=strong),
            text(620, y + 16, ORDERS[name].en, size=12, colour=SOFT),
            text(836, y, f"{curves[name][at_fifth]:.1%}", anchor="end", weight=strong),
        ]
    return picture(
        860,
        560,
        "捕获曲线：同样的检查，先发现多少问题",
        _about(report, "Capture curve: the same visits in another order"),
        shapes,
    )


def reliability(said: Mapping[str, Any]) -> str:
    """Chances beside the failure rates that followed, with intervals."""
    bins = said["bins"]
    top = ticks(0, max(max(one["high"], one["chance"]) for one in bins))
    plot = Plot(96, 78, 450, 400, (0, 0), (top[-1], top[-1]))
    shapes = plot.across(top, percent, "模型给出的概率（每组平均）", "chance that the model gave (mean of the bin)")
    shapes += plot.up(top, percent, "实际问题发现率", "failure rate that followed")
    shapes.append(line(plot.x(0), plot.y(0), plot.x(top[-1]), plot.y(top[-1]), colour=GREY, width=1.6, dash="4 4"))
    shapes.append(path(((plot.x(one["chance"]), plot.y(one["rate"])) for one in bins), colour=BLUE, width=1.4))
    for one in bins:
        x = plot.x(one["chance"])
        shapes.append(line(x, plot.y(one["low"]), x, plot.y(one["high"]), colour=BLUE, width=2))
        shapes += [
            line(x - 5, plot.y(one[end]), x + 5, plot.y(one[end]), colour=BLUE, width=2) for end in ("low", "high")
        ]
    shapes += [dot(plot.x(one["chance"]), plot.y(one["rate"]), 5.5, fill=BLUE) for one in bins]
    shapes += plot.frame()
    shapes += [
        line(578, 96, 610, 96, colour=GREY, width=1.6, dash="4 4"),
        text(620, 100, "完全校准"), text(620, 116, "chances exactly right", size=12, colour=SOFT),
        line(578, 138, 610, 138, colour=BLUE, width=2), dot(594, 138, 5.5, fill=BLUE),
        text(620, 142, "每组（行数相等）与 95% 区间"), text(620, 158, "bins of equal mass, 95 % interval", size=12, colour=SOFT),
    ]  # fmt: skip
    rows = (
        ("校准误差", "calibration error", f"{said['error']:.4f}"),
        ("其中偶然部分", "of which chance alone", f"{said['null']:.4f}"),
        ("超出部分", "above it", f"{said['excess']:+.4f}"),
        ("偶然达到的比例 p", "as large by chance", f"{said['p']:.3f}"),
        ("平均概率", "mean chance", f"{said['mean_chance']:.1%}"),
        ("实际发现率", "failure rate", f"{said['rate']:.1%}"),
    )
    for place, (zh, en, value) in enumerate(rows):
        y = 208 + place * 42
        shapes += [
            text(578, y, zh),
            text(578, y + 16, en, size=12, colour=SOFT),
            text(836, y, value, anchor="end", weight=700),
        ]
    return picture(860, 560, "校准：概率是否名副其实", "Calibration: do chances mean what they say?", shapes)


def classes(report: Mapping[str, Any]) -> str:
    """How visits fall into classes A to D, and how many of each failed: the model beside the fitted rules."""
    drawn = [name for name in ("model", "boosted", "rules") if name in report["grades"]]
    every = [one for name in drawn for one in report["grades"][name]]
    size = report["base_rate"]["n"]
    left = Plot(96, 104, 300, 374, (0, 0), (4, ticks(0, max(one["n"] / size for one in every))[-1]))
    seen = [one["high"] for one in every if one["n"]]
    right = Plot(500, 104, 336, 374, (0, 0), (4, min(1.0, ticks(0, max(seen))[-1])))
    shapes = _class_axis(left, "占全部检查的比例", "share of the visits")
    shapes += _class_axis(right, "问题发现率，95% 区间", "failure rate, 95 % interval")
    width = 0.76 / len(drawn)
    for place, name in enumerate(drawn):
        colour = LINES[name][0]
        for number, one in enumerate(report["grades"][name]):
            at = number + 0.12 + place * width
            for plot, value in ((left, one["n"] / size), (right, one["rate"] or 0.0)):
                x, y = plot.x(at), plot.y(value)
                shapes.append(box(x, y, plot.x(at + width) - x - 2, plot.y(0) - y, fill=colour))
            if one["n"]:
                x = right.x(at + width / 2) - 1
                shapes.append(line(x, right.y(one["low"]), x, right.y(one["high"]), colour=INK, width=1.6))
                shapes += [
                    line(x - 4, right.y(one[end]), x + 4, right.y(one[end]), colour=INK, width=1.6)
                    for end in ("low", "high")
                ]
                if name == "model":
                    shapes.append(
                        text(x, right.y(one["high"]) - 6, f"{one['rate']:.1%}", size=12, anchor="middle", weight=700)
                    )
    base = report["base_rate"]["rate"]
    shapes += [
        line(right.left, right.y(base), right.left + right.width, right.y(base), colour=SOFT, width=1.4, dash="5 4"),
        text(right.left + 6, right.y(base) - 6, f"全部 all {base:.1%}", size=12, colour=SOFT),
        *left.frame(), *right.frame(),
    ]  # fmt: skip
    x = 96.0
    for name in drawn:
        words = f"{ORDERS[name].zh} {ORDERS[name].en}"
        shapes += [box(x, 74, 14, 14, fill=LINES[name][0], radius=2), text(x + 20, 86, words)]
        x += 250
    return picture(
        860,
        560,
        "分类：A 至 D 类的分布与问题发现率",
        "Classes A to D (cuts at 50, 80, 95 % of the visits): how many, and how many failed",
        shapes,
    )


def _class_axis(plot: Plot, zh: str, en: str) -> list[str]:
    shapes = plot.up(ticks(0, plot.high[1]), percent, zh, en)
    bottom = plot.top + plot.height
    shapes += [
        text(plot.x(place + 0.5), bottom + 22, name, size=15, anchor="middle", weight=700)
        for place, name in enumerate("ABCD")
    ]
    middle = plot.left + plot.width / 2
    return [*shapes, text(middle, bottom + 44, "风险类别（D 最高）", anchor="middle"), text(middle, bottom + 61, "risk class (D is the highest)", size=12, colour=SOFT, anchor="middle")]  # fmt: skip


def contributions(ranges: Sequence[Mapping[str, Any]], doubling: int = 100) -> str:
    """How many points each feature may add or take, against the mean of the training rows; the widest first."""
    shown = sorted(ranges, key=lambda one: (one["low"] - one["high"], one["feature"]))[:MOST_FEATURES]
    steps = ticks(min(one["low"] for one in shown), max(one["high"] for one in shown), 6)
    plot = Plot(330, 92, 500, 34 * len(shown), (steps[0], 0), (steps[-1], len(shown)))
    shapes = plot.across(steps, lambda value: f"{value:+g}" if value else "0", f"分值，相对训练平均；{doubling} 分使发生比翻倍", f"points against the mean of training; {doubling} double the odds")  # fmt: skip
    shapes.append(line(plot.x(0), plot.top, plot.x(0), plot.top + plot.height, colour=SOFT, width=1.4))
    for place, one in enumerate(shown):
        y = plot.top + 34 * place + 17
        title = one.get("title") or {"zh": one["feature"], "en": ""}
        shapes += [
            text(316, y + (-1 if title["en"] else 4), _short(title["zh"], 46), size=12.5, anchor="end"),
            text(316, y + 13, _short(title["en"], 58), size=10.5, colour=SOFT, anchor="end"),
            box(plot.x(one["low"]), y - 7, plot.x(one["high"]) - plot.x(one["low"]), 14, fill=_PALE, radius=3),
            box(
                plot.x(one["usual_low"]),
                y - 3.5,
                plot.x(one["usual_high"]) - plot.x(one["usual_low"]),
                7,
                fill=BLUE,
                radius=2,
            ),
        ]
        if one["unknown"] is not None:
            shapes.append(
                path([(plot.x(one["unknown"]), y - 9), (plot.x(one["unknown"]), y + 9)], colour=ORANGE, width=3)
            )
    legend = (
        (box(330, 68, 24, 12, fill=_PALE, radius=3), "可能的范围 range", 360),
        (box(470, 70.5, 26, 7, fill=BLUE, radius=2), "80% 的检查 80 % of visits", 504),
        (path([(688, 66), (688, 82)], colour=ORANGE, width=3), "未知时 when unknown", 698),
    )
    for shape, words, x in legend:
        shapes += [shape, text(x, 79, words, size=12)]
    said = "Contributions: how many points each feature may add or take"
    if len(shown) < len(ranges):
        said += f" (the widest {len(shown)} of {len(ranges)})"
    height = 92 + 34 * len(shown) + 76
    return picture(
        860,
        height,
        "贡献：每个特征最多加减多少分",
        said,
        [*shapes, box(0, height - 2, 860, 2, fill=PAPER)],
    )


def _about(report: Mapping[str, Any], words: str) -> str:
    return f"{words} · {report['first']} – {report['last']}"


def _short(words: str, most: int) -> str:
    """Words that fit beside the plot; a Chinese character is twice as wide."""
    taken, found = 0, ""
    for one in words:
        taken += 2 if ord(one) > 0x2E80 else 1
        if taken > most:
            return f"{found}…"
        found += one
    return found
