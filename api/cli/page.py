"""An explanation as a page that a regulator can read at a terminal or print: Chinese first, bars for points."""

import sys
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from registry.services.explanation import SILENT
from registry.services.lists import percent
from rules.words import BASIS, UNITS, amount, article

WIDTH = 110
BAR = 24
WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "class": "分类", "score": "分值", "on": "评定日", "known": "已知至台账第 {seq} 号", "decided": "由此规则决定", "points": "得分理由",
        "records": "依据记录", "unknown": "数据不足", "rules": ("未能判定的规则 {number} 条: {titles}", "未能判定的规则 {number} 条: {titles}"), "groups": "无数据的信息组", "better": "距更好一级", "worse": "距更差一级",
        "known_of": "已知指标 {known}/{all}", "next": "最早变动日", "digest": "摘要", "yes": "已复现", "no": "未复现", "none": "当日无存档评定", "point": "分",
        "scheme": "方案", "trial": "该方案在此未施行：以下仅为试算，不是有效的分类", "held_on": "{class} 类，{from} 起至 {until} 前", "reason": "理由", "rests_on": "依据",
        "persons": "提出人 {proposed_by}，审批人 {decided_by}", "said": "审批意见", "then": "；", "between": "、",
        "basis": "所用参数及其依据", "rule": "规则", "parameter": "参数", "rests": "依据",
        "raised": "规则分类 {class} 上调一级，{from} 起至 {until} 前；模型 {model} 发现问题概率 {percent}", "by_scheme": "方案规定自动生效",
        "confirmed": "确认人 {decided_by}，理由: {said}", "model": "模型", "chance": "发现问题概率", "model_points": "模型分 {points}（基础 {base}）", "parts": "各特征贡献",
        "orders": "作用: 同类内按概率排序", "warning": "风险预警 {}", "suggested": "建议上调 {id}（待确认）", "counts": "上调 {id}（台账第 {seq} 号）",
        "clean": "没有计分事项。", "undated": "无日期", "withdrawn": "该记录已撤回", "repaired": "该记录已信用修复", "erased": "该记录已依法删除",
    },
    "en": {
        "class": "Class", "score": "Score", "on": "Graded on", "known": "known up to ledger number {seq}", "decided": "Decided by", "points": "Points",
        "records": "Records behind them", "unknown": "Not enough data", "rules": ("{number} rule undecided: {titles}", "{number} rules undecided: {titles}"), "groups": "groups without data", "better": "To the next better class",
        "worse": "To the next worse class", "known_of": "{known} of {all} indicators known", "next": "May change by itself on", "digest": "Digest", "yes": "reproduced",
        "no": "NOT reproduced", "none": "no grade was stored for that day", "point": "points", "clean": "Nothing counts.", "undated": "no date",
        "scheme": "Scheme", "trial": "This scheme is not in force here: what follows is a trial, and no grade that holds",
        "held_on": "class {class} from {from} until before {until}", "reason": "reason", "rests_on": "basis",
        "persons": "proposed by {proposed_by}, approved by {decided_by}", "said": "the approver said", "then": "; ", "between": "; ",
        "basis": "Parameters used and what they rest on", "rule": "rule", "parameter": "parameter", "rests": "basis",
        "raised": "the {class} of the rules is raised by one class from {from} until before {until}; model {model}, chance {percent}",
        "by_scheme": "counts at once by the scheme's leave", "confirmed": "confirmed by {decided_by}, because: {said}", "model": "Model",
        "chance": "chance of a finding", "model_points": "model points {points} (base {base})", "parts": "What each feature gives",
        "orders": "effect: orders lists inside the class", "warning": "early warning {}", "suggested": "raise {id} suggested, to be confirmed",
        "counts": "raise {id}, ledger number {seq}",
        "withdrawn": "this record was withdrawn", "repaired": "this record was repaired", "erased": "this record was lawfully erased",
    },
}  # fmt: skip
COLOURS = ("green", "cyan", "yellow", "red")


def show(body: dict[str, Any], lang: str, *, with_basis: bool = False, holds: bool = True) -> None:
    """Print the explanation `body` (`Explained.to_dict()`) in `lang`, `zh` or `en`; the basis of each parameter on demand.

    `holds`: the scheme grades here. What decided the class stands first; holds that move nothing are left out.
    """
    words = WORDS[lang]
    body = {**body, "points": _telling(body)}
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False)
    console.print(Text(f"{body['name']}  {body['code']}", style="bold"))
    console.print(_head(body, words))
    scheme = f"{words['scheme']} {body['scheme_title'][lang]} {body['scheme']}@{body['scheme_hash'][:12]}"
    console.print(Text(scheme))
    if not holds:
        console.print(Text(words["trial"], style="bold red"))
    for line in _decided(body, words, lang):
        console.print(Text(line, style="bold"))
    console.print()
    console.print(_points(body, lang) if body["points"] else words["clean"])
    if with_basis and any(row.get("parameters") for row in body["points"]):
        console.print(_basis(body, lang))
    if body["records"]:
        console.print(_records(body, lang))
    for shown in _model(body.get("model"), words, lang):
        console.print(shown)
    for line in _foot(body, words, lang):
        console.print(line)


def _telling(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows worth printing: what decided first, then the greatest."""
    rows = [
        row
        for row in body["points"]
        if row["points"] or row["rule"] == body["decided_by"] or not row["rule"].startswith(("veto:", "cap:"))
    ]
    return sorted(rows, key=lambda row: (row["rule"] != body["decided_by"], -abs(row["points"])))


def _decided(body: dict[str, Any], words: dict[str, Any], lang: str) -> Iterator[str]:
    found = body["decided"]
    if found is None:
        return
    held, moved = found["override"], found["raise"]
    if moved is not None:
        yield f"{words['decided']}: {found['title'][lang]}"
        yield "  " + words["raised"].format(**moved, percent=percent(moved["chance"]))
        yield "  " + (words["by_scheme"] if moved["automatic"] else words["confirmed"].format(**moved))
        return
    if held is None:
        yield f"{words['decided']}: {found['title'][lang]}"
        return
    yield f"{words['decided']}: {found['title'][lang]} {held['id']}, {words['held_on'].format(**held)}"
    yield f"  {words['reason']}: {held['reason']}"
    yield f"  {words['rests_on']}: {held['basis']}"
    yield f"  {words['persons'].format(**held)}" + (
        f"{words['then']}{words['said']}: {held['said']}" if held["said"] else ""
    )


def _model(said: dict[str, Any] | None, words: dict[str, Any], lang: str) -> Iterator[Text | Table]:
    """What the model says beside the rules, or in one line why it says nothing; nothing of the past."""
    if said is None or said["why_not"] == "past":
        return
    name = f"{words['model']} {said['name']} {said['hash'][:12]}" if "name" in said else words["model"]
    if said["why_not"] is not None:
        yield Text(f"{name}: {said['said'][lang]}")
        return
    parts, effect = said["contributions"], said["effect"]
    yield Text(f"{name}: {words['chance']} {percent(said['chance'])}", style="bold")
    did = [words["orders"]] if effect["orders"] else []
    did += [words["warning"].format(effect["warning"])] if effect["warning"] else []
    if effect["raise"]:
        did.append(words["counts" if effect["raise"]["seq"] else "suggested"].format(**effect["raise"]))
    did += [effect["why_not_raised"][lang]] if effect["why_not_raised"] else []
    yield Text(f"  {words['then'].join(did)}")
    if parts is None:
        return
    yield Text(f"  {words['model_points'].format(**said)}")
    made = Table(box=box.SIMPLE_HEAD, title=words["parts"], title_justify="left", pad_edge=False)
    for heading in (words["point"], "", ""):
        made.add_column(heading, justify="right" if heading else "left", overflow="fold")
    for one in parts:
        if one["points"]:
            title = one["title"][lang] if "title" in one else one["feature"]
            made.add_row(f"{one['points']:+d}", title, words["unknown"] if one["value"] is None else str(one["value"]))
    yield made


def _head(body: dict[str, Any], words: dict[str, Any]) -> Text:
    line = Text()
    line.append(f"{words['class']} {body['class']}", style=f"bold {_colour(body['class'])}")
    line.append(
        f"   {words['score']} {body['score']}   {words['on']} {body['on']}   {words['known'].format(seq=body['known_seq'])}"
    )
    return line


def _colour(class_: str) -> str:
    # Classes of every scheme begin with A to D.
    return COLOURS[min(max(ord(class_[0]) - ord("A"), 0), 3)]


def _points(body: dict[str, Any], lang: str) -> Table:
    words = WORDS[lang]
    rows = body["points"]
    most = max(abs(row["points"]) for row in rows) or 1
    made = Table(box=box.SIMPLE_HEAD, title=words["points"], title_justify="left", pad_edge=False)
    made.add_column(words["point"], justify="right")
    made.add_column("", width=BAR)
    made.add_column("", overflow="fold")
    made.add_column(words["records"], overflow="fold")
    for row in rows:
        bar = "█" * max(round(abs(row["points"]) / most * BAR), 1 if row["points"] else 0)
        numbers = " ".join(f"#{seq}" for seq in row["records"][:6]) + (" …" if len(row["records"]) > 6 else "")
        made.add_row(
            f"{row['points']:+d}",
            Text(bar, style="red" if row["points"] > 0 else "green"),
            row["sentence"][lang],
            numbers,
        )
    made.add_section()
    made.add_row(str(sum(row["points"] for row in rows)), "", words["score"], "")
    return made


def _basis(body: dict[str, Any], lang: str) -> Table:
    words = WORDS[lang]
    made = Table(box=box.SIMPLE_HEAD, title=words["basis"], title_justify="left", pad_edge=False)
    for name in (words["rule"], words["parameter"], words["rests"]):
        made.add_column(name, overflow="fold")
    for row in body["points"]:
        for number, one in enumerate(row.get("parameters", ())):
            rests = one["basis"]
            said = BASIS[lang][rests["kind"]]
            if rests["kind"] != "product_default":
                instrument = rests["instrument_zh" if lang == "zh" else "instrument"]
                cited = f"{instrument} {article(rests['article'] or '', lang)}".strip()
                said += f"《{cited}》" if lang == "zh" else f" “{cited}”"
            unit = UNITS[lang][one["unit"]].strip()
            number_said = amount(one["value"]) if one["unit"] == "fen" else one["value"]
            value = f"{one['name']} = {number_said} {unit}".rstrip()
            made.add_row("" if number else row["title"][lang], value, said)
    return made


def _records(body: dict[str, Any], lang: str) -> Table:
    # Only what gives points: the page answers "why", the record list is another command's work.
    wanted = {seq for row in body["points"] for seq in row["records"]}
    made = Table(box=box.SIMPLE_HEAD, title=WORDS[lang]["records"], title_justify="left", pad_edge=False)
    for name in ("#", "", "", "", ""):
        made.add_column(name, overflow="fold")
    for row in body["records"]:
        if row["seq"] not in wanted:
            continue
        why = next((word for word in SILENT if row.get(word)), None)
        if why is not None:
            # What may be seen is today's affair: nothing but its number and why it is silent.
            made.add_row(str(row["seq"]), "", WORDS[lang][why], "", "")
        else:
            made.add_row(
                str(row["seq"]),
                row["happened_on"] or WORDS[lang]["undated"],
                row["line"][lang],
                row["document_no"],
                row["organ"],
            )
    return made


def _foot(body: dict[str, Any], words: dict[str, Any], lang: str) -> list[str]:
    lines = [words["known_of"].format(**body["completeness"])]
    if body["undecided"] or body["no_data"]:
        titles = words["between"].join(one[lang] for one in body["undecided_rules"])
        number = len(body["undecided"])
        said = [words["rules"][number != 1].format(number=number, titles=titles)] if number else []
        said += [f"{words['groups']}: {', '.join(body['no_data'])}"] if body["no_data"] else []
        lines.append(f"{words['unknown']}: {'; '.join(said)}")
    distance = [
        f"{words[name]} {body['distance'][name]} {words['point']}"
        for name in ("better", "worse")
        if body["distance"][name] is not None
    ]
    lines.append("   ".join(distance))
    lines += [note[lang] for note in body["distance"]["notes"]]
    if body["next_day"]:
        lines.append(f"{words['next']} {body['next_day']}")
    state = {True: words["yes"], False: words["no"], None: words["none"]}[body["reproduced"]]
    lines.append(f"{words['digest']} {body['digest'][:16]}… {state}")
    if body.get("differs"):
        lines.append(body["differs"])
    return [line for line in lines if line]
