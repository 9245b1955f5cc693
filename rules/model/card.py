"""The model card: what a model is, what it was made from, how well it does and where not; as Markdown and as one HTML file.

Both are made from the same blocks (:mod:`rules.model.layout`), so neither says what the other does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from rules.model.bundle import Bundle, Scorecard
from rules.model.layout import Block, Heading, Picture, Rows, Said, html, markdown
from rules.model.orders import ORDERS
from rules.model.pictures import pictures
from rules.model.recipe import Recipe
from rules.parts import Title

_EPOCH = date(1970, 1, 1)
_DIRECTIONS = {
    "up": "越高风险越大 higher is riskier",
    "down": "越低风险越大 lower is riskier",
    "none": "由数据决定 left to the data",
}
_ALT = {
    "capture": "捕获曲线 capture curve", "calibration": "校准 calibration", "classes": "分类 classes A to D",
    "contributions": "贡献 contributions",
}  # fmt: skip
# What the middle of the visits is: between these shares of the training rows.
_USUAL = (0.1, 0.9)
_SEVERITIES = {
    1: ("轻微以上", "problem, minor or worse"),
    2: ("一般以上", "problem, not minor"),
    3: ("严重", "serious problem"),
}


def files(
    report: Mapping[str, Any],
    bundle: Bundle,
    *,
    stem: str,
    titles: Mapping[str, Title] | None = None,
    recipe: Recipe | None = None,
    leaks: Sequence[Mapping[str, Any]] | None = None,
    notes: Sequence[Title] = (),
) -> dict[str, str]:
    """The card as files: path from the folder in which it is to stand, and text.

    Parameters
    ----------
    report : of :func:`rules.model.report.evaluate`, of the same model
    stem : begins every file name: ``stem.md``, ``stem.html``, ``pictures/stem-capture.svg`` and the other pictures
    titles : of the features, by id
    recipe : says why each feature has its direction
    leaks : ``as_dict()`` of what the leak checks of the training named; None where none was run, which the card then says
    notes : further remarks, such as the licence of the data
    """
    drawn = drawings(report, bundle, titles)
    found = blocks(report, bundle, titles=titles, recipe=recipe, leaks=leaks, notes=notes)
    paths = {name: f"pictures/{stem}-{name}.svg" for name in drawn}
    return {
        f"{stem}.md": markdown(found, paths),
        f"{stem}.html": html(found, drawn),
        **{paths[name]: svg for name, svg in drawn.items()},
    }


def drawings(report: Mapping[str, Any], bundle: Bundle, titles: Mapping[str, Title] | None = None) -> dict[str, str]:
    """The pictures of the card as SVG, by name."""
    return pictures(report, ranges_of(bundle, titles), bundle.points_per_doubling)


def ranges_of(bundle: Bundle, titles: Mapping[str, Title] | None = None) -> list[dict[str, Any]]:
    """What each feature of a scorecard may give, in points against its mean over the training rows; nothing of boosted trees.

    ``low``, ``high``: of all bins that occur; ``usual_low``, ``usual_high``: of the middle 80 % of the training rows; ``unknown``: without a
    value, null where that never occurred in training and gives nothing.
    """
    if not isinstance(bundle, Scorecard):
        return []
    found = []
    for one in bundle.features:
        shares = list(bundle.reference[one.id])
        points = (*one.points, one.unknown)
        mean = sum(share * point for share, point in zip(shares, points, strict=True)) / (sum(shares) or 1)
        seen = [(point - mean, share) for point, share in zip(points, shares, strict=True)]
        possible = [point - mean for point in (points if shares[-1] else one.points)]
        found.append(
            {
                "feature": one.id, "title": titles[one.id].as_dict() if titles and one.id in titles else None,
                "low": min(possible), "high": max(possible), "usual_low": _quantile(seen, _USUAL[0]),
                "usual_high": _quantile(seen, _USUAL[1]), "unknown": one.unknown - mean if shares[-1] else None,
            }
        )  # fmt: skip
    return found


def _quantile(seen: Sequence[tuple[float, float]], share: float) -> float:
    ordered, whole, passed = sorted(seen), sum(weight for _, weight in seen), 0.0
    for value, weight in ordered:
        passed += weight
        if passed >= share * whole and weight:
            return value
    return ordered[-1][0]


def blocks(
    report: Mapping[str, Any],
    bundle: Bundle,
    *,
    titles: Mapping[str, Title] | None = None,
    recipe: Recipe | None = None,
    leaks: Sequence[Mapping[str, Any]] | None = None,
    notes: Sequence[Title] = (),
) -> list[Block]:
    """What the card says, part by part. Arguments as :func:`files`."""
    said = report["calibration"]
    found: list[Block] = [
        Heading(f"模型卡：{bundle.name}", f"Model card: {bundle.name}"),
        Said(report["verdict"]["zh"], report["verdict"]["en"]),
        Rows(("项目 item", "内容 content"), _facts(report, bundle), words=2),
        Heading("用途与限度", "Use and limits"),
        Said(
            "规则决定等级；模型只估计下一次例行检查发现问题的概率，用于同类主体的先后、预警和上调建议，从不下调等级。"
            "只有被检查过的主体才有结果，未具备判断依据的主体不作判断。",
            "Rules decide the class. The model only estimates the chance that the next routine check finds a failure: it orders "
            "entities inside a class, warns, and suggests a class one step worse; it never lowers one. Only inspected entities "
            "have outcomes, and what the model has no ground to judge it does not judge.",
        ),
        Heading("区分能力", "Discrimination"),
        Said(
            "每期内保持每日检查量不变，只改变先后。前 K% 为各期先做 K% 检查所发现问题的比例；提前天为平均提前发现的天数；"
            "增益 0 为随机、1 为全知。",
            "Inside each period the number of visits of every day stays; only the order changes. K %: share of the failures that the "
            "first K % of each period's visits find; days: how much earlier a failure is found on average; gain: 0 is random, 1 all-knowing.",
        ),
        _orders(report),
        _picture("capture"),
        Rows(("配对之差 paired difference of AUC", "差 difference", "95 %"), _gains(report)),
        Heading("分期", "By period"),
        _periods(report),
        Heading("分类", "Classes"),
        Said(
            f"以得分的 50%、80%、95% 分位为界。模型的问题发现率{'逐类上升' if report['rising']['model'] else '并非逐类上升'}。",
            f"Cuts at 50, 80 and 95 % of the scores. The failure rates of the model {'rise' if report['rising']['model'] else 'do not rise'} from A to D.",
        ),
        _grades(report),
        _picture("classes"),
    ]  # fmt: skip
    if said:
        found += [
            Heading("校准", "Calibration"),
            Said(
                f"校准误差 {said['error']:.4f}，其中偶然部分 {said['null']:.4f}，超出 {said['excess']:+.4f}（p {said['p']:.3f}）。",
                f"Calibration error {said['error']:.4f}, of which chance alone makes {said['null']:.4f}; {said['excess']:+.4f} is above "
                f"it (p {said['p']:.3f}).",
            ),
            _picture("calibration"),
        ]
    found += [Heading("特征", "Features"), _features(bundle, titles, recipe)]
    if isinstance(bundle, Scorecard):
        found.append(_picture("contributions"))
    found += [Heading("泄漏检查", "Leak checks"), *_leaks(leaks)]
    if notes:
        found += [Heading("说明", "Remarks"), *(Said(one.zh, one.en) for one in notes)]
    return found


def _picture(name: str) -> Picture:
    return Picture(name, _ALT[name])


def _facts(report: Mapping[str, Any], bundle: Bundle) -> tuple[tuple[str, str], ...]:
    window, rate, known = bundle.window, report["base_rate"], report["judged"]
    return (
        ("评估对象 target", report["target"] or "–"),
        ("散列 hash (SHA-256)", bundle.hash),
        ("形式 form", "加分卡 additive scorecard" if isinstance(bundle, Scorecard) else "提升树 boosted trees"),
        ("方案 scheme", f"{bundle.scheme} ({bundle.scheme_hash[:12]})"),
        ("训练 training", f"{_span(window.train_from, window.train_until)}; {bundle.rows:,} 次检查 visits, {bundle.positives:,} 次发现问题 failures"
                        "（含校准期 calibration included）"),
        ("校准 calibration", _span(window.calibrate_from, window.calibrate_until)),
        ("检验 test", f"{report['first']} – {report['last']}; {rate['n']:,} 次检查 visits, {report['entities']:,} 户 entities, "
                     f"{rate['failures']:,} 次发现问题 failures ({rate['rate']:.1%})"),
        ("不作判断 without judgement", f"{known['unknown']:,}"),
        ("结果 outcome", _failure(bundle.outcome)),
        ("单元 unit", _plain(bundle.rule)),
        ("随机种子 seeds", f"训练 training {bundle.seed}, 评估 evaluation {report['seed']} ({report['resamples']:,} 次重抽样 resamples)"),
        ("版本 versions", ", ".join(f"{name} {version}" for name, version in bundle.versions.items())),
    )  # fmt: skip


def _failure(outcome: Mapping[str, Any]) -> str:
    """What counts as a failure, in words."""
    count, (zh, en) = outcome["count"], _SEVERITIES[outcome["severity"]]
    return f"{zh}问题至少 {count} 项 at least {count} {en}"


def _plain(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in given.items())


def _span(first: int, until: int) -> str:
    return f"{_iso(first)} – {_iso(until - 1)}"


def _iso(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def _orders(report: Mapping[str, Any]) -> Rows:
    rows = []
    for one in report["orders"].values():
        interval = "" if one["auc_low"] is None else f"{one['auc_low']:.3f}–{one['auc_high']:.3f}"
        shares = (_number(one[name], ".1%") for name in ("cap10", "cap20", "cap50"))
        rows.append(
            (
                f"{one['title']['zh']} {one['title']['en']}", _number(one["auc"], ".4f"), interval, _number(one["ap"], ".3f"),
                *shares, _number(one["days"], "+.1f"), _number(one["gain"], ".3f"),
            )
        )  # fmt: skip
    return Rows(
        ("顺序 order", "AUC", "95 %", "AP", "前 10 %", "前 20 %", "前 50 %", "提前天 days", "增益 gain"), tuple(rows)
    )


def _gains(report: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    found = []
    for name, one in report["gains"].items():
        first, second = (ORDERS[part] for part in name.split("_over_"))
        label = f"{first.zh}－{second.zh} {first.en} − {second.en}"
        found.append((label, f"{one['auc']:+.4f}", f"({one['low']:+.4f}, {one['high']:+.4f})"))
    return tuple(found)


def _periods(report: Mapping[str, Any]) -> Rows:
    rows = []
    for one in report["periods"]:
        model, gain, said = one["orders"]["model"], one["gain"], one["calibration"]
        rows.append(
            (
                one["from"], f"{one['n']:,}", f"{one['rate']:.1%}", _number(model["auc"], ".4f"),
                _number(one["orders"]["rules"]["auc"], ".4f"), f"({gain['low']:+.4f}, {gain['high']:+.4f})" if gain else "–",
                _number(model["cap20"], ".1%"), _number(model["days"], "+.1f"), f"{said['excess']:+.4f}" if said else "–",
            )
        )  # fmt: skip
    return Rows(
        ("起 from", "检查 visits", "发现率 rate", "模型 AUC model", "规则 AUC rules", "差 95 % difference", "前 20 %", "提前天 days", "校准 calibration"),
        tuple(rows),
    )  # fmt: skip


def _grades(report: Mapping[str, Any]) -> Rows:
    rows = []
    for name, found in report["grades"].items():
        cells = (f"{_number(one['rate'], '.1%')} ({one['failures']:,}/{one['n']:,})" for one in found)
        rows.append((f"{ORDERS[name].zh} {ORDERS[name].en}", *cells))
    return Rows(("问题发现率 failure rate", "A", "B", "C", "D"), tuple(rows))


def _features(bundle: Bundle, titles: Mapping[str, Title] | None, recipe: Recipe | None) -> Rows:
    why = {one.id: one.why for one in recipe.features} if recipe else {}
    wide = {one["feature"]: one for one in ranges_of(bundle, titles)}
    rows = []
    for feature in bundle.features:
        title = titles.get(feature.id) if titles else None
        name = f"{title.zh} {title.en} ({feature.id})" if title else feature.id
        span = wide.get(feature.id)
        points = f"({round(span['low']):+d}, {round(span['high']):+d})" if span else "–"
        rows.append((name, _DIRECTIONS[feature.direction], why.get(feature.id, "–"), points))
    return Rows(("特征 feature", "方向 direction", "理由 why", "分值 points"), tuple(rows), words=3)


def _leaks(leaks: Sequence[Mapping[str, Any]] | None) -> list[Block]:
    if leaks is None:
        return [Said("本次未做泄漏检查。", "No leak check was run with this card.")]
    if not leaks:
        return [Said("训练时的泄漏检查未发现问题。", "The leak checks of the training found nothing.")]
    return [
        Rows(
            ("特征 feature", "检验 test", "发现 what was found"),
            tuple((one["feature"], one["test"], f"{one['zh']}。 {one['en']}.") for one in leaks),
            words=3,
        )
    ]


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
