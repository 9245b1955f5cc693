"""`task` and `list`: why anyone is inspected, and who."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from api.cli import support
from api.cli.support import DAY, as_json
from registry import clock
from registry.errors import ListNotFound, TaskNotFound
from registry.models import InspectionList, Task
from registry.services import book, grading, lists, models, tasks
from registry.services.lists import Filters
from registry.sheets import write_csv

COLUMNS = {
    "supervisor": (
        "number",
        "code",
        "name",
        "kind",
        "division",
        "address",
        "class",
        "chance",
        "score",
        "graded_on",
        "reasons",
    ),
    "field": ("number", "code", "name", "kind", "division", "address", "items", "basis"),
}
HEADINGS = {
    "number": "序号 number", "code": "统一社会信用代码 code", "name": "名称 name", "kind": "主体类型 kind", "division": "区划 division", "address": "地址 address",
    "class": "风险分类 class", "chance": "发现问题概率 chance", "score": "分值 score", "graded_on": "评定日 graded on", "reasons": "理由 reasons", "items": "检查事项 items", "basis": "检查依据 basis",
}  # fmt: skip


@click.group("task")
def task() -> None:
    """Create and list inspection tasks. Nothing is inspected without one.

    \b
    Example:
      xinheng task list
    """


@task.command(
    "create",
    epilog="Example: xinheng task create --type key_supervision --title 重点检查 --basis 年度检查计划 --organ 信衡市市场监督管理局 --item 标签标识",
)
@click.option("--type", "type_", type=click.Choice(list(tasks.TYPES)), required=True)
@click.option("--title", required=True)
@click.option("--basis", required=True, help="The legal basis 检查依据.")
@click.option("--organ", required=True, help="The organ that inspects 检查机关.")
@click.option("--item", "items", multiple=True, required=True, help="What is checked 检查事项; repeatable.")
@click.option("--from", "from_on", type=DAY, default=None, help="First day. Default: today.")
@click.option("--to", "to_on", type=DAY, default=None, help="Last day. Default: the end of the year of the first day.")
@as_json
def create_task(
    type_: str,
    title: str,
    basis: str,
    organ: str,
    items: tuple[str, ...],
    from_on: date | None,
    to_on: date | None,
    as_json: bool,
) -> None:
    """Create a task: its type, legal basis, what is checked, by whom and when.

    \b
    Types: random 双随机  key_supervision 重点监管  special_campaign 专项  complaint_or_report 投诉举报
           transferred_lead 转办线索  statutory 法定检查
    """
    with support.connected() as settings:
        first = from_on or support.today(settings)
        last = to_on or date(first.year, 12, 31)
        if last < first:
            raise click.BadParameter(f"{last} lies before {first}", param_hint="--to")
        made = tasks.create(
            type=type_,
            title=title,
            basis=basis,
            organ=organ,
            items=list(items),
            from_on=first,
            to_on=last,
            actor=support.actor(),
            now=clock.now(),
        )
    if as_json:
        support.emit({"id": made.id})
    else:
        click.echo(f"Task {made.id}. Now: xinheng list pull {made.id} --size 50")


@task.command("list", epilog="Example: xinheng task list --organ 信衡市市场监督管理局")
@click.option("--organ", default=None, help="Only tasks of this organ.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@as_json
def list_tasks(organ: str | None, limit: int, as_json: bool) -> None:
    """List tasks, newest first."""
    with support.connected():
        query = Task.select().order_by(Task.id.desc()).limit(limit)
        if organ is not None:
            query = query.where(Task.organ == organ)
        names = ("id", "type", "title", "basis", "organ", "items", "from_on", "to_on", "created_by")
        rows = [{name: getattr(row, name) for name in names} for row in query]
    if as_json:
        support.emit(rows)
        return
    support.table(
        ["编号 id", "类型 type", "名称 title", "依据 basis", "机关 organ", "事项 items", "自 from", "至 to"],
        [
            [
                row["id"],
                tasks.TYPES[row["type"]],
                row["title"],
                row["basis"],
                row["organ"],
                "；".join(row["items"]),
                row["from_on"],
                row["to_on"],
            ]
            for row in rows
        ],
    )


@click.group("list")
def list_() -> None:
    """Pull and read inspection lists: entities under a task, the riskiest first, frozen when pulled.

    \b
    Example:
      xinheng list pull 1 --size 50 --class D --class C
    """


@list_.command("pull", epilog="Example: xinheng list pull 1 --size 100 --class D --division 9901")
@click.argument("task_id", metavar="TASK", type=int)
@click.option("--size", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--class", "classes", multiple=True, help="Only these classes; repeatable.")
@click.option("--division", default="", help="Prefix of GB/T 2260.")
@click.option("--industry", default="", help="Prefix of GB/T 4754.")
@click.option("--kind", type=click.Choice(["enterprise", "individual", "cooperative", "branch", "other"]), default=None)
@click.option("--scheme", default=None, help="Default: [grading] scheme.")
@as_json
def pull(
    task_id: int,
    size: int,
    classes: tuple[str, ...],
    division: str,
    industry: str,
    kind: str | None,
    scheme: str | None,
    as_json: bool,
) -> None:
    """Freeze the riskiest entities under a task as a list."""
    for name, digits in (("--division", division), ("--industry", industry)):
        if digits and not (digits.isascii() and digits.isdigit()):
            raise click.BadParameter(f"{digits!r} is not a prefix of digits", param_hint=name)
    with support.connected() as settings:
        chosen = grading.scheme_named(settings, scheme, support.today(settings))
        if book.is_shadow(chosen):
            raise click.UsageError(
                f"{chosen.id} is a trial: its grades have no effect. Name a scheme that is in force."
            )
        for name in classes:
            if name not in chosen.classes:
                raise click.BadParameter(
                    f"{chosen.id} has no class {name!r}; it has {', '.join(chosen.classes)}", param_hint="--class"
                )
        # Switched off means off at once, also where no server has started since.
        models.settle(settings, clock.now())
        filters = Filters(classes=classes, division=division, industry=industry, kind=kind or "")
        made = lists.pull(_task(task_id), chosen, filters, size=size, actor=support.actor(), now=clock.now())
    if as_json:
        support.emit({"id": made.id, "task": task_id, "scheme": chosen.id, "size": made.size})
    else:
        click.echo(f"List {made.id}: {made.size} entities. Now: xinheng list show {made.id}")


@list_.command("show", epilog="Example: xinheng list show 1 --copy field --csv field-copy.csv")
@click.argument("list_id", metavar="LIST", type=int)
@click.option(
    "--copy",
    "copy",
    type=click.Choice(["supervisor", "field"]),
    default="supervisor",
    show_default=True,
    help="The field copy holds no class, chance, score or reason.",
)
@click.option(
    "--csv", "csv_path", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Write it as CSV instead."
)
@click.option(
    "--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of the reasons."
)
@as_json
def show(list_id: int, copy: str, csv_path: Path | None, lang: str, as_json: bool) -> None:
    """Print a list, whole: the supervisor's copy in order of priority, the field copy in the order of the tour."""
    with support.connected():
        found = _list(list_id)
        rows: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            page = lists.page(found, field_copy=copy == "field", after=after, limit=1000)
            rows += page.items
            after = page.next
            if after is None:
                break
    if csv_path is not None:
        columns = COLUMNS[copy]
        write_csv(csv_path, [HEADINGS[name] for name in columns], [_cells(row, columns, lang) for row in rows])
        click.echo(f"{len(rows):,} rows: {csv_path}", err=as_json)
    if as_json:
        support.emit({"id": list_id, "copy": copy, "items": rows})
    elif csv_path is None:
        support.table([HEADINGS[name] for name in COLUMNS[copy]], [_cells(row, COLUMNS[copy], lang) for row in rows])


def _task(number: int) -> Task:
    found = Task.get_or_none(Task.id == number)
    if found is None:
        raise TaskNotFound(
            f"There is no task {number}. `xinheng task list` shows them; `xinheng task create` makes one."
        )
    assert isinstance(found, Task)
    return found


def _list(number: int) -> InspectionList:
    found = InspectionList.get_or_none(InspectionList.id == number)
    if found is None:
        raise ListNotFound(f"There is no list {number}. `xinheng list pull TASK` makes one.")
    assert isinstance(found, InspectionList)
    return found


def _cells(row: dict[str, Any], columns: tuple[str, ...], lang: str) -> list[Any]:
    def cell(name: str) -> Any:
        value = row[name]
        if name == "reasons":
            return "；".join(f"{one['sentence'][lang]}（{one['points']:+d}）" for one in value)
        if name == "chance":
            return lists.percent(value)
        return "；".join(value) if isinstance(value, list) else value

    return [cell(name) for name in columns]
