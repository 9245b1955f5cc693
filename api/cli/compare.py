"""`scheme compare`: what another scheme would do, before it is decided."""

import re
import time
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.grading import within_reach
from api.cli.schemes import scheme
from api.cli.support import DAY, as_json
from registry import clock
from registry.kinds.industries import named
from registry.services import book, scheme_days, whatif
from registry.sheets import write_csv

BAR = 28
# Rows of a table that a person reads to the end; --json has all of them.
SHOWN = 20
MOST = 1_000_000
HEADINGS = (
    "统一社会信用代码", "名称", "主体类型", "行政区划", "行业", "现行分类", "拟议分类", "现行分值", "拟议分值", "变动级数", "变动所依规则",
)  # fmt: skip
COLUMNS = (
    "code", "name", "subject", "division", "industry", "old_class", "new_class", "old_score", "new_score", "jump", "rule",
)  # fmt: skip


def _prefixes(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    for one in given:
        if re.fullmatch(r"[0-9]{1,6}", one, re.ASCII) is None:
            raise click.BadParameter(f"{one!r} is no division. Give one to six digits of GB/T 2260, for example 9901.")
    return given or ("",)


@scheme.command("compare", epilog="Example: xinheng scheme compare general-risk drafts/general-risk --on 2026-12-01")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--on",
    "day",
    type=DAY,
    default=None,
    callback=within_reach,
    help="Day on which both grade: where a value begins later, that day. Default: today.",
)
@click.option(
    "--division", "divisions", multiple=True, callback=_prefixes, help="Prefix of GB/T 2260; may be repeated."
)
@click.option(
    "--movers", type=click.IntRange(0, MOST), default=whatif.MOVERS, show_default=True,
    help="How many entities that change class are named, those who become worst first.",
)  # fmt: skip
@click.option(
    "--sensitivity/--no-sensitivity",
    default=True,
    show_default=True,
    help="Also try what the new scheme turns on: each rule left out, points ±10 %, cuts ±5 % of the scale.",
)
@click.option(
    "--csv", "csv_path", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write the movers there."
)
@as_json
def compare(
    old: str, new: str, day: date | None, divisions: tuple[str, ...], movers: int, sensitivity: bool,
    csv_path: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """What another scheme would do: who changes class and why, and what it costs in inspections. Writes nothing.

    OLD and NEW are schemes as they hold on the day (general-risk), kept contents by the beginning of their hash
    (general-risk@1a2b3c), the book as shipped (book:general-risk), proposals (proposal:7), or folders.
    """
    with support.connected() as settings:
        on = day or support.today(settings)
        schemes = [book.resolve(settings, text, on=on, folders=True) for text in (old, new)]
        started = time.monotonic()
        with support.progress(f"Compare 比对 {schemes[1].id}") as tell:
            found = whatif.compare(
                settings, schemes[0], schemes[1], day=on, divisions=divisions, movers=movers, sensitivity=sensitivity,
                progress=tell,
            )  # fmt: skip
        since = clock.day_number(on)
        first = scheme_days.first_difference(*schemes, since=since)
        body = found.to_dict() | {
            "seconds": round(time.monotonic() - started, 3),
            "differ_from": None if first is None else clock.day_of(first).isoformat(),
        }
    if csv_path is not None:
        write_csv(csv_path, HEADINGS, [[_cell(row[name]) for name in COLUMNS] for row in body["movers"]])
        click.echo(f"{len(body['movers']):,} movers 变动主体: {csv_path}", err=True)
    if as_json:
        support.emit(body)
        return
    if first != since:
        click.echo(_alike(old, new, body))
    show(body)


def _alike(old: str, new: str, body: dict[str, Any]) -> str:
    """Why nobody moves where the two decide alike on the day."""
    if body["old"]["hash"] == body["new"]["hash"]:
        return f"注意 Note: {old} and {new} are one content 内容相同, {body['old']['hash'][:12]}: nobody can move."
    if body["differ_from"] is None:
        return (
            f"注意 Note: {old} and {new} decide alike on {body['on']} and every later day: only words, bases or values of the past "
            "are not the same. Nobody can move."
        )
    return (
        f"注意 Note: the same values are in force in both on {body['on']} 当日取值相同, so nobody can move. They first differ on "
        f"{body['differ_from']}: xinheng scheme compare {old} {new} --on {body['differ_from']}"
    )


def _cell(value: Any) -> Any:
    return f"{value:g}" if isinstance(value, float) else value


def show(body: dict[str, Any]) -> None:
    """Print a comparison (`Comparison.to_dict()` with `seconds`) as a regulator reads it."""
    old, new = body["old"], body["new"]
    click.echo(f"方案比对 Comparison  {old['id']}@{old['hash'][:8]} → {new['id']}@{new['hash'][:8]}")
    click.echo(
        f"评定日 on {body['on']}, 已知至台账第 {body['known_seq']} 号 known up to ledger number {body['known_seq']}; "
        f"{body['seconds']:.1f} s; nothing was written 未写入任何数据"
    )
    moved = body["worse"] + body["better"]
    click.echo(
        f"{body['entities']:,} 户 entities graded by both; {moved:,} change class 变动: {body['worse']:,} worse 变差, "
        f"{body['better']:,} better 变好."
    )
    if body["only_old"] or body["only_new"]:
        click.echo(f"Graded by one only 仅一方评定: old 现行 {body['only_old']:,}, new 拟议 {body['only_new']:,}.")
    click.echo()
    _distribution(body)
    _matrix(body)
    _visits("全年检查户次 Inspections a year", body["visits"])
    _visits("所需人日 Inspector-days", body["inspector_days"])
    click.echo()
    for title, key, rows in (
        ("按区县 By division", "division", body["by_division"]),
        ("按行业 By industry", "industry", body["by_industry"]),
        ("按主体类型 By kind", "subject", body["by_subject"]),
    ):
        _groups(title, key, rows, body)
    _moved_by(body["moved_by"])
    _movers(body["movers"], moved)
    if body["sensitivity"] is not None:
        _sensitivity(body["sensitivity"])


def _distribution(body: dict[str, Any]) -> None:
    counts = body["classes"]
    totals = {side: sum(counts[side].values()) for side in counts}
    rows = []
    for name in _classes(body):
        cells: list[Any] = [name]
        for side in ("old", "new"):
            number, total = counts[side].get(name), totals[side]
            share = (number or 0) / total if total else 0
            cells += ["—", ""] if number is None else [f"{number:,}", f"{share:6.1%} {'█' * _bar(share, number)}"]
        rows.append(cells)
    support.table(["分类 class", "现行 old", "", "拟议 new", ""], rows, title="分布 Distribution")


def _classes(body: dict[str, Any]) -> list[str]:
    """Every class of either scheme, in the order of the one that has more of them."""
    sides = sorted((list(body["classes"][side]) for side in ("new", "old")), key=len, reverse=True)
    return list(dict.fromkeys([*sides[0], *sides[1]]))


def _bar(share: float, number: int) -> int:
    return max(round(share * BAR), 1 if number else 0)


def _matrix(body: dict[str, Any]) -> None:
    names = list(body["classes"]["new"])
    rows = [
        [row["old"], *(f"{row['new'][name]:,}" if row["new"][name] else "·" for name in names)]
        for row in body["matrix"]
    ]
    support.table(["现行 old ↓  拟议 new →", *names], rows, title="流向 From class to class")


def _visits(title: str, figures: dict[str, int | None]) -> None:
    said = [f"{word} {figures[side]:,}" if figures[side] is not None else f"{word} —" for side, word in
            (("old", "现行 old"), ("new", "拟议 new"))]  # fmt: skip
    difference = figures["difference"]
    if difference is None:
        click.echo(f"{title}: {', '.join(said)} (— : the frequency table has no row for a class of it)")
        return
    word = "增加 added" if difference > 0 else "减少 saved" if difference < 0 else "不变 unchanged"
    click.echo(f"{title}: {', '.join(said)}; {word} {abs(difference):,}")


def _groups(title: str, key: str, rows: list[dict[str, Any]], body: dict[str, Any]) -> None:
    names = _classes(body)

    def cell(row: dict[str, Any], name: str) -> str:
        old, new = row["classes"]["old"].get(name), row["classes"]["new"].get(name)
        if old is None or new is None:
            return f"{'—' if old is None else f'{old:,}'} → {'—' if new is None else f'{new:,}'}"
        return f"{old:,}" if old == new else f"{old:,} → {new:,}"

    def label(row: dict[str, Any]) -> str:
        said = row.get("title")
        return f"{row[key]} {said['zh']}".strip() if said and key == "industry" else said["zh"] if said else row[key]

    support.table(
        [title, "变差 worse", "变好 better", *names],
        [[label(row), f"{row['worse']:,}", f"{row['better']:,}", *(cell(row, name) for name in names)] for row in rows],
    )


def _moved_by(rows: list[dict[str, Any]]) -> None:
    if rows:
        support.table(
            ["变动所依规则 Moved by", "", "变差 worse", "变好 better"],
            [[row["rule"], row["title"]["zh"], f"{row['worse']:,}", f"{row['better']:,}"] for row in rows[:SHOWN]],
        )


def _movers(rows: list[dict[str, Any]], moved: int) -> None:
    if not rows:
        return
    support.table(
        ["代码 code", "名称 name", "行业 industry", "分类 class", "分值 score", "规则 rule"],
        [
            [
                row["code"], row["name"], named(row["industry"]).partition("（")[0],
                f"{row['old_class']} → {row['new_class']}", f"{row['old_score']} → {row['new_score']}", row["rule"],
            ]
            for row in rows[:SHOWN]
        ],
        title=f"变动主体 Movers, {min(len(rows), SHOWN)} of {moved:,}{'; all of them 全部: --csv FILE' if moved > SHOWN else ''}",
    )  # fmt: skip


def _sensitivity(rows: list[dict[str, Any]]) -> None:
    words = {"rule": "不用此规则 left out", "parameter": "分值 points", "cut": "分界 cut"}
    shown = [row for row in rows if row["moved"]][:SHOWN]
    support.table(
        ["试动 what is tried", "", "", "变动 moved", "变差 worse", "变好 better"],
        [
            [
                words[row["what"]],
                f"{row['rule']}{'.' + row['parameter'] if row['parameter'] else ''}  {row['title']['zh'] if row['what'] != 'cut' else ''}",
                "" if row["from"] is None else f"{row['from']} → {row['to']}",
                f"{row['moved']:,}", f"{row['worse']:,}", f"{row['better']:,}",
            ]
            for row in shown
        ],
        title=f"敏感性 What the new scheme turns on, {len(shown)} of {len(rows)} trials",
    )  # fmt: skip
