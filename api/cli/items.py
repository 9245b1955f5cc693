"""`item`: the list of items at a terminal."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import registers, support
from api.cli.registers import FILE, OUT
from api.cli.support import DAY, as_json
from registry.services import items, shipped_items
from registry.services.register_forms import METHODS, NATURES, ItemFields
from registry.services.register_sheets import ITEMS

VERSION = click.option("--version", type=click.IntRange(min=1), default=None, help="Version that the change saw.")
# What the options of `add` say when none is given.
MINUTES, WEIGHT, DEFAULT = 60, 100, "product_default"
# 2:whether it is so, 2|whether it is so|what it rests on.
_QUESTION = re.compile(r"\s*([0-9])\s*[:：|]([^|]*)(?:\|([^|]*))?")


@click.group(epilog="Example: xinheng item load")
def item() -> None:
    """The list of items 随机抽查事项清单: what is checked, on which basis, with which questions. One for all organs."""


@item.command(epilog="Example: xinheng item load")
@as_json
def load(as_json: bool) -> None:
    """Add the shipped labels and items whose codes are free; what stands is left as it is. Safe to repeat."""
    with support.connected() as settings:
        found = shipped_items.load(desk=registers.desk_of(settings))
    if as_json:
        support.emit({"labels": found.labels, "items": found.items, "kept": list(found.kept)})
        return
    click.echo(f"标签 {found.labels} labels, 事项 {found.items} items added; {len(found.kept)} stood already.")


@item.command("list", epilog="Example: xinheng item list --nature key")
@click.option("--nature", type=click.Choice(list(NATURES.terms)), default=None)
@click.option("--label", default="", help="Only items that apply to this special database.")
@click.option("--all", "every", is_flag=True, help="Also those that are not in force today.")
@as_json
def list_(nature: str | None, label: str, every: bool, as_json: bool) -> None:
    """Items in order of their codes."""
    with support.connected() as settings:
        found = items.page(support.today(settings), nature=nature or "", label=label, every=every, limit=100_000).items
    if as_json:
        support.emit({"items": found})
        return
    columns = [
        "编码 code",
        "名称 name",
        "类别 nature",
        "专项库 labels",
        "时长 minutes",
        "权重 weight",
        "问题 questions",
        "版本 version",
    ]
    support.table(
        columns,
        [
            [
                one["code"], one["name"], NATURES.terms[one["nature"]].zh, "、".join(one["labels"]), one["minutes"], one["weight"],
                len(one["questions"]), one["version"],
            ]
            for one in found
        ],
    )  # fmt: skip


@item.command(epilog="Example: xinheng item show B03")
@click.argument("code")
@as_json
def show(code: str, as_json: bool) -> None:
    """One item (CODE) with its checklist and its version."""
    with support.connected() as settings:
        found = items.shown(items.get(code), support.today(settings))
    if as_json:
        support.emit(found)
        return
    until = f" – {found['until_on']}" if found["until_on"] else ""
    click.echo(
        f"{found['code']} {found['name']}, {NATURES.terms[found['nature']].zh} {found['nature']}, {METHODS.terms[found['method']].zh}"
    )
    click.echo(f"  依据 basis: {found['basis']}")
    click.echo(
        f"  检查部门 department: {found['department']}; 专项库 labels: {'、'.join(found['labels']) or '全部 everybody'}"
    )
    click.echo(
        f"  {found['minutes']} 分钟 minutes; 危害权重 weight {found['weight']}; {found['from_on']}{until}; 版本 version {found['version']}"
    )
    for one in found["questions"]:
        click.echo(f"  {one['code']}. [{one['severity']}] {one['text']}")


@item.command(
    epilog="Example: xinheng item add Y01 --name 校外培训收费检查 --basis 本机关权力清单 --department 价格监管 --question 2:收费项目和标准是否公示？"
)
@click.argument("code")
@click.option("--name", required=True)
@click.option("--basis", required=True, help="Legal basis.")
@click.option("--department", required=True, help="Department that checks it.")
@click.option("--subject", "subjects", multiple=True, default=("enterprise",), show_default=True, help="Repeatable.")
@click.option("--method", default="on_site", show_default=True, help="How it is checked, in our word or in Chinese.")
@click.option("--nature", type=click.Choice(list(NATURES.terms)), default="general", show_default=True)
@click.option(
    "--label", "labels", multiple=True, help="Special database that it applies to; repeatable; none: everybody."
)
@click.option("--minutes", type=int, default=MINUTES, show_default=True)
@click.option("--weight", type=int, default=WEIGHT, show_default=True, help="Weight of the harm, 1 to 1000.")
@click.option(
    "--question", "questions", multiple=True, required=True, help="SEVERITY:TEXT, or SEVERITY:TEXT|BASIS; repeatable."
)
@click.option("--from", "from_on", type=DAY, default=None, help="First day; default today.")
@VERSION
@as_json
def add(
    code: str, subjects: tuple[str, ...], labels: tuple[str, ...], weight: int, questions: tuple[str, ...],
    from_on: date | None, version: int | None, as_json: bool, **given: Any,
) -> None:  # fmt: skip
    """Put an item (CODE) onto the list; with --version change the one that has the code. Safe to repeat."""
    with support.connected() as settings:
        desk = registers.desk_of(settings)
        first = from_on or desk.today
        whole = {
            **given, "code": code, "subjects": list(subjects), "labels": list(labels), "from_on": first,
            "harm": [{"from": first, "weight": weight, "basis": DEFAULT}],
            "questions": [_question(number, text) for number, text in enumerate(questions, start=1)],
        }  # fmt: skip
        row, outcome = items.save(registers.checked(ItemFields(), whole), version=version, desk=desk)
        registers.tell(f"{row.code} {row.name}", items.shown(row, desk.today), outcome, as_json)


@item.command(epilog="Example: xinheng item retire A11 --on 2027-01-01 --version 1")
@click.argument("code")
@click.option("--on", type=DAY, required=True, help="First day on which it is checked no more.")
@VERSION
@as_json
def retire(code: str, on: date, version: int | None, as_json: bool) -> None:
    """Take an item (CODE) off the list from a day on; tasks that have it keep their copy. Safe to repeat."""
    with support.connected() as settings:
        desk = registers.desk_of(settings)
        row, outcome = items.retire(code, on=on, version=version, desk=desk)
        registers.tell(f"{row.code} {row.name}", items.shown(row, desk.today), outcome, as_json)


@item.command("import", epilog="Example: xinheng item import items.csv")
@FILE
@as_json
def import_(file: Path, as_json: bool) -> int:
    """Add and change items from a CSV or XLSX FILE; the same file again changes nothing. Exit status 1: some rows were refused."""
    return registers.import_file(file, ITEMS, as_json=as_json)


@item.command(epilog="Example: xinheng item export items.xlsx")
@OUT
def export(out: Path) -> None:
    """Write all items to OUT (CSV, or XLSX where the name ends so), with the headings by which they are imported."""
    with support.connected() as settings:
        registers.export_file(out, ITEMS, items.page(support.today(settings), every=True, limit=100_000).items)


def _question(number: int, text: str) -> dict[str, Any]:
    parts = _QUESTION.fullmatch(text)
    severity, asked, basis = parts.groups() if parts else ("0", text, None)
    return {"code": str(number), "severity": int(severity), "text": asked, "basis": basis or ""}
