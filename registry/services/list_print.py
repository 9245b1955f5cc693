"""An inspection list on paper 现场检查表: A4, an overview and then one sheet a visit, nothing loaded from anywhere, all of it escaped.

The field copy has items and questions as boxes to tick, in the order of the tour; the supervisor's is the overview with reasons.
Each page carries a watermark of organ, person and moment.
"""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from registry.kinds.registration import SUBJECTS
from registry.kinds.spot_check import OUTCOMES
from registry.models import InspectionList, Task
from registry.services import list_sheets, lists
from registry.services.list_sheets import Sheet
from registry.services.list_views import COPIES, SLICES
from registry.services.result_entry import ANSWERS
from registry.services.tasks import TYPES

STYLE = """
@page { size: A4; margin: 11mm 12mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 50rem; padding: 1rem; color: #111; background: #fff; line-height: 1.45; overflow-wrap: anywhere;
  font: 10.5pt/1.45 "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; }
.mark { position: fixed; inset: 0; width: 100%; height: 100%; pointer-events: none; z-index: 2; }
.mark text { font-size: 15px; fill: #0b4f8a; fill-opacity: .11; }
[lang="en"] { color: #59606a; font-size: .84em; font-weight: normal; }
h1 { font-size: 17pt; text-align: center; margin: 0 0 .3em; letter-spacing: .06em; }
h2 { font-size: 11.5pt; margin: 1em 0 .3em; }
p { margin: .25em 0; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #8a929c; padding: .25em .4em; text-align: left; vertical-align: top; }
thead th { background: #f1f3f6; font-size: .9em; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.facts th { width: 27%; background: #f1f3f6; font-weight: normal; }
.over { font-size: .9em; }
.no, .yes { width: 3.4em; text-align: center; white-space: nowrap; }
.over .code { width: 13.5em; white-space: nowrap; font-variant-numeric: tabular-nums; }
.over .day { width: 6.4em; }
.place td { background: #f8f9fb; font-weight: bold; }
.ask .box { width: 5.4em; text-align: center; }
.ask .said { width: 24%; }
.over .who { width: 27%; }
.over .why { width: 32%; }
.boxes { columns: 2; column-gap: 1.5em; list-style: none; margin: .3em 0; padding: 0; }
.boxes li { break-inside: avoid; }
.line { display: inline-block; min-width: 9em; border-bottom: 1px solid #444; }
.sign { margin-top: 1em; break-inside: avoid; }
.sign p { display: flex; flex-wrap: wrap; gap: .6em 2em; margin: .9em 0; }
.foot { color: #59606a; font-size: .85em; }
.sheet { break-before: page; border-top: 2px solid #111; padding-top: 1rem; margin-top: 2rem; }
@media print { body { padding: 0; max-width: none; } .sheet { border-top: 0; margin-top: 0; padding-top: 0; }
  thead th, .facts th, .place td { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
@media print { body { font-size: 9.5pt; line-height: 1.35; } .sheet th, .sheet td { padding: .15em .35em; } .boxes { font-size: .92em; } }
@media screen and (max-width: 40rem) {
  .over thead { display: none; }
  .over, .over tbody, .over tr, .over td { display: block; width: auto; text-align: left; white-space: normal; border: 0; padding: .1em 0; }
  .over tr { border: 1px solid #8a929c; padding: .4em .6em; margin: .5em 0; }
  .over td[data-label]:not(:empty)::before { content: attr(data-label) " "; color: #59606a; font-size: .84em; }
  .over .no, .over .yes, .over .code, .over .who, .over .day, .over .why { width: auto; text-align: left; white-space: normal; }
  .boxes { columns: 1; } .ask .said { display: none; } .ask .box { width: 3.4em; font-size: .9em; } .ask .box [lang="en"] { display: none; }
}
"""
# So that a page served under a strict policy may use its own style and nothing else.
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
BOX = "☐"
IN_ENGLISH = {"ok": "meets", "problem": "problem", "na": "n/a"}
LINE = '<span class="line"></span>'


def as_html(found: InspectionList, *, copy: str, who: str, at: str, divisions: Sequence[str] = ("",)) -> str:
    """A copy (`supervisor` or `field`) of a list as one HTML page; `who` and `at` stand in the watermark of each sheet.

    What lies outside `divisions` is left out, as on the pages of the list.
    """
    task = found.task
    if copy == "field":
        ready = list_sheets.sheets(found, divisions=divisions)
        body = _overview(found, ready) + "".join(_sheet(found, one) for one in ready)
    else:
        body = _supervisors(found, list(list_sheets.rows(found, copy=copy, divisions=divisions)))
    mark = (
        '<svg class="mark" aria-hidden="true" focusable="false"><defs><pattern id="mark" width="340" height="190" '
        'patternUnits="userSpaceOnUse" patternTransform="rotate(-24)">'
        f'<text x="10" y="60">{escape(who)}</text><text x="10" y="82">{escape(at)}</text></pattern></defs>'
        '<rect width="100%" height="100%" fill="url(#mark)"/></svg>'
    )
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>检查对象名单 {found.id}（{COPIES[copy]}）{escape(task.title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{mark}\n{body}</body>\n</html>\n"
    )


def _both(zh: str, en: str) -> str:
    return f'{zh} <span lang="en">{en}</span>'


def _head(found: InspectionList, copy: str, number: int) -> str:
    task: Task = found.task
    facts = (
        ("检查机关", "Organ", "、".join([task.organ, *task.partners])),
        ("任务", "Task", f"{task.id} · {task.title}（{TYPES[task.type]}）"),
        ("检查依据", "Basis", task.basis),
        ("检查事项", "Items", "、".join(task.items)),
        ("期间", "Period", f"{task.from_on} 至 {task.to_on}"),
        ("户数", "Entities", str(number)),
    )
    return (
        f'<h1>{_both("检查对象名单", "Inspection list")} {found.id}（{COPIES[copy]}）</h1>\n<table class="facts">\n'
        + "".join(f"<tr><th>{_both(zh, en)}</th><td>{escape(text)}</td></tr>\n" for zh, en, text in facts)
        + "</table>\n"
    )


def _table(class_: str, headings: Sequence[tuple[str, str, str]], rows: str) -> str:
    heads = "".join(f'<th scope="col" class="{name}">{_both(zh, en)}</th>' for name, zh, en in headings)
    return f'<table class="{class_}">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n'


def _overview(found: InspectionList, ready: Sequence[Sheet]) -> str:
    heads = (
        ("no", "序号", "No."), ("name", "名称", "Name"), ("code", "统一社会信用代码", "Credit code"), ("place", "住所", "Address"),
        ("day", "计划日期", "Planned"), ("yes", "完成", "Done"),
    )  # fmt: skip
    rows = ""
    for division, group in groupby(ready, key=lambda one: one.row.division):
        rows += f'<tr class="place"><td colspan="6">行政区划 {escape(division)}</td></tr>\n'
        rows += "".join(
            f'<tr><td class="no">{one.row.tour}</td><td>{escape(one.row.name)}</td><td class="code">{escape(one.row.code)}</td>'
            f'<td>{escape(one.row.address)}</td><td class="day" data-label="计划日期">{escape(one.planned_on)}</td>'
            f'<td class="yes" data-label="完成">{BOX}</td></tr>\n'
            for one in group
        )
    return f"<section>\n{_head(found, 'field', len(ready))}<h2>{_both('行程', 'Tour')}</h2>\n{_table('over', heads, rows)}</section>\n"


def _sheet(found: InspectionList, one: Sheet) -> str:
    task, row = found.task, one.row
    facts = (
        ("名称", "Name", row.name),
        ("统一社会信用代码", "Credit code", row.code),
        ("主体类型", "Kind", SUBJECTS.get(row.kind, row.kind)),
        ("住所（经营场所）", "Address", row.address),
        ("任务", "Task", f"{task.id} · {task.title}（{TYPES[task.type]}）"),
        ("检查依据", "Basis", task.basis),
        ("计划日期", "Planned for", one.planned_on),
        ("检查人员", "Inspectors", "、".join(one.inspectors)),
    )
    asked = "".join(_item(item) for item in one.items) + _plain(one.texts)
    outcomes = "".join(f"<li>{BOX} {_both(label.zh, label.en)}</li>" for _, label in OUTCOMES.values())
    return (
        f'<section class="sheet">\n<h1>{_both("现场检查表", "On-site check")}</h1>\n'
        f'<p class="foot">名单 {found.id} · 序号 {row.tour} · 检查编号 visit {one.visit or ""} · {escape(task.organ)}</p>\n<table class="facts">\n'
        + "".join(f"<tr><th>{_both(zh, en)}</th><td>{escape(text)}</td></tr>\n" for zh, en, text in facts)
        + f"</table>\n<p>{BOX} {_both('已出示执法证件', 'certificates shown')}　{BOX} "
        f"{_both('已告知有权申请回避、陈述和申辩', 'told of the right to ask for recusal and to be heard')}</p>\n"
        f"<p>{_both('进入时间', 'Entered')} {LINE}　{_both('离开时间', 'Left')} {LINE}</p>\n{asked}"
        f'<h2>{_both("检查结果", "Result")}</h2>\n<ul class="boxes">{outcomes}</ul>\n'
        f"<p>{_both('情况说明', 'Remarks')}</p><p>&nbsp;</p>\n"
        f'<div class="sign"><p><span>{_both("检查人员签名", "Inspectors")} {LINE} {LINE}</span></p>'
        f"<p><span>{_both('当事人签名（盖章）', 'For the enterprise')} {LINE}</span><span>{_both('日期', 'Date')} {LINE}</span></p></div>\n"
        "</section>\n"
    )


def _item(item: dict[str, Any]) -> str:
    boxes = tuple(("box", zh, IN_ENGLISH[name]) for name, zh in ANSWERS.items())
    heads = (("no", "序号", "No."), ("ask", "检查内容", "Question"), *boxes, ("said", "说明", "Remarks"))
    empty = f'<td class="box">{BOX}</td>' * len(ANSWERS)
    rows = "".join(
        f'<tr><td class="no">{place}</td><td>{escape(one["text"])}</td>{empty}<td class="said"></td></tr>\n'
        for place, one in enumerate(item["questions"], start=1)
    )
    basis = f'<p class="foot">{escape(item["basis"])}</p>\n' if item["basis"] else ""
    return f'<h2>{escape(item["name"])} <span lang="en">{escape(item["code"])}</span></h2>\n{basis}{_table("ask", heads, rows)}'


def _plain(texts: Sequence[str]) -> str:
    if not texts:
        return ""
    item = {"name": "其他检查事项", "code": "", "basis": "", "questions": [{"text": text} for text in texts]}
    return _item(item)


def _supervisors(found: InspectionList, rows: Sequence[dict[str, Any]]) -> str:
    heads = (
        ("no", "序号", "No."), ("who", "名称、代码、住所", "Who and where"), ("no", "分类", "Class"), ("no", "得分", "Score"),
        ("no", "概率", "Chance"), ("day", "选取方式", "Slice"), ("day", "应查期限", "Due"), ("why", "主要理由", "Reasons"),
    )  # fmt: skip
    shown = "".join(
        f'<tr><td class="no">{row["number"]}</td><td class="who">{escape(row["name"])}<br>{escape(row["code"])}<br>{escape(row["address"])}</td>'
        f'<td class="no" data-label="分类">{escape(row["class"] or "—")}</td>'
        f'<td class="no" data-label="得分">{"" if row["score"] is None else row["score"]}</td>'
        f'<td class="no" data-label="概率">{lists.percent(row["chance"])}</td>'
        f'<td class="day" data-label="选取方式">{SLICES.get(row["slice"], "")}</td>'
        f'<td class="day" data-label="应查期限">{row["due_on"] or ""}</td>'
        f'<td class="why" data-label="主要理由">{_reasons(row["reasons"])}</td></tr>\n'
        for row in rows
    )
    return (
        f"<section>\n{_head(found, 'supervisor', len(rows))}<p><b>内部资料，不得带入现场、不得对外提供。</b> "
        '<span lang="en">Internal: not for the field, not for anybody outside.</span></p>\n'
        f"<h2>{_both('名单', 'List')}</h2>\n{_table('over', heads, shown)}</section>\n"
    )


def _reasons(reasons: Sequence[dict[str, Any]]) -> str:
    return "<br>".join(f"{escape(one['sentence']['zh'])}（{one['points']:+d}）" for one in reasons)
