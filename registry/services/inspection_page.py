"""The figures of inspections as one page that prints: A4 and telephone, pictures inside, nothing loaded from anywhere, all of it escaped."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from registry.services import inspection_pictures
from registry.services.inspection_figures import EVERY, LOT
from registry.services.list_views import SLICES

STYLE = """
@page { size: A4; margin: 12mm 12mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 58rem; padding: 1rem; color: #1b1f24; background: #fff; overflow-wrap: anywhere;
  font: 10.5pt/1.45 "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; }
[lang="en"] { color: #555c66; font-size: .84em; font-weight: normal; }
h1 { font-size: 17pt; margin: 0 0 .2em; }
h2 { font-size: 12.5pt; margin: 1.3em 0 .4em; break-after: avoid; }
p { margin: .3em 0; }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; align-items: start; }
.pictures svg { width: 100%; height: auto; border: 1px solid #dfe3e8; }
figure { margin: 0; break-inside: avoid; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { border: 1px solid #c9ced6; padding: .25em .45em; text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; min-width: 5.5em; }
thead th { background: #f3f5f8; font-size: .9em; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
td:not(:first-child), small { white-space: nowrap; }
thead [lang="en"] { display: block; }
small { color: #555c66; }
.foot { color: #555c66; font-size: .88em; }
.good { color: #00694e; font-weight: bold; }
.bad { color: #a63c00; font-weight: bold; }
@media print { body { padding: 0; max-width: none; font-size: 8.5pt; } .wide { overflow: visible; }
  th, td { padding: .2em .3em; } thead th, svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
@media screen and (max-width: 40rem) { .pictures { grid-template-columns: 1fr; } body { padding: .7rem; } }
"""
# So that a page served under a strict policy may use its own style and nothing else.
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NONE = "–"
GROUPS = {**SLICES, LOT: "随机合计", EVERY: "合计"}
IN_ENGLISH = {"total": "all", LOT: "by lot", EVERY: "all"}


def as_html(body: Mapping[str, Any], *, who: str, at: str) -> str:
    """Figures (`inspection_figures.figures`) as one HTML page; its foot says who made it (`who`) and when (`at`)."""
    where = f"，任务 {body['task']}" if body["task"] is not None else ""
    where += f"，行政区划 {body['division']}" if body["division"] else ""
    parts = [
        f"<h1>{_both('检查统计', 'Inspection figures')}</h1>\n"
        f"<p>{escape(body['from'])} 至 {escape(body['to'])} 生成的名单{escape(where)}：{body['tasks']} 个任务，{body['lists']} 份名单；截至 {escape(body['on'])}。"
        f' <span lang="en">Lists made in this period, with all their visits as they stand now.</span></p>\n'
        '<p><b>内部资料，不得对外提供。</b> <span lang="en">Internal: these figures tell of classes.</span></p>\n',
        _pictures(body), _progress(body), _deadlines(body), _rates(body), _slices(body), _effort(body), _beyond(body),
        f'<p class="foot">{escape(who)} · {escape(at)} · “{NONE}” 无依据 no ground · 区间均为 95%</p>\n',
    ]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>检查统计 {escape(body['from'])} {escape(body['to'])}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "".join(parts)
        + "</body>\n</html>\n"
    )


def share(one: Mapping[str, Any]) -> str:
    """A share in words: `35.0% 7/20`; its interval beside it where it has one."""
    if one["share"] is None:
        return NONE
    return f"{percent(one['share'])} {one['part']}/{one['of']}"


def percent(value: float | None) -> str:
    """A share in percent, to one digit."""
    return NONE if value is None else f"{100 * value:.1f}%"


def span(one: Mapping[str, Any], low: str = "low", high: str = "high") -> str:
    """An interval in percent."""
    return NONE if one[low] is None or one[high] is None else f"{percent(one[low])} – {percent(one[high])}"


def group_named(name: str) -> str:
    """The words of a slice, or of several together."""
    return f"{GROUPS[name]} {IN_ENGLISH.get(name, name)}"


def _both(zh: str, en: str) -> str:
    return f'{zh} <span lang="en">{en}</span>'


def _cell(one: Mapping[str, Any]) -> str:
    if one["share"] is None:
        return NONE
    return f"{percent(one['share'])}<br><small>{one['part']}/{one['of']}</small>"


def _table(zh: str, en: str, headings: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], note: str = "") -> str:
    """Cells are HTML already."""
    heads = "".join(f'<th scope="col">{_both(*one)}</th>' for one in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return (
        f'<h2>{_both(zh, en)}</h2>\n<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n'
        + (f'<p class="foot">{note}</p>\n' if note else "")
    )


def _pictures(body: Mapping[str, Any]) -> str:
    if not body["slices"]:
        return '<p>这一期间没有名单。 <span lang="en">No list was made in this period.</span></p>\n'
    schemes = dict.fromkeys(one["scheme"] for one in (*body["unbiased"]["pooled"], *body["classes"]))
    drawn = [*(inspection_pictures.by_class(body, one) for one in schemes), inspection_pictures.by_slice(body)]
    return '<div class="pictures">\n' + "".join(f"<figure>{one}</figure>\n" for one in drawn) + "</div>\n"


def _everybody(body: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [("合计", body["total"]), *((escape(one["organ"]), one) for one in body["organs"])]


def _progress(body: Mapping[str, Any]) -> str:
    rows = [
        [name, unit, _cell(said["completion"]), _cell(said["closure"]),
         *(f"{said[key]}" for key in ("to_check", "visited", "non_response", "dropped", "published", "closed"))]
        for name, one in _everybody(body)
        for unit, said in (("户次", one["visits"]), ("户数", one["entities"]))
    ]  # fmt: skip
    heads = (
        ("机关", "Organ"), ("单位", "Unit"), ("完成率", "Completion"), ("办结率", "Closure"), ("应查", "To check"), ("已查", "Visited"),
        ("未能检查", "Not made"), ("取消", "Dropped"), ("已公示", "Published"), ("已办结", "Closed"),
    )  # fmt: skip
    note = "完成率＝已公示÷应查；办结率＝已办结÷已公示。取消的仍计入应查。 Completion: published of to check; closure: closed of published; what was dropped stays to be checked."
    return _table("完成和办结", "Completion and closure", heads, rows, note)


def _deadlines(body: Mapping[str, Any]) -> str:
    rows = []
    for name, one in _everybody(body):
        out, again, rated = one["publication"], one["rechecks"], one["ratings"]
        rows.append(
            [name, _cell(out["punctual"]), str(out["late"]), str(out["open"]), _alarm(out["overdue"]), _cell(again["done"]), _alarm(again["overdue"]),
             _alarm(again["without_visit"]), _cell(one["leads"]), NONE if rated is None else f"{rated['mean']:.1f}<br><small>≥ {rated['at_least']}</small>"]
        )  # fmt: skip
    heads = (
        ("机关", "Organ"), ("按期公示", "In time"), ("逾期公示", "Late"), ("未到期", "Not due"), ("逾期未公示", "Overdue"), ("复查完成", "Re-checks done"),
        ("复查逾期", "overdue"), ("责令无复查", "orders without"), ("线索办结", "Leads settled"), ("企业评价", "Rating"),
    )  # fmt: skip
    note = "公示期限为检查后 20 个工作日。评价为 1 至 5 分，满 5 份才显示，份数按 5 取整。 Ratings from 1 to 5, told from five on, their number in fives."
    return _table("公示、复查、线索和评价", "Publication, re-checks, leads, ratings", heads, rows, note)


def _alarm(number: int) -> str:
    return f'<span class="bad">{number}</span>' if number else "0"


def _rates(body: Mapping[str, Any]) -> str:
    heads = (
        ("类别", "Class"), ("发现率", "Rate"), ("95% 区间", "Interval"), ("检查", "Visits"), ("见到", "Met"), ("问题", "Found"), ("未见者全无 – 全有", "Least – most"),
        ("代表户数", "Represents"), ("全部对象问题数", "Total"),
    )  # fmt: skip
    shown = ""
    for one in body["unbiased"]["pooled"]:
        rows = [
            [escape(row["class"]), percent(row["rate"]), span(row), str(row["drawn"]), str(row["answered"]), str(row["failures"]), span(row, "least", "most"),
             f"{row['represents']:g}", NONE if row["total_failures"] is None else f"{row['total_failures']:g}<br><small>{_between(row)}</small>"]
            for row in one["items"]
        ]  # fmt: skip
        note = f"{one['lots']} 份名单，{one['visits']} 户次；{one['pending']} 户次尚无审核结果，结果齐备前为初步估计。 {one['pending']} visits have no approved result yet: preliminary until they do."
        notes = [note] if one["pending"] else []
        notes += [
            f"{escape(row['class'])} 不予估计 withheld: {escape(row['withheld'])}"
            for row in one["items"]
            if row["withheld"]
        ]
        shown += _table("无偏发现率", f"Rates without bias, {escape(one['scheme'])}", heads, rows, "<br>".join(notes))
    return shown


def _between(row: Mapping[str, Any]) -> str:
    return f"{row['total_low']:g} – {row['total_high']:g}"


def _slices(body: Mapping[str, Any]) -> str:
    heads = (
        ("对象", "Slice or class"), ("检查", "Visits"), ("待办", "Pending"), ("发现率", "Problems found"), ("95% 区间", "Interval"), ("未能见到", "Not met"),
        ("已不经营", "Gone"),
    )  # fmt: skip
    named = [(escape(one["title"]), one) for one in body["slices"]]
    named += [(f"{escape(one['class'])} <small>{escape(one['scheme'])}</small>", one) for one in body["classes"]]
    rows = [
        [name, str(one["visits"]), str(one["pending"]), _cell(one["found"]), span(one["found"]), _cell(one["not_met"]), str(one["gone"])]
        for name, one in named
    ]  # fmt: skip
    return _table("直接比例", "Plain shares", heads, rows) if rows else ""


def _effort(body: Mapping[str, Any]) -> str:
    heads = (
        ("对象", "Slice"), ("检查", "Visits"), ("现场分钟", "Minutes"), ("发现", "Found"), ("每起分钟", "Minutes each"), ("与随机比", "Of by lot"),
        ("上年同期每起", "A year before"), ("与上年比", "Of that"),
    )  # fmt: skip
    rows = [
        [group_named(one["slice"]), str(one["visits"]), f"{one['minutes']:,}", str(one["found"]), number(one["per_found"]), ratio(one["of_lot"]),
         number(one["last_year"]["per_found"]), ratio(one["of_last_year"])]
        for one in body["effort"]
    ]  # fmt: skip
    return _table("每发现一起问题的投入", "Effort for each visit that found something", heads, rows) if rows else ""


def number(value: float | None) -> str:
    """Minutes, or that there is no ground for them."""
    return NONE if value is None else f"{value:,.0f}"


def ratio(value: float | None) -> str:
    """A ratio, to two digits."""
    return NONE if value is None else f"{value:.2f}"


def _beyond(body: Mapping[str, Any]) -> str:
    heads = (
        ("信用代码", "Code"),
        ("行政区划", "Division"),
        ("上限", "Cap"),
        ("检查次数", "Visits"),
        ("超限日期和机关", "Days and organs"),
    )
    if not body["beyond_cap"]:
        return f'<h2>{_both("超年度上限的对象", "Beyond the annual cap")}</h2>\n<p class="good">无 none</p>\n'
    rows = [
        [escape(one["code"]), escape(one["division"]), str(one["cap"]), str(one["visits"]),
         "<br>".join(escape(f"{day['day']} {'、'.join(day['organs'])}") for day in one["days"])]
        for one in body["beyond_cap"]
    ]  # fmt: skip
    return _table("超年度上限的对象", "Beyond the annual cap", heads, rows)
