"""An evaluation as text for a terminal, Chinese and English beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

_HEADINGS = ("", "AUC", "95 %", "AP", "10 %", "20 %", "50 %", "提前天 days", "增益 gain")
_WHAT = {
    "model_over_rules": "模型－规则 model - rules",
    "boosted_over_rules": "提升树－规则 boosted - rules",
    "boosted_over_model": "提升树－模型 boosted - model",
    "model_over_statutory": "模型－法定 model - statutory",
    "model_over_overdue": "模型－久未检查 model - overdue",
    "model_over_business_as_usual": "模型－实际 model - as usual",
}


def table(report: Mapping[str, Any]) -> str:
    """The report as lines of text: orders, paired differences, rates by class, calibration, periods, verdict."""
    rate = report["base_rate"]
    known = report["judged"]
    lines = [
        f"{report['target'] or '评估 evaluation'}: {report['first']} – {report['last']}",
        f"检查 visits {rate['n']:,} · 发现问题 failures {rate['failures']:,} ({_interval(rate, 'rate')})"
        + (f" · 无判断依据 unknown {known['unknown']:,}" if known["unknown"] else ""),
        "",
        *_grid([_HEADINGS, *(_order(one) for one in report["orders"].values())]),
        "",
        "AUC 之差（配对） paired differences of AUC",
        *_grid([(_WHAT[name], f"{one['auc']:+.4f}", f"({one['low']:+.4f}, {one['high']:+.4f})") for name, one in report["gains"].items()]),
        "",
        "各类问题发现率 failure rate by class (50/80/95 %)",
        *_grid([_classes(report, name) for name in report["grades"]]),
    ]  # fmt: skip
    said = report["calibration"]
    if said:
        lines += [
            "",
            f"校准误差 calibration error {said['error']:.4f} − 偶然 null {said['null']:.4f} = {said['excess']:+.4f} (p {said['p']:.3f})",
        ]
    if len(report["periods"]) > 1:
        lines += ["", "分期 by period", *_grid([("", "n", "", "AUC", "95 %", "AUC 差 gain", "95 %"), *map(_period, report["periods"])])]  # fmt: skip
    return "\n".join([*lines, "", report["verdict"]["zh"], report["verdict"]["en"]])


def wide(text: str) -> int:
    """How many columns of a terminal a text takes: a Chinese character takes two."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _order(one: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = one["auc_low"], one["auc_high"]
    return (
        f"{one['title']['zh']} {one['title']['en']}", _number(one["auc"], ".4f"), "" if low is None else f"{low:.3f}–{high:.3f}",
        _number(one["ap"], ".3f"), *(_number(one[name], ".3f") for name in ("cap10", "cap20", "cap50")),
        _number(one["days"], "+.1f"), _number(one["gain"], ".3f"),
    )  # fmt: skip


def _classes(report: Mapping[str, Any], name: str) -> tuple[str, ...]:
    title = report["orders"][name]["title"]
    rates = (f"{one['class']} {_number(one['rate'], '.1%')}" for one in report["grades"][name])
    return (f"{title['zh']} {title['en']}", *rates, "A<B<C<D" if report["rising"][name] else "未递增 not rising")


def _period(one: Mapping[str, Any]) -> tuple[str, ...]:
    own, gain = one["auc"], one["gain"]
    return (
        one["from"], f"{one['n']:,}", f"{one['rate']:.1%}", _number(one["orders"]["model"]["auc"], ".4f"),
        f"{own['low']:.3f}–{own['high']:.3f}" if own else "", f"{gain['auc']:+.4f}" if gain else "",
        f"({gain['low']:+.4f}, {gain['high']:+.4f})" if gain else "",
    )  # fmt: skip


def _interval(one: Mapping[str, Any], name: str) -> str:
    return f"{one[name]:.1%}, {one['low']:.1%}–{one['high']:.1%}"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _grid(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned columns: the first to the left, numbers to the right."""
    widths = [max(wide(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            one + " " * (widths[place] - wide(one)) if not place else " " * (widths[place] - wide(one)) + one
            for place, one in enumerate(row)
        ).rstrip()
        for row in rows
    ]
