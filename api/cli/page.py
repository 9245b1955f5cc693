"""An explanation as a page that a regulator can read at a terminal or print: Chinese first, bars for points."""

import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from registry.services.explanation import SILENT

WIDTH = 110
BAR = 24
WORDS = {
    "zh": {
        "class": "分类", "score": "分值", "on": "评定日", "known": "已知至台账第 {seq} 号", "decided": "由此规则决定", "points": "得分理由",
        "records": "依据记录", "unknown": "数据不足", "rules": "条规则未能判定", "groups": "无数据的信息组", "better": "距更好一级", "worse": "距更差一级",
        "known_of": "已知指标 {known}/{all}", "next": "最早变动日", "digest": "摘要", "yes": "已复现", "no": "未复现", "none": "当日无存档评定", "point": "分",
        "clean": "没有计分事项。", "undated": "无日期", "withdrawn": "该记录已撤回", "repaired": "该记录已信用修复", "erased": "该记录已依法删除",
    },
    "en": {
        "class": "Class", "score": "Score", "on": "Graded on", "known": "known up to ledger number {seq}", "decided": "Decided by", "points": "Points",
        "records": "Records behind them", "unknown": "Not enough data", "rules": "rules undecided", "groups": "groups without data", "better": "To the next better class",
        "worse": "To the next worse class", "known_of": "{known} of {all} indicators known", "next": "May change by itself on", "digest": "Digest", "yes": "reproduced",
        "no": "NOT reproduced", "none": "no grade was stored for that day", "point": "points", "clean": "Nothing counts.", "undated": "no date",
        "withdrawn": "this record was withdrawn", "repaired": "this record was repaired", "erased": "this record was lawfully erased",
    },
}  # fmt: skip
COLOURS = ("green", "cyan", "yellow", "red")


def show(body: dict[str, Any], lang: str) -> None:
    """Print the explanation `body` (`Explained.to_dict()`) in `lang`, `zh` or `en`."""
    words = WORDS[lang]
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False)
    console.print(Text(f"{body['name']}  {body['code']}", style="bold"))
    console.print(_head(body, words))
    if body["decided_by"]:
        console.print(Text(f"{words['decided']}: {body['decided_by']}", style="bold"))
    console.print()
    console.print(_points(body, lang) if body["points"] else words["clean"])
    if body["records"]:
        console.print(_records(body, lang))
    for line in _foot(body, words):
        console.print(line)


def _head(body: dict[str, Any], words: dict[str, str]) -> Text:
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
    rows = sorted(body["points"], key=lambda row: -abs(row["points"]))
    most = max(abs(row["points"]) for row in rows) or 1
    made = Table(box=box.SIMPLE_HEAD, title=words["points"], title_justify="left", pad_edge=False)
    made.add_column(words["point"], justify="right")
    made.add_column("", width=BAR)
    made.add_column("")
    made.add_column(words["records"])
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


def _foot(body: dict[str, Any], words: dict[str, str]) -> list[str]:
    lines = [words["known_of"].format(**body["completeness"])]
    if body["undecided"] or body["no_data"]:
        said = [f"{len(body['undecided'])} {words['rules']}"] if body["undecided"] else []
        said += [f"{words['groups']}: {', '.join(body['no_data'])}"] if body["no_data"] else []
        lines.append(f"{words['unknown']}: {'; '.join(said)}")
    distance = [
        f"{words[name]} {body['distance'][name]} {words['point']}"
        for name in ("better", "worse")
        if body["distance"][name] is not None
    ]
    lines.append("   ".join(distance))
    if body["next_day"]:
        lines.append(f"{words['next']} {body['next_day']}")
    state = {True: words["yes"], False: words["no"], None: words["none"]}[body["reproduced"]]
    lines.append(f"{words['digest']} {body['digest'][:16]}… {state}")
    if body.get("differs"):
        lines.append(body["differs"])
    return [line for line in lines if line]
